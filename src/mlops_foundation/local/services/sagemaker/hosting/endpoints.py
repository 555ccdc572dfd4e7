"""Endpoints: created, updated blue/green, deleted, invoked.

An update starts the new model server first and moves the traffic once it is healthy. When it does not come up, the old
one goes on serving, the endpoint is InService with its old configuration, and FailureReason says what happened.
"""

from typing import Any, Final

from mlops_foundation.local.contract import Call, Check, Json, Reply, Scope, ServiceError, operation
from mlops_foundation.local.services.sagemaker.hosting.connections import ServerGoneError
from mlops_foundation.local.services.sagemaker.hosting.models import ENDPOINT_CONFIG, ModelOperations
from mlops_foundation.local.services.sagemaker.hosting.server import ModelServer, ServerFailedError
from mlops_foundation.local.services.sagemaker.jobs.run import event_detail
from mlops_foundation.local.services.sagemaker.resources import (
    Kind,
    adds_tags,
    could_not_find,
    refuse_other,
)

ENDPOINT: Final = Kind("Endpoint", "endpoint")
_EVENT: Final = "SageMaker Endpoint State Change"
_EVENT_STATUS: Final = {
    "Creating": "CREATING", "Updating": "UPDATING", "InService": "IN_SERVICE", "Failed": "FAILED",
    "Deleting": "DELETING", "SystemUpdating": "SYSTEM_UPDATING",
}  # fmt: skip
_BUSY: Final = {"Creating", "Updating", "Deleting", "SystemUpdating"}
_INVOKE_SUPPORTED: Final = {"EndpointName", "Body", "ContentType", "Accept", "TargetVariant"}


def _creates(service: Any, call: Call, request: Json) -> list[Check]:  # noqa: ANN401  as in the contract
    config = Check("sagemaker:CreateEndpoint", ENDPOINT_CONFIG.named()(service, call, request))
    return [config, *adds_tags(ENDPOINT.named())(service, call, request)]


def _updates(service: Any, call: Call, request: Json) -> list[Check]:  # noqa: ANN401  as in the contract
    return [Check("sagemaker:UpdateEndpoint", ENDPOINT_CONFIG.named()(service, call, request))]


