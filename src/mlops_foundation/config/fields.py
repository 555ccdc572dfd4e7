"""Checked value types of ``mlops.yaml``; each refusal carries what is allowed and the fix."""

import difflib
import ipaddress
import re
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from mlops_foundation.config.regions import REGIONS
from mlops_foundation.core.arns import ACCOUNT_ID, AccountId, Region
from mlops_foundation.core.names import PREFIX_PATTERN

NEW_REGIONS: Final = "new_regions"
"""Key of the configuration, and of what validation is told: regions that this version does not know."""
REGION_PATTERN: Final = r"[a-z]{2}-[a-z]+-\d"
USER_NAME_PATTERN: Final = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
"""SageMaker's pattern of UserProfileName, 63 characters at most."""
USER_NAME_MAX: Final = 63
SET_NAME_PATTERN: Final = r"[a-z][a-z0-9-]{0,18}[a-z0-9]"
ZONE_PATTERN: Final = REGION_PATTERN + r"[a-z]"
PRINCIPAL_PATTERN: Final = r"arn:aws:iam::\d{12}:(role|user)/[\w+=,.@/*-]*[\w+=,.@-][\w+=,.@/*-]*"
BRANCH_PATTERN: Final = r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*"
BRANCH_MAX: Final = 100
"""The limit of CodeCommit's BranchName."""
ROLE_ARN_PATTERN: Final = r"arn:aws:iam::\d{12}:role/[\w+=,.@/-]{1,512}"
TAG_KEY_PATTERN: Final = r"(?!aws:)[\w.:/=+@-]{1,128}"
TAG_VALUE_PATTERN: Final = r"[\w\s.:/=+@-]{1,256}"

SMALLEST_VPC_PREFIX: Final = 24
LARGEST_VPC_PREFIX: Final = 16
"""AWS takes /16 to /28; below /24 the subnets of three zones have too few addresses for jobs and endpoints."""


def invalid(what: str, expected: str, fix: str = "", got: str = "") -> PydanticCustomError:
    """Return the error a validator raises; the loader turns it into a ``Problem``.

    Args:
        what: What is wrong with the value.
        expected: What is allowed.
        fix: What to do, when it is not to use what is expected.
        got: What of a long value is wrong; the value itself when left out.
    """
    return PydanticCustomError("mlops", "{what}", {"what": what, "expected": expected, "fix": fix, "got": got})


def once(names: Sequence[str], what: str) -> None:
    """Refuse a list that names something twice."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        named = ", ".join(twice)
        raise invalid(f"{what} {named} is listed more than once", "each once", "remove the repetition", named)


def _account_id(value: object) -> str:
    if not isinstance(value, str) or not ACCOUNT_ID.fullmatch(value):
        raise invalid("not an AWS account id", "exactly 12 digits", 'write it in quotes, for example "012345678901"')
    return value


def _region(value: str, info: ValidationInfo) -> str:
    value = _region_like(value)
    known = REGIONS.union((info.context or {}).get(NEW_REGIONS, ()))
    if value not in known:
        near = ", ".join(difflib.get_close_matches(value, sorted(known), n=3)) or "eu-west-1"
        fix = f"use one of them; a region that is newer than this version goes in {NEW_REGIONS} first"
        raise invalid("AWS has no such region", f"a region of AWS, for example {near}", fix)
    return value


def _region_like(value: str) -> str:
    if value.startswith(("cn-", "us-gov-", "us-iso")):
        raise invalid("this partition is not supported", "a region of the aws partition", "use for example eu-west-1")
    if not re.fullmatch(REGION_PATTERN, value):
        raise invalid("not an AWS region", "a region such as eu-west-1", "aws ec2 describe-regions lists them")
    return value


def _matching(value: str, pattern: str, what: str, expected: str) -> str:
    if not re.fullmatch(pattern, value):
        raise invalid(what, expected)
    return value


def _prefix(value: str) -> str:
    expected = "2 to 10 lower-case letters and digits, a letter first (it is also the CDK qualifier)"
    return _matching(value, PREFIX_PATTERN, "not a usable prefix", expected)


def _set_name(value: str) -> str:
    expected = "2 to 20 lower-case letters, digits and hyphens, a letter first"
    return _matching(value, SET_NAME_PATTERN, "not a usable set name", expected)


def _user_name(value: str) -> str:
    expected = "1 to 63 letters, digits and single hyphens between them (SageMaker's UserProfileName)"
    return _matching(value, USER_NAME_PATTERN, "not a usable Studio user name", expected)


def _zone(value: str) -> str:
    return _matching(value, ZONE_PATTERN, "not an availability zone", "a zone such as eu-west-1a")


def _principal(value: str) -> str:
    expected = "the ARN of an IAM role or user of one account; * only as part of its name"
    return _matching(value, PRINCIPAL_PATTERN, "not a principal that may sign in", expected)


def _role_arn(value: str) -> str:
    return _matching(
        value, ROLE_ARN_PATTERN, "not the ARN of a role", "an ARN such as arn:aws:iam::<account>:role/<name>"
    )


def _branch(value: str) -> str:
    """Check the name of a branch as git does: what git refuses would be found when the first project is made."""
    expected = f"at most {BRANCH_MAX} letters, digits or . _ / -, as git allows them: release/1, and not a..b or x.lock"
    parts = value.split("/")
    forbidden = ".." in value or any(part.endswith((".", ".lock")) for part in parts) or value == "HEAD"
    if forbidden or len(value) > BRANCH_MAX:
        raise invalid("not the name of a branch", expected)
    return _matching(value, BRANCH_PATTERN, "not the name of a branch", expected)


def _tag_key(value: str) -> str:
    expected = "1 to 128 letters, digits or . : / = + @ -, not starting with aws:"
    return _matching(value, TAG_KEY_PATTERN, "not a usable tag key", expected)


def _number_as_written(value: object) -> object:
    """A cost center of digits needs no quotes; those with a leading zero come as text already."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _tag_value(value: str) -> str:
    return _matching(
        value, TAG_VALUE_PATTERN, "not a usable tag value", "1 to 256 letters, digits, spaces or . : / = + @ -"
    )


