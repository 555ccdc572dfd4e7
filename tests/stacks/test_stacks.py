"""Every stack: what it makes (snapshot), and the logical ids that may never change."""

import json
import re
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from mlops_foundation import __version__
from mlops_foundation.stacks import STACKS

_HASH = re.compile(r"[0-9a-f]{64}")


def masked(template: dict[str, Any]) -> dict[str, Any]:
    """Hide asset hashes: they change with every edit of a seed."""
    return json.loads(_HASH.sub("<asset>", json.dumps(template)))  # type: ignore[no-any-return]


OPTIONAL = {"packages"}
"""Stacks that only some configurations ask for; ``test_packages.py`` and the like test them."""


@pytest.mark.parametrize("name", [spec.name for spec in STACKS if spec.name not in OPTIONAL])
def test_every_stack_is_as_reviewed(assembly: Any, snapshot: SnapshotAssertion, name: str) -> None:
    assert masked(assembly.stack(f"mlops-{name}-dev")) == snapshot(extension_class=JSONSnapshotExtension)


@pytest.mark.parametrize(("stage", "account", "cidr"), [("preprod", "3", "10.0.64."), ("prod", "4", "10.0.128.")])
def test_preprod_and_prod_have_the_network_of_dev(assembly: Any, stage: str, account: str, cidr: str) -> None:
    dev = json.dumps(assembly.stack("mlops-network-dev"))
    other = json.dumps(assembly.stack(f"mlops-network-{stage}"))
    shapes = [[(name, each["Type"]) for name, each in json.loads(text)["Resources"].items()] for text in (dev, other)]
    assert shapes[0] == shapes[1]
    assert f'"CidrBlock": "{cidr}0/18"' in other
    assert account * 12 in other


STATEFUL = {
    "AWS::KMS::Key",
    "AWS::SageMaker::Domain",
    "AWS::SageMaker::UserProfile",
    "AWS::EC2::VPC",
    "AWS::EC2::Subnet",
    "AWS::Logs::LogGroup",
    "AWS::ServiceCatalog::CloudFormationProduct",
    "AWS::ServiceCatalog::Portfolio",
    "AWS::IAM::ManagedPolicy",
}
PINNED = {
    "network": {
        "FlowLogGroup3E25AA51",
        "FlowLogKeyA9968EC3",
        "Vpc8378EB38",
        "VpcPrivateSubnet1Subnet536B997A",
        "VpcPrivateSubnet2Subnet3788AAA1",
        "VpcPrivateSubnet3SubnetF258B56E",
        "VpcPublicSubnet1Subnet5C2D37C4",
        "VpcPublicSubnet2Subnet691E08A3",
        "VpcPublicSubnet3SubnetBE12F0B6",
    },
    "targets": {"BoundaryEA298153", "EndpointKeyC77719DF"},
    "studio": {
        "Domain",
        "Key961B73FD",
        "TemplatesSwitchLog777D92AD",
        "Usersdatascientist31A533B8",
        "Usersdsadmin5EEE8824",
        "UsersleadFA0D8672",
    },
    "catalog": {"Portfolio856A4190", "Product896941B4", "ProductRealtime8E8E0D9B"},
}


def test_a_stateful_resource_never_changes_its_logical_id(assembly: Any) -> None:
    found = {
        spec.name: {
            name
            for name, each in assembly.stack(f"mlops-{spec.name}-dev")["Resources"].items()
            if each["Type"] in STATEFUL
        }
        for spec in STACKS
        if spec.name not in OPTIONAL
    }
    assert found == PINNED


def test_the_exported_parameters_are_written(assembly: Any) -> None:
    for foundation in assembly.made.plan.sets[0].foundations:
        for stack in foundation.stacks:
            resources = assembly.stack(stack.stack_name)["Resources"].values()
            names = {each["Properties"]["Name"] for each in resources if each["Type"] == "AWS::SSM::Parameter"}
            assert names == set(stack.exports), stack.stack_name


def test_keys_and_the_domain_outlive_their_stack(assembly: Any) -> None:
    kept = {
        (spec.name, each["Type"])
        for spec in STACKS
        if spec.name not in OPTIONAL
        for each in assembly.stack(f"mlops-{spec.name}-dev")["Resources"].values()
        # Not "Retain": a first deployment that fails leaves nothing behind.
        if each.get("DeletionPolicy") == "RetainExceptOnCreate" and each["UpdateReplacePolicy"] == "Retain"
    }
    assert kept == {
        ("studio", "AWS::KMS::Key"),
        ("studio", "AWS::SageMaker::Domain"),
        ("targets", "AWS::KMS::Key"),
    }


def test_the_domain_is_private_and_encrypted_with_its_own_key(assembly: Any) -> None:
    resources = assembly.stack("mlops-studio-dev")["Resources"]
    (domain,) = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::SageMaker::Domain"]
    assert domain["AppNetworkAccessType"] == "VpcOnly"
    assert domain["DomainName"] == "eu-west-1-studio-domain"
    assert resources[domain["KmsKeyId"]["Ref"]]["Type"] == "AWS::KMS::Key"
    users = {
        each["Properties"]["UserProfileName"]
        for each in resources.values()
        if each["Type"] == "AWS::SageMaker::UserProfile"
    }
    assert users == {"ds-admin", "data-scientist", "lead"}


def test_a_front_product_and_one_for_each_template_have_the_platforms_version_and_a_launch_role(assembly: Any) -> None:
    from mlops_foundation.templates import TEMPLATES

    resources = assembly.stack("mlops-catalog-dev")["Resources"].values()
    products = [e["Properties"] for e in resources if e["Type"] == "AWS::ServiceCatalog::CloudFormationProduct"]
    assert {each["Name"] for each in products} == {"SageMaker Project", *(each.name for each in TEMPLATES)}
    for each in products:
        assert [version["Name"] for version in each["ProvisioningArtifactParameters"]] == [__version__]
        assert {"Key": "sagemaker:studio-visibility", "Value": "true"} in each["Tags"]
    constraints = [e["Properties"] for e in resources if e["Type"] == "AWS::ServiceCatalog::LaunchRoleConstraint"]
    assert len({json.dumps(each["ProductId"]) for each in constraints}) == len(products)
    assert all("LaunchRole" in json.dumps(each["RoleArn"]) for each in constraints)
    principals = [
        e["Properties"] for e in resources if e["Type"] == "AWS::ServiceCatalog::PortfolioPrincipalAssociation"
    ]
    assert {each["PrincipalARN"] for each in principals} == {
        "arn:aws:iam::222222222222:role/eu-west-1-datascience-admin-222222222222",
        "arn:aws:iam::222222222222:role/mlops/mlops-studio-execution-eu-west-1",
    }


def test_seeds_are_zips_with_literal_names_in_the_bootstraps_bucket(assembly: Any) -> None:
    product = json.loads((assembly.directory / "products/default/realtime.template.json").read_text())
    seeds = [
        each["Properties"]["Code"]["S3"]
        for each in product["Resources"].values()
        if each["Type"] == "AWS::CodeCommit::Repository"
    ]
    assert [each["Bucket"] for each in seeds] == ["cdk-mlops-assets-222222222222-eu-west-1"] * 2
    for each in seeds:
        folder = assembly.directory / f"asset.{each['Key'].removesuffix('.zip')}"
        assert (folder / "buildspec.yml").is_file()
        assert not list(folder.rglob("__pycache__"))
