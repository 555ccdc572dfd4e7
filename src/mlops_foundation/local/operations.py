"""The operations that a service offers, in one table that is made from its class before the first request comes.

A marked method is the operation whose botocore name it has (``create_project`` answers ``CreateProject``); operations
that are alike for several kinds of resources stand in :attr:`Service.operations`, by AWS's name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore import xform_name
from botocore.model import OperationModel

from mlops_foundation.local import wire
from mlops_foundation.local.contract import Operation, Service, ServiceError, not_supported


@dataclass(frozen=True)
class Offered:
    """One operation that a service offers.

    Attributes:
        name: In AWS's spelling.
        handler: ``(service, call, request) -> answer``; a coroutine function when it waits for others.
        declared: What a caller needs.
        model: botocore's; None for an action that only our other services call (``codecommit:UploadArchive``).
    """

    name: str
    handler: Any
    declared: Operation
    model: OperationModel | None


def operation_table(service: type[Service]) -> Mapping[str, Offered]:
    """Return what a service offers, by AWS's name.

    Raises:
        TypeError: When it offers what botocore's models of it do not have.
    """
    return {offered.name: offered for offered in _offered(service)}


def _offered(service: type[Service]) -> Iterator[Offered]:
    models = {
        name: wire.operation_model(model, name)
        for model in reversed(service.models)  # of two operations of one name, the first model's is meant
        for name in wire.service_model(model).operation_names
    }
    names = {xform_name(name): name for name in models}
    marked = {name: method for name in dir(service) if hasattr(method := getattr(service, name), "operation")}
    handlers = {names.get(name, name): method for name, method in marked.items()} | dict(service.operations)
    for name, handler in handlers.items():
        declared: Operation = handler.operation
        if not declared.name and name not in models:
            msg = f"{service.__name__} offers {name}, which botocore's {' and '.join(service.models)} do not have"
            raise TypeError(msg)
        yield Offered(declared.name or name, handler, declared, models.get(name))


def not_offered(service: type[Service], name: str, table: Mapping[str, Offered]) -> ServiceError:
    """Return the refusal of an operation that a service does not offer, which says what it does offer."""
    offered = ", ".join(sorted(each.name for each in table.values() if each.model))
    refusal = not_supported(f"{service.namespace}:{name}")
    return ServiceError(refusal.code, f"{refusal.message}; it offers {offered}", refusal.status)
