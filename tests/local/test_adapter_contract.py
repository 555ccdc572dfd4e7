"""What the adapter relies on of ministack: every name, its parameters, and the behaviours that it builds on.

A new ministack that fails here has to be looked at before its pin moves: the adapter replaces or calls these names.
"""

import ast
import functools
import importlib
import inspect
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from mlops_foundation.local import adapter, process
from mlops_foundation.local.adapter.changes import CHANGES

RELIED_ON = {
    "app.SERVICE_HANDLERS": "dict",
    "app.SERVICE_REGISTRY": "dict",
    "app._authenticate_only": "(service, headers, query_params, request_id)",
    "app._build_persistence_save_dict": "()",
    "app._state_map": "dict",
    "app.app": "(scope, receive, send)",
    "app.pin_request_origin": "(source_ip, secure_transport)",
    "core.iam_actions.SERVICE_TO_IAM_NAMESPACE": "dict",
    "core.iam_actions._lambda_action": "(method, path)",
    "core.iam_actions._tag_operations": "(service)",
    "core.iam_actions.extract_iam_action": "(service, method, path, headers, body, query_params)",
    "core.iam_actions.extract_resource_arn": "(service, method, path, headers, body, query_params, region, account_id)",
    "core.iam_actions.identity_denial_message": "(action, principal_arn, resource, explicit_deny)",
    "core.iam_actions.request_tag_context": "(service, iam_action, body, params)",
    "core.iam_evaluator.AuthError": "(code, message, details=)",
    "core.iam_evaluator.CredentialResolutionError": "(code, message)",
    "core.iam_evaluator.EvalContext": (
        "(principal_arn, principal_type, principal_account, action, resource_arn, region, source_ip=, "
        "secure_transport=, request_tags=, tag_keys=, service_context=, principal_keys=)"
    ),
    "core.iam_evaluator.EvalResult": "(decision, principal_arn=, matched_sid=, reason=, resource_policy_arn=)",
    "core.iam_evaluator._conditions_met": "(conditions, ctx)",
    "core.iam_evaluator._first_match": "(ctx, stmts, effect)",
    "core.iam_evaluator._resolve_condition_key": "(key, ctx)",
    "core.iam_evaluator._resource_policy": "(service, resource_arn)",
    "core.iam_evaluator.combine_resource_policy": "(identity, ctx, policy, owner_account, required=, limits=)",
    "core.iam_evaluator.enforce": "(access_key_id, iam_action, service, region, resource_arn=, service_context=)",
    "core.iam_evaluator.evaluate": "(ctx, policies, *limits)",
    "core.iam_evaluator.find_iam_access_key_account": "(access_key_id)",
    "core.iam_evaluator.is_root_access_key": "(access_key_id)",
    "core.iam_evaluator.parse_policy_document": "(doc)",
    "core.iam_evaluator.resolve_credential": "(access_key_id, account_id=, session_token=)",
    "core.iam_evaluator.resolve_principal": "(access_key_id, account_id, credential=)",
    "core.persistence.STATE_DIR": "str",
    "core.persistence._json_default": "(obj)",
    "core.persistence._state_format_version": "(service)",
    "core.responses.AccountRegionScopedDict": "()",
    "core.responses.AccountScopedDict": "()",
    "core.responses.get_account_id": "()",
    "core.responses.get_region": "()",
    "core.responses.request_scope": "(account_id, region)",
    "core.router.SERVICE_PATTERNS": "dict",
    "core.router._KNOWN_AWS_SERVICE_NAMES": "NoneType",
    "core.router.extract_access_key_id": "(headers, query_params=)",
    "services.cloudformation._PERSISTED_STORES": "tuple",
    "services.cloudformation._change_sets": "AccountRegionScopedDict",
    "services.cloudformation._exports": "AccountRegionScopedDict",
    "services.cloudformation._exports._data": "dict",
    "services.cloudformation._stacks": "AccountRegionScopedDict",
    "services.cloudformation.changesets.validate_template_support": "(template, conditions, params=)",
    "services.cloudformation.engine._extract_deps": "(resource_def, all_resource_names)",
    "services.cloudformation.engine._intrinsic_references": "(value)",
    "services.cloudformation.engine.validate_template_support": "(template, conditions, params=)",
    "services.cloudformation.handlers._ACTION_HANDLERS": "dict",
    "services.cloudformation.handlers.validate_template_support": "(template, conditions, params=)",
    "services.cloudformation.load_persisted_state": "(data)",
    "services.cloudformation.stacks._add_event": (
        "(stack_id, stack_name, logical_id, resource_type, status, reason=, physical_id=, detailed_status=)"
    ),
    "services.cloudformation._stacks._data": "dict",
    "services.cloudformation.custom_resource._lock": "lock",
    "services.cloudformation.custom_resource._normalise_resource_properties": "(value)",
    "services.cloudformation.custom_resource._pending": "dict",
    "services.cloudformation.custom_resource._response_url": "(token)",
    "services.cloudformation.custom_resource.register_token": "(token)",
    "services.cloudformation.helpers._error": "(code, message, status=)",
    "services.cloudformation.helpers._p": "(params, key, default=)",
    "services.cloudformation.helpers._resolve_document": "(params, body_key, url_key, label)",
    "services.cloudformation.helpers._validate_stack_tags": "(tags)",
    "services.cloudformation.provisioners._RESOURCE_HANDLERS": "dict",
    "services.cloudformation.provisioners._STACK_TAG_PROPERTY": "dict",
    "services.cloudformation.provisioners._custom_named_replacement_error": (
        "(resource_type, old_props, new_props, physical_id=)"
    ),
    "services.cloudformation.provisioners._custom_resource_create": "(logical_id, props, stack_name, resource_type=)",
    "services.cloudformation.provisioners._custom_resource_delete": (
        "(physical_id, props, stack_name=, logical_id=, resource_type=)"
    ),
    "services.cloudformation.provisioners._custom_resource_update": (
        "(physical_id, old_props, new_props, stack_name, logical_id=, resource_type=)"
    ),
    "services.cloudformation.provisioners._property_recreation": "(resource_type, name)",
    "services.cloudformation.stacks._custom_named_replacement_error": (
        "(resource_type, old_props, new_props, physical_id=)"
    ),
    "services.cloudformation.stacks._property_recreation": "(resource_type, name)",
    "services.cloudformation.stacks._runs_on_worker_thread": "(resource_type)",
    "services.ec2._ACTION_MAP": "dict",
    "services.ec2._accept_vpc_peering_connection": "(params)",
    "services.ec2._create_vpc_endpoint": "(p)",
    "services.ec2._create_vpc_peering_connection": "(params)",
    "services.ec2._nat_gateways": "AccountRegionScopedDict",
    "services.ec2._p": "(params, key, default=)",
    "services.ec2._parse_filters": "(params)",
    "services.ec2._parse_member_list": "(params, prefix)",
    "services.ec2._resource_matches_tag_filters": "(resource_id, filters)",
    "services.ec2._route_tables": "AccountRegionScopedDict",
    "services.ec2._security_groups": "AccountRegionScopedDict",
    "services.ec2._set_vpc_peering_status": "(record, code, message)",
    "services.ec2._subnet_fields_xml": "(subnet, tag=)",
    "services.ec2._subnets": "AccountRegionScopedDict",
    "services.ec2._vpc_endpoints": "AccountRegionScopedDict",
    "services.ec2._vpc_peering": "AccountRegionScopedDict",
    "services.ec2._vpce_fields_xml": "(ep, tag=)",
    "services.ec2._vpcs": "AccountRegionScopedDict",
    "services.ec2._xml": "(status, root_tag, inner)",
    "services.eventbridge._apply_input_transformer": "(transformer, rule, view)",
    "services.eventbridge._dispatch_to_event_bus": "(spec, event, rule, event_path, target_input_payload=)",
    "services.eventbridge._invoke_target": "(target, event, rule, view=)",
    "services.eventbridge._pattern_event_view": "(event)",
    "services.eventbridge._put_events": "(data, allow_aws_source=)",
    "services.iam._IAM_HANDLERS": "dict",
    "services.iam._p": "(params, key, default=)",
    "services.iam._policy_exists": "(arn)",
    "services.iam._roles": "AccountScopedDict",
    "services.kms._resolve_key": "(key_id_or_arn)",
    "services.kms.key_policy_for_arn": "(resource_arn)",
    "services.lambda_svc.invalidate_worker": "(func_name, qualifier=, account=, region=)",
    "services.route53._build_change_info_el": "(parent, change)",
    "services.route53._build_vpc_el": "(parent, vpc)",
    "services.route53._new_change": "(comment=)",
    "services.route53._parse_vpc_request": "(body)",
    "services.route53._same_name_zone_with_vpc": "(name, vpc, exclude_id=)",
    "services.route53._xml_response": "(root_tag, builder_fn, status=)",
    "services.route53._zones": "AccountScopedDict",
    "services.route53._zones._data": "dict",
    "services.s3._bucket_default_sse_headers": "(bucket_name)",
    "services.s3._bucket_owner_account": "(name)",
    "services.s3._bucket_policies": "AccountScopedDict",
    "services.s3._buckets": "AccountScopedDict",
    "services.s3._foreign_bucket_allows": "(owner_account, bucket_name, key, method, query_params, caller, headers=)",
    "services.s3._stored_sse_headers": "(obj)",
    "services.s3.bucket_policy_for_arn": "(resource_arn)",
    "services.secretsmanager.resolve_secret_string": "(secret_id, version_stage=, version_id=)",
    "services.ssm.resolve_parameter_value": "(name_or_arn, version=, decrypt=)",
    "services.sts._role_id": "(role_arn)",
    "services.sts._sessions": "dict",
    "services.sts.get_state": "()",
    "services.sts.load_persisted_state": "(data)",
    "services.sts.register_session": "(access_key, session)",
    "services.tagging.resource_tags": "(arn)",
}
"""Name below ``ministack`` -> its parameters (``=`` for one with a default), or the type of what is no function."""


