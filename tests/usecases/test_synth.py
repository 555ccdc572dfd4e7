"""Synth: the same bytes twice, whole or not at all, nothing looked up."""

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_foundation.core.errors import ConfigError, SynthError
from mlops_foundation.usecases.init import Answers, write_config
from mlops_foundation.usecases.synth import synth


def content(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_synth_twice_gives_the_same_bytes_and_replaces_the_first(assembly: Any, tmp_path: Path) -> None:
    write_config(tmp_path / "mlops.yaml", Answers())
    made = synth(tmp_path / "mlops.yaml", tmp_path / "elsewhere" / "out")
    assert content(made.directory) == content(assembly.directory)
    (made.directory / "stale.template.json").write_text("{}")
    synth(tmp_path / "mlops.yaml", made.directory)
    assert content(made.directory) == content(assembly.directory)
    assert [path.name for path in made.directory.parent.iterdir()] == ["out"]


def test_nothing_is_looked_up_and_nothing_names_this_machine(assembly: Any) -> None:
    for path in assembly.directory.rglob("manifest.json"):
        assert "missing" not in json.loads(path.read_text())
    for path in assembly.directory.rglob("*.json"):
        text = path.read_text()
        assert str(assembly.directory) not in text
        assert "jsii-kernel" not in text


def test_every_stack_of_the_plan_is_there(assembly: Any) -> None:
    for each in assembly.made.plan.sets:
        for foundation in each.foundations:
            for stack in foundation.stacks:
                assert assembly.stack(stack.stack_name)["Resources"]


def test_stacks_wait_for_those_they_need(assembly: Any) -> None:
    manifest = json.loads((assembly.directory / "assembly-default-dev" / "manifest.json").read_text())["artifacts"]
    by_stack = {
        artifact["properties"]["stackName"]: set(artifact.get("dependencies", ()))
        for artifact in manifest.values()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    ids = {
        artifact["properties"]["stackName"]: name
        for name, artifact in manifest.items()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    assert ids["mlops-network-dev"] in by_stack["mlops-studio-dev"]
    assert {ids["mlops-targets-dev"], ids["mlops-studio-dev"]} <= by_stack["mlops-catalog-dev"]


def test_a_directory_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    write_config(tmp_path / "mlops.yaml", Answers())
    precious = tmp_path / "out" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("years of work")
    with pytest.raises(SynthError, match="no cloud assembly") as raised:
        synth(tmp_path / "mlops.yaml", precious.parent)
    assert precious.read_text() == "years of work"
    assert "-o" in raised.value.problems[0].fix


def test_a_broken_configuration_leaves_the_earlier_assembly(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "cdk.out").write_text("{}")
    (tmp_path / "mlops.yaml").write_text("region: nowhere\n")
    with pytest.raises(ConfigError):
        synth(tmp_path / "mlops.yaml", out)
    assert content(out) == {"cdk.out": b"{}"}


def test_one_account_and_named_zones_and_no_flow_logs_synthesize(tmp_path: Path) -> None:
    answers = Answers(governance="5" * 12, dev="5" * 12, preprod="5" * 12, prod="5" * 12)
    write_config(tmp_path / "mlops.yaml", answers)
    text = (tmp_path / "mlops.yaml").read_text()
    text = text.replace("azs: 3", "azs: [eu-west-1a, eu-west-1c]").replace("enabled: true", "enabled: false")
    text = text.replace("principals: {}", "principals: {lead: ['arn:aws:iam::999999999999:role/sso/Lead_*']}")
    (tmp_path / "mlops.yaml").write_text(text)
    made = synth(tmp_path / "mlops.yaml", tmp_path / "out")
    assert len(made.bootstrap) == 1
    (network,) = made.directory.glob("assembly-*/*Network*.template.json")
    resources = json.loads(network.read_text())["Resources"].values()
    zones = {each["Properties"]["AvailabilityZone"] for each in resources if each["Type"] == "AWS::EC2::Subnet"}
    assert zones == {"eu-west-1a", "eu-west-1c"}
    (studio,) = made.directory.glob("assembly-*/*Studio*.template.json")
    lead = next(
        each["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        for each in json.loads(studio.read_text())["Resources"].values()
        if each["Type"] == "AWS::IAM::Role" and "lead-datascientist" in each["Properties"]["RoleName"]
    )
    people = [each for each in lead if each.get("Sid") == "People999999999999"]
    assert people[0]["Condition"] == {"ArnLike": {"aws:PrincipalArn": ["arn:aws:iam::999999999999:role/sso/Lead_*"]}}


def test_a_finding_of_cdk_nag_stops_the_synth(tmp_path: Path) -> None:
    import aws_cdk as cdk
    import cdk_nag
    from aws_cdk import aws_s3 as s3

    from mlops_foundation.usecases.synth import _findings

    app = cdk.App(outdir=str(tmp_path))
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
    s3.Bucket(cdk.Stack(app, "Open"), "Bucket")
    with pytest.raises(RuntimeError):
        app.synth()
    rules = {problem.got for problem in _findings(tmp_path / "validation-report.json")}
    assert "AwsSolutions-S10" in rules
