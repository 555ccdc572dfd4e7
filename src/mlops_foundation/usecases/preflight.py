"""Everything that would stop a deployment, looked at in every account before anything is changed in any."""

import datetime as dt
import ipaddress
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mlops_foundation.aws import accounts, stacks, studio
from mlops_foundation.aws.accounts import Caller, Record
from mlops_foundation.core import clock
from mlops_foundation.core.arns import AccountId
from mlops_foundation.core.errors import FoundationError, PlanError, Problem
from mlops_foundation.core.interrupt import workers
from mlops_foundation.core.names import persona_role, role_arn
from mlops_foundation.plan.findings import Finding, Status, require_green
from mlops_foundation.plan.foundations import Foundation
from mlops_foundation.plan.models import Plan, SetPlan
from mlops_foundation.plan.quotas import ENGINEER_ROLES, ROLES, TOOLKIT_ROLES, VPCS
from mlops_foundation.usecases import bootstrap_state, check_network
from mlops_foundation.usecases.calls import aws_errors
from mlops_foundation.usecases.workspace import Workspace

_ALWAYS: Final = ("cloudformation", "ssm")
"""Services that every platform uses; stacks and templates add theirs."""
_ENDS_SOON: Final = dt.timedelta(minutes=45)
_AT_ONCE: Final = 8


def accounts_report(workspaces: Sequence[Workspace]) -> tuple[Finding, ...]:
    """Look at every account of some sets.

    Returns:
        Findings in the order of sets and accounts.
    """
    places = [_Place(each, foundation) for each in workspaces for foundation in each.set_plan.foundations]
    with workers(_AT_ONCE) as pool:
        return tuple(finding for found in pool.map(_look, places) for finding in found)


def require(workspaces: Sequence[Workspace]) -> None:
    """Let a bootstrap go on only where nothing is in its way; what an earlier one lacks is what it is for.

    Raises:
        PlanError: With every finding that is not right.
    """
    require_living(workspaces)
    findings = [each for each in accounts_report(workspaces) if each.check != "bootstrap"]
    require_green("the accounts are not ready; nothing was changed", findings)
    for each in workspaces:
        check_network.require_imported(each)


def require_living(workspaces: Sequence[Workspace], persona: str = "") -> None:
    """Refuse a configuration that has lost a platform, or an account of one, whose stacks live.

    The administrator sees every region that an account deploys to; a platform engineer is of one region.

    Args:
        workspaces: Sets of the configuration; it is compared as a whole.
        persona: Who reads the records: the administrator, or the platform engineer.

    Raises:
        PlanError: With every platform and account that is missing.
    """
    problems: dict[tuple[str, str], Problem] = {}
    for (home, region), workspace in _homes(workspaces, persona).items():
        ssm = workspace.sessions.client("ssm", home, workspace.role_in(home, persona), region)
        with aws_errors(f"platforms of account {home} in {region}"):
            for record in accounts.records(ssm):
                for problem in _lost(workspace, record, home):
                    problems[problem.what, problem.got] = problem
    if problems:
        raise PlanError("the configuration has lost what lives", problems=list(problems.values()))


def _homes(workspaces: Sequence[Workspace], persona: str) -> dict[tuple[str, str], Workspace]:
    """Return the accounts and regions that platforms are deployed from, or were, each with a workspace to look."""
    homes: dict[tuple[str, str], Workspace] = {}
    for workspace in workspaces:
        for account in workspace.set_plan.accounts.values():
            homes.setdefault((workspace.set_plan.engineer_account(account), workspace.set_plan.region), workspace)
    if persona:
        return homes
    by_account = {home: workspace for (home, _), workspace in homes.items()}
    for home, workspace in by_account.items():
        with aws_errors(f"platform engineers of account {home}"):
            regions = accounts.engineer_regions(workspace.sessions.client("iam", home), home)
        for region in sorted(regions):
            homes.setdefault((home, region), workspace)
    return homes


