"""What the platform knows of this template before it builds it."""

from typing import Final

from mlops_foundation.constructs.project import workloads
from mlops_foundation.plan.quotas import ROLES
from mlops_foundation.plan.specs import TemplateSpec

SPEC: Final = TemplateSpec(
    name="realtime",
    description="Supervised model behind a real-time endpoint, from a push to production",
    problem_types=("supervised",),
    inference_types=("realtime",),
    builder="mlops_foundation.templates.realtime.product:build",
    rights="mlops_foundation.templates.realtime.rights:rights",
    seeds={"build": "seed/build", "deploy": "seed/deploy"},
    repositories=("build", "deploy"),
    builds=("build", "synth", "scan", "test"),
    pipelines=("build",),
    promotions=("deploy",),
    rules=("build-push", "deploy-push", "approved"),
    roles=("execution", "build", "build-pipeline", "deploy-build", "deploy-test", "deploy-pipeline", "events"),
    stage_roles=("endpoint", "test"),
    workloads=(
        workloads.BUILD,
        workloads.DEPLOY_BUILD,
        workloads.DEPLOY_TEST,
        workloads.JOBS,
        workloads.ENDPOINTS,
    ),
    services=("codebuild", "codecommit", "codepipeline", "ecr", "events", "kms", "logs", "sagemaker", "ssm"),
    quotas={ROLES: 7},
    keys=("data and models", "pipelines' artifacts and logs"),
)
