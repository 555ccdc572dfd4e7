"""A workbench for tests of SageMaker: an account with a bucket and an execution role, and clients in it."""

import io
import json
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

REGION = "eu-west-1"
IMAGE = f"141502667606.dkr.ecr.{REGION}.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions: str | list[str], resource: str | list[str] = "*", **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


@dataclass
class Workbench:
    """One account and what tests of SageMaker need in it."""

    cloud: Any
    account: str
    bucket: str = ""
    role: str = ""
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, role: str = "") -> Any:
        if (service, role) not in self._clients:
            self._clients[service, role] = self.cloud.client(service, self.account, role)
        return self._clients[service, role]

    @property
    def sagemaker(self) -> Any:
        return self.client("sagemaker")

    def arn(self, resource: str) -> str:
        return f"arn:aws:sagemaker:{REGION}:{self.account}:{resource}"

    def make_role(self, name: str, *statements: dict[str, Any], trust: dict[str, Any] = TRUST) -> str:
        iam = self.client("iam")
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=document(*statements))
        return str(made)

    def make_person(self, name: str, *statements: dict[str, Any]) -> str:
        """Make a role that the account's root can take, and return its name."""
        trust = TRUST | {"Principal": {"AWS": f"arn:aws:iam::{self.account}:root"}}
        self.make_role(name, *statements, trust=trust)
        return name

    def put(self, key: str, content: str | bytes) -> str:
        self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=content)
        return f"s3://{self.bucket}/{key}"

    def read(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return bytes(self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())

    def members(self, uri: str) -> dict[str, bytes]:
        """Return the files in a tar.gz in S3."""
        with tarfile.open(fileobj=io.BytesIO(self.read(uri))) as tar:
            return {m.name: tar.extractfile(m).read() for m in tar.getmembers() if m.isfile()}  # type: ignore[union-attr]

    def put_archive(self, key: str, files: dict[str, str]) -> str:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            for name, text in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(text.encode())
                tar.addfile(member, io.BytesIO(text.encode()))
        return self.put(key, buffer.getvalue())

    def logs(self, group: str, stream_prefix: str) -> str:
        logs = self.client("logs")
        try:
            streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=stream_prefix)["logStreams"]
        except logs.exceptions.ResourceNotFoundException:  # nothing was shipped yet
            return ""
        events = [
            event["message"]
            for stream in streams
            for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
        ]
        return "\n".join(events)

    # --- jobs ---------------------------------------------------------------------------------------------------------

    def process(self, name: str, script: str, wait: bool = True, **changes: Any) -> Any:
        """Run a Python script as a processing job and return its description."""
        code = self.put(f"code/{name}/run.py", script)
        given = changes.pop("ProcessingInputs", [])
        request = {
            "ProcessingJobName": name,
            "RoleArn": self.role,
            "AppSpecification": {
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/run.py"],
            },
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
            },
            "ProcessingInputs": [processing_input("code", code, "/opt/ml/processing/input/code"), *given],
        }
        self.sagemaker.create_processing_job(**request | changes)
        return self.wait_for("processing_job", "ProcessingJob", name) if wait else None

    def wait_for(
        self, operation: str, prefix: str, name: str, busy: tuple[str, ...] = ("InProgress", "Stopping")
    ) -> Any:
        describe = getattr(self.sagemaker, f"describe_{operation}")
        return until(lambda: describe(**{f"{prefix}Name": name}), lambda d: d[f"{prefix}Status"] not in busy)

    def wait_for_execution(self, arn: str) -> Any:
        describe = self.sagemaker.describe_pipeline_execution
        return until(
            lambda: describe(PipelineExecutionArn=arn),
            lambda d: d["PipelineExecutionStatus"] not in {"Executing", "Stopping"},
        )


def processing_input(name: str, uri: str, path: str) -> dict[str, Any]:
    source = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": source}


def processing_output(name: str, uri: str, path: str) -> dict[str, Any]:
    return {"OutputName": name, "S3Output": {"S3Uri": uri, "LocalPath": path, "S3UploadMode": "EndOfJob"}}


def until(read: Callable[[], Any], done: Callable[[Any], bool], timeout_s: float = 180) -> Any:
    deadline = time.monotonic() + timeout_s
    while not done(value := read()):
        assert time.monotonic() < deadline, f"still {value}"
        time.sleep(0.1)
    return value


def make_bench(cloud: Any, account: str) -> Workbench:
    """Make a workbench with a bucket and an execution role that reaches bucket and logs."""
    made = Workbench(cloud, account, f"bench-{account}")
    made.client("s3").create_bucket(Bucket=made.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    bucket = f"arn:aws:s3:::{made.bucket}"
    made.role = made.make_role(
        "execution",
        allow(["s3:GetObject", "s3:PutObject"], f"{bucket}/*"),
        allow("s3:ListBucket", bucket),
        allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "arn:aws:logs:*:*:*"),
    )
    return made
