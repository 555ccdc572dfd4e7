"""cfn-lint over what is synthesized: a few templates that stand for all in `make test`, each of them in `make long`."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from template_cover import cover, skeletons


def errors(templates: Sequence[Path]) -> Iterator[tuple[Path, list[str]]]:
    """Yield each template with what cfn-lint says of it."""
    command = [
        Path(sys.executable).with_name("cfn-lint"),
        "--format",
        "json",
        "--non-zero-exit-code",
        "none",
        *templates,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = [each for each in json.loads(done.stdout) if each["Level"] == "Error"]
    for path in templates:
        of_it = [each for each in found if Path(each["Filename"]) == path]
        yield path, [f"{each['Rule']['Id']} {each['Location']['Path']}: {each['Message']}" for each in of_it]


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A template with an error: beside the others it shows that errors are found."""
    path = tmp_path / "wrong.template.json"
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": "many"}}
    path.write_text(json.dumps({"Resources": {"Log": group}}))
    return path


def assert_only(wrong: Path, templates: Sequence[Path], subtests: pytest.Subtests) -> None:
    *found, (_, of_wrong) = errors([*templates, wrong])
    assert any("RetentionInDays" in line for line in of_wrong)
    assert len(found) == len(templates)
    for path, said in found:
        with subtests.test(str(path)):
            assert said == []


def test_a_few_templates_have_no_error(distinct: list[Path], wrong: Path, subtests: pytest.Subtests) -> None:
    """Those that together have every skeleton of a resource."""
    chosen = cover(distinct)
    assert len(chosen) < len(distinct) / 3
    assert_only(wrong, chosen, subtests)


@pytest.mark.long
def test_no_template_has_an_error(distinct: list[Path], wrong: Path, subtests: pytest.Subtests) -> None:
    assert_only(wrong, distinct, subtests)


def test_nothing_is_left_out_of_a_cover(distinct: list[Path]) -> None:
    everything = set().union(*(skeletons(json.loads(path.read_text())) for path in distinct))
    assert set().union(*(skeletons(json.loads(path.read_text())) for path in cover(distinct))) == everything
    assert len(everything) > 500
