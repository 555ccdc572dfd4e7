"""The build app as a data scientist gets it, run on the local cloud with the SageMaker SDK: from code to an answer."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from workbench import IMAGE, Workbench, allow, make_bench, until

from mlops_foundation.local.runtimes import Runtimes, cache_folder
from vpc_by_hand import HandmadeVpc

pytestmark = pytest.mark.e2e

SEED = Path(__file__).parents[4] / "src/mlops_foundation/templates/realtime/seed/build"
NETWORK_INTERFACES = [
    "ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface",
    "ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
]  # fmt: skip
"""What the role of a job in a VPC needs."""
BY_HAND = """
import json, sys
sys.path.insert(0, "code")
import inference
loaded = inference.model_fn(".")
print(json.dumps(inference.predict_fn(inference.input_fn(sys.stdin.read(), "text/csv"), loaded)))
"""


class BuildApp:
    """A checkout of the seed with its locked environment, run as the build's role."""

    def __init__(self, bench: Workbench, folder: Path) -> None:
        self.bench, self.folder = bench, folder
        shutil.copytree(SEED, folder, ignore=shutil.ignore_patterns(".venv", "__pycache__", ".pytest_cache"))
        uv = [sys.executable, "-m", "uv", "--quiet"]
        self._run([*uv, "venv", "--python", sys.executable, str(folder / ".venv")])
        python = str(folder / ".venv/bin/python")
        locks = ["requirements.txt", "sdk.txt"]
        self._run([*uv, "pip", "sync", "--python", python, "--require-hashes", *locks])
        self.python = python
        self.key = bench.client("kms").create_key()["KeyMetadata"]["Arn"]
        self.vpc = HandmadeVpc(bench.client("ec2"), ["s3", "logs"]).make()
        self.role = self._execution_role()
        bench.sagemaker.create_model_package_group(ModelPackageGroupName="churn")
        self._build_role()

    def _run(self, argv: list[str], **options: Any) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(argv, cwd=self.folder, check=True, capture_output=True, text=True, **options)

    def _arn(self, resource: str) -> str:
        return self.bench.arn(resource)

    def _data(self) -> list[dict[str, Any]]:
        bucket = f"arn:aws:s3:::{self.bench.bucket}"
        return [
            allow(["s3:GetObject", "s3:PutObject"], f"{bucket}/*"),
            allow("s3:ListBucket", bucket),
            allow(["kms:Decrypt", "kms:GenerateDataKey"], self.key),
        ]

    def _execution_role(self) -> str:
        role = f"arn:aws:iam::{self.bench.account}:role/churn-execution"
        jobs = [self._arn("processing-job/churn-*"), self._arn("training-job/churn-*")]
        pending = {"StringEquals": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}}
        return self.bench.make_role(
            "churn-execution",
            *self._data(),
            allow(["sagemaker:CreateProcessingJob", "sagemaker:CreateTrainingJob", "sagemaker:AddTags"], jobs),
            allow(NETWORK_INTERFACES),
            allow("sagemaker:CreateModelPackage", self._arn("model-package/churn/*"), **pending),
            allow("iam:PassRole", role),
            allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "arn:aws:logs:*:*:*"),
        )

    def _build_role(self) -> None:
        pipeline = [self._arn("pipeline/churn-*")]
        verbs = ["AddTags", "CreatePipeline", "DescribePipelineExecution", "ListPipelineExecutionSteps", "ListTags",
                 "StartPipelineExecution", "UpdatePipeline"]  # fmt: skip
        self.bench.make_person(
            "churn-build",
            *self._data(),
            allow([f"sagemaker:{verb}" for verb in verbs], pipeline),
            allow("sagemaker:DescribeModelPackage", self._arn("model-package/churn/*")),
            allow("iam:PassRole", self.role),
        )

    def build(self) -> "subprocess.CompletedProcess[str]":
        """Do what the buildspec does after the tests."""
        environment = {
            **self.bench.cloud.environment(self.bench.account, "churn-build"),
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.folder),
            "SAGEMAKER_PROJECT_NAME": "churn",
            "SAGEMAKER_PROJECT_ID": "p-abcdefghijkl",
            "COST_CENTER": "4711",
            "SAGEMAKER_PIPELINE_NAME": "churn-training",
            "SAGEMAKER_PIPELINE_ROLE_ARN": self.role,
            "MODEL_PACKAGE_GROUP_NAME": "churn",
            "ARTIFACT_BUCKET": self.bench.bucket,
            "ARTIFACT_KMS_KEY_ARN": self.key,
            "SUBNET_IDS": ",".join(self.vpc.subnet_ids),
            "SECURITY_GROUP_IDS": self.vpc.group_id,
            "CODEBUILD_RESOLVED_SOURCE_VERSION": "0123456789abcdef",
        }
        argv = [self.python, "-m", "pipeline.run"]
        return subprocess.run(argv, cwd=self.folder, env=environment, check=False, capture_output=True, text=True)

    @contextmanager
    def changed(self, file: str, old: str, new: str) -> Iterator[None]:
        """Change a file for a while."""
        path, text = self.folder / file, (self.folder / file).read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        try:
            yield
        finally:
            path.write_text(text)

    def versions(self) -> list[Any]:
        found = self.bench.sagemaker.list_model_packages(ModelPackageGroupName="churn")
        return list(found["ModelPackageSummaryList"])


