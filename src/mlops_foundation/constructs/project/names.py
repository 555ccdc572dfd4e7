"""The names of a project inside its template, where the project's name is a parameter."""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk

from mlops_foundation.constructs.product import ProductContext
from mlops_foundation.core.names import STAGES, ProjectNames, Stage

_PROJECT = "${SageMakerProjectName}"


@dataclass(frozen=True)
class Names:
    """``core.names.ProjectNames`` with the parameter in the place of the project's name.

    Attributes:
        context: What the template was built from.
        project_id: The SageMakerProjectId parameter.
        preprod_account: The PreProdAccount parameter.
        prod_account: The ProdAccount parameter.
        region: The DeploymentRegion parameter.
    """

    context: ProductContext
    project_id: str
    preprod_account: str
    prod_account: str
    region: str

    @property
    def literal(self) -> ProjectNames:
        """Names with ``${SageMakerProjectName}`` in them, for :meth:`sub`."""
        return self.context.names.project(_PROJECT)

    @property
    def project(self) -> str:
        """The project's name."""
        return cdk.Fn.ref("SageMakerProjectName")

    @property
    def cost_center(self) -> str:
        """Who pays for the project."""
        return cdk.Fn.ref("CostCenter")

    @property
    def path(self) -> str:
        """IAM path of the project's roles."""
        return self.sub(self.literal.path)

    @staticmethod
    def sub(text: str) -> str:
        """Return ``Fn::Sub`` of a text with ``${...}`` in it."""
        return cdk.Fn.sub(text)

    def of(self, suffix: str) -> str:
        """Return ``<project><suffix>``."""
        return self.sub(_PROJECT + suffix)

    def arn(self, service: str, resource: str) -> str:
        """Return an ARN in the dev account; ``resource`` may hold ``${SageMakerProjectName}``."""
        return self.sub(f"arn:aws:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{resource}")

    def account(self, stage: Stage) -> str:
        """Return the account of a stage."""
        return {"dev": cdk.Aws.ACCOUNT_ID, "preprod": self.preprod_account, "prod": self.prod_account}[stage]

    def _account_text(self, stage: Stage) -> str:
        return {"dev": "${AWS::AccountId}", "preprod": "${PreProdAccount}", "prod": "${ProdAccount}"}[stage]

    def role_arn(self, kind: str) -> str:
        """Return the ARN of a role of the project in the dev account."""
        return self.sub(f"arn:aws:iam::${{AWS::AccountId}}:role{self.literal.path}{self.literal.role(kind)}")

    def endpoint_role_arn(self, stage: Stage) -> str:
        """Return the ARN of the model container's role in a stage."""
        return self._stage_role(stage, self.literal.endpoint_role(stage))

    def test_role_arn(self, stage: Stage) -> str:
        """Return the ARN of the integration test's role in a stage."""
        return self._stage_role(stage, self.literal.test_role(stage))

    def _stage_role(self, stage: Stage, name: str) -> str:
        return self.sub(f"arn:aws:iam::{self._account_text(stage)}:role{self.literal.path}{name}")

    def deploy_action_role_arn(self, stage: Stage) -> str:
        """Return the platform's role for CloudFormation actions in a stage."""
        return self.sub(self.context.deploy_action_role_arn(self._account_text(stage)))

    def deploy_execution_role_arn(self, stage: Stage) -> str:
        """Return the role that CloudFormation takes in a stage."""
        return self.sub(self.context.deploy_execution_role_arn(self._account_text(stage)))

    def for_stages(self, name: str, stages: Sequence[Stage] = STAGES) -> list[str]:
        """Return one of the per-stage ARNs (``endpoint_role_arn``...) for each stage."""
        build = getattr(self, name)
        return [build(stage) for stage in stages]
