"""What a service of the local cloud is, and what the cloud gives to it.

A service is a class in ``services/<name>/`` with methods named after the operations (botocore's snake_case names),
each marked with :func:`operation`, which declares what the call has to be allowed to do. ``local/operations.py`` puts
them in a table; the dispatcher reads the request by the botocore model, authorizes it, then calls the method.
CloudFormation types stand beside the operations as :class:`ResourceType` and call those same operations with the stack
role's rights.

Only this module is shared between services; a service never imports another one. It reaches the others as any client
would: with :meth:`Cloud.client` (HTTP, signed) or, for our own services, :meth:`Cloud.invoke` (the same
authorization, in process).
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, TypeVar

from mlops_foundation.core.arns import AccountId, Region

Json = dict[str, Any]
"""A request, response or record: what JSON can say, plus datetimes and bytes where the botocore model has them."""


class ServiceError(Exception):
    """An error that goes to the client as AWS would send it.

    Args:
        code: The error code of the AWS operation, for example ``ValidationException``.
        message: The sentence the client shows.
        status: HTTP status, 400 unless the AWS model says otherwise.
        members: Further members of the error's shape, as ModelError has them.
    """

    def __init__(
        self, code: str, message: str, status: int = 400, members: Mapping[str, str | int] | None = None
    ) -> None:
        super().__init__(message)
        self.members = dict(members or {})
        self.code = code
        self.message = message
        self.status = status


def not_supported(what: str) -> ServiceError:
    """Return the error for something AWS has and the local cloud has not: never a success that did not happen."""
    return ServiceError("NotSupportedException", f"{what} is not supported by the local cloud", 400)


@dataclass(frozen=True)
class Credentials:
    """What a client signs with."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Principal:
    """Who acts: the root of an account, a user, or a session of a role.

    Attributes:
        arn: As GetCallerIdentity says it; ``arn:aws:sts::<account>:assumed-role/<role>/<session>`` for a session.
        account: The principal's account.
        kind: IAM's principal type.
        credentials: What calls on its behalf are signed with.
    """

    arn: str
    account: AccountId
    kind: Literal["Root", "User", "AssumedRole"]
    credentials: Credentials


@dataclass(frozen=True)
class VpcWorkload:
    """What runs inside a VPC: it reaches the services that the VPC has a way to, and the cloud records which it calls.

    Attributes:
        kind: ``build``, ``processing-job``, ``training-job`` or ``model``.
        name: Of the build project; of the role for jobs and models, whose own names are new each time.
        subnet_ids: Where it runs.
    """

    kind: str
    name: str
    subnet_ids: tuple[str, ...]


@dataclass(frozen=True)
class Scope:
    """Where records live: every account and region has its own."""

    account: AccountId
    region: Region


