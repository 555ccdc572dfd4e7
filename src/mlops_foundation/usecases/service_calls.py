"""Which AWS services the workloads in a VPC have called, as the local cloud recorded it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mlops_foundation.core.clock import now
from mlops_foundation.core.errors import ConfigError
from mlops_foundation.local import process
from mlops_foundation.usecases.workspace import running_cloud

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class ServiceCalls:
    """One service that one workload has called.

    Attributes:
        account: Account the workload runs in.
        workload: Kind of workload, as ``plan/workloads.py`` names it, or the kind of resource when it is none of ours.
        name: Name of the build project, job or model.
        service: Endpoint name of the service.
        actions: What was allowed there: ``action``, and the accounts of the ``caller`` and the resource's ``owner``.
        calls: How often.
        first: When it was called first.
        last: When it was called last.
    """

    account: str
    workload: str
    name: str
    service: str
    actions: tuple[Mapping[str, str], ...]
    calls: int
    first: str
    last: str

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``."""
        return {**vars(self), "actions": list(self.actions)}


def recorded(state_dir: Path, since: str = "") -> list[ServiceCalls]:
    """Return the record of the running local cloud.

    Args:
        state_dir: Of the local cloud.
        since: Only what was called at or after this time: ISO 8601, or an age such as ``90s``, ``30m``, ``2h``, ``1d``.

    Raises:
        ConfigError: When ``since`` cannot be read.
        LocalCloudError: When the local cloud does not run.
    """
    start = _time(since) if since else None
    found = [_calls(each) for each in process.service_calls(running_cloud(state_dir))]
    return [each for each in found if start is None or dt.datetime.fromisoformat(each.last) >= start]


def _calls(record: dict[str, Any]) -> ServiceCalls:
    role = record["role"].rsplit("/", 1)[-1]
    workload = _WORKLOADS.get(record["kind"], record["kind"])
    if record["kind"] == "build":
        # The projects' builds are told apart by their roles, which end like the workload's name.
        workload = next((name for name in _BUILDS if role.endswith(f"-{name}")), "build")
    first, last = (dt.datetime.fromtimestamp(record[key], dt.UTC).isoformat() for key in ("first", "last"))
    actions = tuple(record.get("actions", ()))
    return ServiceCalls(
        record["account"], workload, record["name"], record["service"], actions, record["calls"], first, last
    )


_WORKLOADS: Final = {"processing-job": "job", "training-job": "job", "model": "endpoint"}
_BUILDS: Final = ("deploy-build", "deploy-test")


def _time(text: str) -> dt.datetime:
    number, unit = text[:-1], text[-1]
    if number.isdigit() and unit in _UNITS:
        return now() - dt.timedelta(**{_UNITS[unit]: int(number)})
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            "this is no time",
            where="--since",
            got=text,
            expected="an age (90s, 30m, 2h, 1d) or a time (2026-11-21T08:00:00)",
            fix="--since 30m",
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