def _cidr(value: str) -> str:
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError as error:
        raise invalid(f"not an IPv4 CIDR block: {error}", "a block such as 10.0.0.0/16") from error
    if not network.is_private:
        raise invalid("not a private block", "a block inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16")
    return str(network)


def vpc_cidr(value: str) -> str:
    """Check that a block is one VPC's."""
    length = ipaddress.IPv4Network(value).prefixlen
    if not LARGEST_VPC_PREFIX <= length <= SMALLEST_VPC_PREFIX:
        raise invalid(f"a VPC cannot be a /{length}", f"/{LARGEST_VPC_PREFIX} to /{SMALLEST_VPC_PREFIX}")
    return value


AccountIdField = Annotated[AccountId, BeforeValidator(_account_id), Field(json_schema_extra={"pattern": r"^\d{12}$"})]
RegionField = Annotated[Region, AfterValidator(_region), Field(json_schema_extra={"pattern": f"^{REGION_PATTERN}$"})]
NewRegion = Annotated[Region, AfterValidator(_region_like), Field(json_schema_extra={"pattern": f"^{REGION_PATTERN}$"})]
Prefix = Annotated[str, AfterValidator(_prefix), Field(json_schema_extra={"pattern": f"^{PREFIX_PATTERN}$"})]
SetName = Annotated[str, AfterValidator(_set_name), Field(json_schema_extra={"pattern": f"^{SET_NAME_PATTERN}$"})]
UserName = Annotated[str, AfterValidator(_user_name), Field(json_schema_extra={"pattern": f"^{USER_NAME_PATTERN}$"})]
Zone = Annotated[str, AfterValidator(_zone), Field(json_schema_extra={"pattern": f"^{ZONE_PATTERN}$"})]
Principal = Annotated[str, AfterValidator(_principal), Field(json_schema_extra={"pattern": f"^{PRINCIPAL_PATTERN}$"})]
RoleArn = Annotated[str, AfterValidator(_role_arn)]
Branch = Annotated[
    str, AfterValidator(_branch), Field(json_schema_extra={"pattern": f"^{BRANCH_PATTERN}$", "maxLength": BRANCH_MAX})
]
TagKey = Annotated[str, AfterValidator(_tag_key)]
TagValue = Annotated[str, BeforeValidator(_number_as_written), AfterValidator(_tag_value)]
Cidr = Annotated[str, AfterValidator(_cidr)]