class EndpointOperations(ModelOperations):
    """Operations on endpoints."""

    servers: dict[str, ModelServer]
    """The model server in service, by the ARN of its endpoint."""

    @operation(resource=ENDPOINT.named(), more=_creates)
    def create_endpoint(self, call: Call, request: Json) -> Json:
        """Make an endpoint and start its model server."""
        refuse_other("CreateEndpoint", request, {"EndpointName", "EndpointConfigName", "Tags"})
        name, arn = request["EndpointName"], ENDPOINT.arn(call, request["EndpointName"])
        if self.records.get(call.scope, ENDPOINT.path, name):
            raise ServiceError("ValidationException", f'Cannot create already existing endpoint "{arn}".')
        config = self.endpoint_config(call, request["EndpointConfigName"])
        models = self._models(call, config)
        made = self.create(
            call, ENDPOINT, name, request | {"Status": "Creating", "Variants": config["ProductionVariants"]}
        )
        self._emit_endpoint(call.scope, made)
        self.cloud.spawn(f"endpoint {name}", lambda: self._bring_up(call.scope, name, config, models))
        return {"EndpointArn": arn}

    @operation(resource=ENDPOINT.named(), more=_updates)
    def update_endpoint(self, call: Call, request: Json) -> Json:
        """Move an endpoint to another configuration."""
        refuse_other("UpdateEndpoint", request, {"EndpointName", "EndpointConfigName", "RetainAllVariantProperties"})
        record = self._endpoint(call, request["EndpointName"])
        if record["Status"] in _BUSY or record["Status"] == "Failed":
            message = f'Cannot update endpoint "{record["Arn"]}" while it is in status {record["Status"]}.'
            raise ServiceError("ValidationException", message)
        if record["EndpointConfigName"] == request["EndpointConfigName"]:
            message = f'Cannot update endpoint "{record["Arn"]}" to its current configuration.'
            raise ServiceError("ValidationException", message)
        config = self.endpoint_config(call, request["EndpointConfigName"])
        models = self._models(call, config)
        name = record["Name"]
        self._emit_endpoint(
            call.scope, self.change(call.scope, ENDPOINT, name, {"Status": "Updating", "FailureReason": None})
        )
        self.cloud.spawn(f"endpoint {name}", lambda: self._bring_up(call.scope, name, config, models))
        return {"EndpointArn": record["Arn"]}

    @operation(resource=ENDPOINT.named())
    def describe_endpoint(self, call: Call, request: Json) -> Json:
        """Return an endpoint."""
        return ENDPOINT.answer("DescribeEndpoint", _described(self._endpoint(call, request["EndpointName"])))

    @operation()
    def list_endpoints(self, call: Call, request: Json) -> Json:
        """List endpoints."""
        return ENDPOINT.page("ListEndpoints", request, self.records.all(call.scope, ENDPOINT.path))

    @operation(resource=ENDPOINT.named())
    def delete_endpoint(self, call: Call, request: Json) -> Json:
        """End an endpoint; its configuration and model stay."""
        record = self._endpoint(call, request["EndpointName"])
        if record["Status"] in _BUSY:
            message = f'Cannot delete endpoint "{record["Arn"]}" while it is in status {record["Status"]}.'
            raise ServiceError("ValidationException", message)
        self._emit_endpoint(call.scope, self.change(call.scope, ENDPOINT, record["Name"], {"Status": "Deleting"}))
        server = self.servers.pop(record["Arn"], None)
        if server:
            server.stop()
        self.remove(call.scope, ENDPOINT, record["Name"])
        return {}

    @operation(resource=ENDPOINT.named())
    async def invoke_endpoint(self, call: Call, request: Json) -> Reply:
        """Send a payload to an endpoint's model server."""
        refuse_other("InvokeEndpoint", request, _INVOKE_SUPPORTED)
        name = request["EndpointName"]
        server = self.servers.get(ENDPOINT.arn(call, name))
        if server is None:
            raise self._not_serving(call, name)
        headers = {"Content-Type": request.get("ContentType", "application/json")}
        if accept := request.get("Accept"):
            headers["Accept"] = accept
        try:
            response = await server.connections.request("POST", "/invocations", headers, request.get("Body", b""))
        except ServerGoneError as error:
            self.cloud.spawn(f"endpoint {name}", lambda: self._revive(call.scope, name, server))
            raise ServiceError("ModelError", f"The model container of {name} does not answer: {error}", 424) from error
        if response.status != 200:  # noqa: PLR2004  OK
            raise _model_error(call, name, response.status, response.body, server.log_stream)
        content_type = response.headers.get("content-type", "application/json")
        return Reply(response.body, {"Content-Type": content_type, "x-Amzn-Invoked-Production-Variant": server.variant})

    def start_endpoints(self) -> None:
        """Start the model servers of the endpoints that were in service when the cloud stopped."""
        for scope in self.records.scopes():
            for record in self.records.all(scope, ENDPOINT.path):
                name = record["Name"]
                if "Served" not in record:
                    reason = "The local cloud was stopped while the endpoint was created"
                    self.change(scope, ENDPOINT, name, {"Status": "Failed", "FailureReason": reason})
                    continue
                self.change(scope, ENDPOINT, name, {"Status": "SystemUpdating"})
                self.cloud.spawn(f"endpoint {name}", self._restart(scope, record))

    def stop_endpoints(self) -> None:
        """End all model servers; the endpoints stay."""
        while self.servers:
            self.servers.popitem()[1].stop()

    # --- behind the operations ----------------------------------------------------------------------------------------

    def _restart(self, scope: Scope, record: Json) -> Any:  # noqa: ANN401  a function
        return lambda: self._bring_up(scope, record["Name"], record["Served"]["Config"], record["Served"]["Models"])

    def _revive(self, scope: Scope, name: str, dead: ModelServer) -> None:
        """Start an endpoint's container again after its process ended; once, however many requests noticed."""
        with self.changed:
            record = self.records.get(scope, ENDPOINT.path, name)
            if record is None or dead.alive or self.servers.get(record["Arn"]) is not dead:
                return
            self.servers.pop(record["Arn"])
        dead.stop()
        self.change(scope, ENDPOINT, name, {"Status": "SystemUpdating"})
        self._restart(scope, record)()

    def _endpoint(self, call: Call, name: str) -> Json:
        record = self.records.get(call.scope, ENDPOINT.path, name)
        if record is None:
            raise could_not_find("endpoint", ENDPOINT.arn(call, name))
        return record

    def _models(self, call: Call, config: Json) -> Json:
        """Return the models of a configuration, by name: an endpoint serves on when they are deleted."""
        return {v["ModelName"]: self.model(call, v["ModelName"]) for v in config["ProductionVariants"]}

    def _bring_up(self, scope: Scope, name: str, config: Json, models: Json) -> None:
        """Start a configuration's server; on success it takes the traffic and the old one ends."""
        (variant,) = config["ProductionVariants"]
        names = (name, variant["VariantName"])
        server = ModelServer(self.cloud, self.machine, scope, names, models[variant["ModelName"]])
        record = self.records.get(scope, ENDPOINT.path, name) or {}
        arn = record["Arn"]
        try:
            server.start()
        except ServerFailedError as error:
            status = "InService" if arn in self.servers else "Failed"
            self._emit_endpoint(
                scope, self.change(scope, ENDPOINT, name, {"Status": status, "FailureReason": str(error)[:1024]})
            )
            return
        if self.closing.is_set():
            server.stop()
            return
        old = self.servers.get(arn)
        self.servers[arn] = server
        changes = {
            "Status": "InService",
            "EndpointConfigName": config["Name"],
            "Variants": config["ProductionVariants"],
            "Served": {"Config": config, "Models": models},
            "FailureReason": None,
        }
        self._emit_endpoint(scope, self.change(scope, ENDPOINT, name, changes))
        if old:
            old.stop()

    def _emit_endpoint(self, scope: Scope, record: Json) -> None:
        detail = ENDPOINT.answer("DescribeEndpoint", _described(record))
        detail |= {"EndpointStatus": _EVENT_STATUS[record["Status"]], "Tags": self.tags(record["Arn"])}
        self.cloud.emit(scope, "aws.sagemaker", _EVENT, event_detail(detail), [record["Arn"]])

    def _not_serving(self, call: Call, name: str) -> ServiceError:
        if self.records.get(call.scope, ENDPOINT.path, name) is None:
            return ServiceError("ValidationError", f"Endpoint {name} of account {call.account} not found.")
        return ServiceError("ValidationError", f"Endpoint {name} of account {call.account} is not InService.")


