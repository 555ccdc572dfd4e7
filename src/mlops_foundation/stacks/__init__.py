"""The platform's stacks, one folder each, in the order they are deployed: ``spec.py``, ``stack.py``, ``execution.py``.

Adding one is a folder and a line here: the spec says everything that the platform has to know of it.
"""

from typing import Final

from mlops_foundation.plan.specs import StackSpec, load_specs

STACKS: Final = load_specs(
    __name__,
    (
        "network",
        "targets",
        "packages",
        "studio",
        "catalog",
    ),
    StackSpec,
)
