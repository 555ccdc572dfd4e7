"""Whether a request passes an endpoint, by the policy that stands in a network's template."""

import json
from typing import Any, NamedTuple

from ministack.core import iam_evaluator

Template = dict[str, Any]


class Request(NamedTuple):
    """A call through an endpoint: which one, from whose role, on whose resource."""

    endpoint: str
    caller: str
    owner: str
    action: str
    resource: str = "*"


def passes(template: Template, request: Request) -> bool:
    """Return whether a template's endpoint lets a request through."""
    found = [
        each["PolicyDocument"]
        for each in endpoints(template)
        if name_of(each["ServiceName"]).endswith(f".{request.endpoint}")
    ]
    assert len(found) == 1, request
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:iam::{request.caller}:role/some",
        principal_type="AssumedRole",
        principal_account=request.caller,
        action=request.action,
        resource_arn=request.resource,
        region="eu-west-1",
        service_context={"test:resourceaccount": request.owner},
    )
    # ministack takes aws:ResourceAccount from the ARN, where a bucket's has none: a key of our own says whose it is.
    text = json.dumps(found[0]["Statement"]).replace("aws:ResourceAccount", "test:ResourceAccount")
    statements = json.loads(text)
    for each in statements:
        assert each.pop("Principal") in ("*", {"AWS": "*"})
    document = iam_evaluator.parse_policy_document({"Version": "2012-10-17", "Statement": statements})
    return bool(iam_evaluator.evaluate(context, [document]).decision == "Allow")


def endpoints(template: Template) -> list[dict[str, Any]]:
    """Return the properties of a template's endpoints."""
    return [each["Properties"] for each in template["Resources"].values() if each["Type"] == "AWS::EC2::VPCEndpoint"]


def name_of(service: Any) -> str:
    return service if isinstance(service, str) else "com.amazonaws.eu-west-1.s3"