def _lost(workspace: Workspace, record: Record, home: str) -> Iterator[Problem]:
    found = next((each for each in workspace.plan.sets if each.prefix == record.prefix), None)
    if found is None:
        if record.prefix not in workspace.config.other_platforms:
            yield Problem(
                what=f"the set {record.set_name} is not in the configuration, but its stacks live",
                where=f"account {home}",
                got=f"prefix {record.prefix}, accounts {', '.join(sorted(set(record.accounts.values())))}",
                expected="every platform that this account deploys",
                fix=f"put the set back; or, when another mlops.yaml has it, add {record.prefix} to other_platforms",
            )
        return
    if found.name != record.set_name:
        yield Problem(
            what=f"the set {found.name} was called {record.set_name}, and its stacks live",
            where=f"set {found.name}",
            got=found.name,
            expected=f"{record.set_name}: the name of a set stays, resources are known by it",
            fix=f"call it {record.set_name} again, or give the new platform a prefix of its own",
        )
    if found.region != record.region:
        yield Problem(
            what=f"the set {found.name} was in another region, and its stacks live there",
            where=f"set {found.name}",
            got=found.region,
            expected=record.region,
            fix=f"set region: {record.region}, or give the new platform a prefix of its own",
        )
    for environment, account in record.accounts.items():
        if account not in found.accounts.values():
            yield Problem(
                what=f"the set {found.name} no longer has the account of {environment}, but its stacks live",
                where=f"sets.{found.name}.accounts.{environment}",
                got=account,
                expected="every account of the platform; further ones may be added",
                fix=f"put {account} back for one environment, or start the set anew with a prefix of its own",
            )


@dataclass(frozen=True)
class _Place:
    """One account of one set."""

    workspace: Workspace
    foundation: Foundation

    @property
    def account(self) -> AccountId:
        return self.foundation.account

    def client(self, service: str) -> Any:  # noqa: ANN401  boto3 clients
        """Return a client of the account's administrator."""
        return self.workspace.sessions.client(service, self.account)

    def finding(
        self, check: str, status: Status, what: str, got: str = "", expected: str = "", fix: str = ""
    ) -> Finding:
        """Return a finding about the account."""
        stage = "+".join(self.foundation.environments)
        return Finding(check, stage, self.account, status, what, got, expected, fix)


def _look(place: _Place) -> list[Finding]:
    try:
        expires = place.workspace.sessions.expires(place.account)
        with aws_errors(f"account {place.account}"):
            who = accounts.caller(place.client("sts"), expires)
    except FoundationError as error:
        (problem,) = error.problems
        return [place.finding("credentials", "missing", problem.what, problem.got, problem.expected, problem.fix)]
    found = [_credentials(place, who)]
    for check in (_rights, _services, _other_platform, _bootstrap, _names, _quotas, _addresses):
        found += _carefully(place, check, who)
    return found


def _carefully(place: _Place, check: Callable[[_Place, Caller], Iterator[Finding]], who: Caller) -> list[Finding]:
    """Run one check; what it may not look at is unknown, and so not right."""
    try:
        with aws_errors(f"account {place.account}"):
            return list(check(place, who))
    except FoundationError as error:
        (problem,) = error.problems
        name = check.__name__.strip("_").replace("_", " ")
        return [place.finding(name, "unknown", problem.what, problem.got, "a caller that may look", problem.fix)]


