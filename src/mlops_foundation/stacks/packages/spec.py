"""What the platform knows of this stack before it builds it."""

from typing import Final

from mlops_foundation.plan.specs import StackSpec

SPEC: Final = StackSpec(
    name="packages",
    description="Private package index of the builds: CodeArtifact in front of the public one",
    environments=("dev",),
    builder="mlops_foundation.stacks.packages.stack:build",
    execution="mlops_foundation.stacks.packages.execution:statements",
    config_section="packages",
    exports=("/{prefix}/packages/domain", "/{prefix}/packages/repository", "/{prefix}/packages/repository-arn"),
    wanted=lambda config: config.packages.private,
    services=("codeartifact", "kms", "ssm"),
    keys=("packages",),
)
