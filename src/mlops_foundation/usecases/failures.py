"""Errors of others that a user can put right: of the operating system, of AWS clients, of the CDK's engine.

What is not recognized here is a bug of ours and keeps its traceback.
"""

import errno
import os
import re
from collections.abc import Callable
from typing import Final

from mlops_foundation.core.errors import (
    AccessDenied,
    DeployError,
    FoundationError,
    LocalCloudError,
    MachineError,
    SynthError,
)

_FIXES: Final = {
    errno.ENOENT: "check the name",
    errno.EACCES: "use another place, or ask who owns it for the right to use it",
    errno.EPERM: "use another place, or ask who owns it for the right to use it",
    errno.EROFS: "use a folder on a file system that can be written",
    errno.ENOSPC: "free some space, then run the command again",
    errno.EDQUOT: "free some space, then run the command again",
    errno.ENOTDIR: "check the name: a part of it is a file",
    errno.EISDIR: "name a file",
    errno.EEXIST: "use another name, or remove what is there",
}
_AGAIN: Final = "run the command again; when it stays so, look at what is there"
_SIGN_IN_AGAIN: Final = "sign in again (aws sso login --profile NAME, or new keys), then run the command again"
_ENDED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_UNKNOWN_KEYS: Final = frozenset(
    {
        "AuthFailure",
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_BUSY: Final = re.compile(r"Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|ServiceUnavailable|InternalFailure")
_LOOPBACK: Final = re.compile(r"//(localhost|127\.0\.0\.1)[:/\"]")


def explained(error: BaseException) -> FoundationError | None:
    """Return somebody else's error in our form, or None when it is not one that a user can put right."""
    module = type(error).__module__.partition(".")[0]
    reader = _READERS.get(module)
    found = reader(error) if reader else None
    if found is None and isinstance(error, OSError):
        found = _machine(error)
    return found


def _machine(error: OSError) -> FoundationError:
    said = error.strerror or str(error.args[0] if error.args else error) or type(error).__name__
    names = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)]
    where = " -> ".join(names)
    if not where and isinstance(error, ConnectionError | TimeoutError):
        return MachineError(f"a connection failed: {said}", fix="mlops local status says whether the local cloud runs")
    what = f"{said[0].lower()}{said[1:]}"
    return MachineError(f"{what}: {where}" if where else what, where=where, fix=_FIXES.get(error.errno or 0, _AGAIN))


def _connection(error: BaseException) -> FoundationError | None:
    """Explain an error of urllib: whoever asks the local cloud without a client uses it."""
    if not isinstance(error, OSError):
        return None
    what = f"the local cloud does not answer: {getattr(error, 'reason', error)}"
    return LocalCloudError(what, expected="a running local cloud", fix="mlops local status; mlops local logs")


def _aws(error: BaseException) -> FoundationError | None:
    from botocore import exceptions  # noqa: PLC0415  it is loaded already when this is one of its errors

    if isinstance(error, exceptions.ClientError):
        return _refusal(error.response, error.operation_name)
    if isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError):
        return _unreachable(str(error))
    signed_out = (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.ProfileNotFound,
        exceptions.SSOError,
        exceptions.TokenRetrievalError,
    )
    if isinstance(error, signed_out):
        fix = "mlops config credentials prints the profiles; then aws sso login --profile NAME"
        return AccessDenied("there are no credentials that can be used", got=str(error), fix=fix)
    return None


def _refusal(response: "dict[str, object]", operation: str) -> FoundationError | None:
    details = response.get("Error")
    found = details if isinstance(details, dict) else {}
    code, message = str(found.get("Code", "")), str(found.get("Message", ""))
    got = f"{code} from {operation}"
    if code in _ENDED:
        return AccessDenied("the credentials have ended", got=got, expected="a session that lasts", fix=_SIGN_IN_AGAIN)
    if code in _UNKNOWN_KEYS:
        return AccessDenied(f"the credentials are not valid: {message}", got=got, fix=_SIGN_IN_AGAIN)
    if "AccessDenied" in code or "Unauthorized" in code or "not authorized" in message:
        fix = "use --role with another role, or ask the platform engineer"
        return AccessDenied(message, got=got, expected="a role that may do this", fix=fix)
    if _BUSY.search(code):
        return DeployError(f"AWS is busy: {message}", got=got, fix="wait a moment, then run the command again")
    return None


def _unreachable(said: str) -> FoundationError:
    if _LOOPBACK.search(said):
        expected, fix = "a running local cloud", "mlops local status; mlops local logs; mlops local start"
        return LocalCloudError("the local cloud does not answer", got=said, expected=expected, fix=fix)
    fix = "check the network, the proxy settings (HTTPS_PROXY) and the region in mlops.yaml, then run the command again"
    return MachineError("AWS cannot be reached", got=said, expected="a way to AWS's addresses", fix=fix)


def _cdk(error: BaseException) -> FoundationError | None:
    """Explain an error of the process in which the CDK runs; what constructs raise is a RuntimeError, not this."""
    said = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return SynthError(
        f"the CDK's engine failed: {said[0]}",
        where="cdk synth",
        got="\n".join(said[1:4]),
        fix="check that the folder can be written and the disk has space, then run the command again",
    )


_READERS: Final[dict[str, Callable[[BaseException], FoundationError | None]]] = {
    "botocore": _aws,
    "jsii": _cdk,
    "urllib": _connection,
}
"""Whose error it is, by the package of its class -> who explains it."""
