"""The command line from outside: its help, its errors, its exit codes, its JSON."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = "from mlops_foundation.cli.app import main; main()"


def mlops(*arguments: str, cwd: Path, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=cwd, input=typed, capture_output=True, text=True, check=False
    )


def test_help_names_every_command_and_loads_none_of_them(tmp_path: Path) -> None:
    program = (
        "import sys; from mlops_foundation.cli.app import COMMANDS, run; code = run(['--help']); "
        "heavy = {'aws_cdk', 'boto3', 'pydantic', 'rich.markdown', 'yaml'} & set(sys.modules); "
        "print('loaded', sorted(heavy), file=sys.stderr); print(*COMMANDS, sep=',', file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    loaded, commands = done.stderr.splitlines()
    assert done.returncode == 0
    assert loaded == "loaded []"
    for name in commands.split(","):
        assert f"\n  {name} " in done.stdout


def test_every_command_can_be_loaded_and_shows_examples_in_its_help() -> None:
    from mlops_foundation.cli.app import COMMANDS, LazyCommand

    for name, command in COMMANDS.items():
        loaded = LazyCommand(name, command).load()
        parts = list(getattr(loaded, "commands", {}).values()) or [loaded]
        for each in parts:
            assert each.help, (name, each.name)


def test_init_plan_and_check(tmp_path: Path) -> None:
    assert mlops("init", "--yes", cwd=tmp_path).returncode == 0
    shown = mlops("plan", cwd=tmp_path)
    assert shown.returncode == 0
    assert "mlops-network-prod" in shown.stdout
    plan = json.loads(mlops("plan", "--json", cwd=tmp_path).stdout)
    assert [each["account"] for each in plan["sets"][0]["environments"]] == [digit * 12 for digit in "1234"]
    checked = mlops("config", "check", "--json", cwd=tmp_path)
    assert json.loads(checked.stdout)["prefix"] == "mlops"


def test_init_asks_with_the_example_as_default(tmp_path: Path) -> None:
    done = mlops("init", cwd=tmp_path, typed="acme\n" + "\n" * 10)
    assert done.returncode == 0, done.stderr
    assert "prefix: acme" in (tmp_path / "mlops.yaml").read_text()
    for said in ("714.23", "1,857.55", "which means"):
        assert said in done.stdout


def test_init_takes_the_cheapest_private_network_and_says_so(tmp_path: Path) -> None:
    done = mlops("init", "--yes", cwd=tmp_path)
    assert "  shared_endpoints: {owner: governance}" in (tmp_path / "mlops.yaml").read_text().splitlines()
    assert re.search(r"→\s+shared\s+714\.23", done.stdout)
    chosen = json.loads(mlops("init", "--yes", "--force", "--endpoints", "own", "--json", cwd=tmp_path).stdout)
    assert chosen["endpoints"] == "own"
    assert [each["answer"] for each in chosen["endpoints_choices"]] == ["shared", "own", "s3"]
    assert "\n  # shared_endpoints:" in (tmp_path / "mlops.yaml").read_text()


def test_init_twice_is_an_error_with_its_fix(tmp_path: Path) -> None:
    mlops("init", "--yes", cwd=tmp_path)
    done = mlops("init", "--yes", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "mlops init --force" in done.stderr
    assert "Traceback" not in done.stderr
    assert mlops("init", "--yes", "--force", cwd=tmp_path).returncode == 0


def test_commands_find_the_platform_from_a_folder_below(tmp_path: Path) -> None:
    mlops("init", "--yes", cwd=tmp_path)
    below = tmp_path / "churn-build" / "pipeline"
    below.mkdir(parents=True)
    assert mlops("plan", "--json", cwd=below).stdout == mlops("plan", "--json", cwd=tmp_path).stdout
    status = json.loads(mlops("local", "status", "--json", cwd=below).stdout)
    assert status["state_dir"] == "../../.mlops"
    named = mlops("plan", "-c", "mlops.yaml", cwd=below)
    assert named.returncode == 2, "what is named is not searched for"


def test_a_platform_inside_another_is_made_only_by_force(tmp_path: Path) -> None:
    mlops("init", "--yes", cwd=tmp_path)
    below = tmp_path / "churn-build"
    below.mkdir()
    done = mlops("init", "--yes", cwd=below)
    assert done.returncode == 2
    assert str(tmp_path / "mlops.yaml") in done.stderr
    assert not list(below.iterdir())
    assert mlops("init", "--yes", "-c", "team/mlops.yaml", cwd=below).returncode == 0
    before = (tmp_path / "mlops.yaml").stat().st_mtime_ns
    assert mlops("init", "--yes", "--force", cwd=below).returncode == 0
    assert (below / "mlops.yaml").exists()
    assert (tmp_path / "mlops.yaml").stat().st_mtime_ns == before


@pytest.mark.parametrize("arguments", [["plan"], ["plan", "-c", "other.yaml"]])
def test_without_a_configuration_both_ways_out_are_named(tmp_path: Path, arguments: list[str]) -> None:
    done = mlops(*arguments, "--json", cwd=tmp_path)
    assert done.returncode == 2
    (error,) = json.loads(done.stdout)["errors"]
    assert error["where"] == ("other.yaml" if len(arguments) > 1 else str(tmp_path))
    for way in ("--config", "MLOPS_CONFIG", "mlops init"):
        assert way in error["fix"]


def test_errors_have_one_json_shape(tmp_path: Path) -> None:
    (tmp_path / "mlops.yaml").write_text("regon: eu-west-1\nsets: []\ntags: {CostCenter: 1}\n")
    done = mlops("plan", "--json", cwd=tmp_path)
    assert done.returncode == 2
    errors = json.loads(done.stdout)["errors"]
    assert len(errors) == 3
    for error in errors:
        assert list(error) == ["code", "what", "where", "got", "expected", "fix"]
        assert error["where"].startswith("mlops.yaml:")


def test_a_plan_error_has_its_own_exit_code(tmp_path: Path) -> None:
    mlops("init", "--yes", cwd=tmp_path)
    text = (tmp_path / "mlops.yaml").read_text().replace("nat_gateways: 1", "nat_gateways: 0")
    (tmp_path / "mlops.yaml").write_text(text)
    done = mlops("plan", cwd=tmp_path)
    assert done.returncode == 3
    assert "package index" in done.stderr


def test_an_unknown_command_says_so(tmp_path: Path) -> None:
    done = mlops("plna", cwd=tmp_path)
    assert done.returncode == 2
    assert "plna" in done.stderr
    assert "Traceback" not in done.stderr


def test_plan_shows_what_another_configuration_changes(tmp_path: Path) -> None:
    mlops("init", "--yes", cwd=tmp_path)
    (tmp_path / "old.yaml").write_text((tmp_path / "mlops.yaml").read_text().replace("444444444444", "333333333333"))
    done = mlops("plan", "--compare", "old.yaml", cwd=tmp_path)
    assert "+ default prod 444444444444 eu-west-1 network mlops-network-prod" in done.stdout
    assert mlops("plan", "--compare", "mlops.yaml", cwd=tmp_path).stdout == "no change\n"


@pytest.mark.parametrize("arguments", [["synth", "-o", "out"], ["synth", "-o", "out", "--json"]])
def test_synth_writes_an_assembly(tmp_path: Path, arguments: list[str]) -> None:
    mlops("init", "--yes", cwd=tmp_path)
    done = mlops(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "manifest.json").is_file()
    assert (tmp_path / "out" / "products" / "default" / "realtime.template.json").is_file()
    if "--json" in arguments:
        assert len(json.loads(done.stdout)["bootstrap"]) == 4


def test_the_schema_is_printed(tmp_path: Path) -> None:
    done = mlops("config", "schema", cwd=tmp_path)
    assert json.loads(done.stdout)["$schema"].startswith("https://json-schema.org/")


def test_plan_shows_what_a_month_without_use_costs_in_both_modes(tmp_path: Path) -> None:
    mlops("init", "--yes", "--endpoints", "own", cwd=tmp_path)
    found = json.loads(mlops("plan", "--cost", "--json", cwd=tmp_path).stdout)
    (only,) = found["sets"]
    own, shared = only["modes"]
    assert only["configured"] == "own"
    assert only["difference"] == round(shared["monthly"] - own["monthly"], 2)
    assert shared["shared_endpoints"]["owner"] == "governance"
    assert own["monthly"] == round(sum(each["monthly"] for each in own["accounts"]), 2)
    (nat,) = [each for each in own["accounts"][3]["resources"] if each["resource"] == "nat_gateway"]
    assert nat == {
        "resource": "nat_gateway",
        "detail": "",
        "count": 1,
        "unit": "hour",
        "usd_per_unit": 0.048,
        "monthly": 35.04,
    }
    shown = mlops("plan", "--cost", cwd=tmp_path)
    assert shown.returncode == 0
    assert f"{own['monthly']:,.2f}" in shown.stdout
    assert f"{shared['monthly']:,.2f}" in shown.stdout
    assert f"{-only['difference']:,.2f} a month less" in shown.stdout
    assert shown.stdout.count("333333333333") == 1
    assert all(each in shown.stderr for each in found["not_included"])


def test_plan_has_no_figures_for_a_region_without_prices(tmp_path: Path) -> None:
    mlops("init", "--yes", cwd=tmp_path)
    config = tmp_path / "mlops.yaml"
    config.write_text(config.read_text().replace("region: eu-west-1", "region: eu-west-3"))
    done = mlops("plan", "--cost", "--json", cwd=tmp_path)
    assert done.returncode == 3
    (problem,) = json.loads(done.stdout)["errors"]
    assert problem["got"] == "eu-west-3"
    assert "eu-central-1" in problem["expected"]


def test_plan_shows_either_figures_or_changes(tmp_path: Path) -> None:
    mlops("init", "--yes", cwd=tmp_path)
    done = mlops("plan", "--cost", "--compare", "mlops.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "--cost and --compare do not go together" in done.stderr


def test_colors_go_away_when_asked_and_in_a_pipe(tmp_path: Path) -> None:
    mlops("init", "--yes", cwd=tmp_path)
    assert "\x1b[" not in mlops("plan", cwd=tmp_path).stdout