@dataclass(frozen=True)
class Check:
    """One thing a call has to be allowed to do.

    Attributes:
        action: ``service:Operation``.
        resource: The ARN the action is on, ``*`` where AWS defines no resource.
        context: Condition keys of this request, in IAM's spelling: ``{"sagemaker:ModelApprovalStatus": "Approved"}``.
    """

    action: str
    resource: str
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One call of one operation.

    Attributes:
        cloud: The cloud the service runs in.
        principal: Who calls.
        scope: The account and region that are addressed (the principal's own, unless a resource says otherwise).
    """

    cloud: "Cloud"
    principal: Principal
    scope: Scope

    @property
    def account(self) -> AccountId:
        """The account that is addressed."""
        return self.scope.account

    @property
    def region(self) -> Region:
        """The region that is addressed."""
        return self.scope.region

    def arn(self, service: str, resource: str) -> str:
        """Return ``arn:aws:<service>:<region>:<account>:<resource>`` in the addressed scope."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


class Store(Protocol):
    """One service's records, written through to disk on every change. Values are JSON and are copied in and out."""

    def get(self, scope: Scope, kind: str, key: str) -> Json | None:
        """Return a copy of a record, or None."""

    def put(self, scope: Scope, kind: str, key: str, record: Json) -> None:
        """Create or replace a record."""

    def change(self, scope: Scope, kind: str, key: str, change: Callable[[Json], None]) -> Json:
        """Apply ``change`` to a record as one atomic step and return a copy; KeyError when it does not exist."""

    def pop(self, scope: Scope, kind: str, key: str) -> Json | None:
        """Remove a record and return it, or None."""

    def all(self, scope: Scope, kind: str) -> list[Json]:
        """Return copies of all records of a kind, in the order they were created."""

    def scopes(self) -> list[Scope]:
        """Return every scope that holds records."""


class Cloud(Protocol):
    """What the local cloud gives to its services."""

    endpoint_url: str
    """The address every client uses, for example ``http://localhost:4566``."""

    def store(self, service: str) -> Store:
        """Return the records of one service."""

    def folder(self, *parts: str) -> Path:
        """Return a folder below the state directory, made when missing."""

    def authorize(self, principal: Principal, check: Check, *, region: Region) -> None:
        """Decide one check by every policy that applies.

        Raises:
            ServiceError: ``AccessDeniedException``, naming principal, action and resource as AWS does.
        """

    def invoke(self, principal: Principal, service: str, name: str, request: Json, *, scope: Scope) -> Json:
        """Call an operation of one of our own services in process (``name`` in AWS's spelling), authorized as usual."""

    def assume_service_role(
        self,
        role_arn: str,
        service: str,
        session_name: str,
        *,
        source_arn: str = "",
        region: Region,
        workload: VpcWorkload | None = None,
    ) -> Principal:
        """Start a session of a role as an AWS service (``codebuild.amazonaws.com``) that the role's trust lets in.

        Args:
            role_arn: The role.
            service: Who takes it.
            session_name: Name of the session.
            source_arn: What it is for, as the condition ``aws:SourceArn``.
            region: Where.
            workload: What the session is of, when it runs inside a VPC.

        Raises:
            ServiceError: When the role does not exist or does not trust the service.
        """

    def assume_role(self, principal: Principal, role_arn: str, session_name: str, *, region: Region) -> Principal:
        """Start a session of a role as ``principal``, by STS and its rules (both sides must allow across accounts)."""

    def principal_for(self, access_key_id: str, session_token: str | None = None) -> Principal | None:
        """Return who an access key belongs to, with its secret, or None when it is unknown, inactive or expired.

        The caller still has to check a signature made with the secret.
        """

    def client(self, principal: Principal, service: str, region: Region) -> Any:  # noqa: ANN401  boto3 clients
        """Return a boto3 client of this cloud that signs as ``principal``."""

    def request(self, principal: Principal, service: str, operation: str, members: Json, region: Region) -> Json:
        """Call one operation over HTTP as ``principal``, by a client that all principals share.

        Args:
            principal: Who calls.
            service: botocore's name of the service.
            operation: botocore's name of the operation, for example ``create_role``.
            members: Its request.
            region: Where.
        """

    def environment(self, principal: Principal, region: Region) -> dict[str, str]:
        """Return the environment of a child process that acts as ``principal``: AWS_* variables with the endpoint."""

    def machine_environment(self) -> dict[str, str]:
        """Return what a build needs of this machine: its package index, proxies and CA bundle settings, and PATH."""

    def leads_out(self, scope: Scope, subnet_ids: Sequence[str]) -> bool:
        """Return whether what runs in these subnets reaches the internet, as their route tables say."""

    def vpc_fault(self, scope: Scope, subnet_ids: Sequence[str], group_ids: Sequence[str]) -> str:
        """Return what is wrong with a workload's subnets and security groups, in EC2's words; empty when nothing."""

    def admit_call(self, principal: Principal, service: str) -> None:
        """Let ``principal`` call a service (its endpoint's name) by what is no signed request, and take note of it.

        Raises:
            ServiceError: When it is a workload whose VPC has no way to the service.
        """

    def emit(self, scope: Scope, source: str, detail_type: str, detail: Json, resources: Sequence[str] = ()) -> None:
        """Put an AWS service event on the default bus of an account."""

    def spawn(self, name: str, work: Callable[[], None]) -> None:
        """Run ``work`` on a background thread; an exception it lets out is logged with its traceback."""


@dataclass(frozen=True)
class Reply:
    """A raw HTTP answer, for operations whose body is a payload (InvokeEndpoint)."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


Handler = Callable[..., Any]
Checks = Callable[["Any", Call, Json], Iterable[Check]]
HandlerT = TypeVar("HandlerT", bound=Handler)


@dataclass(frozen=True)
class Operation:
    """What :func:`operation` declares of a handler; see there."""

    resource: Callable[[Any, Call, Json], str] | None
    context: Callable[[Any, Call, Json], Mapping[str, str | Sequence[str]]] | None
    action: str
    passes: Mapping[str, str]
    more: Checks | None
    name: str


def operation(
    *,
    resource: Callable[[Any, Call, Json], str] | None = None,
    context: Callable[[Any, Call, Json], Mapping[str, str | Sequence[str]]] | None = None,
    action: str = "",
    passes: Mapping[str, str] | None = None,
    more: Checks | None = None,
    name: str = "",
) -> Callable[[HandlerT], HandlerT]:
    """Mark a method as an operation and declare what a caller needs.

    Tags in the request (``Tags``, ``tags``) become ``aws:RequestTag/*`` and ``aws:TagKeys``; the tags of the resource
    become ``aws:ResourceTag/*`` (from :meth:`Service.tags_of`). Both need no declaration.

    Args:
        resource: ``(service, call, request) -> ARN``; ``*`` when left out.
        context: ``(service, call, request) -> condition keys`` of this request.
        action: The IAM action when it is not ``<namespace>:<OperationName>``.
        passes: Request path (dots for nesting) -> service principal, for each role that the call hands over:
            ``{"ExecutionRoleArn": "sagemaker.amazonaws.com"}`` checks ``iam:PassRole`` with ``iam:PassedToService``.
        more: Further checks, when one action is not all (a list operation filtered by ARN, a nested resource).
        name: In AWS's spelling, of what is no operation of the API: only our other services call it.
    """

    def mark(handler: HandlerT) -> HandlerT:
        handler.operation = Operation(resource, context, action, passes or {}, more, name)  # type: ignore[attr-defined]
        return handler

    return mark


@dataclass(frozen=True)
class StackCall:
    """A CloudFormation operation on one resource, acting with the stack's rights.

    Attributes:
        call: Cloud, scope and the principal: the stack's role, or the caller when the stack has none.
        stack_name: Name of the stack.
        stack_id: ARN of the stack.
        logical_id: Of the resource in the template.
    """

    call: Call
    stack_name: str
    stack_id: str
    logical_id: str

    def invoke(self, service: str, name: str, request: Json) -> Json:
        """Call an operation of one of our services with the stack's rights."""
        return self.call.cloud.invoke(self.call.principal, service, name, request, scope=self.call.scope)

    def client(self, service: str) -> Any:  # noqa: ANN401  boto3 clients
        """Return a boto3 client that signs with the stack's rights."""
        return self.call.cloud.client(self.call.principal, service, self.call.region)

    def request(self, service: str, operation: str, members: Json) -> Json:
        """Call one operation of any service with the stack's rights (``operation`` in botocore's spelling)."""
        return self.call.cloud.request(self.call.principal, service, operation, members, self.call.region)

    def physical_name(self, max_length: int, suffix: str) -> str:
        """Return ``<stack>-<logical id>-<suffix>`` within ``max_length``, as CloudFormation names what has no name."""
        keep = max_length - len(suffix) - 2
        stack = self.stack_name[: max(1, keep - len(self.logical_id))]
        return f"{stack}-{self.logical_id[: keep - len(stack)]}-{suffix}"


@dataclass(frozen=True)
class Provisioned:
    """What CloudFormation keeps of a resource: ``Ref`` gives the physical id, ``Fn::GetAtt`` the attributes."""

    physical_id: str
    attributes: Json = field(default_factory=dict)


@dataclass(frozen=True)
class ResourceType:
    """One CloudFormation resource type of a service.

    Stack-level tags are merged into ``Tags`` before ``create`` and ``update`` see the properties, unless ``tags`` is
    ``""``. They run on worker threads and may wait (an endpoint until it is InService).

    Attributes:
        create: Make the resource; raise ServiceError to fail it with that reason.
        delete: Remove it; a resource that is already gone is no error.
        update: Change it in place: ``(stack, physical_id, old properties, new properties)``. Left out, every change
            replaces the resource.
        replaced_by: Properties whose change replaces the resource ("Update requires: Replacement" in AWS's reference).
        tags: The shape of the tag property: a list of Key/Value, a map, or none.
        tag_property: Its name.
    """

    create: Callable[[StackCall, Json], Provisioned]
    delete: Callable[[StackCall, str, Json], None]
    update: Callable[[StackCall, str, Json, Json], Provisioned] | None = None
    replaced_by: frozenset[str] = frozenset()
    tags: Literal["list", "map", ""] = "list"
    tag_property: str = "Tags"


HttpHandler = Callable[[Json, Callable[..., Awaitable[Any]], Callable[..., Awaitable[Any]]], Awaitable[None]]
"""An ASGI application, for what is not an AWS API (git over HTTP)."""


class Service:
    """Base of every service of ours.

    Attributes:
        name: Folder and botocore name, for example ``codebuild``.
        models: botocore models whose operations it answers; the first is the control plane.
        namespace: Prefix of its IAM actions.
        resource_types: Its CloudFormation types.
        operations: What it offers besides its marked methods, by AWS's name: marked functions
            ``(service, call, request)``, for operations that are alike for several kinds of resources.
    """

    name: ClassVar[str]
    models: ClassVar[tuple[str, ...]]
    namespace: ClassVar[str]
    resource_types: ClassVar[Mapping[str, ResourceType]] = {}
    operations: ClassVar[Mapping[str, Handler]] = {}

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.records = cloud.store(self.name)

    def start(self) -> None:
        """Take up after a restart what was under way; called once the endpoint answers."""

    def stop(self) -> None:
        """End child processes; records stay."""

    def tags_of(self, arn: str) -> Mapping[str, str]:
        """Return the tags of a resource of this service, for ``aws:ResourceTag``; empty when it has none."""
        del arn
        return {}

    def policy_of(self, arn: str) -> tuple[str, AccountId] | None:
        """Return the resource policy (JSON text, may be empty) and owner account of a resource that can have one."""
        del arn
        return None

    def receive_event(self, call: Call, target: Json, event: Json) -> None:
        """Take an EventBridge event whose rule targets this service.

        Args:
            call: Acts with the rights of the target's ``RoleArn``; scope of the rule.
            target: The rule's target: ``Arn``, ``Id``.
            event: The event after the target's input transformation, as JSON text under ``input`` when transformed.
        """
        del call, event
        raise not_supported(f"an EventBridge target {target.get('Arn', '')}")

    def http_routes(self) -> Mapping[str, HttpHandler]:
        """Return path prefix -> ASGI application for paths that are not AWS API calls."""
        return {}
