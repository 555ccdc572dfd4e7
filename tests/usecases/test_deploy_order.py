"""What is deployed first: the networks that own shared endpoints, unless nobody waits for them."""

import json
from pathlib import Path
from typing import Any

import pytest
from fake_aws import workspace

from mlops_foundation.core.errors import DeployError
from mlops_foundation.usecases import deploy
from mlops_foundation.usecases.deploy_order import Run, in_order, left_out_owners
from mlops_foundation.usecases.workspace import Workspace

FOUR = {"governance": "1" * 12, "dev": "2" * 12, "preprod": "3" * 12, "prod": "4" * 12}


def configured(
    folder: Path, shared: dict[str, Any] | None, accounts: dict[str, str] | None = None, **clients: Any
) -> Workspace:
    """Return the workspace of a configuration with these shared endpoints."""
    only = {"name": "default", "accounts": accounts or FOUR}
    network = {"shared_endpoints": shared} if shared else {}
    config = {"region": "eu-west-1", "sets": [only], "tags": {"CostCenter": "0"}, "network": network}
    (folder / "mlops.yaml").write_text(json.dumps(config), encoding="utf-8")
    return workspace(folder, **clients)


def patterns(order: list[list[Run]]) -> list[list[str]]:
    return [[pattern for run in runs for pattern in run.patterns] for runs in order]


def test_without_shared_endpoints_all_accounts_go_at_once(tmp_path: Path) -> None:
    order = in_order([configured(tmp_path, None)], (), ())
    assert patterns(order) == [["default-dev/*", "default-preprod/*", "default-prod/*"]]


def test_the_owners_network_goes_first(tmp_path: Path) -> None:
    made = configured(tmp_path, {"owner": "governance"})
    first, then = patterns(in_order([made], (), ()))
    assert first == ["default-governance/Network"]
    assert then == ["default-governance/*", "default-dev/*", "default-preprod/*", "default-prod/*"]
    first, then = patterns(in_order([made], (), ["network", "targets"]))
    assert first == ["default-governance/Network"]
    assert "default-dev/Targets" in then


def test_owners_of_several_sets_go_first_together(tmp_path: Path) -> None:
    made = configured(tmp_path, {"owner": "dev"}, {name: each for name, each in FOUR.items() if name != "governance"})
    first, then = in_order([made], (), ())
    assert [(each.home, each.patterns) for each in first] == [(FOUR["dev"], ["default-dev/Network"])]
    assert sorted(each.home for each in then) == [FOUR["dev"], FOUR["preprod"], FOUR["prod"]]


@pytest.mark.parametrize(("stages", "stacks"), [(["governance"], []), ([], ["targets"])])
def test_where_nobody_waits_nothing_goes_first(tmp_path: Path, stages: list[str], stacks: list[str]) -> None:
    made = configured(tmp_path, {"owner": "governance"})
    assert len(in_order([made], stages, stacks)) == 1
    assert left_out_owners([made], stages, stacks) == []


def test_an_owner_that_is_left_out_is_known(tmp_path: Path) -> None:
    made = configured(tmp_path, {"owner": "governance"})
    (awaited,) = left_out_owners([made], ["prod"], ())
    assert awaited.owner.name == "governance"
    assert left_out_owners([made], ["prod", "governance"], ()) == []
    assert left_out_owners([made], (), ()) == []


class Stacks:
    """CloudFormation with one status for every stack."""

    def __init__(self, status: str) -> None:
        self._status = status

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803  botocore's name
        return {"Stacks": [{"StackName": StackName, "StackStatus": self._status, "Outputs": []}]}


def test_nobody_waits_for_an_owner_that_is_not_there(tmp_path: Path) -> None:
    made = configured(tmp_path, {"owner": "governance"}, cloudformation=Stacks("ROLLBACK_COMPLETE"))
    with pytest.raises(DeployError, match="waits for shared endpoints") as raised:
        deploy.require_owners([made], ["prod"], ())
    (problem,) = raised.value.problems
    assert problem.got == "mlops-network-governance of account 111111111111: ROLLBACK_COMPLETE"
    assert problem.fix == "mlops deploy --stage governance --stack network, then this again"


def test_an_owner_that_is_there_need_not_be_deployed_again(tmp_path: Path) -> None:
    made = configured(tmp_path, {"owner": "governance"}, cloudformation=Stacks("UPDATE_COMPLETE"))
    deploy.require_owners([made], ["prod"], ())


@pytest.mark.parametrize(
    ("stages", "stacks", "expected"),
    [
        (["dev"], ["network"], {"mlops-network-dev"}),
        (["preprod", "prod"], ["targets"], {"mlops-targets-preprod", "mlops-targets-prod"}),
        (["prod"], [], {"mlops-network-prod", "mlops-targets-prod"}),
    ],
)
def test_the_result_of_a_deployment_is_what_was_deployed(
    tmp_path: Path, stages: list[str], stacks: list[str], expected: set[str]
) -> None:
    made = configured(tmp_path, None, cloudformation=Stacks("UPDATE_COMPLETE"))
    assert {each.stack for each in deploy.status([made], stages, stacks)} == expected
    assert len(deploy.status([made])) == 8


def test_what_the_cdk_deploys_with_a_chosen_stack_is_in_the_result_too(tmp_path: Path) -> None:
    made = configured(tmp_path, None)
    assert deploy._with_needed([made], [], []) == []
    assert set(deploy._with_needed([made], ["catalog"], [])) == {"catalog", "targets", "studio", "network"}
    assert deploy._with_needed([made], ["catalog"], ["--exclusively"]) == ["catalog"]
