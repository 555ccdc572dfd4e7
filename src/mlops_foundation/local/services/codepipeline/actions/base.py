"""What an action is given, and what it gives back."""

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from mlops_foundation.local.contract import Cloud, Json, Principal, Scope, ServiceError

_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403", "Forbidden")


class ActionFailed(Exception):  # noqa: N818  CodePipeline's own word for it
    """An action cannot succeed.

    Args:
        code: CodePipeline's error code: ``JobFailed``, ``PermissionError``, ``ConfigurationError``...
        message: Its message.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Outcome:
    """What a successful action leaves.

    Attributes:
        variables: Output variables.
        summary: One sentence for people.
        revision: Of a source action: ``{revisionId, revisionSummary, revisionUrl}``.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    summary: str = ""
    revision: Json = field(default_factory=dict)


@dataclass(frozen=True)
class ActionContext:
    """One action of one execution.

    Attributes:
        cloud: The local cloud.
        scope: Of the pipeline.
        pipeline: Its name.
        action_id: The action execution's id.
        principal: Session the action works with: the action's own role, or the pipeline's.
        configuration: With all variables resolved.
        inputs: Input artifacts in order, ``{name: {bucket, key}}``.
        outputs: Output artifacts in order, in the same form.
        encryption_key: Of the artifact store; empty for S3's own key.
        revision: Source revision that the start of the execution asks for.
        source_revision: Commit or version of the first source action, for builds.
        report: Notes external id, link or log of what the action runs, while it runs.
        abandoned: Tells whether the outcome is no longer wanted.
    """

    cloud: Cloud
    scope: Scope
    pipeline: str
    action_id: str
    principal: Principal
    configuration: Mapping[str, str]
    inputs: Mapping[str, Json]
    outputs: Mapping[str, Json]
    encryption_key: str
    revision: str
    source_revision: str
    report: Callable[[Json], None]
    abandoned: Callable[[], bool]

    @property
    def acting_scope(self) -> Scope:
        """The account the action works in: that of its role."""
        return Scope(self.principal.account, self.scope.region)

    def client(self, service: str) -> Any:  # noqa: ANN401  boto3 clients
        """Return a client with the action's rights."""
        return self.cloud.client(self.principal, service, self.scope.region)

    def invoke(self, service: str, name: str, request: Json) -> Json:
        """Call an operation of one of our services with the action's rights."""
        return self.cloud.invoke(self.principal, service, name, request, scope=self.acting_scope)

    def put_parameters(self, place: Json) -> Json:
        """Return S3's PutObject parameters for an artifact: place and encryption."""
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.encryption_key}
        return {"Bucket": place["bucket"], "Key": place["key"], **(encryption if self.encryption_key else {})}

    def read_file(self, reference: str, where: str) -> str:
        """Return a file of an input artifact, named ``Artifact::path``.

        Raises:
            ActionFailed: When the artifact is no input or has no such file.
        """
        artifact, _, path = reference.partition("::")
        if artifact not in self.inputs:
            raise ActionFailed("ConfigurationError", f"{where}: {artifact!r} is not an input artifact of this action")
        place = self.inputs[artifact]
        body = self.client("s3").get_object(Bucket=place["bucket"], Key=place["key"])["Body"].read()
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            if path not in archive.namelist():
                raise ActionFailed("ConfigurationError", f"File [{path}] does not exist in artifact [{artifact}]")
            return archive.read(path).decode("utf-8")

    def write_file(self, place: Json, path: str, text: str) -> None:
        """Write an output artifact that holds one file."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(path, text)
        self.client("s3").put_object(Body=buffer.getvalue(), **self.put_parameters(place))


def failed(error: ClientError | ServiceError) -> ActionFailed:
    """Return the failure of an action whose call was refused, with what was missing."""
    if isinstance(error, ServiceError):
        code, text = error.code, f"{error.code}: {error.message}"
    else:
        code, text = str(error.response.get("Error", {}).get("Code", "")), str(error)
    if code in _DENIED:
        return ActionFailed(
            "PermissionError", f"The service role or action role does not have the permissions required. Error: {text}"
        )
    return ActionFailed("JobFailed", text)


Run = Callable[[ActionContext], Outcome]
