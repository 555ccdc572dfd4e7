"""The work behind a record: a stack that the launch role makes, changes or deletes."""

import time
from typing import Any, Final

from botocore.exceptions import ClientError

from mlops_foundation.core.clock import now
from mlops_foundation.local.contract import Call, Cloud, Json, Principal, Scope, ServiceError, Store
from mlops_foundation.local.services.servicecatalog.catalog import PROVISIONED, RECORD
from mlops_foundation.local.stack_events import first_failure
from mlops_foundation.local.stack_templates import place_of, read

SERVICE: Final = "servicecatalog.amazonaws.com"
_POLL_S: Final = 0.1
_CAPABILITIES: Final = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_GOOD: Final = {"PROVISION_PRODUCT": "CREATE_COMPLETE", "UPDATE_PROVISIONED_PRODUCT": "UPDATE_COMPLETE"}


class LaunchFailed(Exception):  # noqa: N818  named after what it is
    """The stack did not reach its end."""


class Launcher:
    """Runs the work of records on background threads.

    Args:
        cloud: The local cloud.
        records: Of the service.
    """

    def __init__(self, cloud: Cloud, records: Store) -> None:
        self._cloud = cloud
        self._records = records

    def begin(self, call: Call, record: Json, change: Json) -> None:
        """Start the work of a record.

        Args:
            call: The request; without a launch role the stack is made with its principal's rights.
            record: As it was created.
            change: ``Artifact``, ``Parameters`` and ``Tags`` to launch with, or ``IgnoreErrors`` to terminate with.
        """
        key = record["RecordId"]
        last = {"LastRecordId": key}
        if record["RecordType"] != "TERMINATE_PROVISIONED_PRODUCT":
            last |= {"LastProvisioningRecordId": key, "ProvisioningArtifactId": record["ProvisioningArtifactId"]}
        self._update(call.scope, record, "IN_PROGRESS", product={**last, "Status": "UNDER_CHANGE", "StatusMessage": ""})
        self._cloud.spawn(f"servicecatalog-{key}", lambda: self._work(call, record, change))

    def fail(self, scope: Scope, record: Json, status: str, message: str) -> None:
        """Close a record that failed, and leave the product in ``status``."""
        errors = [{"Code": "InternalError" if status == "ERROR" else "StackFailure", "Description": message}]
        self._update(scope, record, "FAILED", errors, product={"Status": status, "StatusMessage": message})

    def _work(self, call: Call, record: Json, change: Json) -> None:
        product = self._records.get(call.scope, PROVISIONED, record["ProvisionedProductId"])
        if product is None:
            return
        terminating = record["RecordType"] == "TERMINATE_PROVISIONED_PRODUCT"
        try:
            client_role = self._principal(call, product)
            if terminating:
                self._delete(call, client_role, product)
            else:
                self._deploy(call, client_role, product, record, change)
        except (ClientError, ServiceError, LaunchFailed) as error:
            if not (terminating and change["IgnoreErrors"]):
                status = "TAINTED" if record["RecordType"] == "UPDATE_PROVISIONED_PRODUCT" else "ERROR"
                self.fail(call.scope, record, status, _message(error))
                return
        except Exception as error:
            self.fail(call.scope, record, "ERROR", f"{type(error).__name__}: {error}")
            raise
        if terminating:
            self._update(call.scope, record, "SUCCEEDED")
            self._records.pop(call.scope, PROVISIONED, product["Id"])

    def _principal(self, call: Call, product: Json) -> Principal:
        if not product["LaunchRoleArn"]:
            return call.principal
        return self._cloud.assume_service_role(
            product["LaunchRoleArn"], SERVICE, f"SC-{product['Id']}", source_arn=product["Arn"], region=call.region
        )

    def _deploy(self, call: Call, role: Principal, product: Json, record: Json, change: Json) -> None:
        """Make or change the stack; the template is read with the launch role's own rights."""
        url = change["Artifact"]["Url"]
        read(self._cloud.client(role, "s3", call.region), url)
        bucket, key = place_of(url)
        request = {
            "StackName": product["StackName"],
            "TemplateURL": f"{self._cloud.endpoint_url}/{bucket}/{key}",
            "Capabilities": _CAPABILITIES,
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in change["Parameters"].items()],
            "Tags": [*change["Tags"], *_auto_tags(call, product, record)],
        }
        cloudformation = self._cloud.client(role, "cloudformation", call.region)
        stack_id = product["StackId"]
        if record["RecordType"] == "PROVISION_PRODUCT":
            stack_id = cloudformation.create_stack(**request)["StackId"]
        else:
            _update_stack(cloudformation, request)
        self._update(call.scope, record, "IN_PROGRESS", product={"StackId": stack_id})
        stack = _wait(cloudformation, stack_id)
        if stack["StackStatus"] not in _GOOD.values():
            raise LaunchFailed(first_failure(cloudformation, stack_id) or stack.get("StackStatusReason", ""))
        self._succeed(call.scope, record, stack, change)

    def _delete(self, call: Call, role: Principal, product: Json) -> None:
        if not product["StackId"]:
            return
        cloudformation = self._cloud.client(role, "cloudformation", call.region)
        cloudformation.delete_stack(StackName=product["StackId"])
        stack = _wait(cloudformation, product["StackId"])
        if stack["StackStatus"] != "DELETE_COMPLETE":
            raise LaunchFailed(first_failure(cloudformation, product["StackId"]) or stack.get("StackStatusReason", ""))

    def _succeed(self, scope: Scope, record: Json, stack: Json, change: Json) -> None:
        arn = {
            "OutputKey": "CloudformationStackARN",
            "OutputValue": stack["StackId"],
            "Description": "The ARN of the launched Cloudformation Stack",
        }
        keys = ("OutputKey", "OutputValue", "Description")
        outputs = [{key: item[key] for key in keys if key in item} for item in stack.get("Outputs", [])]
        self._records.change(scope, RECORD, record["RecordId"], lambda found: found.update(Outputs=[arn, *outputs]))
        product = {"Status": "AVAILABLE", "Parameters": change["Parameters"], "Tags": change["Tags"]}
        self._update(scope, record, "SUCCEEDED", product=product)

    def _update(
        self, scope: Scope, record: Json, status: str, errors: list[Json] | None = None, product: Json | None = None
    ) -> None:
        changes = {"Status": status, "UpdatedTime": now().timestamp(), **({"RecordErrors": errors} if errors else {})}
        self._records.change(scope, RECORD, record["RecordId"], lambda found: found.update(changes))
        if product and self._records.get(scope, PROVISIONED, record["ProvisionedProductId"]):
            self._records.change(
                scope, PROVISIONED, record["ProvisionedProductId"], lambda found: found.update(product)
            )


