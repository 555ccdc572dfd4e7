"""SageMaker projects: a product of Service Catalog, with the project's name and id."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from workbench import Workbench, allow, until

pytestmark = pytest.mark.cloud

TEMPLATE = {
    "Parameters": {
        "SageMakerProjectName": {"Type": "String"},
        "SageMakerProjectId": {"Type": "String"},
        "CostCenter": {"Type": "String"},
    },
    "Resources": {
        "Value": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {
                "Type": "String",
                "Name": {"Fn::Sub": "/projects/${SageMakerProjectName}"},
                "Value": {"Fn::Sub": "${SageMakerProjectId} ${CostCenter}"},
            },
        }
    },
}
LAUNCH = [
    "cloudformation:CreateStack",
    "cloudformation:DeleteStack",
    "cloudformation:DescribeStacks",
    "cloudformation:DescribeStackEvents",
    "s3:GetObject",
    "ssm:PutParameter",
    "ssm:DeleteParameter",
    "ssm:AddTagsToResource",
]


class Projects:
    """A catalog with one project template, and an admin who may create projects from it."""

    def __init__(self, bench: Workbench, launch: list[str]) -> None:
        self.bench = bench
        bench.put("template.json", json.dumps(TEMPLATE))
        catalog = bench.client("servicecatalog")
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "servicecatalog.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        role = bench.make_role("launch", allow(launch), trust=trust)
        rights = ["sagemaker:CreateProject", "sagemaker:DescribeProject", "sagemaker:DeleteProject", "servicecatalog:*"]
        bench.make_person("admin", allow(rights))
        portfolio = catalog.create_portfolio(DisplayName="Templates", ProviderName="mlops")["PortfolioDetail"]["Id"]
        url = f"https://s3.eu-west-1.amazonaws.com/{bench.bucket}/template.json"
        made = catalog.create_product(
            Name="SageMaker Project",
            Owner="mlops",
            ProductType="CLOUD_FORMATION_TEMPLATE",
            ProvisioningArtifactParameters={"Name": "v1", "Info": {"LoadTemplateFromURL": url}},
        )
        self.product = made["ProductViewDetail"]["ProductViewSummary"]["ProductId"]
        self.version = made["ProvisioningArtifactDetail"]["Id"]
        catalog.associate_product_with_portfolio(ProductId=self.product, PortfolioId=portfolio)
        catalog.associate_principal_with_portfolio(
            PortfolioId=portfolio,
            PrincipalARN=f"arn:aws:iam::{bench.account}:role/admin",
            PrincipalType="IAM",
        )
        catalog.create_constraint(
            PortfolioId=portfolio,
            ProductId=self.product,
            Type="LAUNCH",
            Parameters=json.dumps({"RoleArn": role}),
        )
        self.sagemaker = bench.client("sagemaker", "admin")

    def create(self, name: str = "churn") -> dict[str, Any]:
        details = {
            "ProductId": self.product,
            "ProvisioningArtifactId": self.version,
            "ProvisioningParameters": [{"Key": "CostCenter", "Value": "1234"}],
        }
        return dict(self.sagemaker.create_project(ProjectName=name, ServiceCatalogProvisioningDetails=details))

    def settled(self, name: str = "churn") -> Any:
        return until(
            lambda: self.sagemaker.describe_project(ProjectName=name),
            lambda found: not found["ProjectStatus"].endswith("InProgress"),
        )


def test_project_is_the_product_with_its_name_and_id(bench: Workbench) -> None:
    projects = Projects(bench, LAUNCH)
    made = projects.create()
    found = projects.settled()
    assert found["ProjectStatus"] == "CreateCompleted", found
    assert found["ProjectId"] == made["ProjectId"]
    assert made["ProjectId"].startswith("p-")
    assert len(made["ProjectId"]) == 14
    value = bench.client("ssm").get_parameter(Name="/projects/churn")["Parameter"]["Value"]
    assert value == f"{made['ProjectId']} 1234"
    stacks = bench.client("cloudformation").describe_stacks()["Stacks"]
    tags = {tag["Key"]: tag["Value"] for stack in stacks for tag in stack["Tags"]}
    assert tags["sagemaker:project-name"] == "churn"
    assert tags["sagemaker:project-id"] == made["ProjectId"]
    with pytest.raises(ClientError, match="already exists"):
        projects.create()
    projects.sagemaker.delete_project(ProjectName="churn")
    assert projects.settled()["ProjectStatus"] == "DeleteCompleted"
    with pytest.raises(ClientError, match="ParameterNotFound"):
        bench.client("ssm").get_parameter(Name="/projects/churn")


def test_project_that_cannot_be_made_says_why(bench: Workbench) -> None:
    projects = Projects(bench, [action for action in LAUNCH if action != "ssm:PutParameter"])
    projects.create()
    found = projects.settled()
    assert found["ProjectStatus"] == "CreateFailed"
    message = found["ServiceCatalogProvisionedProductDetails"]["ProvisionedProductStatusMessage"]
    assert "ssm:PutParameter" in message


def test_who_may_not_provision_gets_no_project(bench: Workbench) -> None:
    projects = Projects(bench, LAUNCH)
    bench.make_person("other", allow("sagemaker:CreateProject"))
    projects.sagemaker = bench.client("sagemaker", "other")
    with pytest.raises(ClientError, match="servicecatalog:ProvisionProduct"):
        projects.create()
    assert bench.sagemaker.list_projects()["ProjectSummaryList"] == []
