"""What a service costs: a folder, and its line in the tuple of services. Nothing else knows that it is there.

The test writes CodeStar Connections, which the local cloud does not offer, into a copy of the package.
"""

import filecmp
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

import mlops_foundation
from mlops_foundation.local import process
from ports import free_port

pytestmark = pytest.mark.cloud

ACCOUNT = "222222222222"
PACKAGE = Path(mlops_foundation.__file__).parent
TOOLS = Path(__file__).parents[2] / "tools"
LISTED = Path("local/services/__init__.py")
FOLDER = Path("local/services/connections")
SERVICE = '''
"""Connections to other people's repositories: recorded, never opened."""

from typing import Any, ClassVar

from mlops_foundation.local.contract import (
    Call, Json, Provisioned, ResourceType, Service, ServiceError, StackCall, operation,
)


def _arn(_service: Any, call: Call, request: Json) -> str:
    return call.arn("codestar-connections", f"connection/{request['ConnectionName']}")


def _named(_service: Any, _call: Call, request: Json) -> str:
    return str(request["ConnectionArn"])


def _make(stack: StackCall, properties: Json) -> Provisioned:
    arn = stack.invoke("codestar-connections", "CreateConnection", properties)["ConnectionArn"]
    return Provisioned(arn, {"ConnectionArn": arn, "ConnectionStatus": "PENDING"})


def _remove(stack: StackCall, arn: str, _properties: Json) -> None:
    stack.invoke("codestar-connections", "DeleteConnection", {"ConnectionArn": arn})


class Connections(Service):
    """The service."""

    name = "codestar-connections"
    models = ("codestar-connections",)
    namespace = "codestar-connections"
    resource_types: ClassVar = {"AWS::CodeStarConnections::Connection": ResourceType(_make, _remove)}

    @operation(resource=_arn)
    def create_connection(self, call: Call, request: Json) -> Json:
        """Keep a connection."""
        arn = _arn(self, call, request)
        record = {"ConnectionName": request["ConnectionName"], "ConnectionArn": arn, "ConnectionStatus": "PENDING"}
        self.records.put(call.scope, "connection", arn, record)
        return {"ConnectionArn": arn}

    @operation(resource=_named)
    def get_connection(self, call: Call, request: Json) -> Json:
        """Return a connection."""
        record = self.records.get(call.scope, "connection", request["ConnectionArn"])
        if record is None:
            raise ServiceError("ResourceNotFoundException", f"Connection not found: {request['ConnectionArn']}")
        return {"Connection": record}

    @operation(resource=_named)
    def delete_connection(self, call: Call, request: Json) -> Json:
        """Remove a connection."""
        self.records.pop(call.scope, "connection", request["ConnectionArn"])
        return {}


SERVICE = Connections
'''
LINE = '        "connections",\n'


def write_service(package: Path) -> None:
    """Copy the package, add the folder, and its line to the tuple."""
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / FOLDER).mkdir()
    (package / FOLDER / "__init__.py").write_text(SERVICE.lstrip(), encoding="utf-8")
    text = (package / LISTED).read_text(encoding="utf-8")
    last = '        "sagemaker",\n'
    assert last in text
    (package / LISTED).write_text(text.replace(last, last + LINE), encoding="utf-8")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Processes that import the copy."""
    source = tmp_path_factory.mktemp("copy")
    write_service(source / "mlops_foundation")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(source), str(TOOLS)])}


@pytest.fixture(scope="module")
def grown(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of a cloud with the new service."""
    state = tmp_path_factory.mktemp("grown")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", environment["PYTHONPATH"])
        running = process.start(state, free_port())
    yield running.endpoint_url
    process.stop(state)


def client(endpoint_url: str, service: str, credentials: dict[str, str] | None = None) -> Any:
    found = credentials or {"AccessKeyId": ACCOUNT, "SecretAccessKey": "test", "SessionToken": ""}
    return boto3.client(
        service,
        region_name="eu-west-1",
        endpoint_url=endpoint_url,
        aws_access_key_id=found["AccessKeyId"],
        aws_secret_access_key=found["SecretAccessKey"],
        aws_session_token=found["SessionToken"] or None,
    )