def _auto_tags(call: Call, product: Json, record: Json) -> list[Json]:
    """Return the tags Service Catalog adds by itself, and only with a launch role of its own.

    Source: "Service Catalog AutoTags" in the administrator guide.
    """
    tags = {
        "portfolioArn": call.arn("catalog", f"portfolio/{product['PortfolioId']}"),
        "productArn": call.arn("catalog", f"product/{product['ProductId']}"),
        "provisionedProductArn": product["Arn"],
        "provisioningArtifactIdentifier": record["ProvisioningArtifactId"],
        "provisioningPrincipalArn": call.principal.arn,
    }
    if not product["LaunchRoleArn"]:
        return []
    return [{"Key": f"aws:servicecatalog:{key}", "Value": value} for key, value in tags.items()]


def _message(error: Exception) -> str:
    return f"{error.code}: {error.message}" if isinstance(error, ServiceError) else str(error)


def _update_stack(cloudformation: Any, request: Json) -> None:  # noqa: ANN401  a boto3 client
    try:
        cloudformation.update_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise


def _wait(cloudformation: Any, stack_id: str) -> Json:  # noqa: ANN401  a boto3 client
    while True:
        stack: Json = cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]
        if not stack["StackStatus"].endswith("IN_PROGRESS"):
            return stack
        time.sleep(_POLL_S)
