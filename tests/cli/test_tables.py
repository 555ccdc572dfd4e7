"""Tables on a narrow screen: no id is cut, nothing is lost, numbers stay in their columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from mlops_foundation.cli import output, tables

ACCOUNT = "222222222222"
FINDINGS = ("", "where", "check", "what", "got", "expected", "fix")
FINDING = (
    "✗",
    f"dev {ACCOUNT}",
    "service",
    "endpoint cannot reach kms: the model is encrypted with the project's key",
    "there is no endpoint com.amazonaws.eu-west-1.kms",
    "an interface endpoint, or a way out of the VPC",
    f"add kms to network.endpoints, then mlops deploy; arn:aws:iam::{ACCOUNT}:role/mlops/churn/churn-execution",
)


@pytest.fixture(params=[80, 140])
def screen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Console:
    console = Console(width=request.param, highlight=False, force_terminal=True, color_system=None, record=True)
    monkeypatch.setattr(output, "out", console)
    return console


TABLES = {
    "deploy": (
        ("set", "environment", "account", "stack", "status"),
        [("default", "governance+dev", ACCOUNT, "mlops-bootstrap-policies", "UPDATE_ROLLBACK_COMPLETE")],
    ),
    "calls": (
        ("account", "workload", "name", "service", "calls", "last (UTC)"),
        [(ACCOUNT, "deploy-build", "churn-endpoint-preprod", "sagemaker.runtime", 12, "2026-11-21T16:03:55")],
    ),
    "demo": (
        ("step", "account", "as", "result", "s"),
        [("refused: register as approved", f"preprod {ACCOUNT}", "platform-engineer", "AccessDenied: a:B", "0.1")],
    ),
    "findings": (FINDINGS, [FINDING, FINDING]),
    "dry run": (
        ("account", "stack", "would", "type", "resource", "effect"),
        [(ACCOUNT, "mlops-network-preprod", "replace", "AWS::EC2::SecurityGroupIngress", "VpcEndpoint1A2B", "gone")],
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_no_account_id_is_cut_and_no_line_is_too_long(name: str, screen: Console) -> None:
    columns, rows = TABLES[name]
    output.table(columns, rows, spare=("result", "workload"))
    lines = screen.export_text().splitlines()
    assert max(map(len, lines)) <= screen.width
    assert "\n".join(lines).count(ACCOUNT) == str(rows).count(ACCOUNT)
    shown = "".join("".join(lines).split())
    if screen.width == 140 and name != "findings":
        for cell in rows[0]:
            assert "".join(str(cell).split()) in shown, cell


def test_rows_that_would_be_too_high_become_records(screen: Console) -> None:
    output.table(FINDINGS, [FINDING, FINDING], heading=3)
    lines = screen.export_text().splitlines()
    if screen.width == 80:
        assert lines[0] == f"✗ dev {ACCOUNT} service"
        assert lines[1].startswith("what      endpoint cannot reach kms")
        assert lines.count("") == 1, "between the records"
    shown = " ".join("\n".join(lines).split())
    for word in FINDING[5].split():
        assert word in shown


def test_a_column_that_says_nothing_is_left_out(screen: Console) -> None:
    output.table(FINDINGS, [("✓", f"dev {ACCOUNT}", "dns", "names are resolved", "", "", "")])
    assert screen.export_text().split() == [
        "where",
        "check",
        "what",
        "✓",
        "dev",
        ACCOUNT,
        "dns",
        *["names", "are", "resolved"],
    ]


def test_a_column_is_spared_before_rows_get_high() -> None:
    names, row = ("step", "result"), ["a step " * 4, "a long result " * 20]
    assert tables.layout(names, [row], 40, ("result",)) == tables.Layout((0,), (28,))
    assert tables.layout(names, [row], 400, ("result",)).columns == (0, 1)  # type: ignore[union-attr]


def test_numbers_keep_their_places(screen: Console) -> None:
    rows = [("NAT gateway and other things that are long " * 3, f"{35.04:>9,.2f}"), ("sum", f"{1857.55:>9,.2f}")]
    output.table(("resource", "own endpoints"), rows)
    ends = {
        len(line.rstrip()) for line in screen.export_text().splitlines() if line.rstrip().endswith(("5.04", "7.55"))
    }
    assert len(ends) == 1


@given(st.text(st.sampled_from("ab1 :/-.\n"), max_size=80), st.integers(1, 40))
def test_folding_loses_nothing_and_keeps_to_the_width(text: str, width: int) -> None:
    lines = tables.fold(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(len(line) <= width for line in lines)
