"""Frozen data: what a stack and a project template say of themselves, in ``spec.py`` of their folder."""

import importlib
import importlib.util
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from mlops_foundation.config.models import Config
from mlops_foundation.config.network import Vpc
from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.core.errors import PlanError, PluginError
from mlops_foundation.core.names import Environment, PlatformNames, Stage
from mlops_foundation.plan.rights import RightsScope, TemplateRights

Spec = TypeVar("Spec", "StackSpec", "TemplateSpec")


def load_builder(path: str, owner: str) -> Any:  # noqa: ANN401  the caller knows the builder's signature
    """Import a builder when it is needed, so that planning never loads the CDK.

    Args:
        path: ``package.module:function``.
        owner: Stack or template that names it, for the error.

    Raises:
        PluginError: When there is no such function.
    """
    module, _, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        what = f"the builder of {owner} cannot be loaded: {error}"
        raise PluginError(what, owner, path, "package.module:function", "correct its builder path") from error


def _always(config: Config) -> bool:
    del config
    return True


def _nowhere_else(config: Config) -> tuple[Environment, ...]:
    del config
    return ()


@dataclass(frozen=True)
class ClaimScope:
    """Where a stack makes what it claims."""

    names: PlatformNames
    account: AccountId
    region: Region


@dataclass(frozen=True)
class Claim:
    """A name that a stack takes in an account: of a ``role``, or a ``Studio domain``."""

    kind: Literal["role", "Studio domain"]
    name: str


def _nothing(place: ClaimScope) -> Sequence[Claim]:
    del place
    return ()


@dataclass(frozen=True)
class QuotaScope:
    """What decides how much of an account's quotas a stack takes: the account's network, and whose account it is."""

    vpc: Vpc
    environments: tuple[Environment, ...]


def _no_quotas(place: QuotaScope) -> Mapping[str, int]:
    del place
    return {}


@dataclass(frozen=True)
class StackSpec:
    """What the platform knows of a stack before building it.

    Attributes:
        name: Folder below ``stacks/`` and middle part of the CloudFormation name.
        description: One sentence, shown by ``mlops plan`` and in CloudFormation.
        environments: Where it is made.
        builder: ``package.module:function``, called with the CDK stage and a ``StackContext``.
        execution: ``package.module:function``, called with an ``ExecutionScope``; returns what CloudFormation may do to
            deploy the stack.
        needs: Stacks of the same account that must be there before.
        config_section: Section of ``mlops.yaml`` it reads, empty when none.
        exports: SSM parameters it writes; ``{prefix}`` stands for the prefix.
        services: AWS services that a region must have for it, as botocore calls them.
        keys: What the KMS keys that it makes encrypt; each costs money while nobody uses it.
        claims: What it makes under names that are an account's, or everybody's, and so may be taken.
        quotas: What it takes of an account's quotas at most, by the quota's name in the preflight.
        owner_first: Whether it waits, in the accounts that share endpoints, for the one of the account that owns them.
        wanted: Whether a configuration asks for it; every one does, unless a stack says otherwise.
        also_in: Environments where a configuration asks for it besides.
    """

    name: str
    description: str
    environments: tuple[Environment, ...]
    builder: str
    execution: str
    needs: tuple[str, ...] = ()
    config_section: str = ""
    exports: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    claims: Callable[[ClaimScope], Sequence[Claim]] = _nothing
    quotas: Callable[[QuotaScope], Mapping[str, int]] = _no_quotas
    owner_first: bool = False
    wanted: Callable[[Config], bool] = _always
    also_in: Callable[[Config], tuple[Environment, ...]] = _nowhere_else


@dataclass(frozen=True)
class Workload:
    """One kind of workload.

    Attributes:
        name: As findings and the local cloud's record name it.
        title: What it is.
        stages: Where it runs.
        services: Endpoint name of each service that it calls -> why.
        installs: Whether it installs packages.
        in_codebuild: Whether it runs in CodeBuild, which a configuration may keep out of the VPC.
    """

    name: str
    title: str
    stages: tuple[Stage, ...]
    services: Mapping[str, str]
    installs: bool = False
    in_codebuild: bool = False


