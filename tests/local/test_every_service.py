"""What every service of the local cloud keeps, whichever there are: no service is named here.

The smallest request of each operation comes from botocore's model. A service whose smallest creation is refused has a
sample in ``samples/<name>.json``: an operation and a request, ``{account}`` in the place of the account.
"""

import json
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError
from smallest import smallest_request

from mlops_foundation.local import process, wire
from mlops_foundation.local.contract import ServiceError
from mlops_foundation.local.operations import Offered, operation_table
from mlops_foundation.local.services import SERVICES
from mlops_foundation.local.store import RECORDS
from ports import free_port

EVERY_SERVICE = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
OFFERED = [(service, offered) for service in SERVICES for offered in operation_table(service).values() if offered.model]
EVERY_OPERATION = pytest.mark.parametrize(
    ("service", "offered"), OFFERED, ids=[f"{service.name}-{offered.name}" for service, offered in OFFERED]
)
SAMPLES = Path(__file__).parent / "samples"


def model_of(offered: Offered) -> Any:
    assert offered.model is not None
    return offered.model


def client_name(offered: Offered) -> str:
    """Return what boto3 calls the service that an operation is of."""
    return str(model_of(offered).service_model.service_name)


# --- what a service says of itself ------------------------------------------------------------------------------------


@EVERY_SERVICE
def test_it_offers_operations_of_each_of_its_models(service: Any) -> None:
    offered = [offered for offered in operation_table(service).values() if offered.model]
    assert {client_name(each) for each in offered} == set(service.models)
    assert all(each.declared.name for each in operation_table(service).values() if each.model is None)


def test_no_two_services_share_a_name_a_model_or_a_type() -> None:
    for owned in ("models", "resource_types"):
        names = [name for service in SERVICES for name in getattr(service, owned)]
        assert len(names) == len(set(names))
    for name in ("name", "namespace"):
        assert len({getattr(service, name) for service in SERVICES}) == len(SERVICES)


@EVERY_SERVICE
def test_its_actions_are_of_its_namespace_in_iam(service: Any) -> None:
    declared = {each.declared.action for each in operation_table(service).values() if each.declared.action}
    assert {action.partition(":")[0] for action in declared} <= {service.namespace}


@EVERY_OPERATION
def test_what_it_says_of_a_request_is_in_the_model(service: Any, offered: Offered) -> None:
    del service
    for path in offered.declared.passes:
        shape = model_of(offered).input_shape
        for name in path.split("."):
            while shape.type_name == "list":
                shape = shape.member
            assert name in shape.members, f"{offered.name} hands over {path}, which no request has"
            shape = shape.members[name]
        assert shape.type_name == "string"


@EVERY_OPERATION
def test_a_member_that_aws_does_not_have_is_refused(service: Any, offered: Offered) -> None:
    del service
    shape = model_of(offered).input_shape
    request = smallest_request(model_of(offered), "123456789012")
    if shape is None:
        return
    wire.validate(shape, request)
    with pytest.raises(ServiceError, match="Unknown member 'nobodyHasThis'") as raised:
        wire.validate(shape, {**request, "NobodyHasThis": "1"})
    assert raised.value.code == "ValidationException"


# --- asked over HTTP --------------------------------------------------------------------------------------------------


