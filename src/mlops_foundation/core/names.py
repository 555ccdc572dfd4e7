"""Every name that two parts of the product must agree on, and AWS's limits on it.

Pure functions of the configuration: a name is computed where it is made and where it is used, never looked up.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Stage = Literal["dev", "preprod", "prod"]
STAGES: Final[tuple[Stage, ...]] = ("dev", "preprod", "prod")
"""The stages a model is promoted through, in order."""

Environment = Literal["governance", "dev", "preprod", "prod"]
ENVIRONMENTS: Final[tuple[Environment, ...]] = ("governance", *STAGES)

PROJECT_NAME_MAX: Final = 32
PROJECT_NAME_PATTERN: Final = r"[a-z][a-z0-9-]{0,30}[a-z0-9]"
ROLE_NAME_MAX: Final = 64
BUCKET_NAME_MAX: Final = 63
PREFIX_PATTERN: Final = r"[a-z][a-z0-9]{1,9}"
"""The prefix is also the CDK bootstrap qualifier: at most 10 letters and digits."""

PROJECT_TAG: Final = "sagemaker:project-name"
PROJECT_ID_TAG: Final = "sagemaker:project-id"
PROJECT_TAGS: Final = (PROJECT_TAG, PROJECT_ID_TAG)
"""Tags of everything that a project has, and of the sessions of who works in one."""

FRONT_PRODUCT: Final = "SageMaker Project"
FRONT_PRODUCT_FILE: Final = "sagemaker-project"
"""The front product among the templates of products: no template may be called so."""
PROBLEM_TYPE: Final = "ProblemType"
INFERENCE_TYPE: Final = "InferenceType"
"""Parameters of every product: on the front product's form the two choose the template."""
NO_TYPE: Final = "none"
"""Value of both for a template that serves no type: only its own product makes projects of it."""
PORTFOLIO: Final = "MLOps Foundation project templates"

# Network parameters (SSM), the same in every account.
VPC_ID: Final = "/vpc/id"
PRIVATE_SUBNET_IDS: Final = "/vpc/subnets/private/ids"
WORKLOAD_SECURITY_GROUP_ID: Final = "/vpc/sg/id"
WORKLOAD_SECURITY_GROUP_IDS: Final = "/vpc/sg/ids"
"""The workloads' own group first, then those of an imported VPC that workloads join beside it."""

SHARED_ZONES: Final = "/vpc/endpoints/zones"
"""In the account that owns shared endpoints: ``<name>=<hosted zone id>`` of each, written when all of it is there."""

PLATFORM_RECORDS: Final = "/mlops-foundation/"
"""SSM path, in the accounts that deploy, with one record of every platform that is deployed from there."""

ROLE_PARAMETERS: Final = {"data-scientist": "ds", "lead": "lead", "execution": "execution"}

PERSONAS: Final = {
    "admin": "datascience-admin",
    "data-scientist": "datascientist",
    "lead": "lead-datascientist",
    "approver-prod": "prod-approver",
    "platform-engineer": "platform-engineer",
    "auditor": "auditor",
}
"""``--role`` of the command line -> middle part of the role's name."""


def pascal(name: str) -> str:
    """Return a name of words, hyphens and underscores as the id of a construct or a statement: ``BuildPush``."""
    return "".join(part.capitalize() for part in name.replace("_", "-").split("-"))


def persona_role(persona: str, region: str, account: str) -> str:
    """Return the name of a persona's role, ``<region>-<persona>-<account>``."""
    return f"{region}-{PERSONAS[persona]}-{account}"


def studio_domain(region: str) -> str:
    """Return the name of the Studio domain, ``<region>-studio-domain``."""
    return f"{region}-studio-domain"


def role_arn(account: str, name: str, path: str = "/") -> str:
    """Return the ARN of a role; ``path`` starts and ends with a slash."""
    return f"arn:aws:iam::{account}:role{path}{name}"


