"""What CloudFormation may do in an account: all that the reviewed stacks take, and nothing that belongs to others.

The stacks are the snapshots of ``test_stacks.py``; what CloudFormation calls for each type is the local cloud's table.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from policy_lab import (
    DEV,
    FOUR,
    PROD,
    REGION,
    Row,
    Statement,
    arn,
    assert_well_formed,
    foundation,
    plan,
    resolved,
    role,
    rows,
)

from called_operations import BY_NAME, checks
from called_operations import install as record
from iam_in_process import decision, install, make_role, new_name, session
from mlops_foundation.constructs.bootstrap.policies import execution_policies
from mlops_foundation.constructs.execution import ExecutionScope
from mlops_foundation.core.arns import AccountId
from mlops_foundation.core.names import PlatformNames
from mlops_foundation.local.adapter import iam
from mlops_foundation.local.contract import Check, Principal

SNAPSHOTS = Path(__file__).parent / "__snapshots__" / "test_stacks"
STACKS = ("network", "studio", "targets", "catalog")


def statements(account: str = DEV, **sections: Any) -> list[Statement]:
    made = plan(**sections)
    policies = execution_policies(made.sets[0], foundation(made, account))
    return [statement for each in policies for statement in each.document["Statement"]]


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Principal]:
    """CloudFormation's role in an account."""
    install(monkeypatch)
    record(monkeypatch)

    def make(account: str = DEV, stack: str = "", **sections: Any) -> Principal:
        """Return the role; with the rights of one stack alone, and of the base, where a stack is named."""
        allowed = [each for each in statements(account, **sections) if each["Sid"].startswith((stack.title(), "Base"))]
        return session(make_role(account, allowed, name=new_name()))

    return make


def physical_id(resource: dict[str, Any]) -> str:
    """Return what names a resource when it is ended."""
    properties, kind = resource["Properties"], resource["Type"]
    if kind == "AWS::IAM::ManagedPolicy":
        return arn("iam", f"policy{properties.get('Path', '/')}{properties['ManagedPolicyName']}").replace(REGION, "")
    named = BY_NAME[kind].name if kind in BY_NAME else None
    given = properties.get(named.property) if named else properties.get("AliasName") or properties.get("Bucket")
    return str(given or IDS.get(kind, "1"))


IDS = {"AWS::EC2::VPC": "vpc-1", "AWS::EC2::Subnet": "subnet-1", "AWS::EC2::RouteTable": "rtb-1",
       "AWS::EC2::SecurityGroup": "sg-1", "AWS::EC2::VPCEndpoint": "vpce-1", "AWS::EC2::NatGateway": "nat-1",
       "AWS::EC2::InternetGateway": "igw-1", "AWS::EC2::FlowLog": "fl-1", "AWS::EC2::EIP": "192.0.2.1",
       "AWS::EC2::SubnetRouteTableAssociation": "rtbassoc-1", "AWS::EC2::VPCPeeringConnection": "pcx-1"}  # fmt: skip


def called(stack: str) -> Iterator[tuple[str, Check]]:
    """Yield what CloudFormation calls to make, change and remove a stack, each after the resource."""
    template = json.loads((SNAPSHOTS / f"test_every_stack_is_as_reviewed[{stack}].json").read_text(encoding="utf-8"))
    resources = resolved(template)
    for each in resources.values():
        if each["Type"] == "AWS::IAM::Role" and not iam.role_named(AccountId(DEV), each["Properties"]["RoleName"]):
            make_role(DEV, [], name=each["Properties"]["RoleName"], path=each["Properties"].get("Path", "/"))
    for name, each in resources.items():
        if each["Type"] in BY_NAME:
            for verb in ("create", "delete"):
                for check in checks(verb, each["Type"], each["Properties"], DEV, REGION, physical_id(each)):
                    yield f"{verb} {each['Type']} {name}", check


@pytest.mark.parametrize("stack", STACKS)
def test_cloudformation_may_all_that_a_stack_takes(cloudformation: Callable[..., Principal], stack: str) -> None:
    """One stack's rights may not stand in for another's: not every account gets every stack."""
    who = cloudformation(stack=stack)
    asked = list(called(stack))
    assert len(asked) > 10
    refused = {
        (what, check.action, check.resource)
        for what, check in asked
        if decision(who, check.action, check.resource, check.context) != "Allow"
    }
    assert refused == set()