@dataclass(frozen=True)
class TemplateSpec:
    """A project template: everything that the platform knows of it before building it.

    Attributes:
        name: Folder below ``templates/``, name of its own product.
        description: One sentence, shown to who creates a project.
        problem_types: Kinds of problem that it serves, as the form's parameter says them.
        inference_types: Ways of serving predictions; with the problem type one chooses the template.
        builder: ``package.module:function``, called with scope, id and a ``ProductContext``; returns a
            ``ProductStack``.
        rights: ``package.module:function``, called with a ``RightsScope``; returns its ``TemplateRights``.
        seeds: Folders below the template's own that become archives, by the name the builder asks for.
        repositories: Ends of its repositories' names, ``<project>-<end>``.
        builds: Ends of its CodeBuild projects' names.
        pipelines: Middle parts of the pipelines that data scientists start, ``<project>_<part>_pipeline``.
        promotions: The same of the pipelines that go to production: the lead starts them, people approve their stages.
        rules: Ends of its EventBridge rules' names.
        roles: Ends of its roles' names in dev.
        stage_roles: The same of the roles in each stage's account, ``<project>-<end>-<stage>``.
        workloads: What of it runs in the VPC, with the AWS services that are called from there.
        services: AWS services that a region must have for it, as botocore calls them.
        quotas: What one project takes of an account's quotas, by the quota's name in the preflight.
        keys: What the KMS keys of one project encrypt; each costs money while nobody uses it.
    """

    name: str
    description: str
    problem_types: tuple[str, ...]
    inference_types: tuple[str, ...]
    builder: str
    rights: str
    seeds: Mapping[str, str]
    repositories: tuple[str, ...]
    pipelines: tuple[str, ...]
    promotions: tuple[str, ...]
    rules: tuple[str, ...]
    roles: tuple[str, ...]
    builds: tuple[str, ...] = ()
    stage_roles: tuple[str, ...] = ()
    workloads: tuple[Workload, ...] = ()
    services: tuple[str, ...] = ()
    quotas: Mapping[str, int] = field(default_factory=dict)
    keys: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where its files are."""
        found = importlib.util.find_spec(self.builder.partition(":")[0])
        return Path(found.origin or "").parent if found else Path()

    def rights_in(self, scope: RightsScope) -> TemplateRights:
        """Return what it needs of the platform's roles in one account."""
        rights: TemplateRights = load_builder(self.rights, f"the template {self.name}")(scope)
        return rights


def load_specs(package: str, names: Iterable[str], kind: type[Spec]) -> tuple[Spec, ...]:
    """Return what folders of a package say of themselves: ``SPEC`` in ``spec.py`` of each.

    Args:
        package: ``mlops_foundation.templates`` or ``mlops_foundation.stacks``.
        names: The folders, in their order.
        kind: What each has to be.

    Raises:
        PlanError: When a folder has no such spec, with its file and line.
    """
    return tuple(_load_spec(package, name, kind) for name in names)


def _load_spec(package: str, name: str, kind: type[Spec]) -> Spec:
    home = importlib.import_module(package)
    where = f"{Path(home.__file__ or '').parent / name / 'spec.py'}:1"
    try:
        spec = importlib.import_module(f"{package}.{name}.spec").SPEC
    except (ImportError, AttributeError) as error:
        what = f"the folder {name} of {package} says nothing of itself: {error}"
        expected = f"SPEC = {kind.__name__}(...)"
        raise PlanError(what, where, expected=expected, fix="write its spec.py, or take its line away") from error
    if not isinstance(spec, kind):
        what = f"the spec of the folder {name} is of another kind"
        raise PlanError(what, where, type(spec).__name__, kind.__name__, "see the folders beside it")
    if spec.name != name:
        what = f"the spec of the folder {name} has another name"
        raise PlanError(what, where, spec.name, name, "name both alike")
    return spec