@dataclass(frozen=True)
class PlatformNames:
    """Names of what the platform makes, once per prefix, account and region."""

    prefix: str

    @property
    def qualifier(self) -> str:
        """CDK bootstrap qualifier."""
        return self.prefix

    @property
    def toolkit_stack(self) -> str:
        """CDK bootstrap stack."""
        return f"{self.prefix}-toolkit"

    @property
    def bootstrap_policies_stack(self) -> str:
        """The plain stack before the toolkit: scoped execution policies and the platform engineer's role."""
        return f"{self.prefix}-bootstrap-policies"

    @property
    def record_parameter(self) -> str:
        """SSM parameter with what the platform is: its set's name, its region and its accounts."""
        return f"{PLATFORM_RECORDS}{self.prefix}"

    def asset_bucket(self, account: str, region: str) -> str:
        """Bucket of the bootstrap that holds file assets (templates and seed archives)."""
        return f"cdk-{self.qualifier}-assets-{account}-{region}"

    def cdk_role(self, kind: str, account: str, region: str) -> str:
        """Role of the bootstrap: ``deploy-role``, ``file-publishing-role``, ``lookup-role``, ``cfn-exec-role``..."""
        return f"cdk-{self.qualifier}-{kind}-{account}-{region}"

    def stack(self, name: str, environment: str) -> str:
        """CloudFormation name of a platform stack, ``<prefix>-<stack>-<environment>``."""
        return f"{self.prefix}-{name}-{environment}"

    @property
    def role_path(self) -> str:
        """IAM path of everything the platform makes for projects."""
        return f"/{self.prefix}/"

    @property
    def project_boundary(self) -> str:
        """Managed policy that bounds every role a project can create, in each account."""
        return f"{self.prefix}-project-boundary"

    def boundary_arn(self, account: str) -> str:
        """ARN of that policy in an account."""
        return f"arn:aws:iam::{account}:policy{self.role_path}{self.project_boundary}"

    @property
    def launch_role(self) -> str:
        """Service Catalog launch role, in the dev account."""
        return f"{self.prefix}-project-launch"

    @property
    def deploy_action_role(self) -> str:
        """Role in each stage's account that a project's deploy pipeline takes for its CloudFormation actions."""
        return f"{self.prefix}-project-deploy-action"

    @property
    def deploy_execution_role(self) -> str:
        """Role in each stage's account that CloudFormation takes to deploy a project's stack."""
        return f"{self.prefix}-project-deploy-cfn"

    @property
    def endpoint_key_alias(self) -> str:
        """Alias of the KMS key of the endpoints' volumes, in each stage's account."""
        return f"alias/{self.prefix}-endpoint"

    @property
    def endpoint_key_parameter(self) -> str:
        """SSM parameter with the ARN of that key."""
        return f"/{self.prefix}/endpoint/key-arn"

    @property
    def domain_id_parameter(self) -> str:
        """SSM parameter with the id of the Studio domain, in dev."""
        return f"/{self.prefix}/studio/domain-id"

    @property
    def product_id_parameter(self) -> str:
        """SSM parameter with the id of the front product, in dev."""
        return f"/{self.prefix}/catalog/product-id"

    @property
    def portfolio_id_parameter(self) -> str:
        """SSM parameter with the id of the portfolio, in dev."""
        return f"/{self.prefix}/catalog/portfolio-id"

    @property
    def package_domain_parameter(self) -> str:
        """SSM parameter with the name of the CodeArtifact domain, in dev."""
        return f"/{self.prefix}/packages/domain"

    @property
    def package_repository_parameter(self) -> str:
        """SSM parameter with the name of the CodeArtifact repository, in dev."""
        return f"/{self.prefix}/packages/repository"

    @property
    def package_repository_arn_parameter(self) -> str:
        """SSM parameter with the ARN of the CodeArtifact repository, in dev."""
        return f"/{self.prefix}/packages/repository-arn"

    def role_parameter(self, persona: str) -> str:
        """SSM parameter with the ARN of a role of ``ROLE_PARAMETERS``, in dev."""
        return f"/{self.prefix}/role/{ROLE_PARAMETERS[persona]}"

    def studio_execution_role(self, region: str) -> str:
        """Role of Studio's apps, in dev."""
        return f"{self.prefix}-studio-execution-{region}"

    def studio_lead_role(self, region: str) -> str:
        """Role of the Studio apps of lead data scientists, in dev."""
        return f"{self.prefix}-studio-lead-{region}"

    @property
    def templates_function(self) -> str:
        """Function, and its role, that turns SageMaker's own project templates on or off, in dev."""
        return f"{self.prefix}-studio-project-templates"

    def endpoint_owner_role(self, region: str) -> str:
        """Role in the account that owns shared endpoints, taken from the accounts that reach them."""
        return f"{self.prefix}-endpoint-owner-{region}"

    def endpoint_link(self, region: str) -> str:
        """Function, and its role, that joins a VPC to endpoints of another account."""
        return f"{self.prefix}-endpoint-link-{region}"

    def project(self, name: str) -> "ProjectNames":
        """Return the names of one project."""
        return ProjectNames(self.prefix, name)


