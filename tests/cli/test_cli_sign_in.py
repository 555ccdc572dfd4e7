"""``mlops links``, ``mlops config credentials`` and ``mlops init --from`` from outside."""

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = "from mlops_foundation.cli.app import main; main()"
ACCOUNTS = {
    "SET_NAME": "first-example",
    "DEV_ACCOUNT": "222222222222",
    "PREPROD_ACCOUNT": "333333333333",
    "PROD_ACCOUNT": "444444444444",
}


def mlops(*arguments: str, cwd: Path, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=cwd, input=typed, capture_output=True, text=True, check=False
    )


def test_accounts_become_a_configuration_with_its_links_and_profiles(tmp_path: Path) -> None:
    (tmp_path / "accounts.json").write_text(json.dumps(ACCOUNTS))
    (tmp_path / "constants.py").write_text('PIPELINE_ACCOUNT = "111111111111"\n')
    done = mlops("init", "--from", "accounts.json", "--yes", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert mlops("config", "check", cwd=tmp_path).returncode == 0
    links = json.loads(mlops("links", "--json", cwd=tmp_path).stdout)["links"]
    assert {each["account"] for each in links} == {"111111111111", "222222222222"}
    shown = mlops("links", cwd=tmp_path)
    for each in links:
        assert each["link"] in shown.stdout, "in one piece, to be copied"
    assert "list them in sign_in.principals" in shown.stderr
    template = mlops("config", "credentials", cwd=tmp_path).stdout
    assert "[profile mlops-prod]" in template
    keys = mlops("config", "credentials", "--form", "keys", cwd=tmp_path).stdout
    assert "aws_secret_access_key = <secret access key>" in keys
    assert (
        json.loads(mlops("config", "credentials", "--json", cwd=tmp_path).stdout)["template"]
        == template.rstrip("\n") + "\n"
    )


def test_init_from_a_file_asks_for_what_it_does_not_say(tmp_path: Path) -> None:
    (tmp_path / "accounts.json").write_text(json.dumps(ACCOUNTS))
    done = mlops("init", "--from", "accounts.json", cwd=tmp_path, typed="acme\n\n111111111111\n\n\n\n\n\n")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "mlops.yaml").read_text()
    assert "prefix: acme" in text
    assert 'governance: "111111111111"' in text
    assert "Account id of dev" not in done.stdout


def test_a_broken_accounts_file_is_an_error_with_its_line_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "accounts.json").write_text(json.dumps({**ACCOUNTS, "DEV_ACCOUNT": ""}, indent=1))
    done = mlops("init", "--from", "accounts.json", "--yes", cwd=tmp_path)
    assert done.returncode == 2
    assert "accounts.json:3" in done.stderr
    assert not (tmp_path / "mlops.yaml").exists()