class Clients:
    """Clients of one principal, each made once."""

    def __init__(self, cloud: Any, account: str, role: str = "") -> None:
        self._cloud, self.account, self._role = cloud, account, role
        self._clients: dict[str, Any] = {}

    def __call__(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._cloud.client(service, self.account, self._role)
        return self._clients[service]


@pytest.fixture(scope="module")
def nobody(cloud: Any) -> Clients:
    """A role without any right, in an account of its own."""
    account = cloud.new_account()
    trust = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
    iam = cloud.client("iam", account)
    iam.create_role(RoleName="nobody", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    return Clients(cloud, account, "nobody")


@pytest.fixture(scope="module")
def everybody(cloud: Any) -> Clients:
    """The root of an account, who may do everything in it."""
    return Clients(cloud, cloud.new_account())


@pytest.mark.cloud
@EVERY_OPERATION
def test_who_has_no_right_is_told_which_is_missing(service: Any, offered: Offered, nobody: Clients) -> None:
    request = smallest_request(model_of(offered), nobody.account, named=True)
    with pytest.raises(ClientError) as raised:
        getattr(nobody(client_name(offered)), xform_name(offered.name))(**request)
    error = raised.value.response["Error"]
    action = offered.declared.action or f"{service.namespace}:{offered.name}"
    assert (error["Code"], f"is not authorized to perform: {action} " in error["Message"]) == (
        "AccessDeniedException",
        True,
    ), error


def not_offered(name: str, table: Mapping[str, Offered], account: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield operations of a model that a service does not offer, each with a request."""
    for operation in sorted(set(wire.service_model(name).operation_names) - table.keys()):
        with suppress(LookupError):
            yield operation, smallest_request(wire.operation_model(name, operation), account)


@pytest.mark.cloud
@EVERY_OPERATION
def test_no_request_that_the_model_allows_is_a_bug_of_the_service(
    service: Any, offered: Offered, everybody: Clients
) -> None:
    """It is answered, or refused with a reason."""
    del service
    request = smallest_request(model_of(offered), everybody.account)
    try:
        getattr(everybody(client_name(offered)), xform_name(offered.name))(**request)
    except ClientError as error:
        answer = error.response
        assert (answer["ResponseMetadata"]["HTTPStatusCode"] < 500, bool(answer["Error"]["Message"])) == (True, True), (
            answer
        )


@pytest.mark.cloud
@EVERY_SERVICE
def test_what_it_does_not_offer_is_refused_even_to_root_and_it_says_what_it_offers(
    service: Any, cloud: Any, account: str
) -> None:
    table = operation_table(service)
    for name in service.models:
        for operation, request in islice(not_offered(name, table, account), 1):
            with pytest.raises(ClientError) as raised:
                getattr(cloud.client(name, account), xform_name(operation))(**request)
            error = raised.value.response["Error"]
            assert (error["Code"], raised.value.response["ResponseMetadata"]["HTTPStatusCode"]) == (
                "NotSupportedException",
                400,
            )
            assert f"{service.namespace}:{operation} is not supported by the local cloud" in error["Message"]
            assert all(each.name in error["Message"] for each in table.values() if each.model)


@pytest.mark.cloud
@EVERY_SERVICE
def test_a_request_without_what_the_model_requires_is_refused_by_the_cloud_too(
    service: Any, cloud: Any, account: str
) -> None:
    """A client that checks nothing sends it; boto3 itself refuses before it sends."""
    shape, offered = next(
        (model_of(each).input_shape, each)
        for each in operation_table(service).values()
        if each.model and each.model.input_shape and each.model.input_shape.required_members
    )
    client = cloud.client(client_name(offered), account)
    with pytest.raises(ParamValidationError):
        getattr(client, xform_name(offered.name))()
    careless = cloud.client(client_name(offered), account, parameter_validation=False)
    if any(shape.members[name].serialization.get("location") == "uri" for name in shape.required_members):
        return  # without it there is no path to send to
    with pytest.raises(ClientError, match="Member must not be null"):
        getattr(careless, xform_name(offered.name))()


# --- over a restart ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def own_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[process.Running]:
    """A cloud that may be stopped and started."""
    folder = tmp_path_factory.mktemp("every")
    running = process.start(folder, free_port())
    yield running
    process.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


def client_of(running: process.Running, service: str, account: str) -> Any:
    return botocore.session.get_session().create_client(
        service,
        region_name="eu-west-1",
        endpoint_url=running.endpoint_url,
        aws_access_key_id=account,
        aws_secret_access_key="test",
    )


def sample_of(service: Any, account: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield what may make something of a service: client, operation, request; the sample first."""
    file = SAMPLES / f"{service.name}.json"
    if file.exists():
        sample = json.loads(file.read_text(encoding="utf-8").replace("{account}", account))
        yield service.models[0], sample["operation"], sample["request"]
    for offered in operation_table(service).values():
        if offered.model and offered.name.startswith("Create"):
            yield client_name(offered), offered.name, smallest_request(offered.model, account)


def make_something(running: process.Running, service: Any, account: str) -> str:
    """Create one thing of a service and return by which operation."""
    refused = []
    for name, operation, request in sample_of(service, account):
        try:
            getattr(client_of(running, name, account), xform_name(operation))(**request)
        except ClientError as error:
            refused.append(f"{operation}: {error}")
        else:
            return operation
    raise AssertionError(f"write samples/{service.name}.json; refused were: {'; '.join(refused)}")


def records(running: process.Running) -> set[tuple[str, ...]]:
    """Return what is on disk of every service of ours."""
    file = f"file:{running.state_dir / RECORDS}?mode=ro"
    with closing(sqlite3.connect(file, uri=True)) as connection:
        return set(connection.execute("SELECT service, account, kind, key, record FROM records"))


@pytest.mark.cloud
def test_what_every_service_holds_is_there_again_after_a_restart_and_after_a_second_one(
    own_cloud: process.Running,
) -> None:
    account = "555555555555"
    iam = client_of(own_cloud, "iam", account)
    services = {"Service": sorted(f"{service.namespace}.amazonaws.com" for service in SERVICES)}
    trust = {"Effect": "Allow", "Principal": services, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="smallest", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    made = {service.name: make_something(own_cloud, service, account) for service in SERVICES}
    before = records(own_cloud)
    assert {row[0] for row in before if row[1] == account} >= made.keys()
    for _ in range(2):
        assert process.stop(own_cloud.state_dir)
        assert not process.alive(own_cloud.pid)
        process.start(own_cloud.state_dir, own_cloud.port)
        assert records(own_cloud) == before
