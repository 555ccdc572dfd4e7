"""``mlops check network`` and ``mlops local calls`` as a person and a program see them."""

import json
from pathlib import Path

import pytest

from mlops_foundation.cli.app import run
from mlops_foundation.config.endpoints import ENDPOINTS
from mlops_foundation.usecases.init import Answers, write_config


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_config(tmp_path / "mlops.yaml", Answers())
    return tmp_path


def configure(folder: Path, old: str, new: str) -> None:
    file = folder / "mlops.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_the_example_is_green_and_says_that_no_record_was_there(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", "network"]) == 0
    said = capsys.readouterr()
    assert "nothing is missing" in said.out
    assert "does not run" in said.err


def test_what_is_missing_is_a_row_with_its_fix(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(folder, "nat_gateways: 1", "nat_gateways: 0\n  endpoints: [s3, logs]")
    configure(folder, "provider: public", "provider: codeartifact")
    assert run(["check", "network", "--stage", "prod"]) == 3
    said = capsys.readouterr().out
    assert "endpoint cannot reach kms" in said
    assert "network.endpoints" in said
    assert "cannot reach logs" not in said


def test_json_has_one_shape(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "network", "--json", "--stage", "dev"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report) == {"green", "recorded", "findings"}
    assert report["green"] is True
    for finding in report["findings"]:
        assert list(finding) == ["check", "stage", "account", "status", "what", "got", "expected", "fix"]
        assert (finding["stage"], finding["account"]) == ("dev", "222222222222")


@pytest.mark.parametrize("owner", ["governance", "prod"])
def test_shared_endpoints_are_those_of_the_owner(folder: Path, capsys: pytest.CaptureFixture[str], owner: str) -> None:
    configure(folder, "nat_gateways: 1", f"nat_gateways: 0\n  shared_endpoints: {{owner: {owner}}}")
    configure(folder, "provider: public", "provider: codeartifact")
    assert run(["check", "network", "--json"]) == 0
    assert run(["check", "network", "--all"]) == 0
    assert "endpoint com.amazonaws.eu-west-1.kms" in capsys.readouterr().out
    left = ", ".join(name for name in ENDPOINTS if name != "kms")
    configure(folder, "nat_gateways: 0", f"nat_gateways: 0\n  endpoints: [{left}]")
    assert run(["check", "network", "--json"]) == 3
    report = json.loads(capsys.readouterr().out)
    red = [each for each in report["findings"] if each["status"] != "ok"]
    assert [each["stage"] for each in red] == ["dev", "preprod", "prod"]
    for each in red:
        assert each["what"].endswith("cannot reach kms")
        assert each["got"].startswith("there is no endpoint")
        assert "network.endpoints" in each["fix"]


@pytest.mark.parametrize(
    ("arguments", "code", "what"),
    [
        (["check", "network", "--stage", "test"], 2, "there is no stage test"),
        (["check", "network", "--set", "other"], 2, "there is no set other"),
        (["local", "calls"], 7, "the local cloud does not run"),
        (["local", "calls", "--since", "yesterday"], 2, "this is no time"),
    ],
)
def test_bad_input_is_one_clear_error(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, what: str
) -> None:
    assert run([*arguments, "--json"]) == code
    (error,) = json.loads(capsys.readouterr().out)["errors"]
    assert error["what"] == what
    assert error["fix"]