def _credentials(place: _Place, who: Caller) -> Finding:
    if who.expires and who.expires - clock.now() < _ENDS_SOON:
        minutes = max(0, int((who.expires - clock.now()).total_seconds() // 60))
        return place.finding(
            "credentials",
            "warning" if minutes else "missing",
            f"the credentials end in {minutes} minutes",
            who.arn,
            f"{_ENDS_SOON.seconds // 60} minutes, so that they do not end during the deployment",
            "sign in again: aws sso login --profile <profile>",
        )
    ends = f", until {who.expires:%Y-%m-%d %H:%M} UTC" if who.expires else ""
    return place.finding("credentials", "ok", "there are credentials", f"{who.arn}{ends}")


def _rights(place: _Place, who: Caller) -> Iterator[Finding]:
    refused = accounts.refused_actions(place.client("iam"), who)
    if refused:
        yield place.finding(
            "rights",
            "missing",
            "the caller may not bootstrap the account",
            f"{who.arn} lacks {', '.join(refused)}",
            "an administrator of the account",
            "use a profile whose role may do this",
        )
    else:
        yield place.finding("rights", "ok", "the caller may bootstrap the account", who.arn)


def _services(place: _Place, who: Caller) -> Iterator[Finding]:
    del who
    region = place.foundation.region
    wanted = services(place.workspace.plan, place.workspace.set_plan)
    found = accounts.region_services(place.client("ssm"), region)
    basis = "AWS's public parameters" if found else "botocore's endpoint data"
    there = found or accounts.known_services(region, tuple(wanted))
    lacking = [service for service in wanted if service not in there]
    if lacking:
        yield place.finding(
            "services",
            "missing",
            f"the region {region} lacks services, by {basis}",
            ", ".join(lacking),
            "every service that the platform uses",
            "choose another region",
        )
    else:
        yield place.finding("services", "ok", f"the region has all {len(wanted)} services, by {basis}", region)


def services(plan: Plan, set_plan: SetPlan) -> list[str]:
    """Return the services that a set's stacks and its projects use, as botocore calls them."""
    planned = [stack.services for foundation in set_plan.foundations for stack in foundation.stacks]
    projects = [template.services for template in plan.templates]
    return sorted({*_ALWAYS, *(service for each in (*planned, *projects) for service in each)})


def _other_platform(place: _Place, who: Caller) -> Iterator[Finding]:
    del who
    set_plan, account = place.workspace.set_plan, place.account
    home = set_plan.engineer_account(account)
    engineer = role_arn(home, persona_role("platform-engineer", set_plan.region, home))
    trusted = accounts.toolkit_engineer(place.client("cloudformation"), set_plan.names.toolkit_stack)
    if trusted is None:
        yield place.finding("platform", "ok", "the account holds no platform with this prefix", set_plan.prefix)
    elif trusted == engineer:
        yield place.finding("platform", "ok", "the account holds this platform already", set_plan.names.toolkit_stack)
    else:
        yield place.finding(
            "platform",
            "missing",
            f"the account holds another platform with the prefix {set_plan.prefix}",
            f"{set_plan.names.toolkit_stack} trusts {trusted or 'nobody we know'}",
            engineer,
            f"give the set {set_plan.name} a prefix of its own",
        )


def _bootstrap(place: _Place, who: Caller) -> Iterator[Finding]:
    del who
    lacks = bootstrap_state.lacks(place.workspace, place.foundation)
    if lacks is None:
        yield place.finding("bootstrap", "ok", "the account waits for its bootstrap", "no complete toolkit stack")
    elif lacks:
        yield place.finding(
            "bootstrap",
            "missing",
            "the bootstrap is older than the configuration: a deployment would be refused",
            str(lacks),
            "what the stacks of this configuration need",
            bootstrap_state.command(place.workspace),
        )
    else:
        yield place.finding("bootstrap", "ok", "the bootstrap allows what the stacks of this configuration need")


_CLAIMED: Final[Mapping[str, Callable[[_Place, str], bool]]] = {
    "role": lambda place, name: accounts.role_exists(place.client("iam"), name),
    "Studio domain": lambda place, name: studio.find(place.client("sagemaker"), name) is not None,
}
"""Kind of a name that a stack claims -> whether an account has such a thing."""


def _names(place: _Place, who: Caller) -> Iterator[Finding]:
    """What our stacks would make exists already, and is not theirs: left behind, or somebody else's."""
    del who
    set_plan, foundation = place.workspace.set_plan, place.foundation
    names = set_plan.names
    cloudformation = place.client("cloudformation")

    def absent(stack: str) -> bool:
        return stacks.describe(cloudformation, place.account, stack).status == "ABSENT"

    taken: list[str] = []
    bucket = names.asset_bucket(place.account, foundation.region)
    if absent(names.toolkit_stack) and accounts.bucket_exists(place.client("s3"), bucket):
        taken.append(f"bucket {bucket}")
    for stack in foundation.stacks:
        if stack.claims and absent(stack.stack_name):
            taken += [f"{claim.kind} {claim.name}" for claim in stack.claims if _CLAIMED[claim.kind](place, claim.name)]
    if taken:
        yield place.finding(
            "names",
            "missing",
            "the account has resources with our names that are not ours",
            ", ".join(taken),
            "free names",
            "remove them, or give the set a prefix or region of its own",
        )
    else:
        yield place.finding("names", "ok", "the names that the platform takes are free, or its own")


def _quotas(place: _Place, who: Caller) -> Iterator[Finding]:
    del who
    makes = _takes(place)
    quotas = [*accounts.network_quotas(place.client("ec2")), accounts.role_quota(place.client("iam"))]
    for quota in quotas:
        added = makes[quota.what]
        limit, own = quota.limit(place.client("service-quotas"))
        basis = "the account's quota" if own else "AWS's default, because Service Quotas does not answer"
        got = f"{quota.usage} used, {added} more, {limit} allowed ({basis})"
        if quota.usage + added > limit:
            expected, fix = f"at most {limit}", f"ask for more in Service Quotas: {quota.service} {quota.code}"
            yield place.finding("quota", "missing", f"there are not enough {quota.what}", got, expected, fix)
        else:
            yield place.finding("quota", "ok", f"there are enough {quota.what}", got)


def _takes(place: _Place) -> Counter[str]:
    """Return what the stacks that are not there yet take of the account's quotas, and in dev one project."""
    set_plan, cloudformation = place.workspace.set_plan, place.client("cloudformation")
    taken: dict[str, Mapping[str, int]] = {stack.stack_name: stack.quotas for stack in place.foundation.stacks}
    taken[set_plan.names.toolkit_stack] = {ROLES: TOOLKIT_ROLES}
    if set_plan.engineer_account(place.account) == place.account:
        taken[set_plan.names.bootstrap_policies_stack] = {ROLES: ENGINEER_ROLES}
    takes = Counter[str]()
    for stack, quotas in taken.items():
        if quotas and stacks.describe(cloudformation, place.account, stack).status == "ABSENT":
            takes.update(quotas)
    largest = Counter[str]()
    for template in place.workspace.plan.templates:
        largest |= Counter(template.quotas)
    return takes + largest if "dev" in place.foundation.stages else takes


def _addresses(place: _Place, who: Caller) -> Iterator[Finding]:
    del who
    foundation = place.foundation
    vpc = foundation.vpc
    maker = next((stack.stack_name for stack in foundation.stacks if VPCS in stack.quotas), "")
    if not maker or stacks.describe(place.client("cloudformation"), place.account, maker).status != "ABSENT":
        return
    ours = ipaddress.IPv4Network(vpc.cidr)
    others = accounts.vpc_blocks(place.client("ec2"))
    overlapping = [
        f"{vpc_id} {block}" for vpc_id, block in others.items() if ours.overlaps(ipaddress.IPv4Network(block))
    ]
    if overlapping:
        yield place.finding(
            "addresses",
            "warning",
            f"the block of the new VPC, {ours}, overlaps others in the account: they can never be peered",
            ", ".join(overlapping),
            "a block of its own",
            f"set network.cidr, or sets.{place.workspace.set_plan.name}.stages.{foundation.name}.network.cidr",
        )
    else:
        yield place.finding("addresses", "ok", "the block of the new VPC overlaps no other in the account", str(ours))
