"""The commands of the daily work: help with examples, errors of one shape, exit codes, text and JSON of one result."""

import dataclasses
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlops_foundation.cli import output
from mlops_foundation.cli.app import COMMANDS, LazyCommand, run
from mlops_foundation.core.errors import UserCodeError
from mlops_foundation.templates import TEMPLATES
from mlops_foundation.usecases import (
    comparison,
    endpoints,
    executions,
    models,
    pipelines,
    project_remains,
    projects,
    rejection,
    workspace,
)
from mlops_foundation.usecases.build_logs import Part
from mlops_foundation.usecases.init import Answers, write_config
from mlops_foundation.usecases.training import Step

WITHOUT_JSON = {"config schema"}


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command with its full name: ``local start``."""
    for name, command in COMMANDS.items():
        loaded = LazyCommand(name, command).load()
        group = getattr(loaded, "commands", None)
        if group is None:
            yield name, loaded
        else:
            yield from ((f"{name} {each}", part) for each, part in group.items())


ALL = dict(commands())
WORKING = {
    "project create": ["churn", "--cost-center", "1"],
    "project list": [],
    "project describe": ["churn"],
    "project delete": ["churn", "--yes"],
    "project purge": ["churn", "--yes"],
    "model list": ["churn"],
    "model describe": ["churn"],
    "model approve": ["churn"],
    "model reject": ["churn", "3"],
    "model compare": ["churn", "1", "2"],
    "status": [],
    "endpoint logs": ["churn"],
    "pipeline list": ["churn"],
    "pipeline watch": ["churn", "build"],
    "pipeline approve": ["churn", "prod"],
    "pipeline reject": ["churn", "prod"],
    "pipeline logs": ["churn"],
    "pipeline start": ["churn"],
    "pipeline stop": ["churn"],
    "pipeline retry": ["churn"],
    "pipeline history": ["churn"],
    "endpoint list": ["churn"],
    "endpoint invoke": ["churn"],
    "check accounts": [],
    "bootstrap": [],
    "deploy": [],
    "local env": [],
}


@pytest.fixture(autouse=True)
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration and no running cloud."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLOPS_TARGET", "MLOPS_STATE_DIR", "MLOPS_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    write_config(tmp_path / "mlops.yaml", Answers())
    return tmp_path


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the output go where the test looks: rich keeps the stream it was made with."""
    monkeypatch.setattr(output, "out", output._console(stderr=False))
    monkeypatch.setattr(output, "err", output._console(stderr=True))


@pytest.mark.parametrize("name", ALL)
def test_the_help_of_every_command_has_an_example_that_runs_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*name.split(), "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert re.search(rf"Examples?: .*mlops {name}\b", shown), shown


@pytest.mark.parametrize("name", [name for name in ALL if name not in WITHOUT_JSON])
def test_every_command_can_answer_in_json(name: str) -> None:
    options = {option for parameter in ALL[name].params for option in parameter.opts}
    assert "--json" in options


@pytest.mark.parametrize("name", [name for name in ALL if name not in {"init", "demo"}])
def test_the_options_of_an_example_exist(name: str) -> None:
    options = {option for parameter in ALL[name].params for option in (*parameter.opts, *parameter.secondary_opts)}
    own_examples = [part for part in ALL[name].epilog.split("|") if f"mlops {name}" in part]
    used = {option for part in own_examples for option in re.findall(r"(?<=\s)--?[a-z][a-z-]*", part)}
    passed_through = {"-v"} if name == "deploy" else set()
    of_other_programs = {"-c"} if name == "local runtime" else set()
    assert used <= options | passed_through | of_other_programs


@pytest.mark.parametrize("name", WORKING)
def test_without_a_running_cloud_every_command_says_the_same(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*name.split(), *WORKING[name], "--json"]) == 7
    shown = capsys.readouterr()
    (error,) = json.loads(shown.out)["errors"]
    assert list(error) == ["code", "what", "where", "got", "expected", "fix"]
    assert error["code"] == "LocalCloudError"
    assert error["fix"] == "mlops local start"
    assert shown.err == ""