@pytest.fixture(scope="module")
def app(cloud: Any, tmp_path_factory: pytest.TempPathFactory) -> BuildApp:
    """One for all: its environment takes longer to make and to compile than a training run."""
    return BuildApp(make_bench(cloud, cloud.new_account()), tmp_path_factory.mktemp("app") / "build")


@pytest.fixture(scope="module")
def built(app: BuildApp) -> tuple[str, Any]:
    """What the seed's build says, and the version that it registers."""
    done = app.build()
    assert done.returncode == 0, done.stdout + done.stderr
    (version,) = app.versions()
    return done.stdout, version


def test_from_code_to_an_endpoint_that_answers_like_the_artifact(
    app: BuildApp, built: tuple[str, Any], tmp_path: Path
) -> None:
    said, version = built
    assert f"registered {version['ModelPackageArn']} (PendingManualApproval)" in said
    sagemaker = app.bench.sagemaker
    package = sagemaker.describe_model_package(ModelPackageName=version["ModelPackageArn"])
    assert package["CustomerMetadataProperties"] == {"commit": "0123456789abcdef"}
    sagemaker.update_model_package(ModelPackageArn=version["ModelPackageArn"], ModelApprovalStatus="Approved")
    rows = _unseen_rows(app.bench)
    data = package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    assert _served(app, version["ModelPackageArn"], rows) == _by_hand(app.bench, data, rows, tmp_path)


def _unseen_rows(bench: Workbench) -> str:
    """Return five rows that the model was not fitted on, without the target."""
    listed = bench.client("s3").list_objects_v2(Bucket=bench.bucket)["Contents"]
    key = next(item["Key"] for item in listed if item["Key"].endswith("/test/test.csv"))
    lines = bench.read(f"s3://{bench.bucket}/{key}").decode().splitlines()[1:6]
    return "\n".join(line.split(",", 1)[1] for line in lines)


def _by_hand(bench: Workbench, data: str, rows: str, folder: Path) -> Any:
    """Load the artifact in the image's runtime, without any server, and ask it."""
    for name, content in bench.members(data).items():
        file = folder / "model" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    python = Runtimes(cache_folder(), {}).get(IMAGE).python
    done = subprocess.run(
        [python, "-c", BY_HAND], cwd=folder / "model", input=rows, check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def _served(app: BuildApp, package: str, rows: str) -> Any:
    sagemaker, endpoint = app.bench.sagemaker, {"EndpointName": "churn-dev"}
    sagemaker.create_model(
        ModelName="churn",
        PrimaryContainer={"ModelPackageName": package},
        ExecutionRoleArn=app.role,
        EnableNetworkIsolation=True,
    )
    variant = {"VariantName": "AllTraffic", "ModelName": "churn", "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(
        EndpointConfigName="churn", ProductionVariants=[variant | {"InitialInstanceCount": 1}]
    )
    sagemaker.create_endpoint(EndpointConfigName="churn", **endpoint)
    found = until(lambda: sagemaker.describe_endpoint(**endpoint), lambda d: d["EndpointStatus"] != "Creating")
    assert found["EndpointStatus"] == "InService", found
    runtime = app.bench.client("sagemaker-runtime")
    answer = json.loads(runtime.invoke_endpoint(Body=rows, ContentType="text/csv", **endpoint)["Body"].read())
    sagemaker.delete_endpoint(**endpoint)
    return answer["predictions"]


def test_changed_hyperparameter_gives_a_version_with_metrics_of_its_own(app: BuildApp, built: tuple[str, Any]) -> None:
    with app.changed("parameters.yml", "c: 1.0", "c: 0.01"):
        done = app.build()
    assert done.returncode == 0, done.stdout + done.stderr
    packages = [
        app.bench.sagemaker.describe_model_package(ModelPackageName=version["ModelPackageArn"])
        for version in app.versions()
    ]
    assert built[1]["ModelPackageArn"] in {each["ModelPackageArn"] for each in packages}
    reports = [app.bench.read(package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]) for package in packages]
    assert reports[0] != reports[1]


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        (
            "src/train.py",
            "    save(model",
            "    raise RuntimeError('out of patience')\n    save(model",
            "out of patience",
        ),
        ("parameters.yml", "min_accuracy: 0.9", "min_accuracy: 1.0", "is below the required 1.0"),
        ("parameters.yml", "c: 1.0", "c: high", "hyperparameters.c: expected float"),
    ],
)
def test_what_fails_says_why_and_registers_nothing(app: BuildApp, file: str, old: str, new: str, reason: str) -> None:
    before = app.versions()
    with app.changed(file, old, new):
        done = app.build()
    assert done.returncode == 1
    assert reason in done.stderr
    assert app.versions() == before
