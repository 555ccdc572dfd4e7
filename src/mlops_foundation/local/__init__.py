"""The local cloud: an AWS-compatible endpoint on 127.0.0.1 where the same templates and seed code run whole.

A request goes through a short, visible way::

    server -> adapter (ministack: routing, signature) -> dispatch -> authorize -> services/<name>
"""

from typing import Final

DEFAULT_PORT: Final = 4566
"""Port of 127.0.0.1 where nothing else is said; what other AWS emulators listen on, so clients know it."""