def to(service: str) -> dict[str, str]:
    return {"iam:PassedToService": f"{service}.amazonaws.com"}


KEY = arn("kms", "key/1")
# What the table of types does not say: our own types, updates, and what CloudFormation reads.
KEEPING_KEYS = [
    *rows("kms CreateKey", "*", when={"aws:RequestTag/mlops:prefix": "mlops"}),
    *rows("kms PutKeyPolicy ScheduleKeyDeletion EnableKeyRotation UpdateAlias DescribeKey ListResourceTags", KEY),
]
PARAMETERS = (
    "ssm AddTagsToResource DeleteParameter GetParameter GetParameters ListTagsForResource PutParameter"
    " RemoveTagsFromResource"
)
MAY: dict[str, list[Row]] = {
    "network": [
        *rows("iam PassRole", role(f"mlops/mlops-flow-logs-{REGION}"), when=to("vpc-flow-logs")),
        *rows("ec2 DescribeVpcs DescribeSubnets DescribeNatGateways DescribeVpcEndpoints", "*"),
        *rows("logs AssociateKmsKey DeleteRetentionPolicy DisassociateKmsKey ListTagsForResource UntagResource",
              arn("logs", "log-group:/mlops/flow")),
        *rows("logs DescribeLogGroups", "*"),
        *rows(PARAMETERS, arn("ssm", "parameter/vpc/id")), *KEEPING_KEYS,
    ],
    "studio": [
        *rows("sagemaker CreateDomain UpdateDomain DeleteDomain DescribeDomain AddTags", arn("sagemaker", "domain/d")),
        *rows("sagemaker CreateUserProfile UpdateUserProfile DeleteUserProfile", arn("sagemaker", "user-profile/d/a")),
        *rows("sagemaker ListDomains ListUserProfiles", "*"),
        *rows("iam CreateServiceLinkedRole",
              role("aws-service-role/sagemaker.amazonaws.com/AWSServiceRoleForAmazonSageMakerNotebooks"),
              when={"iam:AWSServiceName": "sagemaker.amazonaws.com"}),
        *rows("iam PassRole", role(f"mlops/mlops-studio-execution-{REGION}"), when=to("sagemaker")),
        *rows("iam UpdateAssumeRolePolicy UntagRole DeleteRole", role(f"mlops/mlops-studio-execution-{REGION}")),
        *rows("iam CreateRole", role(f"{REGION}-datascience-admin-{DEV}"), role(f"{REGION}-lead-datascientist-{DEV}")),
        *rows("kms CreateGrant", KEY, when={"kms:GrantIsForAWSResource": "true"}),
        *rows("kms CreateAlias DeleteAlias", arn("kms", "alias/mlops-studio")), *KEEPING_KEYS,
        *rows("logs DescribeLogGroups", "*"),
        *rows("s3 GetObject", f"arn:aws:s3:::cdk-mlops-assets-{DEV}-{REGION}/x"),
        *rows(PARAMETERS, arn("ssm", "parameter/mlops/role/ds")),
    ],
    "targets": [
        *rows("kms CreateAlias DeleteAlias", arn("kms", "alias/mlops-endpoint")), *KEEPING_KEYS,
        *rows("iam CreatePolicyVersion DeletePolicyVersion ListPolicyVersions TagPolicy",
              f"arn:aws:iam::{DEV}:policy/mlops/mlops-project-boundary"),
        *rows("iam CreateRole PutRolePolicy", role("mlops/mlops-project-deploy-cfn")),
        *rows(PARAMETERS, arn("ssm", "parameter/mlops/endpoint/key-arn")),
    ],
    "catalog": [
        *rows("iam PassRole", role("mlops/mlops-project-launch"), when=to("servicecatalog")),
        *rows("servicecatalog CreateProvisioningArtifact UpdateProduct DeleteProduct", arn("catalog", "product/p")),
        *rows("servicecatalog AssociatePrincipalWithPortfolio DeletePortfolio UpdatePortfolio",
              arn("catalog", "portfolio/p")),
        *rows("servicecatalog CreatePortfolio CreateProduct DeleteConstraint", "*"),
        *rows("s3 GetObject", f"arn:aws:s3:::cdk-mlops-assets-{DEV}-{REGION}/x"),
        *rows("cloudformation ValidateTemplate", "*"),
        *rows(PARAMETERS, arn("ssm", "parameter/mlops/catalog/portfolio-id")),
    ],
    "nothing": [
        *rows("ssm GetParameter GetParameters", arn("ssm", "parameter/cdk-bootstrap/mlops/version"),
              arn("ssm", "parameter/vpc/id")),
    ],
}  # fmt: skip
MAY_NOT = [
    *rows("iam CreateRole PutRolePolicy", role("admin"), role("mlops/churn/churn-execution"), role("mlops/x", PROD)),
    *rows("iam AttachRolePolicy PutRolePermissionsBoundary", role("mlops/mlops-project-launch")),
    *rows("iam CreatePolicyVersion", f"arn:aws:iam::{DEV}:policy/mlops/mlops-cfn-1", f"arn:aws:iam::{DEV}:policy/x"),
    *rows("iam PassRole", role(f"mlops/mlops-studio-execution-{REGION}"), role("mlops/mlops-project-launch")),
    *rows("iam PassRole", role("mlops/mlops-project-launch"), when=to("lambda")),
    *rows("iam PassRole", role("admin"), when=to("sagemaker")),
    *rows("iam CreateServiceLinkedRole", role("aws-service-role/x"), when={"iam:AWSServiceName": "x.amazonaws.com"}),
    *rows("kms CreateGrant", KEY), *rows("kms CreateKey", "*"),
    *rows("kms CreateKey", "*", when={"aws:RequestTag/mlops:prefix": "other"}),
    *rows("kms Decrypt", KEY), *rows("kms CreateAlias", arn("kms", "alias/other")),
    *rows("s3 GetObject PutObject", f"arn:aws:s3:::churn-{DEV}/x"),
    *rows("s3 PutObject", f"arn:aws:s3:::cdk-mlops-assets-{DEV}-{REGION}/x"),
    *rows("sagemaker CreateTrainingJob", arn("sagemaker", "training-job/x")),
    *rows("lambda InvokeFunction", arn("lambda", "function:other")),
    *rows("ssm PutParameter", arn("ssm", "parameter/other"), arn("ssm", "parameter/mlops/projects/churn/x")),
    *rows("ec2 CreateVpc", arn("ec2", "vpc/x", PROD), arn("ec2", "vpc/x", DEV, "us-east-1")),
    *rows("ec2 RunInstances", arn("ec2", "instance/x")), *rows("sts AssumeRole", role("admin")),
    *rows("logs DeleteLogGroup", arn("logs", "log-group:/aws/codebuild/churn")),
    *rows("codeartifact CreateDomain", arn("codeartifact", "domain/mlops")),
]  # fmt: skip