@pytest.mark.parametrize("name", WORKING)
def test_without_a_configuration_every_command_says_the_same(
    name: str, configured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (configured / "mlops.yaml").unlink()
    code = run([*name.split(), *WORKING[name]])
    shown = capsys.readouterr()
    assert shown.out == ""
    # Who asks for credentials of a cloud that does not run learns that first.
    assert (code, "mlops init" in shown.err) == ((7, False) if name == "local env" else (2, True))


def test_working_commands_are_all_there() -> None:
    options = {name: {option for each in command.params for option in each.opts} for name, command in ALL.items()}
    # A network that the platform makes is checked as planned: that needs no cloud.
    assert {name for name in ALL if "--target" in options[name]} | {"local env"} == {*WORKING, "check network"}


# --- local ------------------------------------------------------------------------------------------------------------


def test_local_status_says_by_its_exit_code_that_nothing_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["local", "status", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "running": False,
        "state_dir": ".mlops",
        "pid": 0,
        "endpoint_url": "",
        "unsaved": {},
    }
    assert run(["local", "status"]) == 1
    assert "mlops local start" in capsys.readouterr().out


def test_local_stop_of_nothing_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["local", "stop"]) == 0
    assert "it did not run" in capsys.readouterr().out


def test_local_reset_asks_first_and_removes_the_state(
    configured: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    state = configured / ".mlops"
    state.mkdir()
    (state / "records.sqlite").write_text("")
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    assert run(["local", "reset"]) == 1
    assert state.exists()
    assert run(["local", "reset", "--yes"]) == 0
    assert not state.exists()
    assert "everything is gone" in capsys.readouterr().out


def test_local_logs_are_the_last_lines(configured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (configured / ".mlops").mkdir()
    (configured / ".mlops" / "cloud.log").write_text("one\ntwo\nthree\n")
    assert run(["local", "logs", "--lines", "2"]) == 0
    assert capsys.readouterr().out == "two\nthree\n"


@pytest.mark.parametrize("port", ["80", "70000", "x"])
def test_a_port_that_cannot_be_is_refused_by_the_option(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["local", "start", "--port", port]) == 2
    assert "--port" in capsys.readouterr().err


def test_an_image_without_a_runtime_is_an_error_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["local", "runtime", "nobody/knows:1", "--json"]) == 7
    (error,) = json.loads(capsys.readouterr().out)["errors"]
    assert error["where"] == "nobody/knows:1"
    assert "scikit-learn" in error["expected"]


# --- work: what a use case returns, as text and as JSON ---------------------------------------------------------------


class FakeWorkspace:
    """Who acts is whose task it is."""

    plan = SimpleNamespace(templates=TEMPLATES)

    def persona(self, asked: str, usual: str) -> str:
        return asked or usual

    def project(self, name: str) -> Any:
        from mlops_foundation.core.names import ProjectNames

        return ProjectNames("mlops", name)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Let commands work without a cloud; return what they asked the workspace to be."""
    asked: list[dict[str, Any]] = []

    def open_workspace(**where: Any) -> FakeWorkspace:
        asked.append(where)
        return FakeWorkspace()

    monkeypatch.setattr(workspace, "open_workspace", open_workspace)
    return asked


def test_where_and_as_whom_is_the_same_for_every_command(
    opened: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    personas: list[str] = []
    monkeypatch.setattr(models, "list_versions", lambda where, project, persona: personas.append(persona) or [])
    where = ["--set", "team-b", "--target", "aws", "--state-dir", "s", "-c", "other.yaml"]
    assert run(["model", "list", "churn", *where, "--role", "auditor"]) == 0
    assert run(["model", "list", "churn"]) == 0
    assert opened[0] == {
        "set_name": "team-b",
        "target": "aws",
        "config_file": Path("other.yaml"),
        "state_dir": Path("s"),
        "project": "churn",
    }
    assert opened[1]["target"] == "local"
    assert personas == ["auditor", "data-scientist"]


@pytest.mark.usefixtures("opened")
def test_versions_are_a_table_or_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = models.Version("arn:1", 1, "Approved", "2024-05-06T07:08:09+00:00", {"accuracy": 0.97}, {"image": "[i]"})
    monkeypatch.setattr(models, "list_versions", lambda *_: [found])
    monkeypatch.setattr(models, "describe", lambda *_: found)
    run(["model", "list", "churn"])
    assert capsys.readouterr().out.split() == ["version", "status", "created", "1", "Approved", "2024-05-06T07:08:09"]
    run(["model", "describe", "churn", "1"])
    shown = capsys.readouterr().out
    assert "0.9700" in shown
    assert "[i]" in shown
    run(["model", "describe", "churn", "--json"])
    assert json.loads(capsys.readouterr().out) == found.as_dict()


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize(
    ("arguments", "persona"),
    [
        (["model", "approve"], "lead"),
        (["model", "reject"], "lead"),
        (["model", "approve", "--role", "auditor"], "auditor"),
    ],
)
def test_a_decision_is_taken_by_whose_task_it_is(
    arguments: list[str], persona: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    decided: list[Any] = []

    def decide(*asked: Any) -> models.Version:
        decided.append(asked[1:])
        return models.Version("arn:3", 3, asked[3], "2024")

    monkeypatch.setattr(models, "decide", decide)
    monkeypatch.setattr(rejection, "warnings", lambda *_: [])
    group, verb, *options = arguments
    assert run([group, verb, "churn", "3", "-m", "because", *options]) == 0
    assert decided == [("churn", "3", {"approve": "Approved", "reject": "Rejected"}[verb], "because", persona)]


def state(status: str, *stages: pipelines.StageState, reason: str = "") -> pipelines.PipelineState:
    return pipelines.PipelineState("churn_deploy_pipeline", "e1", status, reason, "2024", stages)


DECIDED = pipelines.Decision("e1", "version 1", "prod", approved=True, behind="version 2 (execution e2)")
APPROVAL = pipelines.StageState("ApproveProd", "InProgress", "e1", (pipelines.Action("Approve", "Waiting", token="t"),))


@pytest.mark.usefixtures("opened")
def test_watching_ends_with_what_to_do_next(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pipelines, "watch", lambda *_, **__: iter([state("InProgress", APPROVAL)]))
    assert run(["pipeline", "watch", "churn", "deploy"]) == 0
    shown = capsys.readouterr().out
    assert "? Approve" in shown
    assert "mlops pipeline approve churn prod" in shown
    run(["pipeline", "watch", "churn", "deploy", "--json"])
    assert json.loads(capsys.readouterr().out)["stages"][0]["name"] == "ApproveProd"


@pytest.mark.usefixtures("opened")
def test_a_failed_execution_is_exit_code_8_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        raise UserCodeError("Build/Train failed: ValueError: no such column")

    monkeypatch.setattr(pipelines, "watch", lambda *_, **__: iter([state("Failed")]))
    monkeypatch.setattr(pipelines, "check", fail)
    assert run(["pipeline", "watch", "churn"]) == 8
    assert "UserCodeError: Build/Train failed: ValueError: no such column" in capsys.readouterr().err


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize(("stage", "persona"), [("preprod", "lead"), ("prod", "approver-prod")])
@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_each_stage_has_its_approver(
    stage: str, persona: str, verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(pipelines, "put_approval", lambda *_, **given: asked.update(given) or DECIDED)
    monkeypatch.setattr(rejection, "of_execution", lambda *given: [f"dev goes on serving {given[2].subject}"])
    assert run(["pipeline", verb, "churn", stage, "--json"]) == 0
    assert (asked["approve"], asked["persona"]) == (verb == "approve", persona)
    shown = json.loads(capsys.readouterr().out)
    assert (shown["execution"], shown["subject"], shown["behind"]) == ("e1", "version 1", "version 2 (execution e2)")
    assert run(["pipeline", verb, "churn", stage, "--execution", "e1"]) == 0
    captured = capsys.readouterr()
    told = captured.out
    assert ("dev goes on serving version 1" in captured.out + captured.err) is (verb == "reject")
    assert asked["execution_id"] == "e1"
    assert "churn version 1 (execution e1)" in told
    assert "behind it comes version 2 (execution e2)" in told


@pytest.mark.usefixtures("opened")
def test_who_blocks_whom_is_said_with_the_command_that_ends_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = "mlops pipeline approve churn preprod"
    wait = pipelines.Wait("ApprovePreprod", "e1", "version 1", approval=True, reason="2 behind 1", command=command)
    now = dataclasses.replace(state("InProgress"), subject="version 2", wait=wait)
    monkeypatch.setattr(pipelines, "watch", lambda *_, **__: iter([now]))
    assert run(["pipeline", "watch", "churn", "deploy"]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["2 behind 1", f"  {command}"]
    assert run(["pipeline", "watch", "churn", "deploy", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["wait"]["command"] == command


@pytest.mark.usefixtures("opened")
def test_a_superseded_execution_leads_to_the_one_that_took_its_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = dataclasses.replace(state("Superseded", reason="superseded by version 3"), superseded_by="0a1b2c3d4e5f")
    asked: dict[str, Any] = {}
    monkeypatch.setattr(pipelines, "watch", lambda *_, **given: asked.update(given) or iter([now]))
    assert run(["pipeline", "watch", "churn", "deploy", "--execution", "e2"]) == 0
    assert asked == {"execution_id": "e2"}
    shown = capsys.readouterr().out.splitlines()
    assert shown[-2:] == ["superseded by version 3", "  mlops pipeline watch churn deploy --execution 0a1b2c3d"]


@pytest.mark.usefixtures("opened")
def test_watch_shows_the_steps_of_the_training_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = (Step("Preprocess", "Succeeded", 4.2, "569 rows"), Step("Train", "InProgress", 3.0, "epoch [1] " * 30))
    build = pipelines.StageState("Build", "InProgress", "e1", (pipelines.Action("Build", steps=steps),))
    monkeypatch.setattr(pipelines, "watch", lambda *_, **__: iter([state("InProgress", build)]))
    assert run(["pipeline", "watch", "churn", "build"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert any("✓ Preprocess  4 s  569 rows" in line for line in shown)
    (train,) = [line for line in shown if "● Train  3 s  epoch [1]" in line]
    assert train.rstrip().endswith("…")
    assert run(["pipeline", "watch", "churn", "build", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["stages"][0]["actions"][0]["steps"]
    assert [each["name"] for each in found] == ["Preprocess", "Train"]


@pytest.mark.usefixtures("opened")
def test_logs_are_those_of_the_stage_or_the_job_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []

    def logs(*given: Any, **options: Any) -> Iterator[tuple[str, str]]:
        asked.append((given[-1], options))
        return iter([("Scan/Run", "[a] line"), ("Scan/Run", "another")])

    monkeypatch.setattr(pipelines, "logs", logs)
    run(["pipeline", "logs", "churn", "deploy", "--stage", "scan", "-f"])
    assert capsys.readouterr().out == "Scan/Run\n[a] line\nanother\n"
    run(["pipeline", "logs", "churn", "build", "--job", "Train", "--execution", "e1", "--json"])
    assert json.loads(capsys.readouterr().out) == {"Scan/Run": ["[a] line", "another"]}
    assert asked == [
        (Part("scan", ""), {"execution_id": "", "follow": True}),
        (Part("", "Train"), {"execution_id": "e1", "follow": False}),
    ]


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize("verb", ["start", "stop", "retry"])
@pytest.mark.parametrize(("kind", "persona"), [("build", "data-scientist"), ("deploy", "lead")])
def test_pipelines_are_started_stopped_and_retried_by_whose_task_it_is(
    verb: str, kind: str, persona: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []
    answers = {"start": "0a1b2c3d4e5f", "stop": state("Stopping"), "retry": (state("InProgress"), "Build")}
    monkeypatch.setattr(executions, verb, lambda *given, **_: asked.append(given[1:4]) or answers[verb])
    assert run(["pipeline", verb, "churn", kind]) == 0
    assert asked == [("churn", kind, persona)]
    assert capsys.readouterr().out.startswith("✓ churn")
    assert run(["pipeline", verb, "churn", kind, "--json"]) == 0
    json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("opened")
def test_history_fits_80_columns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    one = executions.Execution(
        "0a1b2c3d-0000", "commit 0a1b2c3d", "approval", "Superseded", "2026-11-21T16:04:00+00:00", 1234.5
    )
    monkeypatch.setattr(executions, "history", lambda *_: [one])
    assert run(["pipeline", "history", "churn", "deploy"]) == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[1].split() == [
        "0a1b2c3d", "commit", "0a1b2c3d", "Superseded", "2026-11-21T16:04", "1234", "s", "approval"
    ]  # fmt: skip
    assert max(map(len, shown.splitlines())) <= 80
    assert run(["pipeline", "history", "churn", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [one.as_dict()]


@pytest.mark.usefixtures("opened")
def test_a_tag_without_a_value_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["project", "create", "churn", "--cost-center", "1", "--tag", "team", "--json"]) == 2
    (error,) = json.loads(capsys.readouterr().out)["errors"]
    assert (error["where"], error["got"], error["expected"]) == ("--tag", "team", "key=value")


@pytest.mark.usefixtures("opened")
def test_a_project_is_created_as_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []

    def create(where: Any, new: projects.NewProject, persona: str, report: Any) -> projects.Project:
        asked.extend((new, persona))
        return projects.Project("churn", "p-1", "CreateCompleted", "", "2024")

    monkeypatch.setattr(projects, "create", create)
    assert run(["project", "create", "churn", "--cost-center", "4711", "--tag", "team=a=b", "--tag", "x="]) == 0
    assert asked == [projects.NewProject("churn", "4711", tags={"team": "a=b", "x": ""}), "admin"]
    assert "mlops pipeline watch churn build" in capsys.readouterr().out


def test_a_project_needs_a_cost_center(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["project", "create", "churn"]) == 2
    assert "--cost-center" in capsys.readouterr().err


@pytest.mark.usefixtures("opened")
def test_an_endpoint_is_asked_what_the_file_says(
    configured: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (configured / "rows.csv").write_bytes(b"1,2\n")
    asked: list[Any] = []
    monkeypatch.setattr(endpoints, "invoke", lambda *given: asked.append(given[1:]) or "[0.9]")
    assert run(["endpoint", "invoke", "churn", "--stage", "dev", "--file", "rows.csv", "--role", "r"]) == 0
    assert asked == [("churn", "dev", b"1,2\n", "text/csv", "application/json", "r")]
    assert capsys.readouterr().out == "[0.9]\n"


@pytest.mark.usefixtures("opened")
def test_an_unknown_stage_is_refused_before_anything_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["endpoint", "invoke", "churn", "--stage", "production"]) == 2
    assert "one of dev, preprod, prod" in capsys.readouterr().err


def of_churn(*, foreign: bool = False) -> project_remains.Remain:
    return project_remains.Remain("bucket", "churn-222222222222", "222222222222", "3 object versions", foreign=foreign)


@pytest.fixture
def deleting(monkeypatch: pytest.MonkeyPatch, opened: Any) -> list[str]:
    """What deleting a project does, written down."""
    did: list[str] = []
    monkeypatch.setattr(projects, "describe", lambda *_: None)
    monkeypatch.setattr(projects, "require_deleted", lambda *_: None)
    monkeypatch.setattr(projects, "delete", lambda *_: did.append("deleted"))
    monkeypatch.setattr(project_remains, "find", lambda *_: [of_churn(), of_churn(foreign=True)])

    def purge(where: Any, name: str, remains: Any, report: Any) -> list[project_remains.Remain]:
        did.append("purged")
        return [each for each in remains if not each.foreign]

    monkeypatch.setattr(project_remains, "purge", purge)
    return did


@pytest.mark.parametrize(
    ("arguments", "answers", "done"),
    [
        (["delete", "churn", "--yes"], "", ["deleted"]),
        (["delete", "churn", "--yes", "--purge"], "", ["deleted", "purged"]),
        (["delete", "churn", "--dry-run"], "", []),
        (["delete", "churn"], "y\ny\n", ["deleted", "purged"]),
        (["delete", "churn"], "n\ny\n", ["deleted"]),
        (["delete", "churn"], "y\nn\n", []),
        (["delete", "churn", "--keep-data"], "y\n", ["deleted"]),
        (["purge", "churn", "--yes"], "", ["purged"]),
        (["purge", "churn", "--dry-run"], "", []),
        (["purge", "churn"], "n\n", []),
    ],
)
def test_data_is_deleted_only_when_it_is_said(
    deleting: list[str], arguments: list[str], answers: str, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answers))
    run(["project", *arguments])
    assert deleting == done


def test_what_would_be_gone_is_listed_and_what_is_not_the_projects_own_stays(
    deleting: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["project", "purge", "churn", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "3 object versions" in shown
    assert "stays: not this project's" in shown
    assert run(["project", "delete", "churn", "--dry-run", "--json"]) == 0
    assert [each["kind"] for each in json.loads(capsys.readouterr().out)["would_purge"]] == ["bucket"]
    assert run(["project", "delete", "churn", "--purge", "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data"] == "purged"


@pytest.mark.usefixtures("opened")
def test_rejecting_what_a_stage_serves_warns_and_asks_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    decided: list[Any] = []
    rejected = models.Version("arn:3", 3, "Rejected", "2024")
    monkeypatch.setattr(models, "decide", lambda *asked: decided.append(asked) or rejected)
    monkeypatch.setattr(rejection, "warnings", lambda *_: ["prod serves version 3"])
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    assert run(["model", "reject", "churn", "3"]) != 0
    assert decided == []
    assert "warning: prod serves version 3" in capsys.readouterr().err
    assert run(["model", "reject", "churn", "3", "--yes"]) == 0
    assert "warning: prod serves version 3" in capsys.readouterr().err
    assert run(["model", "reject", "churn", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == ["prod serves version 3"]
    assert len(decided) == 2


@pytest.mark.usefixtures("opened")
def test_a_comparison_fits_80_columns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = (models.Version(f"a/{number}", number, "Approved", "2024") for number in (1, 2))
    artifacts = (f"s3://churn-222222222222/churn-training/models/churn-train-{'x' * 30}/{name}" for name in "ab")
    found = comparison.Comparison(
        one,
        other,
        (comparison.Figure("accuracy", 0.9, 0.95), comparison.Figure("auc", None, 1.0)),
        (
            comparison.Property("version", "artifact", *artifacts),
            comparison.Property("version", "image", "1.dkr.ecr.eu-west-1.amazonaws.com/sk:1", "x.dkr.ecr.y/sk:2"),
            comparison.Property("parameter", "c", "1.0", "1.0"),
        ),
    )
    monkeypatch.setattr(comparison, "compare", lambda *_: found)
    monkeypatch.setattr(output.out, "width", 80)
    assert run(["model", "compare", "churn", "1", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    shown = [line.split() for line in lines]
    assert ["accuracy", "0.9000", "0.9500", "+0.0500"] in shown
    assert ["image", "sk:1", "sk:2"] in shown
    assert ["c", "1.0", "="] in shown
    assert run(["model", "compare", "churn", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"][1]["difference"] is None


@pytest.mark.usefixtures("opened")
def test_an_endpoints_log_is_printed_line_by_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(endpoints, "logs", lambda *given, **how: asked.append((given[1:], how)) or iter(["[1]", "2"]))
    assert run(["endpoint", "logs", "churn", "--stage", "dev", "-f", "--lines", "2"]) == 0
    assert capsys.readouterr().out == "[1]\n2\n"
    assert asked == [(("churn", "dev", ""), {"lines": 2, "follow": True})]
    assert run(["endpoint", "logs", "churn", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"endpoint": "churn-prod", "lines": ["[1]", "2"]}
