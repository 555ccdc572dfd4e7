"""JSON Schema of ``mlops.yaml``, for editors."""

from typing import Any, Final

from mlops_foundation.config.models import Config

SCHEMA_FILE: Final = "mlops.schema.json"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the configuration file."""
    schema = Config.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "mlops.yaml"}
