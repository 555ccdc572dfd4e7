"""State is saved within a second of a change, beside requests that change it; a failure is seen and tried again."""

import copy
import importlib
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ministack.core.responses import AccountRegionScopedDict, request_scope

from mlops_foundation.local.adapter import saving
from mlops_foundation.local.adapter.saving import QuickCopy, Saver


class Service:
    """State of a service whose reading fails some times."""

    def __init__(self, failures: int = 0, error: type[Exception] = RuntimeError) -> None:
        self.state: dict[str, Any] = {}
        self.failures = failures
        self.error = error

    def get_state(self) -> dict[str, Any]:
        if self.failures:
            self.failures -= 1
            raise self.error("dictionary changed size during iteration")
        return {"things": dict(self.state)}


def saver(folder: Path, **services: Service) -> Saver:
    return Saver(lambda: {name: each.get_state for name, each in services.items()}, lambda: folder)


def saved(folder: Path, service: str) -> Any:
    return json.loads((folder / f"{service}.json").read_text())["payload"]["things"]


def within(seconds: float, right: Callable[[], bool]) -> float:
    """Wait until something is so, and return how long it took."""
    started = time.monotonic()
    while not right():
        assert time.monotonic() - started < seconds, f"not so within {seconds} s"
        time.sleep(0.01)
    return time.monotonic() - started


def test_every_change_of_many_is_on_disk_within_a_second(tmp_path: Path) -> None:
    service = Service()
    made = saver(tmp_path, one=service)
    made.start()
    for number in range(4):
        service.state["last"] = number
        made.changed()
        within(1.0, lambda number=number: (tmp_path / "one.json").exists() and saved(tmp_path, "one")["last"] == number)
    made.stop()


def test_a_failed_save_is_tried_again_without_a_further_change_and_is_seen(tmp_path: Path, caplog: Any) -> None:
    broken, whole = Service(failures=7, error=OSError), Service()
    made = saver(tmp_path, broken=broken, whole=whole)
    made.save()
    assert made.unsaved == {"broken": "OSError: dictionary changed size during iteration"}
    assert saved(tmp_path, "whole") == {}
    made.start()
    within(6.0, lambda: not made.unsaved)
    assert saved(tmp_path, "broken") == {}
    made.stop()
    said = [record.getMessage() for record in caplog.records]
    assert len([line for line in said if "could not be saved" in line]) == 1
    assert said[-1] == "the state of broken is saved again"


def test_a_change_in_the_middle_of_a_save_is_no_failure(tmp_path: Path) -> None:
    made = saver(tmp_path, one=Service(failures=3))
    made.save()
    assert made.unsaved == {}
    assert saved(tmp_path, "one") == {}


def test_copies_are_made_beside_changes(tmp_path: Path) -> None:
    scoped = AccountRegionScopedDict()
    with request_scope("222222222222", "eu-west-1"):
        scoped["kept"] = {"list": [1, {"deep": b"x"}], "set": {1}, "tuple": (1, "a")}
        scoped["busy"] = {}
    busy, ended = scoped._data[next(key for key in scoped._data if key[-1] == "busy")], threading.Event()

    def change() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            busy[number] = {"value": number}
            busy.pop(number - 5000, None)

    changing = threading.Thread(target=change)
    changing.start()
    try:
        copies = [QuickCopy.deepcopy(scoped) for _ in range(100)]
    finally:
        ended.set()
        changing.join()
    with request_scope("222222222222", "eu-west-1"):
        assert copies[-1]["kept"] == scoped["kept"]
        assert copies[-1]["kept"]["list"] is not scoped["kept"]["list"]
        assert isinstance(copies[-1], AccountRegionScopedDict)


def test_what_is_no_tree_of_plain_values_is_copied_as_python_does_it() -> None:
    class Thing:
        def __init__(self) -> None:
            self.inner = [1]

    thing = Thing()
    made = QuickCopy.deepcopy({"thing": thing})["thing"]
    assert made is not thing
    assert made.inner == [1]
    assert made.inner is not thing.inner


@pytest.mark.parametrize("name", ["cloudformation", "cloudwatch_logs", "ec2", "iam", "s3", "ssm"])
def test_ministacks_services_copy_their_state_by_the_name_that_is_replaced(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module(f"ministack.services.{name}")
    monkeypatch.setattr(module, "copy", copy)
    saving.copy_quickly()
    assert module.copy is QuickCopy
    assert module.get_state() is not None


def test_cloudformations_state_is_what_ministack_itself_would_save() -> None:
    """It is written down without the copy that ministack makes of it first."""
    from ministack.services import cloudformation

    with request_scope("222222222222", "eu-west-1"):
        cloudformation._stacks["one"] = {"Outputs": [{"Value": "a"}], "Tags": {}}
        try:
            ours, own = saving.states()["cloudformation"], cloudformation.get_state
            assert ours()["stacks"] is cloudformation._stacks
            assert saving._written_down("cloudformation", ours) == saving._written_down("cloudformation", own)
        finally:
            del cloudformation._stacks["one"]


@pytest.mark.parametrize(
    ("method", "path", "target", "may"),
    [
        ("POST", "/", b"CodePipeline_20150709.GetPipelineState", False),
        ("POST", "/", b"AmazonSSM.DescribeParameters", False),
        ("POST", "/", b"CodeBuild_20161006.BatchGetBuilds", False),
        ("POST", "/", b"AmazonSSM.PutParameter", True),
        ("POST", "/", b"Logs_20140328.PutLogEvents", True),
        ("POST", "/", b"", True),
        ("GET", "/bucket/key", b"", False),
        ("PUT", "/bucket/key", b"", True),
        ("POST", "/endpoints/churn-dev/invocations", b"", False),
    ],
)
def test_what_only_reads_is_no_reason_to_save(*, method: str, path: str, target: bytes, may: bool) -> None:
    from mlops_foundation.local.adapter import ministack

    headers = [(b"host", b"localhost"), *([(b"x-amz-target", target)] if target else [])]
    assert ministack._may_change({"method": method, "path": path, "headers": headers}) is may
