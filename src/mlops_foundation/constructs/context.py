"""What a stack's builder is given."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mlops_foundation.config.network import Vpc
from mlops_foundation.core.arns import AccountId, Region, RoleArn
from mlops_foundation.core.names import Environment, PlatformNames, role_arn
from mlops_foundation.plan.foundations import Foundation, StackPlan
from mlops_foundation.plan.models import SetPlan, Settings
from mlops_foundation.plan.rights import RightsScope, TemplateRights
from mlops_foundation.plan.specs import TemplateSpec


@dataclass(frozen=True)
class StackContext:
    """One stack in one account, with everything its builder may look at.

    Attributes:
        settings: What the configuration says of the whole platform.
        set_plan: The set of accounts the stack belongs to.
        foundation: The account and region it is made in, with the environments it serves.
        stack: Its own plan.
        templates: Project templates, for the catalog.
    """

    settings: Settings
    set_plan: SetPlan
    foundation: Foundation
    stack: StackPlan
    templates: tuple[TemplateSpec, ...]

    @property
    def names(self) -> PlatformNames:
        """Names of what the prefix owns."""
        return self.set_plan.names

    @property
    def account(self) -> AccountId:
        """The stack's account."""
        return self.foundation.account

    @property
    def region(self) -> Region:
        """The stack's region."""
        return self.foundation.region

    @property
    def accounts(self) -> Mapping[Environment, AccountId]:
        """The accounts of the set by environment."""
        return self.set_plan.accounts

    @property
    def network(self) -> Vpc:
        """The network of the stack's account, after every fallback."""
        return self.foundation.vpc

    @property
    def imported_execution_role_arn(self) -> RoleArn | None:
        """The existing role of Studio's apps that the configuration names."""
        imported = self.network.imported
        return RoleArn(imported.execution_role_arn) if imported and imported.execution_role_arn else None

    @property
    def execution_role_arn(self) -> RoleArn:
        """Role of Studio's apps: imported, or the one that the platform makes."""
        name = self.names.studio_execution_role(self.region)
        return self.imported_execution_role_arn or RoleArn(role_arn(self.account, name, self.names.role_path))

    @property
    def tags(self) -> Mapping[str, str]:
        """Tags of everything in the stack's account."""
        return self.foundation.tags

    @property
    def repositories(self) -> tuple[str, ...]:
        """Ends of the names of all repositories that projects of the templates in use have."""
        return _union(template.repositories for template in self.templates)

    @property
    def pipelines(self) -> tuple[str, ...]:
        """Middle parts of the names of their pipelines that data scientists start."""
        return _union(template.pipelines for template in self.templates)

    @property
    def promotions(self) -> tuple[str, ...]:
        """The same of the pipelines that go to production."""
        return _union(template.promotions for template in self.templates)

    def template_rights(self, boundary_arn: str = "", endpoint_key_arn: str = "") -> Mapping[str, TemplateRights]:
        """Return what the templates in use need of the platform's roles in the stack's account, by template.

        Args:
            boundary_arn: The boundary of projects, where the stack makes it; else by its name.
            endpoint_key_arn: The key of the endpoints' volumes, where the stack makes it.
        """
        scope = RightsScope(
            self.names,
            self.account,
            self.region,
            self.accounts,
            self.foundation.stages,
            boundary_arn or self.names.boundary_arn(self.account),
            endpoint_key_arn,
        )
        return {template.name: template.rights_in(scope) for template in self.templates}

    def arn(self, service: str, resource: str) -> str:
        """Return an ARN of a regional service in the stack's account."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


def _union(names: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for each in names for name in each))