def used_names() -> Iterator[str]:
    """Yield every name of ministack that the adapter's source uses, without modules and methods of its dicts."""
    for path in sorted(Path(adapter.__path__[0]).glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = dict(_imports(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                root, names = _dotted(node)
                if root in imported:
                    yield ".".join([imported[root], *names])
        yield from imported.values()


def _imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ministack"):
            for name in node.names:
                yield name.asname or name.name, f"{node.module}.{name.name}"
        elif isinstance(node, ast.Import):
            for name in node.names:
                if name.name.startswith("ministack"):
                    yield "ministack", "ministack"


def _dotted(node: ast.expr) -> tuple[str, list[str]]:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    return (node.id if isinstance(node, ast.Name) else ""), names


def replaced_names() -> Iterator[str]:
    """Yield what the adapter's source assigns: names of ministack, and its tables (in capitals) when entries change."""
    for path in sorted(Path(adapter.__path__[0]).glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = dict(_imports(tree))
        for node in ast.walk(tree):
            for target, table in _targets(node):
                root, names = _dotted(target)
                if root in imported and names and (names[-1].isupper() or not table):
                    yield ".".join([imported[root], *names]).removeprefix("ministack.")


def _targets(node: ast.AST) -> Iterator[tuple[ast.expr, bool]]:
    """Yield what a statement or call changes, and whether it is a table whose entries it changes."""
    match node:
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            yield from (_whole(target) for target in targets)
        case ast.AugAssign(target=target):
            yield _whole(target)
        case ast.Call(func=ast.Attribute(value=table, attr="pop" | "update" | "setdefault" | "clear")):
            yield table, True


def _whole(target: ast.expr) -> tuple[ast.expr, bool]:
    if isinstance(target, ast.Subscript):
        return _whole(target.value)[0], True
    return target, False


def found(name: str) -> Any:
    """Return what a dotted name is: the longest module of it, then attributes."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            module = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        return functools.reduce(getattr, parts[length:], module)
    raise LookupError(name)


def described(thing: Any) -> str:
    if not callable(thing):
        return type(thing).__name__
    parameters = inspect.signature(thing).parameters.values()
    marks = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    names = [
        marks.get(each.kind, "") + each.name + ("" if each.default is inspect.Parameter.empty else "=")
        for each in parameters
    ]
    return f"({', '.join(names)})"


def test_the_table_names_what_the_adapter_uses_and_nothing_else() -> None:
    is_method_of_dict = (".pop", ".get", ".get_scoped", ".items", ".values", ".clear", ".update")
    used = {
        name.removeprefix("ministack.")
        for name in used_names()
        if not inspect.ismodule(found(name)) and not name.endswith(is_method_of_dict)
    }
    assert used == RELIED_ON.keys()


def test_what_is_replaced_stands_in_the_list_of_changes_and_nothing_else() -> None:
    listed = {name for change in CHANGES for name in change.replaces if "*" not in name}
    assert set(replaced_names()) == listed


def test_every_change_says_what_and_why_once() -> None:
    assert all(change.name and change.why and change.replaces for change in CHANGES)
    for part in ("name", "why", "install"):
        assert len({getattr(change, part) for change in CHANGES}) == len(CHANGES)


def test_what_stands_in_for_a_name_of_ministack_takes_what_ministack_gives_it(tmp_path: Path) -> None:
    names = sorted({name for change in CHANGES for name in change.replaces if RELIED_ON.get(name, "").startswith("(")})
    program = [sys.executable, str(Path(__file__).with_name("replaced_names.py")), str(tmp_path), *names]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, str(len(names))), done.stderr


@pytest.mark.parametrize("name", RELIED_ON)
def test_ministack_still_has_it_as_it_was(name: str) -> None:
    assert described(found(f"ministack.{name}")) == RELIED_ON[name]


@pytest.mark.parametrize("name", ["services.iam._roles", "services.s3._bucket_policies"])
def test_scoped_records_can_be_read_of_any_account(name: str) -> None:
    assert described(found(f"ministack.{name}").get_scoped) == "(account_id, region, key, default=)"


# --- behaviours, asked of the running cloud ---------------------------------------------------------------------------


def queue_for_events(cloud: Any, account: str, bus: str = "default") -> tuple[Any, str]:
    """Make a queue that a rule of the account's bus fills; return its client and URL."""
    sqs, events = cloud.client("sqs", account), cloud.client("events", account)
    url = sqs.create_queue(QueueName="seen")["QueueUrl"]
    events.put_rule(Name="all", EventBusName=bus, EventPattern=json.dumps({"source": ["mlops.test"]}))
    target = {"Id": "queue", "Arn": f"arn:aws:sqs:eu-west-1:{account}:seen"}
    events.put_targets(Rule="all", EventBusName=bus, Targets=[target])
    return sqs, url


def received(sqs: Any, url: str, count: int) -> list[int]:
    """Return the numbers of the events in a queue, once there are as many as expected."""
    numbers: list[int] = []
    end = time.monotonic() + 10
    while len(numbers) < count and time.monotonic() < end:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        numbers += [json.loads(message["Body"])["detail"]["n"] for message in messages]
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return sorted(numbers)


@pytest.mark.cloud
def test_two_events_for_another_accounts_bus_arrive_there_and_leave_the_senders_account_as_it_was(
    cloud: Any, account: str
) -> None:
    other = cloud.new_account()
    there = queue_for_events(cloud, other)
    cloud.client("events", other).put_permission(
        Action="events:PutEvents", Principal=account, StatementId="from-another-account"
    )
    here = queue_for_events(cloud, account)
    events = cloud.client("events", account)
    events.put_rule(Name="on", EventPattern=json.dumps({"source": ["mlops.test"]}))
    bus = f"arn:aws:events:eu-west-1:{other}:event-bus/default"
    trust = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = cloud.client("iam", account).create_role(
        RoleName="events", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]})
    )["Role"]["Arn"]
    events.put_targets(Rule="on", Targets=[{"Id": "bus", "Arn": bus, "RoleArn": role}])
    entries = [{"Source": "mlops.test", "DetailType": "t", "Detail": json.dumps({"n": n})} for n in (1, 2)]
    assert events.put_events(Entries=entries)["FailedEntryCount"] == 0
    assert received(*there, 2) == [1, 2]
    assert received(*here, 2) == [1, 2]


@pytest.mark.cloud
def test_our_provisioners_run_beside_the_requests_which_they_make_themselves(cloud: Any, account: str) -> None:
    """An address is made by a request to the cloud: on the loop that answers requests it would wait for itself."""
    cloudformation = cloud.client("cloudformation", account)
    resources = {f"Address{n}": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}} for n in range(3)}
    with ThreadPoolExecutor(1) as beside:
        waiter = cloudformation.get_waiter("stack_create_complete")
        cloudformation.create_stack(StackName="addresses", TemplateBody=json.dumps({"Resources": resources}))
        created = beside.submit(waiter.wait, StackName="addresses", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        assert cloud.client("sts", account).get_caller_identity()["Account"] == account
        created.result()
    assert len(cloud.client("ec2", account).describe_addresses()["Addresses"]) == 3


@pytest.mark.cloud
@pytest.mark.parametrize(
    ("service", "operation"), [("dynamodb", "list_tables"), ("glue", "get_databases"), ("athena", "list_work_groups")]
)
def test_services_that_nobody_here_has_checked_are_refused_even_to_root(
    cloud: Any, account: str, service: str, operation: str
) -> None:
    with pytest.raises(ClientError) as raised:
        getattr(cloud.client(service, account), operation)()
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.cloud
def test_loopback_counts_as_secure_transport(cloud: Any, account: str) -> None:
    s3, bucket = cloud.client("s3", account), f"tls-{account}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    s3.put_object(Bucket=bucket, Key="x", Body=b"1")
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == b"1"


@pytest.mark.cloud
@pytest.mark.parametrize("service", ["codebuild", "ssm"])
def test_a_session_is_who_holds_its_secret_and_nobody_else(cloud: Any, account: str, service: str) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    iam = cloud.client("iam", account)
    iam.create_role(RoleName="person", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    rights = {"Effect": "Allow", "Action": ["codebuild:ListProjects", "ssm:DescribeParameters"], "Resource": "*"}
    iam.put_role_policy(RoleName="person", PolicyName="p", PolicyDocument=json.dumps({"Statement": [rights]}))
    found = process.sign_in(cloud.running, account, "person").credentials

    def ask(secret: str) -> Any:
        client = boto3.client(
            service,
            region_name="eu-west-1",
            endpoint_url=cloud.endpoint_url,
            aws_access_key_id=found.access_key_id,
            aws_secret_access_key=secret,
            aws_session_token=found.session_token,
        )
        return client.list_projects() if service == "codebuild" else client.describe_parameters()

    assert ask(found.secret_access_key)
    with pytest.raises(ClientError, match="signature"):
        ask("wrong")


def trusting(cloud: Any, account: str, name: str, principal: dict[str, str], *rights: str) -> str:
    """Make a role and return its ARN."""
    iam = cloud.client("iam", account)
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    if rights:
        statement = {"Effect": "Allow", "Action": rights, "Resource": "*"}
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps({"Statement": [statement]}))
    return str(made["Role"]["Arn"])


@pytest.mark.cloud
def test_a_service_role_lets_in_its_service_and_nobody_of_its_account(cloud: Any, account: str) -> None:
    role = trusting(cloud, account, "build", {"Service": "codebuild.amazonaws.com"})
    trusting(cloud, account, "admin", {"AWS": f"arn:aws:iam::{account}:root"}, "*")
    for client in (cloud.client("sts", account), cloud.client("sts", account, "admin")):
        with pytest.raises(ClientError, match="AccessDenied"):
            client.assume_role(RoleArn=role, RoleSessionName="me")


@pytest.mark.cloud
def test_root_takes_no_role_even_of_its_own_account_and_who_may_does(cloud: Any, account: str) -> None:
    role = trusting(cloud, account, "person", {"AWS": f"arn:aws:iam::{account}:root"})
    with pytest.raises(ClientError, match="Roles may not be assumed by root accounts") as raised:
        cloud.client("sts", account).assume_role(RoleArn=role, RoleSessionName="me")
    assert raised.value.response["Error"]["Code"] == "AccessDenied"
    presigned = cloud.client("sts", account).generate_presigned_url(
        "assume_role", {"RoleArn": role, "RoleSessionName": "me"}
    )
    refused = URLLib3Session().send(AWSRequest("GET", presigned).prepare())
    assert (refused.status_code, b"root accounts" in refused.content) == (403, True)
    trusting(cloud, account, "admin", {"AWS": f"arn:aws:iam::{account}:root"}, "sts:AssumeRole")
    taken = cloud.client("sts", account, "admin").assume_role(RoleArn=role, RoleSessionName="me")
    assert taken["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{account}:assumed-role/person/me"
