"""What cdk diff says, understood: every stack with its resources, and an answer that is not understood is an error."""

import json
from pathlib import Path

import pytest

from mlops_foundation.aws import cdk_cli
from mlops_foundation.aws.diff import Change, StackDiff, diff
from mlops_foundation.core.errors import DeployError

NETWORK = "Stack default-dev/Network (mlops-network-dev) (aws://222222222222/eu-west-1)"
STUDIO = "Stack default-dev/Studio (mlops-studio-dev) (aws://222222222222/eu-west-1)"
ANSWER = [
    NETWORK,
    "There were no differences",
    STUDIO,
    "IAM Statement Changes",
    "│ + │ ${Role.Arn} │ Allow │ sts:AssumeRole │",
    "[+] Parameter Studio/BootstrapVersion BootstrapVersion: {}",
    "Resources",
    "[-] AWS::SageMaker::UserProfile Userslea40505E6D destroy",
    "[-] AWS::KMS::Key Key orphan",
    "[+] AWS::SageMaker::UserProfile Studio/Users/leo Usersleo79CF3A76",
    "[~] AWS::EC2::VPC Network/Vpc Vpc8378EB38 replace",
    " └─ [~] CidrBlock (requires replacement)",
    "[~] AWS::EC2::Subnet Network/Subnet Subnet1 may be replaced",
    "[~] Custom::Zones Studio/Zones Zones",
    "✨  Number of stacks with differences: 1",
]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "mlops-foundation" / f"aws-cdk-{cdk_cli.version()}" / "node_modules" / "aws-cdk" / "bin" / "cdk"


def compared(cache: Path, lines: list[str], exit_code: int = 0) -> tuple[list[StackDiff], list[str]]:
    """Let a script that says these lines stand in for the CLI."""
    cache.parent.mkdir(parents=True)
    said = f"{json.dumps(lines)}.forEach(line => console.log(line))"
    cache.write_text(f"{said}; console.error(JSON.stringify(process.argv.slice(2))); process.exitCode = {exit_code}")
    heard: list[str] = []
    return diff(Path("out"), ["default-dev/*"], ["-v"], {}, heard.append), heard


def test_every_stack_is_there_with_what_would_change(cache: Path) -> None:
    (network, studio), _ = compared(cache, ANSWER)
    assert network == StackDiff("222222222222", "mlops-network-dev", differs=False)
    assert (studio.stack, studio.differs) == ("mlops-studio-dev", True)
    assert studio.changes == (
        Change("remove", "AWS::SageMaker::UserProfile", "Userslea40505E6D"),
        Change("remove", "AWS::KMS::Key", "Key", "stays behind"),
        Change("add", "AWS::SageMaker::UserProfile", "Usersleo79CF3A76"),
        Change("change", "AWS::EC2::VPC", "Vpc8378EB38", "replaced"),
        Change("change", "AWS::EC2::Subnet", "Subnet1", "may be replaced"),
        Change("change", "Custom::Zones", "Zones"),
    )


def test_nothing_is_made_to_find_out(cache: Path) -> None:
    _, heard = compared(cache, ANSWER)
    (arguments,) = [json.loads(line) for line in heard if line.startswith('["diff"')]
    assert arguments[:4] == ["diff", "--app", "out", "--method=template"]
    assert arguments[-2:] == ["-v", "default-dev/*"]


def test_an_answer_of_many_lines_is_kept_whole(cache: Path) -> None:
    many = [*ANSWER[:4], *["│ a statement │"] * 2000, *ANSWER[6:]]
    (network, studio), _ = compared(cache, many)
    assert (network.differs, len(studio.changes)) == (False, 6)


@pytest.mark.parametrize(
    ("lines", "exit_code", "what"),
    [
        ([NETWORK, "Resources", *ANSWER[-1:]], 1, "could not compare"),
        (["A stack in other words", *ANSWER[-1:]], 0, "not understood"),
        (ANSWER[:-1], 0, "not understood"),
    ],
)
def test_what_is_not_understood_is_an_error(cache: Path, lines: list[str], exit_code: int, what: str) -> None:
    with pytest.raises(DeployError, match=what):
        compared(cache, lines, exit_code)