@pytest.mark.parametrize("stack", MAY)
def test_cloudformation_may_what_a_stack_takes_besides(cloudformation: Callable[..., Principal], stack: str) -> None:
    who = cloudformation(stack=stack)
    assert [row for row in MAY[stack] if decision(who, *row) != "Allow"] == []


def test_cloudformation_may_nothing_of_others(cloudformation: Callable[..., Principal]) -> None:
    who = cloudformation()
    assert [row for row in MAY_NOT if decision(who, *row) == "Allow"] == []


def test_a_custom_resources_function_is_made_called_and_given_its_role(
    cloudformation: Callable[..., Principal],
) -> None:
    (function,) = {check.resource for _, check in called("studio") if check.action == "lambda:CreateFunction"}
    name = function.rpartition(":")[2]
    who = cloudformation(stack="studio")
    actions = "CreateFunction DeleteFunction GetFunction GetFunctionConfiguration InvokeFunction ListTags TagResource"
    more = "UntagResource UpdateFunctionCode UpdateFunctionConfiguration"
    may = rows(f"lambda {actions} {more}", function)
    may += rows("iam PassRole", role(f"mlops/{name}"), when=to("lambda"))
    may += rows("logs PutRetentionPolicy DeleteLogGroup", arn("logs", f"log-group:/aws/lambda/{name}"))
    assert [row for row in may if decision(who, *row) != "Allow"] == []
    for handed in ({}, to("sagemaker"), to("ec2")):
        assert decision(who, "iam:PassRole", role(f"mlops/{name}"), handed) != "Allow"


