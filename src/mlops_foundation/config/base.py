"""What every model of ``mlops.yaml`` is made of."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A frozen mapping of the configuration that knows all of its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, populate_by_name=True)


def shape(value: Any) -> str:  # noqa: ANN401  what YAML gave, not yet checked
    """Tell the forms of a key that may be written in several: ``mapping``, ``list`` or ``scalar``."""
    if isinstance(value, Mapping | BaseModel):
        return "mapping"
    return "list" if isinstance(value, list | tuple) else "scalar"
