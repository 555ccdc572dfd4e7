"""The policies of a project's machine roles in the dev account: what each step may do, and nothing more.

A template takes those it needs, and says what is its own: the kinds of its jobs, its repositories and its builds.
"""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam

from mlops_foundation.constructs.packages import read_packages
from mlops_foundation.constructs.policies import allow
from mlops_foundation.constructs.project.names import Names
from mlops_foundation.constructs.project.storage import Storage
from mlops_foundation.core.names import STAGES

_USE_KEY = ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")
_WRITE_OBJECTS = ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:AbortMultipartUpload")
_SEE_BUCKET = ("s3:ListBucket", "s3:GetBucketLocation", "s3:GetBucketVersioning")
JobKind = str
"""``Processing``, ``Training``, ``Transform``: as in the names of SageMaker's operations."""


class Policies:
    """The policies, by what a role is for."""

    def __init__(self, names: Names, storage: Storage) -> None:
        self._names = names
        self._storage = storage

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

    def _jobs(self, kinds: Sequence[JobKind]) -> list[str]:
        return self._sagemaker(*(f"{kind.lower()}-job/${{SageMakerProjectName}}-*" for kind in kinds))

    def _sagemaker(self, *resources: str) -> list[str]:
        return [self._names.arn("sagemaker", resource) for resource in resources]

    # --- each role ----------------------------------------------------------------------------------------------------

    def execution(self, jobs: Sequence[JobKind]) -> list[iam.PolicyStatement]:
        """SageMaker's pipeline, its jobs and the models: runs jobs of these kinds, registers versions that wait."""
        actions = [f"sagemaker:{verb}{kind}Job" for kind in jobs for verb in ("Create", "Describe", "Stop")]
        key = [self._storage.artifact_key.key_arn]
        return [
            allow("Jobs", [*actions, "sagemaker:AddTags", "sagemaker:ListTags"], self._jobs(jobs)),
            *self._registering(),
            self._pass_execution("PassItself"),
            *self._artifacts(),
            allow("Volumes", ["kms:CreateGrant"], key, {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
            *self._job_records(),
            *self._images(),
            *self._network(),
        ]

    def _registering(self) -> list[iam.PolicyStatement]:
        versions = self._sagemaker("model-package/${SageMakerProjectName}/*")
        groups = self._sagemaker("model-package-group/${SageMakerProjectName}")
        waits = {"StringEquals": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}}
        return [
            allow("Register", ["sagemaker:CreateModelPackage"], [*versions, *groups], waits),
            allow("Versions", ["sagemaker:DescribeModelPackage"], versions),
            allow("Group", ["sagemaker:DescribeModelPackageGroup"], groups),
        ]

    def _pass_execution(self, sid: str) -> iam.PolicyStatement:
        to_sagemaker = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
        return allow(sid, ["iam:PassRole"], [self._names.role_arn("execution")], to_sagemaker)

    def _job_records(self) -> list[iam.PolicyStatement]:
        """Logs and metrics of jobs; PutMetricData knows no resource."""
        writing = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        of_jobs = {"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}}
        return [
            allow("JobLogs", writing, [self._names.arn("logs", "log-group:/aws/sagemaker/*")]),
            allow("Metrics", ["cloudwatch:PutMetricData"], ["*"], of_jobs),
        ]

    def _images(self) -> list[iam.PolicyStatement]:
        """SageMaker's images of scikit-learn, and images of the project; signing in knows no resource."""
        names = self._names
        provided = names.sub("arn:aws:ecr:${AWS::Region}:*:repository/sagemaker-scikit-learn")
        own = names.arn("ecr", "repository/${SageMakerProjectName}-*")
        pulling = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        return [allow("Images", pulling, [provided, own]), allow("ImageLogin", ["ecr:GetAuthorizationToken"], ["*"])]

    def build(self, jobs: Sequence[JobKind]) -> list[iam.PolicyStatement]:
        """CodeBuild of a build pipeline: writes and starts the training pipeline, and reads what came of it."""
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
        results = [*self._jobs(jobs), *self._sagemaker("model-package/${SageMakerProjectName}/*")]
        describe = ["sagemaker:DescribeModelPackage", *(f"sagemaker:Describe{kind}Job" for kind in jobs)]
        return [
            self._build_logs(),
            *self._pipeline_artifacts(),
            *self._artifacts(),
            allow("TrainingPipeline", [f"sagemaker:{action}" for action in actions], pipeline),
            allow("Results", describe, results),
            self._pass_execution("PassExecution"),
            *self._builds_network(),
            *self._packages(),
        ]

    def pipeline(self, repository: str, builds: Sequence[str]) -> list[iam.PolicyStatement]:
        """CodePipeline on a repository that runs these builds."""
        found = [*self._pipeline_artifacts(), self._source(repository)]
        return [*found, self._run_builds(*builds)] if builds else found

    def deploy_pipeline(self, repository: str, builds: Sequence[str]) -> list[iam.PolicyStatement]:
        """The same with CloudFormation actions in every stage."""
        stages = [self._names.deploy_action_role_arn(stage) for stage in STAGES]
        return [*self.pipeline(repository, builds), allow("Stages", ["sts:AssumeRole"], stages)]

    def deploy_build(self) -> list[iam.PolicyStatement]:
        """CodeBuild of a deploy pipeline: finds the version, and stops executions of its own that are too old."""
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

    def deploy_test(self) -> list[iam.PolicyStatement]:
        """CodeBuild of a deploy pipeline's integration test: takes the test role of each stage."""
        return [
            self._build_logs(),
            *self._pipeline_artifacts(),
            allow("TestRoles", ["sts:AssumeRole"], self._names.for_stages("test_role_arn")),
            *self._builds_network(),
            *self._packages(),
        ]

    def events(self, pipelines: Sequence[str]) -> list[iam.PolicyStatement]:
        """EventBridge, which starts these pipelines."""
        arns = [self._names.arn("codepipeline", f"${{SageMakerProjectName}}_{kind}_pipeline") for kind in pipelines]
        return [allow("Start", ["codepipeline:StartPipelineExecution"], arns)]