def test_outside_its_folder_nothing_is_touched_but_the_tuple(environment: dict[str, str]) -> None:
    copy = Path(environment["PYTHONPATH"].split(os.pathsep)[0]) / "mlops_foundation"
    ours = {path.relative_to(PACKAGE) for path in PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    theirs = {path.relative_to(copy) for path in copy.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert theirs - ours == {FOLDER / "__init__.py"}
    changed = {path for path in ours if not filecmp.cmp(PACKAGE / path, copy / path, shallow=False)}
    assert changed == {LISTED}
    before, after = ((root / LISTED).read_text().splitlines(keepends=True) for root in (PACKAGE, copy))
    assert [line for line in after if line not in before] == [LINE], "its line"
    assert [line for line in before if line not in after] == []


def test_a_folder_that_says_no_service_is_named(environment: dict[str, str], tmp_path: Path) -> None:
    """Finds a line whose folder has no service: the cloud would start without it, or with a traceback."""
    copy = Path(environment["PYTHONPATH"].split(os.pathsep)[0]) / "mlops_foundation"
    shutil.copytree(copy, tmp_path / "mlops_foundation")
    (tmp_path / "mlops_foundation" / FOLDER / "__init__.py").write_text('"""Nothing."""\n', encoding="utf-8")
    program = (
        "from mlops_foundation.core.errors import PluginError\ntry:\n    import mlops_foundation.local.services\n"
        "except PluginError as error:\n    print(error.problems[0].what, error.problems[0].where)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], env={**environment, "PYTHONPATH": str(tmp_path)}, capture_output=True,
        text=True, check=True,
    ).stdout  # fmt: skip
    assert "the folder connections of mlops_foundation.local.services says no service" in said
    assert f"{FOLDER}/__init__.py:1" in said


def test_it_answers_boto3(grown: str) -> None:
    connections = client(grown, "codestar-connections")
    arn = connections.create_connection(ConnectionName="github", ProviderType="GitHub")["ConnectionArn"]
    assert arn == f"arn:aws:codestar-connections:eu-west-1:{ACCOUNT}:connection/github"
    assert connections.get_connection(ConnectionArn=arn)["Connection"]["ConnectionStatus"] == "PENDING"
    with pytest.raises(ClientError, match="it offers CreateConnection, DeleteConnection, GetConnection"):
        connections.list_connections()


def test_iam_is_asked(grown: str) -> None:
    iam = client(grown, "iam")
    iam.create_user(UserName="reader")
    arn = f"arn:aws:codestar-connections:eu-west-1:{ACCOUNT}:connection/mine"
    rights = {"Effect": "Allow", "Action": "codestar-connections:CreateConnection", "Resource": arn}
    iam.put_user_policy(UserName="reader", PolicyName="p", PolicyDocument=json.dumps({"Statement": [rights]}))
    key = iam.create_access_key(UserName="reader")["AccessKey"] | {"SessionToken": ""}
    reader = client(grown, "codestar-connections", key)
    assert reader.create_connection(ConnectionName="mine", ProviderType="GitHub")["ConnectionArn"] == arn
    with pytest.raises(ClientError, match="not authorized to perform: codestar-connections:CreateConnection"):
        reader.create_connection(ConnectionName="other", ProviderType="GitHub")


def test_cloudformation_makes_its_type(grown: str) -> None:
    stacks = client(grown, "cloudformation")
    properties = {"ConnectionName": "stacked", "ProviderType": "GitHub"}
    made = {"Type": "AWS::CodeStarConnections::Connection", "Properties": properties}
    stacks.create_stack(StackName="one", TemplateBody=json.dumps({"Resources": {"Made": made}}))
    stacks.get_waiter("stack_create_complete").wait(StackName="one", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    (resource,) = stacks.describe_stack_resources(StackName="one")["StackResources"]
    found = client(grown, "codestar-connections").get_connection(ConnectionArn=resource["PhysicalResourceId"])
    assert found["Connection"]["ConnectionName"] == "stacked"


def test_the_page_lists_it(environment: dict[str, str]) -> None:
    program = [sys.executable, "-c", "import operations; print(operations.render())"]
    page = subprocess.run(program, env=environment, capture_output=True, text=True, check=True).stdout
    assert "| codestar-connections | CreateConnection, DeleteConnection, GetConnection |" in page
    assert "`AWS::CodeStarConnections::Connection`" in page
