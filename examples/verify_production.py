"""Check from outside, with boto3 only, what the main path has left behind on the local cloud.

    mlops demo --keep
    python examples/verify_production.py .mlops-demo

The stacks of all stages are CREATE_COMPLETE, prod serves the approved version, its answers equal those of the artifact
loaded by hand in the image's own runtime, and roles that may not do something are refused. Exit code 1 on the first
difference.
"""

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

PROJECT = "churn"
STAGES = ("dev", "preprod", "prod")
ROWS = 20
MLOPS = shutil.which("mlops") or str(Path(sys.executable).with_name("mlops"))

PREDICT_BY_HAND = """
import json, sys, joblib, numpy
rows = numpy.loadtxt(sys.stdin, delimiter=",", ndmin=2)
model = joblib.load(sys.argv[1] + "/model.joblib")
print(json.dumps([float(value) for value in model.predict_proba(rows)[:, 1]]))
"""


def client(folder: Path, service: str, account: str, role: str = "") -> Any:
    """Return a boto3 client with the credentials that ``mlops local env`` gives."""
    command = [MLOPS, "local", "env", "--json", "--account", account, "--project", PROJECT]
    command += ["--role", role] if role else []
    found = json.loads(subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout)
    return boto3.client(
        service,
        region_name=found["AWS_REGION"],
        endpoint_url=found["AWS_ENDPOINT_URL"],
        aws_access_key_id=found["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=found["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=found.get("AWS_SESSION_TOKEN"),
    )


def check(what: str, found: object, expected: object) -> None:
    """Print one check; end the program when it fails."""
    right = found == expected
    print(f"{'ok  ' if right else 'FAIL'} {what}: {found}" + ("" if right else f", expected {expected}"))
    if not right:
        sys.exit(1)


def approved_version(folder: Path) -> dict[str, Any]:
    """Return the newest approved version."""
    sagemaker = client(folder, "sagemaker", "dev", "auditor")
    versions = sagemaker.list_model_packages(
        ModelPackageGroupName=PROJECT, ModelApprovalStatus="Approved", SortBy="CreationTime", SortOrder="Descending"
    )["ModelPackageSummaryList"]
    return sagemaker.describe_model_package(ModelPackageName=versions[0]["ModelPackageArn"])


def served_version(sagemaker: Any, stage: str) -> tuple[str, str]:
    """Return status and version of a stage's endpoint, from endpoint to configuration to model to package."""
    endpoint = sagemaker.describe_endpoint(EndpointName=f"{PROJECT}-{stage}")
    configuration = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = sagemaker.describe_model(ModelName=configuration["ProductionVariants"][0]["ModelName"])
    return endpoint["EndpointStatus"], model["PrimaryContainer"]["ModelPackageName"]


def rows_of_test_split(s3: Any, bucket: str) -> str:
    """Return rows that the model has not seen, without their target."""
    keys = [
        found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"] if found["Key"].endswith("test.csv")
    ]
    lines = s3.get_object(Bucket=bucket, Key=keys[-1])["Body"].read().decode().strip().splitlines()
    target = lines[0].split(",").index("target")
    rows = [line.split(",") for line in lines[1 : ROWS + 1]]
    return "\n".join(",".join(value for index, value in enumerate(row) if index != target) for row in rows)


def predictions_by_hand(s3: Any, version: dict[str, Any], rows: str) -> list[float]:
    """Load the artifact in the image's runtime and predict, without any endpoint."""
    container = version["InferenceSpecification"]["Containers"][0]
    bucket, _, key = container["ModelDataUrl"].removeprefix("s3://").partition("/")
    archive = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    found = subprocess.run([MLOPS, "local", "runtime", container["Image"]], capture_output=True, text=True, check=True)
    with tempfile.TemporaryDirectory() as model_dir:
        with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
            member = next(member for member in packed if Path(member.name) == Path("model.joblib"))
            content: Any = packed.extractfile(member)
            (Path(model_dir) / "model.joblib").write_bytes(content.read())
        done = subprocess.run(
            [found.stdout.strip(), "-c", PREDICT_BY_HAND, model_dir],
            input=rows,
            capture_output=True,
            text=True,
            check=True,
            env={"PATH": os.defpath},
        )
    return json.loads(done.stdout)


def refused(what: str, attempt: Any, action: str) -> None:
    """Check that a call is refused and that the refusal names the action."""
    try:
        attempt()
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        check(f"refused: {what}", (code.removesuffix("Exception"), action in message), ("AccessDenied", True))
    else:
        check(f"refused: {what}", "allowed", "refused")


def main() -> None:
    """Run every check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".mlops-demo"), help="folder with mlops.yaml")
    folder = parser.parse_args().folder

    for stage in STAGES:
        stack = client(folder, "cloudformation", stage).describe_stacks(StackName=f"{PROJECT}-{stage}")["Stacks"][0]
        check(f"stack {PROJECT}-{stage}", stack["StackStatus"], "CREATE_COMPLETE")

    version = approved_version(folder)
    arn = version["ModelPackageArn"]
    tester = client(folder, "sagemaker", "prod", f"{PROJECT}-test-prod")
    check("prod serves the approved version", served_version(tester, "prod"), ("InService", arn))

    s3 = client(folder, "s3", "dev", "data-scientist")
    dev = arn.split(":")[4]
    rows = rows_of_test_split(s3, f"{PROJECT}-{dev}")
    runtime = client(folder, "sagemaker-runtime", "prod", f"{PROJECT}-test-prod")
    answer = runtime.invoke_endpoint(EndpointName=f"{PROJECT}-prod", Body=rows.encode(), ContentType="text/csv")
    served = [found["probability"] for found in json.load(answer["Body"])["predictions"]]
    by_hand = predictions_by_hand(s3, version, rows)
    check("rows that were asked, each with an answer", (len(rows.splitlines()), len(served)), (ROWS, ROWS))
    check("answers of prod equal the artifact by hand", served == by_hand and len(set(served)) > 1, True)

    scientist = client(folder, "sagemaker", "dev", "data-scientist")
    refused(
        "a data scientist approves",
        lambda: scientist.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved"),
        "sagemaker:UpdateModelPackage",
    )
    refused(
        "the test role deletes the endpoint",
        lambda: tester.delete_endpoint(EndpointName=f"{PROJECT}-prod"),
        "sagemaker:DeleteEndpoint",
    )
    refused(
        "the auditor reads data",
        lambda: client(folder, "s3", "dev", "auditor").list_objects_v2(Bucket=f"{PROJECT}-{dev}"),
        "s3:ListBucket",
    )
    print("all checks passed")


if __name__ == "__main__":
    main()
