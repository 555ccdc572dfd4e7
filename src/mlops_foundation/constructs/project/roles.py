"""The machine roles of a project in the dev account.

Every role carries the platform's permissions boundary and the project's path and tags.
"""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from mlops_foundation.constructs.nag import acknowledge_wildcards
from mlops_foundation.constructs.policies import keep_who_works
from mlops_foundation.constructs.project.names import Names
from mlops_foundation.core.names import pascal

_WILDCARDS = (
    "The wildcards are names that only exist later: objects of the project's bucket, and jobs, builds, log streams and "
    "versions whose names start with the project's."
)


class Roles(Construct):
    """The roles, which a template adds one by one."""

    def __init__(self, scope: Construct, names: Names) -> None:
        super().__init__(scope, "Roles")
        self._names = names

    def add(self, kind: str, service: str, statements: Sequence[iam.PolicyStatement]) -> iam.Role:
        """Add the role ``<project>-<kind>``, which one service takes.

        Args:
            kind: End of its name; ``core.names.ProjectNames.role`` lists those that other parts know.
            service: For example ``codebuild``.
            statements: All that it may do.
        """
        names = self._names
        role = iam.Role(
            self,
            pascal(kind),
            role_name=names.of(f"-{kind}"),
            path=names.path,
            assumed_by=iam.ServicePrincipal(
                f"{service}.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": names.account("dev")}},
            ),
            permissions_boundary=iam.ManagedPolicy.from_managed_policy_arn(
                self, f"Boundary{kind}", names.sub(names.context.boundary_arn("${AWS::AccountId}"))
            ),
            inline_policies={"project": iam.PolicyDocument(statements=list(statements))},
        )
        if service == "sagemaker":
            keep_who_works(role, names.account("dev"))
        acknowledge_wildcards(role, statements, _WILDCARDS)
        return role
