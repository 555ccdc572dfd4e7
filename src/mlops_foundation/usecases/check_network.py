"""Check that every network has what the workloads in it need: from the plan, or of an existing VPC by the API."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mlops_foundation.aws import network as aws_network
from mlops_foundation.config.models import Config
from mlops_foundation.config.network import ImportedVpc, Vpc
from mlops_foundation.core.arns import Arn
from mlops_foundation.core.errors import ConfigError, FoundationError
from mlops_foundation.local import process
from mlops_foundation.plan import SetPlan
from mlops_foundation.plan.findings import Finding, require_green
from mlops_foundation.plan.foundations import Foundation
from mlops_foundation.plan.network_check import Place, check_network
from mlops_foundation.plan.network_view import planned
from mlops_foundation.usecases import service_calls
from mlops_foundation.usecases.calls import aws_errors
from mlops_foundation.usecases.plan import load_and_plan
from mlops_foundation.usecases.workspace import Target, Workspace, choose_set, open_workspace

_SAGEMAKER: Final = "sagemaker.amazonaws.com"
_STUDIO_TRUST: Final = ("sts:AssumeRole", "sts:SetSourceIdentity")
"""SageMaker takes the role and says which profile works with it: the domain passes its name on."""

Seen = Mapping[str, Mapping[str, Sequence[str]]]
"""Account -> endpoint name -> who called it."""


@dataclass(frozen=True)
class NetworkReport:
    """Everything that was found.

    Attributes:
        findings: In the order of the stages and of the checks.
        recorded: Whether the local cloud's record of called services was looked at.
    """

    findings: tuple[Finding, ...]
    recorded: bool

    @property
    def green(self) -> bool:
        """Whether nothing has to be done."""
        return all(each.green for each in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``."""
        return {
            "green": self.green,
            "recorded": self.recorded,
            "findings": [each.as_dict() for each in self.findings],
        }


def network(
    config_file: Path,
    set_name: str,
    target: Target,
    state_dir: Path,
    stages: Sequence[str] = (),
    role: str = "",
) -> NetworkReport:
    """Check the networks of a set.

    A network that the platform makes is checked as it is planned, without credentials; an imported one as it is. When
    the local cloud runs, what it has seen workloads call is asked for as well.

    Args:
        config_file: ``mlops.yaml``.
        set_name: Set of accounts; may be empty when there is one.
        target: Where imported networks are.
        state_dir: Of the local cloud.
        stages: dev, preprod, prod; all when empty.
        role: Who reads imported networks; the account's profile or administrator when empty.

    Raises:
        ConfigError: When there is no such set or stage.
    """
    config, plan = load_and_plan(config_file)
    set_plan = choose_set(plan, set_name, config_file)
    recorded = target == "local" and process.find(state_dir.absolute()) is not None
    seen = _seen(state_dir) if recorded else {}
    opened: list[Workspace] = []

    def workspace() -> Workspace:
        if not opened:
            opened.append(open_workspace(config_file, set_name, target, state_dir))
        return opened[0]

    findings: list[Finding] = []
    for foundation in _chosen(set_plan, stages):
        place = _place(config, foundation, seen)
        vpc = foundation.vpc
        if vpc.imported is None:
            view = planned(vpc, foundation.region, _shared(set_plan, foundation))
            findings += check_network(place, view)
            continue
        try:
            findings += _imported(workspace(), place, vpc.imported, role)
        except FoundationError as error:
            findings += _not_seen(place, error)
    return NetworkReport(tuple(findings), recorded)


def require_imported(workspace: Workspace) -> None:
    """Let a deployment begin only when every imported network has what is needed; nothing is changed.

    Raises:
        PlanError: With everything that is wrong.
    """
    findings: list[Finding] = []
    for foundation in _chosen(workspace.set_plan, ()):
        vpc = foundation.vpc
        if vpc.imported:
            findings += _imported(workspace, _place(workspace.config, foundation, {}), vpc.imported, "")
    require_green("an imported network does not have what the platform needs", findings)


def _chosen(set_plan: SetPlan, stages: Sequence[str]) -> list[Foundation]:
    with_network = [each for each in set_plan.foundations if each.stages]
    known = {stage for each in with_network for stage in each.stages}
    for stage in stages:
        if stage not in known:
            raise ConfigError(
                f"there is no stage {stage}",
                where="--stage",
                got=stage,
                expected=f"one of {', '.join(sorted(known))}",
                fix="mlops plan",
            )
    return [each for each in with_network if not stages or set(stages) & set(each.stages)]


def _place(config: Config, foundation: Foundation, seen: Seen) -> Place:
    users = len(config.studio.users) + 1 if "dev" in foundation.stages else 0
    return Place(
        stage="+".join(foundation.stages),
        account=foundation.account,
        region=foundation.region,
        stages=foundation.stages,
        studio_users=users,
        workloads=foundation.workloads,
        seen=seen.get(foundation.account, {}),
    )


def _shared(set_plan: SetPlan, foundation: Foundation) -> Vpc | None:
    """Return the network that owns the endpoints that this one uses."""
    shared = set_plan.sharing
    return shared.owner.vpc if shared and shared.uses(foundation) else None


def _imported(workspace: Workspace, place: Place, imported: ImportedVpc, persona: str) -> list[Finding]:
    role = workspace.role(place.stages[0], persona)
    client = workspace.sessions.client("ec2", place.account, role)
    with aws_errors(f"VPC {imported.vpc_id} of {place.account}"):
        view = aws_network.describe(client, imported)
        findings = check_network(place, view)
        findings += _execution_role(workspace, place, imported, role)
    return findings


def _execution_role(workspace: Workspace, place: Place, imported: ImportedVpc, role: str) -> Iterator[Finding]:
    if imported.execution_role_arn is None:
        return
    arn = Arn.parse(imported.execution_role_arn)
    lacks = None
    if arn.account == place.account:
        iam = workspace.sessions.client("iam", place.account, role)
        lacks = aws_network.trust_lacks(iam, arn.name, _SAGEMAKER, _STUDIO_TRUST)
    fix = "correct execution_role_arn below import: in mlops.yaml"
    if lacks == []:
        yield _finding(place, "execution-role", "ok", "Studio's role exists and lets SageMaker take it", str(arn))
    elif lacks is None:
        expected = f"a role of account {place.account}"
        yield _finding(place, "execution-role", "missing", "Studio's role does not exist", str(arn), expected, fix)
    else:
        what = "Studio's role does not let SageMaker take it"
        got = f"the trust of {arn} lacks {', '.join(lacks)}"
        expected = f"a trust policy that allows {' and '.join(_STUDIO_TRUST)} to {_SAGEMAKER}"
        yield _finding(place, "execution-role", "missing", what, got, expected, "aws iam update-assume-role-policy")


def _not_seen(place: Place, error: FoundationError) -> Iterator[Finding]:
    for problem in error.problems:
        what = f"the imported VPC could not be looked at: {problem.what}"
        yield _finding(place, "access", "unknown", what, problem.got, problem.expected, problem.fix)


def _finding(place: Place, check: str, status: Any, *words: str) -> Finding:  # noqa: ANN401  a Status
    return Finding(check, place.stage, place.account, status, *words)


def _seen(state_dir: Path) -> Seen:
    found: dict[str, dict[str, list[str]]] = {}
    for each in service_calls.recorded(state_dir):
        who = found.setdefault(each.account, {}).setdefault(each.service, [])
        if each.workload not in who:
            who.append(each.workload)
    return found