@dataclass(frozen=True)
class ProjectNames:
    """Names of what one project consists of."""

    prefix: str
    project: str

    @property
    def path(self) -> str:
        """IAM path of the project's roles, ``/<prefix>/<project>/``."""
        return f"/{self.prefix}/{self.project}/"

    @property
    def parameters(self) -> str:
        """SSM path of the project's parameters, without a trailing slash."""
        return f"/{self.prefix}/projects/{self.project}"

    @property
    def build_repository(self) -> str:
        """CodeCommit repository of the build app."""
        return f"{self.project}-build"

    @property
    def deploy_repository(self) -> str:
        """CodeCommit repository of the deploy app."""
        return f"{self.project}-deploy"

    def pipeline(self, kind: str) -> str:
        """CodePipeline of a kind that the project's template has: build, deploy."""
        return f"{self.project}_{kind}_pipeline"

    @property
    def model_package_group(self) -> str:
        """Registry group."""
        return self.project

    @property
    def training_pipeline(self) -> str:
        """SageMaker pipeline of the build app."""
        return f"{self.project}-training"

    def artifact_bucket(self, account: str) -> str:
        """Bucket of data and models, ``<project>-<account>``."""
        return f"{self.project}-{account}"

    def pipeline_bucket(self, account: str) -> str:
        """Bucket of CodePipeline's artifacts."""
        return f"{self.project}-pipeline-{account}"

    def role(self, kind: str) -> str:
        """Role in the dev account.

        Args:
            kind: ``execution`` (SageMaker pipeline, jobs and models), ``build`` (CodeBuild of the build pipeline),
                ``build-pipeline``, ``deploy-build`` (CodeBuild: synth and scan), ``deploy-test`` (CodeBuild:
                integration tests), ``deploy-pipeline``, ``events``.
        """
        return f"{self.project}-{kind}"

    def endpoint(self, stage: str) -> str:
        """Endpoint and its stack, ``<project>-<stage>``."""
        return f"{self.project}-{stage}"

    def endpoint_role(self, stage: str) -> str:
        """Role of the model's container, in the stage's account."""
        return f"{self.project}-endpoint-{stage}"

    def test_role(self, stage: str) -> str:
        """Role of the integration test, in the stage's account: may invoke and describe the endpoint, no more."""
        return f"{self.project}-test-{stage}"

    def longest(self, roles: Iterable[str], stage_roles: Iterable[str]) -> str:
        """Return the longest derived role name, which decides how long a project name may be.

        Args:
            roles: Ends of the names of the project's roles in dev.
            stage_roles: The same of those in each stage's account, which the stage follows.
        """
        in_stages = [f"{kind}-{stage}" for kind in stage_roles for stage in STAGES]
        return max((self.role(kind) for kind in (*roles, *in_stages)), key=len)