def test_with_packages_their_index_is_made_and_encrypted(cloudformation: Callable[..., Principal]) -> None:
    who = cloudformation(packages={"provider": "codeartifact"})
    may = rows("codeartifact CreateDomain DeleteDomain DescribeDomain TagResource", arn("codeartifact", "domain/mlops"))
    may += rows("codeartifact CreateRepository UpdateRepository AssociateExternalConnection",
                arn("codeartifact", "repository/mlops/mlops"))  # fmt: skip
    may += rows("ssm PutParameter", arn("ssm", "parameter/mlops/packages/domain"))
    assert [row for row in may if decision(who, *row) != "Allow"] == []


def test_statements_are_well_formed() -> None:
    assert_well_formed(statements(packages={"provider": "codeartifact"}))


def test_governance_without_stacks_lets_cloudformation_do_nothing() -> None:
    assert statements("1" * 12) == []


def test_an_imported_execution_role_is_handed_over_and_no_other() -> None:
    """The platform's own role would otherwise be handed to Studio beside the one that was reviewed."""
    from mlops_foundation.stacks.studio.execution import statements as studio

    imported = role("reviewed/studio")
    scope = ExecutionScope(PlatformNames("mlops"), DEV, REGION, imported)  # type: ignore[arg-type]
    (handed,) = [each["Resource"] for each in studio(scope) if each["Sid"] == "HandOver"]
    assert handed == [imported]
    network = {"import": {"vpc_id": "vpc-12345678", "private_subnet_ids": ["subnet-12345678"],
                          "execution_role_arn": imported}}  # fmt: skip
    sets = [{"name": "default", "accounts": FOUR, "stages": {"dev": {"network": network}}}]
    (given,) = [each["Resource"] for each in statements(sets=sets) if each["Sid"] == "StudioHandOver"]
    assert given == [imported]


@pytest.mark.parametrize("connection", ["peering", "transit_gateway"])
def test_shared_endpoints_give_their_owner_zones_and_the_others_a_way_to_it(
    cloudformation: Callable[..., Principal], connection: str
) -> None:
    gateway = {"transit_gateway_id": "tgw-12345678"} if connection == "transit_gateway" else {}
    network = {"shared_endpoints": {"owner": "dev", "connection": connection, **gateway}}
    owner, member = cloudformation(DEV, network=network), cloudformation(PROD, network=network)
    zones = [
        *rows("route53 ChangeResourceRecordSets DeleteHostedZone GetHostedZone", "arn:aws:route53:::hostedzone/z"),
        *rows("route53 CreateHostedZone ListHostedZonesByVPC", "*"),
        *rows("route53 GetChange", "arn:aws:route53:::change/c"),
    ]
    attaching = ("CreateTransitGatewayVpcAttachment", "DeleteTransitGatewayVpcAttachment")
    peering = ("CreateVpcPeeringConnection", "DeleteVpcPeeringConnection")
    way, other = (attaching, peering) if connection == "transit_gateway" else (peering, attaching)
    ways = [(f"ec2:{action}", arn("ec2", "x", PROD), {}) for action in way]
    assert [row for row in zones if decision(owner, *row) != "Allow"] == []
    assert [row for row in zones if decision(member, *row) == "Allow"] == []
    assert [row for row in ways if decision(member, *row) != "Allow"] == []
    assert not [each for each in other if decision(member, f"ec2:{each}", arn("ec2", "x", PROD)) == "Allow"]
    for action in peering:
        assert decision(owner, f"ec2:{action}", arn("ec2", "x")) != "Allow"
    attached = {decision(owner, f"ec2:{each}", arn("ec2", "x")) == "Allow" for each in attaching}
    assert attached == {connection == "transit_gateway"}
    names = PlatformNames("mlops")
    accepting = role(f"mlops/{names.endpoint_owner_role(REGION)}")  # type: ignore[arg-type]
    linking = role(f"mlops/{names.endpoint_link(REGION)}", PROD)  # type: ignore[arg-type]
    assert decision(owner, "iam:CreateRole", accepting) == "Allow"
    assert decision(member, "sts:AssumeRole", accepting) == "Allow"
    assert decision(member, "iam:CreateRole", linking) == "Allow"