def _described(record: Json) -> Json:
    variants = [
        {
            "VariantName": variant["VariantName"],
            "CurrentWeight": variant["InitialVariantWeight"],
            "DesiredWeight": variant["InitialVariantWeight"],
            "CurrentInstanceCount": variant["InitialInstanceCount"],
            "DesiredInstanceCount": variant["InitialInstanceCount"],
        }
        for variant in record["Variants"]
    ]
    return record | ({"ProductionVariants": variants} if record["Status"] != "Failed" else {})


def _model_error(call: Call, name: str, status: int, body: bytes, log_stream: str) -> ServiceError:
    region, account = call.region, call.account
    url = (
        f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
        f"#logEventViewer:group=/aws/sagemaker/Endpoints/{name}"
    )
    text = body.decode(errors="replace")
    message = (
        f'Received {"client" if status < 500 else "server"} error ({status}) from primary with message "{text}". '  # noqa: PLR2004
        f"See {url} in account {account} for more information."
    )
    stream = f"arn:aws:logs:{region}:{account}:log-group:/aws/sagemaker/Endpoints/{name}:log-stream:{log_stream}"
    members: dict[str, str | int] = {"OriginalStatusCode": status, "OriginalMessage": text, "LogStreamArn": stream}
    return ServiceError("ModelError", message, 424, members)
