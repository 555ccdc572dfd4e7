"""What an account is before anything is changed in it: who we are there, what it allows, what it holds already."""

import datetime as dt
import functools
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from mlops_foundation.core.names import PLATFORM_RECORDS, persona_role
from mlops_foundation.plan.quotas import ELASTIC_ADDRESSES, ROLES, VPCS

BOOTSTRAP_ACTIONS: Final = (
    "cloudformation:CreateStack",
    "cloudformation:UpdateStack",
    "cloudformation:DescribeStacks",
    "iam:CreatePolicy",
    "iam:CreateRole",
    "iam:PutRolePolicy",
    "s3:CreateBucket",
    "s3:PutBucketPolicy",
    "ssm:PutParameter",
)
"""What an administrator needs to bootstrap an account."""

_SERVICES_PATH: Final = "/aws/service/global-infrastructure/regions/{region}/services"
_ABSENT: Final = frozenset({"404", "NoSuchBucket", "NoSuchEntity"})
_reading: Final = threading.Lock()


@dataclass(frozen=True)
class Caller:
    """Who acts in an account.

    Attributes:
        arn: As STS says it.
        expires: When the credentials end; None for those that do not, or do not say so.
    """

    arn: str
    expires: dt.datetime | None = None

    @property
    def is_root(self) -> bool:
        """Whether it is the account's root, whom IAM does not limit."""
        return self.arn.endswith(":root")

    @property
    def policy_source(self) -> str:
        """The ARN that IAM simulates: of the role for a session, of the user as it is."""
        account, _, rest = self.arn.removeprefix("arn:aws:sts::").partition(":assumed-role/")
        return f"arn:aws:iam::{account}:role/{rest.split('/')[0]}" if rest else self.arn


@dataclass(frozen=True)
class Record:
    """A platform that an account deploys, as its bootstrap wrote it down."""

    prefix: str
    set_name: str
    region: str
    accounts: Mapping[str, str]


def caller(sts: Any, expires: dt.datetime | None = None) -> Caller:  # noqa: ANN401  boto3 clients
    """Return who a client acts as."""
    return Caller(sts.get_caller_identity()["Arn"], expires)


def refused_actions(iam: Any, who: Caller, actions: Sequence[str] = BOOTSTRAP_ACTIONS) -> list[str]:  # noqa: ANN401
    """Return the actions that IAM would refuse, by its own simulator; none for root."""
    if who.is_root:
        return []
    results = iam.simulate_principal_policy(PolicySourceArn=who.policy_source, ActionNames=list(actions))
    return [each["EvalActionName"] for each in results["EvaluationResults"] if each["EvalDecision"] != "allowed"]


def region_services(ssm: Any, region: str) -> frozenset[str] | None:  # noqa: ANN401  boto3 clients
    """Return the services of a region by AWS's public parameters; None where there are none to ask.

    Source: AWS Systems Manager User Guide, "Calling AWS service, Region, endpoint ... public parameters".
    """
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=_SERVICES_PATH.format(region=region))
    found = frozenset(each["Value"] for page in pages for each in page["Parameters"])
    return found or None


def known_services(region: str, services: tuple[str, ...]) -> frozenset[str]:
    """Return the services that botocore's own endpoint data knows in a region.

    Reading it takes half a second, and several accounts ask at once: the first reads, the others wait.
    """
    with _reading:
        return _read_services(region, services)


@functools.cache
def _read_services(region: str, services: tuple[str, ...]) -> frozenset[str]:
    session = boto3.session.Session()
    return frozenset(each for each in services if region in session.get_available_regions(each))


def records(ssm: Any) -> Iterator[Record]:  # noqa: ANN401  boto3 clients
    """Yield every platform that an account deploys in a region."""
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=PLATFORM_RECORDS.rstrip("/"))
    for page in pages:
        for each in page["Parameters"]:
            value = json.loads(each["Value"])
            prefix = each["Name"].removeprefix(PLATFORM_RECORDS)
            yield Record(prefix, value["set"], value["region"], value["accounts"])


def engineer_regions(iam: Any, account: str) -> set[str]:  # noqa: ANN401  boto3 clients
    """Return the regions in which an account deploys platforms; IAM knows the roles of all of them."""
    ending = persona_role("platform-engineer", "", account)
    pages = iam.get_paginator("list_roles").paginate()
    names = {str(each["RoleName"]) for page in pages for each in page["Roles"]}
    return {name.removesuffix(ending) for name in names if name.endswith(ending)}


def toolkit_engineer(cloudformation: Any, toolkit_stack: str) -> str | None:  # noqa: ANN401  boto3 clients
    """Return whom an account's toolkit trusts; None when there is no toolkit."""
    try:
        found = cloudformation.describe_stacks(StackName=toolkit_stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    values: dict[str, str] = {
        each["ParameterKey"]: each.get("ParameterValue", "") for each in found.get("Parameters", [])
    }
    return values.get("TrustedPrincipals", "")


def bucket_exists(s3: Any, name: str) -> bool:  # noqa: ANN401  boto3 clients
    """Tell whether a bucket's name is taken, by this account or by anybody."""
    try:
        s3.head_bucket(Bucket=name)
    except ClientError as error:
        return error.response["Error"]["Code"] not in _ABSENT
    return True


def role_exists(iam: Any, name: str) -> bool:  # noqa: ANN401  boto3 clients
    """Tell whether an account has a role."""
    try:
        iam.get_role(RoleName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] in _ABSENT:
            return False
        raise
    return True


@dataclass(frozen=True)
class Quota:
    """A limit of AWS on what a region or an account holds.

    Attributes:
        what: In words.
        service: Of Service Quotas.
        code: Its code there.
        default: What AWS gives when nothing was asked for.
        usage: How much is used.
    """

    what: str
    service: str
    code: str
    default: int
    usage: int

    def limit(self, quotas: Any) -> tuple[int, bool]:  # noqa: ANN401  boto3 clients
        """Return the limit, and whether the account's own value was read."""
        try:
            return int(quotas.get_service_quota(ServiceCode=self.service, QuotaCode=self.code)["Quota"]["Value"]), True
        except ClientError:
            return self.default, False


def network_quotas(ec2: Any) -> list[Quota]:  # noqa: ANN401  boto3 clients
    """Return what a region's network quotas are used for.

    Source: Amazon VPC User Guide, "Amazon VPC quotas"; Amazon EC2 User Guide, "Elastic IP addresses".
    """
    return [
        Quota(VPCS, "vpc", "L-F678F1CE", 5, len(ec2.describe_vpcs()["Vpcs"])),
        Quota(ELASTIC_ADDRESSES, "ec2", "L-0263D0A3", 5, len(ec2.describe_addresses()["Addresses"])),
    ]


def role_quota(iam: Any) -> Quota:  # noqa: ANN401  boto3 clients
    """Return how many roles an account has, and how many IAM lets it have."""
    summary = iam.get_account_summary()["SummaryMap"]
    return Quota(ROLES, "iam", "L-FE177D64", int(summary.get("RolesQuota", 1000)), summary["Roles"])


def vpc_blocks(ec2: Any) -> dict[str, str]:  # noqa: ANN401  boto3 clients
    """Return the address block of every VPC in the region, by its id."""
    return {each["VpcId"]: each["CidrBlock"] for each in ec2.describe_vpcs()["Vpcs"]}
