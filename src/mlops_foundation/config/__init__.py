"""``mlops.yaml``: its frozen models, the loader that reports every error at once, and its JSON Schema."""

from mlops_foundation.config.loading import input_files, lines_of_sets, load, load_text
from mlops_foundation.config.models import AccountSet, Config
from mlops_foundation.config.schema import json_schema

__all__ = ["AccountSet", "Config", "input_files", "json_schema", "lines_of_sets", "load", "load_text"]
