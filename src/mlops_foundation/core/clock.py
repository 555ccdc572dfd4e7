"""The only place that reads the time or draws randomness.

Synth never imports this module: the same configuration gives the same bytes on every day.
"""

import datetime as dt
import secrets
import uuid


def now() -> dt.datetime:
    """Return the current time, timezone aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def new_id() -> str:
    """Return a new random UUID (version 4) in its usual 36-character form."""
    return str(uuid.uuid4())


def new_token(length: int = 12, alphabet: str = "abcdefghijklmnopqrstuvwxyz0123456789") -> str:
    """Return a random string of ``length`` characters of ``alphabet``, as AWS uses for its short ids."""
    return "".join(secrets.choice(alphabet) for _ in range(length))
