"""Clone addresses in stacks, after the cloud was started at another port.

CloudFormation keeps what a resource's attributes were when it was made, and outputs made of them. AWS's address of a
repository never changes; here its port does with ``mlops local start --port``.
"""

import re
from typing import Any, Final

from ministack.services import cloudformation

_ADDRESS: Final = re.compile(r"http://localhost:\d+(?=/v1/repos/)")
_KEPT: Final = ("_resources", "Outputs")
"""Where a stack has attributes and what is made of them."""


def follow(endpoint_url: str) -> None:
    """Let the clone addresses that stacks keep be those at which git is answered now.

    Args:
        endpoint_url: Of the cloud.
    """
    for stack in list(cloudformation._stacks._data.values()):
        for name in _KEPT:
            if name in stack:
                stack[name] = _at(stack[name], endpoint_url)
    for export in list(cloudformation._exports._data.values()):
        export.update(_at(export, endpoint_url))


def _at(value: Any, endpoint_url: str) -> Any:
    if isinstance(value, str):
        return _ADDRESS.sub(endpoint_url, value)
    if isinstance(value, dict):
        return {key: _at(each, endpoint_url) for key, each in value.items()}
    return [_at(each, endpoint_url) for each in value] if isinstance(value, list) else value
