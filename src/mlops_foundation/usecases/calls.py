"""Errors of AWS calls in our own words, raised at one place."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from mlops_foundation.core.errors import AccessDenied, DeployError, NotFound
from mlops_foundation.usecases.failures import explained

_MISSING = ("NotFound", "not found", "does not exist", "Could not find", "Cannot find", "DoesNotExist")


@contextmanager
def aws_errors(where: str) -> Iterator[None]:
    """Turn a client's error into one that says where it happened and what to do.

    Args:
        where: What was worked on, for example ``project churn``.

    Raises:
        AccessDenied: When the caller was refused.
        NotFound: When what was named does not exist.
        DeployError: Otherwise.
    """
    try:
        yield
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        if "AccessDenied" in code or "not authorized" in message:
            raise AccessDenied(
                message,
                where=where,
                got=code,
                expected="a role that may do this",
                fix="use --role with another role, or ask who owns the project",
            ) from error
        if any(word in code or word in message for word in _MISSING):
            raise NotFound(
                message, where=where, got=code, fix="check the name; the list command shows what there is"
            ) from error
        if failure := explained(error):
            raise failure.at(where) from error
        raise DeployError(message, where=where, got=f"{code} from {error.operation_name}") from error
    except BotoCoreError as error:
        failure = explained(error) or DeployError(str(error), fix="check your network and credentials")
        raise failure.at(where) from error
