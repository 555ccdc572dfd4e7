"""Step caching: a step that ran before with the same arguments is not run again."""

import hashlib
import json
import re
from typing import Final

from mlops_foundation.local.contract import Json, Scope, Store
from mlops_foundation.local.services.sagemaker.pipelines.expressions import Evaluator
from mlops_foundation.local.services.sagemaker.resources import timestamp

_KIND: Final = "step-cache"
_OUTPUTS: Final = ("ProcessingOutputConfig", "OutputDataConfig")
_DURATION: Final = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_SECONDS: Final = (31_536_000, 2_592_000, 604_800, 86_400, 3_600, 60, 1)


def key(pipeline: str, step: Json, evaluator: Evaluator) -> str:
    """Return the key of a step's arguments, empty when the step does not cache.

    Output places stay unresolved in it: they usually carry the execution's id.
    """
    if not (step.get("CacheConfig") or {}).get("Enabled"):
        return ""
    arguments = step["Arguments"]
    outputs = {name: arguments.get(name) for name in _OUTPUTS}
    inputs = evaluator.resolve({name: value for name, value in arguments.items() if name not in _OUTPUTS})
    text = json.dumps([pipeline, step["Name"], step["Type"], inputs, outputs], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def find(store: Store, scope: Scope, cache_key: str, step: Json) -> Json | None:
    """Return what an earlier run left, unless it is too old."""
    record = store.get(scope, _KIND, cache_key) if cache_key else None
    expires = (step.get("CacheConfig") or {}).get("ExpireAfter")
    if record and expires and timestamp() > record["Time"] + duration_s(expires):
        return None
    return record


def keep(store: Store, scope: Scope, cache_key: str, properties: Json, execution_arn: str) -> None:
    """Keep what a step left, for later runs."""
    if cache_key:
        record = {"Properties": properties, "ExecutionArn": execution_arn, "Time": timestamp()}
        store.put(scope, _KIND, cache_key, record)


def duration_s(text: str) -> float:
    """Return the seconds of an ISO 8601 duration; 0 for what is none."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return 0.0
    return float(sum(int(number) * unit for number, unit in zip(match.groups(), _SECONDS, strict=True) if number))
