"""What may pass an endpoint: the platform's accounts to the platform's accounts, and what AWS itself needs.

A policy of an endpoint can name principals only by condition: a gateway takes nothing but ``*``. Sources: the data
perimeter examples of aws-samples; "Minimum Amazon S3 bucket permissions for Amazon ECR" in the ECR user guide; "Create
the Amazon S3 gateway endpoint" in the CodeArtifact user guide; "VPC setup for custom resources" in the CloudFormation
user guide.
"""

from collections.abc import Iterable, Sequence

from aws_cdk import aws_iam as iam

from mlops_foundation.config.endpoints import VpcEndpoint
from mlops_foundation.config.regions import CODEARTIFACT_BUCKET_ACCOUNTS, FRAMEWORK_IMAGE_ACCOUNTS
from mlops_foundation.constructs.context import StackContext
from mlops_foundation.plan.foundations import Foundation


class Passage:
    """Who may reach whom through the endpoints of one VPC.

    Args:
        context: The stack that has the endpoints.
        served: The foundations whose VPCs use them.
    """

    def __init__(self, context: StackContext, served: Sequence[Foundation]) -> None:
        self._region = context.region
        stages = [context.accounts[stage] for stage in ("dev", "preprod", "prod")]
        own = [each.account for each in served]
        # From dev's VPC builds take roles of the stages' accounts and go on calling as those.
        reaches_stages = any("dev" in each.environments for each in served)
        self._callers = sorted({*own, *(stages if reaches_stages else ())})
        # Endpoints of the other stages read a project's models, which are dev's.
        self._targets = sorted({*own, context.accounts["dev"], *(stages if reaches_stages else ())})

    def statements(self, endpoint: VpcEndpoint) -> list[iam.PolicyStatement]:
        """Return the policy of an endpoint."""
        statements = [self._own(endpoint.actions)]
        if endpoint.service == "s3":
            statements += self._aws_buckets()
        if endpoint.service in {"ecr.api", "ecr.dkr"}:
            statements += self._framework_images()
        return statements

    def _own(self, actions: Sequence[str]) -> iam.PolicyStatement:
        both = {"aws:PrincipalAccount": self._callers, "aws:ResourceAccount": self._targets}
        return _let("OwnAccounts", actions, ["*"], {"StringEquals": both})

    def _framework_images(self) -> Iterable[iam.PolicyStatement]:
        account = FRAMEWORK_IMAGE_ACCOUNTS.get(self._region)
        if account:
            yield _let(
                "FrameworkImages",
                ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                [f"arn:aws:ecr:{self._region}:{account}:repository/*"],
                {"StringEquals": {"aws:PrincipalAccount": self._callers}},
            )

    def _aws_buckets(self) -> Iterable[iam.PolicyStatement]:
        """Yield what is signed by AWS's own services, so that no condition on the caller holds."""
        region = self._region
        yield _let("ImageLayers", ["s3:GetObject"], [f"arn:aws:s3:::prod-{region}-starport-layer-bucket/*"])
        account = CODEARTIFACT_BUCKET_ACCOUNTS.get(region)
        if account:
            yield _let("PackageFiles", ["s3:GetObject"], [f"arn:aws:s3:::assets-{account}-{region}/*"])
        answers = f"cloudformation-custom-resource-response-{region.replace('-', '')}"
        yield _let("StackAnswers", ["s3:PutObject"], [f"arn:aws:s3:::{answers}/*"])


def _let(
    sid: str,
    actions: Sequence[str],
    resources: Sequence[str],
    conditions: dict[str, dict[str, list[str]]] | None = None,
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid,
        principals=[iam.AnyPrincipal()],
        actions=list(actions),
        resources=list(resources),
        conditions=conditions,
    )
