"""What a project of this template consists of, as one CloudFormation template that Service Catalog launches.

In the dev account: keys and buckets, the registry's group, two seeded repositories, and the two pipelines that take a
push to a registered version, and an approved version to prod.
"""

import aws_cdk as cdk
from aws_cdk import aws_servicecatalog as servicecatalog
from constructs import Construct

from mlops_foundation.constructs.product import ProductContext
from mlops_foundation.constructs.project import stages
from mlops_foundation.constructs.project.builds import Builds
from mlops_foundation.constructs.project.delivery import Delivery
from mlops_foundation.constructs.project.names import Names
from mlops_foundation.constructs.project.parameters import project_parameters
from mlops_foundation.constructs.project.policies import Policies
from mlops_foundation.constructs.project.roles import Roles
from mlops_foundation.constructs.project.storage import Storage

_JOBS = ("Processing", "Training")
_VERSION = "#{Synth.MODEL_PACKAGE_ARN}"
_REQUEST = {
    "REQUESTED_VERSION": "#{variables.ModelPackageArn}",
    "SOURCE_COMMIT": "#{Source.CommitId}",
    "EXECUTION_ID": "#{codepipeline.PipelineExecutionId}",
}
_DEPLOYMENT = stages.Deployment(
    artifact="Templates",
    overrides={"ModelPackageArn": _VERSION},
    question=f"Deploy {_VERSION}",
    test="test",
    variables={"MODEL_PACKAGE_ARN": _VERSION},
)


def build(scope: Construct, id: str, context: ProductContext) -> servicecatalog.ProductStack:  # noqa: A002
    """Build the product's template; the catalog calls this."""
    return RealtimeProduct(scope, id, context)


class RealtimeProduct(servicecatalog.ProductStack):
    """The template of a project."""

    def __init__(self, scope: Construct, construct_id: str, context: ProductContext) -> None:
        super().__init__(scope, construct_id, description="A project: a model from a git push to a production endpoint")
        parameters = project_parameters(self, context)
        names = parameters.names
        storage = Storage(self, names, parameters.facts)
        storage.share_models(names)
        roles, policies = Roles(self, names), Policies(names, storage)
        roles.add("execution", "sagemaker", policies.execution(_JOBS))
        build = roles.add("build", "codebuild", policies.build(_JOBS))
        build_pipeline = roles.add("build-pipeline", "codepipeline", policies.pipeline("build", ["build"]))
        deploy_build = roles.add("deploy-build", "codebuild", policies.deploy_build())
        deploy_test = roles.add("deploy-test", "codebuild", policies.deploy_test())
        deploying = policies.deploy_pipeline("deploy", ["synth", "scan", "test"])
        deploy_pipeline = roles.add("deploy-pipeline", "codepipeline", deploying)
        starter = roles.add("events", "events", policies.events(["build", "deploy"]))
        builds = Builds(self, names, storage)
        builds.add("build", build, builds.training(), "buildspec.yml")
        builds.add("synth", deploy_build, builds.deployment(), "buildspec.yml")
        builds.add("scan", deploy_build, builds.deployment())
        builds.add("test", deploy_test, builds.deployment())
        delivery = Delivery(self, names, storage, starter)
        delivery.repository("build")
        delivery.repository("deploy")
        delivery.pipeline("build", build_pipeline, _build_stages(names)).node.add_dependency(builds)
        deploy = delivery.pipeline("deploy", deploy_pipeline, _deploy_stages(names))
        delivery.choose_version(deploy)
        deploy.node.add_dependency(builds)
        delivery.start_on_push("build")
        delivery.start_on_push("deploy")
        delivery.start_on_approval("deploy")
        self._outputs(names)

    def _outputs(self, names: Names) -> None:
        for name, value in {
            "BuildRepository": names.of("-build"),
            "DeployRepository": names.of("-deploy"),
            "BuildPipeline": names.of("_build_pipeline"),
            "DeployPipeline": names.of("_deploy_pipeline"),
            "ModelPackageGroup": names.project,
        }.items():
            cdk.CfnOutput(self, name, value=value)


def _build_stages(names: Names) -> stages.Stages:
    return [stages.source(names, "build"), stages.build(names, "build")]


def _deploy_stages(names: Names) -> stages.Stages:
    return [
        stages.source(names, "deploy"),
        stages.build(names, "synth", _REQUEST, outputs=["Templates"]),
        stages.build(names, "scan", inputs=["Source", "Templates"]),
        *stages.promotion(names, _DEPLOYMENT),
    ]
