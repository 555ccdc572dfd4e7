"""What a workload in a VPC without a way out is told: a proxy that nobody answers.

Whoever heeds proxies (pip, uv, npm, git, curl, boto3, urllib) is refused at once, as a VPC without a route refuses; the
local cloud itself is not behind it.
"""

from collections.abc import Mapping
from typing import Final

_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
_ADDRESS: Final = "http://127.0.0.1:9"
_DIRECT: Final = "localhost,127.0.0.1"
CLOSED_PROXY: Final[Mapping[str, str]] = {
    **dict.fromkeys(_PROXIES, _ADDRESS),
    "NO_PROXY": _DIRECT,
    "no_proxy": _DIRECT,
}
