"""The services of ours, one folder each, in the order they start. Adding one is a folder and a line here.

A folder says ``SERVICE``, the class of its service.
"""

import importlib
from pathlib import Path
from typing import Final

from mlops_foundation.core.errors import PluginError
from mlops_foundation.local.contract import Service


def _load(name: str) -> type[Service]:
    """Return the service of a folder.

    Raises:
        PluginError: When the folder says none, with its file.
    """
    found = getattr(importlib.import_module(f"{__name__}.{name}"), "SERVICE", None)
    if isinstance(found, type) and issubclass(found, Service):
        return found
    raise PluginError(
        f"the folder {name} of {__name__} says no service",
        where=f"{Path(__file__).parent / name / '__init__.py'}:1",
        got=repr(found),
        expected="SERVICE, a class below Service",
        fix="write SERVICE = <class> in it, or take its line away",
    )


SERVICES: Final[tuple[type[Service], ...]] = tuple(
    _load(name)
    for name in (
        "codecommit",
        "codeartifact",
        "codebuild",
        "codepipeline",
        "servicecatalog",
        "sagemaker",
    )
)
