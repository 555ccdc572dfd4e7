"""The machine roles of a project in the dev account: what each step of the way may do, and nothing more.

Every role carries the platform's permissions boundary and the project's path and tags.
"""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from mlops_foundation.constructs.nag import acknowledge_wildcards
from mlops_foundation.constructs.packages import read_packages
from mlops_foundation.constructs.policies import allow
from mlops_foundation.core.names import STAGES
from mlops_foundation.templates.realtime.names import Names
from mlops_foundation.templates.realtime.storage import Storage

_USE_KEY = ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")
_WRITE_OBJECTS = ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:AbortMultipartUpload")
_SEE_BUCKET = ("s3:ListBucket", "s3:GetBucketLocation", "s3:GetBucketVersioning")
_WILDCARDS = (
    "The wildcards are names that only exist later: objects of the project's bucket, and jobs, builds, log streams and "
    "versions whose names start with the project's."
)


class Roles(Construct):
    """The roles, by the kinds that ``core.names.ProjectNames.role`` lists."""

    def __init__(self, scope: Construct, names: Names, storage: Storage) -> None:
        super().__init__(scope, "Roles")
        self._names = names
        self._storage = storage
        self.execution = self._role("execution", "sagemaker.amazonaws.com", self._execution())
        self.build = self._role("build", "codebuild.amazonaws.com", self._build())
        self.build_pipeline = self._role("build-pipeline", "codepipeline.amazonaws.com", self._build_pipeline())
        self.deploy_build = self._role("deploy-build", "codebuild.amazonaws.com", self._deploy_build())
        self.deploy_test = self._role("deploy-test", "codebuild.amazonaws.com", self._deploy_test())
        self.deploy_pipeline = self._role("deploy-pipeline", "codepipeline.amazonaws.com", self._deploy_pipeline())
        self.events = self._role("events", "events.amazonaws.com", self._events())

    def _role(self, kind: str, service: str, statements: Sequence[iam.PolicyStatement]) -> iam.Role:
        names = self._names
        role = iam.Role(
            self,
            "".join(part.capitalize() for part in kind.split("-")),
            role_name=names.of(f"-{kind}"),
            path=names.path,
            assumed_by=iam.ServicePrincipal(
                service, conditions={"StringEquals": {"aws:SourceAccount": names.account("dev")}}
            ),
            permissions_boundary=iam.ManagedPolicy.from_managed_policy_arn(
                self, f"Boundary{kind}", names.sub(names.context.boundary_arn("${AWS::AccountId}"))
            ),
            inline_policies={"project": iam.PolicyDocument(statements=list(statements))},
        )
        acknowledge_wildcards(role, statements, _WILDCARDS)
        return role

    # --- what several roles share -------------------------------------------------------------------------------------

    def _artifacts(self) -> list[iam.PolicyStatement]:
        bucket, key = self._storage.artifact_bucket, self._storage.artifact_key
        return [
            allow("Artifacts", [*_WRITE_OBJECTS, "s3:DeleteObject"], [bucket.arn_for_objects("*")]),
            allow("ArtifactBucket", _SEE_BUCKET, [bucket.bucket_arn]),
            allow("ArtifactKey", _USE_KEY, [key.key_arn]),
        ]

    def _pipeline_artifacts(self) -> list[iam.PolicyStatement]:
        bucket, key = self._storage.pipeline_bucket, self._storage.pipeline_key
        return [
            allow("PipelineArtifacts", _WRITE_OBJECTS, [bucket.arn_for_objects("*")]),
            allow("PipelineBucket", _SEE_BUCKET, [bucket.bucket_arn]),
            allow("PipelineKey", _USE_KEY, [key.key_arn]),
        ]

    def _build_logs(self) -> iam.PolicyStatement:
        group = "log-group:/aws/codebuild/${SageMakerProjectName}-*"
        return allow("BuildLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], [self._names.arn("logs", group)])

    def _network(self) -> list[iam.PolicyStatement]:
        """Interfaces in the private subnets; EC2 knows no resource for what only reads."""
        interfaces = [
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
        ]
        subnets = ["network-interface/*", "subnet/*", "security-group/*"]
        describe = [
            "ec2:DescribeDhcpOptions",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
        ]
        permission = self._names.arn("ec2", "network-interface/*")
        return [
            allow("Interfaces", interfaces, [self._names.arn("ec2", part) for part in subnets]),
            allow("InterfacePermissions", ["ec2:CreateNetworkInterfacePermission"], [permission]),
            allow("DescribeNetwork", describe, ["*"]),
        ]

    def _builds_network(self) -> list[iam.PolicyStatement]:
        return self._network() if self._names.context.builds_in_vpc else []

    def _packages(self) -> list[iam.PolicyStatement]:
        """Builds install from the platform's package index, where there is one."""
        packages = self._names.context.packages
        if packages is None:
            return []
        arn = self._names.arn
        repository = arn("codeartifact", f"repository/{packages.domain}/{packages.repository}")
        return read_packages(arn("codeartifact", f"domain/{packages.domain}"), repository)

    def _source(self, repository: str) -> iam.PolicyStatement:
        actions = [
            "codecommit:CancelUploadArchive",
            "codecommit:GetBranch",
            "codecommit:GetCommit",
            "codecommit:GetRepository",
            "codecommit:GetUploadArchiveStatus",
            "codecommit:UploadArchive",
        ]
        return allow("Source", actions, [self._names.arn("codecommit", f"${{SageMakerProjectName}}-{repository}")])

    def _run_builds(self, *projects: str) -> iam.PolicyStatement:
        arns = [self._names.arn("codebuild", f"project/${{SageMakerProjectName}}-{project}") for project in projects]
        return allow("Builds", ["codebuild:StartBuild", "codebuild:BatchGetBuilds", "codebuild:StopBuild"], arns)

    def _sagemaker(self, *resources: str) -> list[str]:
        return [self._names.arn("sagemaker", resource) for resource in resources]

    # --- each role ----------------------------------------------------------------------------------------------------

    def _execution(self) -> list[iam.PolicyStatement]:
        names = self._names
        jobs = self._sagemaker("processing-job/${SageMakerProjectName}-*", "training-job/${SageMakerProjectName}-*")
        actions = [
            f"sagemaker:{verb}{kind}Job"
            for kind in ("Processing", "Training")
            for verb in ("Create", "Describe", "Stop")
        ]
        versions = self._sagemaker("model-package/${SageMakerProjectName}/*")
        groups = self._sagemaker("model-package-group/${SageMakerProjectName}")
        image_repository = names.sub("arn:aws:ecr:${AWS::Region}:*:repository/sagemaker-scikit-learn")
        own_images = names.arn("ecr", "repository/${SageMakerProjectName}-*")
        return [
            allow("Jobs", [*actions, "sagemaker:AddTags", "sagemaker:ListTags"], jobs),
            allow(
                "Register",
                ["sagemaker:CreateModelPackage"],
                [*versions, *groups],
                {"StringEquals": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}},
            ),
            allow("Versions", ["sagemaker:DescribeModelPackage"], versions),
            allow("Group", ["sagemaker:DescribeModelPackageGroup"], groups),
            allow(
                "PassItself",
                ["iam:PassRole"],
                [names.role_arn("execution")],
                {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            ),
            *self._artifacts(),
            allow(
                "Volumes",
                ["kms:CreateGrant"],
                [self._storage.artifact_key.key_arn],
                {"Bool": {"kms:GrantIsForAWSResource": "true"}},
            ),
            allow(
                "JobLogs",
                ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                [names.arn("logs", "log-group:/aws/sagemaker/*")],
            ),
            allow(
                "Metrics",
                ["cloudwatch:PutMetricData"],
                ["*"],
                {"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
            ),
            allow(
                "Images",
                ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                [image_repository, own_images],
            ),
            allow("ImageLogin", ["ecr:GetAuthorizationToken"], ["*"]),
            *self._network(),
        ]

    def _build(self) -> list[iam.PolicyStatement]:
        pipeline = self._sagemaker("pipeline/${SageMakerProjectName}-*")
        actions = [
            "AddTags",
            "CreatePipeline",
            "DescribePipeline",
            "DescribePipelineExecution",
            "ListPipelineExecutionSteps",
            "ListTags",
            "StartPipelineExecution",
            "StopPipelineExecution",
            "UpdatePipeline",
        ]
        results = self._sagemaker(
            "processing-job/${SageMakerProjectName}-*",
            "training-job/${SageMakerProjectName}-*",
            "model-package/${SageMakerProjectName}/*",
        )
        describe = [
            "sagemaker:DescribeModelPackage",
            "sagemaker:DescribeProcessingJob",
            "sagemaker:DescribeTrainingJob",
        ]
        return [
            self._build_logs(),
            *self._pipeline_artifacts(),
            *self._artifacts(),
            allow("TrainingPipeline", [f"sagemaker:{action}" for action in actions], pipeline),
            allow("Results", describe, results),
            allow(
                "PassExecution",
                ["iam:PassRole"],
                [self._names.role_arn("execution")],
                {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            ),
            *self._builds_network(),
            *self._packages(),
        ]

    def _build_pipeline(self) -> list[iam.PolicyStatement]:
        return [*self._pipeline_artifacts(), self._source("build"), self._run_builds("build")]

    def _deploy_build(self) -> list[iam.PolicyStatement]:
        versions = self._sagemaker("model-package/${SageMakerProjectName}/*")
        pipeline = self._names.arn("codepipeline", "${SageMakerProjectName}_deploy_pipeline")
        executions = [
            "codepipeline:GetPipelineExecution",
            "codepipeline:ListActionExecutions",
            "codepipeline:ListPipelineExecutions",
            "codepipeline:StopPipelineExecution",
        ]
        return [
            self._build_logs(),
            *self._pipeline_artifacts(),
            allow("Versions", ["sagemaker:DescribeModelPackage"], versions),
            # Listing knows no resource; what it shows is names and states.
            allow("ListVersions", ["sagemaker:ListModelPackages"], ["*"]),
            allow("OwnExecutions", executions, [pipeline]),
            *self._builds_network(),
            *self._packages(),
        ]

    def _deploy_test(self) -> list[iam.PolicyStatement]:
        return [
            self._build_logs(),
            *self._pipeline_artifacts(),
            allow("TestRoles", ["sts:AssumeRole"], self._names.for_stages("test_role_arn")),
            *self._builds_network(),
            *self._packages(),
        ]

    def _deploy_pipeline(self) -> list[iam.PolicyStatement]:
        return [
            *self._pipeline_artifacts(),
            self._source("deploy"),
            self._run_builds("synth", "scan", "test"),
            allow("Stages", ["sts:AssumeRole"], [self._names.deploy_action_role_arn(stage) for stage in STAGES]),
        ]

    def _events(self) -> list[iam.PolicyStatement]:
        arns = [
            self._names.arn("codepipeline", f"${{SageMakerProjectName}}_{kind}_pipeline")
            for kind in ("build", "deploy")
        ]
        return [allow("Start", ["codepipeline:StartPipelineExecution"], arns)]
