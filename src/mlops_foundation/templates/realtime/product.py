"""What a project of this template consists of, as one CloudFormation template that Service Catalog launches.

In the dev account: keys and buckets, the registry's group, two seeded repositories, and the two pipelines that take a
push to a registered version, and an approved version to prod.
"""

import aws_cdk as cdk
from aws_cdk import aws_servicecatalog as servicecatalog
from constructs import Construct

from mlops_foundation.constructs.policies import PROJECT_ID_TAG, PROJECT_TAG
from mlops_foundation.constructs.product import ProductContext
from mlops_foundation.core.names import PROJECT_NAME_PATTERN
from mlops_foundation.templates.realtime.builds import Builds
from mlops_foundation.templates.realtime.delivery import Delivery
from mlops_foundation.templates.realtime.names import Names
from mlops_foundation.templates.realtime.roles import Roles
from mlops_foundation.templates.realtime.storage import Storage


def build(scope: Construct, id: str, context: ProductContext) -> servicecatalog.ProductStack:  # noqa: A002
    """Build the product's template; the catalog calls this."""
    return RealtimeProduct(scope, id, context)


class RealtimeProduct(servicecatalog.ProductStack):
    """The template of a project."""

    def __init__(self, scope: Construct, construct_id: str, context: ProductContext) -> None:
        super().__init__(scope, construct_id, description="A project: a model from a git push to a production endpoint")
        names = self._parameters(context)
        storage = Storage(self, names, self._facts)
        roles = Roles(self, names, storage)
        builds = Builds(self, names, storage, roles)
        Delivery(self, names, storage, roles, builds)
        self._outputs(names)

    def _parameters(self, context: ProductContext) -> Names:
        pattern = f"^{PROJECT_NAME_PATTERN}$"
        name = self._parameter("SageMakerProjectName", "Name of the project", allowed_pattern=pattern, max_length=32)
        project_id = self._parameter("SageMakerProjectId", "Id that SageMaker gives the project")
        problem = self._choice("ProblemType", "Kind of problem", "supervised")
        inference = self._choice("InferenceType", "How predictions are served", "realtime")
        description = self._parameter("Description", "What the project is for", default="a model", min_length=1)
        cost_center = self._parameter("CostCenter", "Cost center that pays", min_length=1)
        preprod = self._parameter("PreProdAccount", "Account of preprod", default=context.accounts["preprod"])
        prod = self._parameter("ProdAccount", "Account of prod", default=context.accounts["prod"])
        region = self._choice("DeploymentRegion", "Region of the endpoints", context.region)
        tags = {PROJECT_TAG: name, PROJECT_ID_TAG: project_id, "CostCenter": cost_center}
        for key, value in {**context.tags, **tags}.items():
            cdk.Tags.of(self).add(key, value)
        self._facts = {"problem-type": problem, "inference-type": inference, "description": description}
        return Names(context, project_id, preprod, prod, region)

    def _choice(self, name: str, description: str, only: str) -> str:
        """Return a parameter with one allowed value for now: the next template makes it two."""
        return self._parameter(name, description, default=only, allowed_values=[only])

    def _parameter(self, name: str, description: str, **constraints: object) -> str:
        parameter = cdk.CfnParameter(self, name, type="String", description=description, **constraints)  # type: ignore[arg-type]
        return parameter.value_as_string

    def _outputs(self, names: Names) -> None:
        for name, value in {
            "BuildRepository": names.of("-build"),
            "DeployRepository": names.of("-deploy"),
            "BuildPipeline": names.of("_build_pipeline"),
            "DeployPipeline": names.of("_deploy_pipeline"),
            "ModelPackageGroup": names.project,
        }.items():
            cdk.CfnOutput(self, name, value=value)
