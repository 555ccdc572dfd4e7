"""SageMaker's own project templates, on and off: the stack that is deployed, with the function really run."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from mlops_foundation import stacks
from mlops_foundation.constructs.custom_resource import copy_code

pytestmark = pytest.mark.cloud

REGION = "eu-west-1"
CODE = Path(stacks.__file__).parent / "studio" / "functions" / "project_templates"


class Switch:
    """The switch's part of the Studio stack, in an account of its own."""

    def __init__(self, cloud: Any, template: dict[str, Any], folder: Path) -> None:
        self.account = cloud.new_account()
        self.client = lambda service: cloud.client(service, self.account)
        self.cloudformation = self.client("cloudformation")
        bucket = f"cdk-mlops-assets-{self.account}-{REGION}"
        s3 = self.client("s3")
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        copy_code(CODE, folder / "code")
        archive = shutil.make_archive(str(folder / "code"), "zip", folder / "code")
        s3.upload_file(archive, bucket, "code.zip")
        self._role("data-scientist"), self._role("lead")
        self.template = self._part(template, bucket)

    def _role(self, name: str) -> None:
        trust = {"Version": "2012-10-17", "Statement": []}
        statement = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        trust["Statement"] = [statement]  # type: ignore[assignment]
        self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))

    def role_arn(self, name: str) -> str:
        return f"arn:aws:iam::{self.account}:role/{name}"

    def _part(self, template: dict[str, Any], bucket: str) -> dict[str, Any]:
        text = json.dumps(template["Resources"]).replace("222222222222", self.account)
        resources = {name: each for name, each in json.loads(text).items() if self._belongs(name)}
        (function,) = [each for each in resources.values() if each["Type"] == "AWS::Lambda::Function"]
        function["Properties"]["Code"] = {"S3Bucket": bucket, "S3Key": "code.zip"}
        (role,) = [each for each in resources.values() if each["Type"] == "AWS::IAM::Role"]
        for statement in role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]:
            if statement["Sid"] == "RolesExist":
                statement["Resource"] = [self.role_arn("data-scientist"), self.role_arn("lead")]
        return {"Resources": resources}

    @staticmethod
    def _belongs(name: str) -> bool:
        return name.startswith(("TemplatesSwitch", "ProjectTemplates", "Key"))

    @property
    def statements(self) -> list[dict[str, Any]]:
        """The function's rights, to take one away."""
        role = next(each for each in self.template["Resources"].values() if each["Type"] == "AWS::IAM::Role")
        found: list[dict[str, Any]] = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        return found

    def deploy(self, enabled: bool, *roles: str) -> str:
        """Deploy and return the stack's last status."""
        resource = next(each for name, each in self.template["Resources"].items() if name == "ProjectTemplates")
        resource["Properties"] |= {
            "Enabled": str(enabled).lower(),
            "Roles": [self.role_arn(role) for role in roles],
            "ServiceTimeout": "30",
        }
        request = {"StackName": "studio", "TemplateBody": json.dumps(self.template)}
        request["Capabilities"] = ["CAPABILITY_NAMED_IAM"]  # type: ignore[assignment]
        existing = [each for each in self.stacks() if each["StackStatus"] != "DELETE_COMPLETE"]
        getattr(self.cloudformation, "update_stack" if existing else "create_stack")(**request)
        waiter = self.cloudformation.get_waiter("stack_exists")
        waiter.wait(StackName="studio")
        while (status := self.stacks()[0]["StackStatus"]).endswith("IN_PROGRESS"):
            time.sleep(0.1)
        return str(status)

    def stacks(self) -> list[dict[str, Any]]:
        try:
            return list(self.cloudformation.describe_stacks(StackName="studio")["Stacks"])
        except self.cloudformation.exceptions.ClientError:
            return []

    def delete(self) -> None:
        self.cloudformation.delete_stack(StackName="studio")
        self.cloudformation.get_waiter("stack_delete_complete").wait(StackName="studio", WaiterConfig={"Delay": 1})

    def reasons(self) -> list[str]:
        events = self.cloudformation.describe_stack_events(StackName="studio")["StackEvents"]
        return [each["ResourceStatusReason"] for each in events if each["ResourceStatus"].endswith("_FAILED")]

    @property
    def status(self) -> str:
        return str(self.client("sagemaker").get_sagemaker_servicecatalog_portfolio_status()["Status"])

    @property
    def access(self) -> set[str]:
        """Names of the roles that have access to AWS's portfolios."""
        catalog = self.client("servicecatalog")
        return {
            principal["PrincipalARN"].rpartition("/")[2]
            for portfolio in catalog.list_accepted_portfolio_shares()["PortfolioDetails"]
            for principal in catalog.list_principals_for_portfolio(PortfolioId=portfolio["Id"])["Principals"]
        }


@pytest.fixture
def switch(cloud: Any, assembly: Any, tmp_path: Path) -> Switch:
    return Switch(cloud, assembly.stack("mlops-studio-dev"), tmp_path)


def test_on_and_off_and_deleted(switch: Switch) -> None:
    assert switch.deploy(True, "data-scientist", "lead") == "CREATE_COMPLETE", switch.reasons()
    assert (switch.status, switch.access) == ("Enabled", {"data-scientist", "lead"})
    assert switch.deploy(True, "lead") == "UPDATE_COMPLETE"
    assert (switch.status, switch.access) == ("Enabled", {"lead"})
    assert switch.deploy(False, "lead") == "UPDATE_COMPLETE"
    assert (switch.status, switch.access) == ("Disabled", set())
    assert switch.deploy(True, "lead") == "UPDATE_COMPLETE"
    switch.delete()
    assert (switch.status, switch.access) == ("Disabled", set())


def test_off_turns_off_what_somebody_turned_on(switch: Switch) -> None:
    switch.client("sagemaker").enable_sagemaker_servicecatalog_portfolio()
    assert switch.deploy(False, "lead") == "CREATE_COMPLETE"
    assert switch.status == "Disabled"


def test_deleting_what_is_off_leaves_what_somebody_turned_on(switch: Switch) -> None:
    assert switch.deploy(False, "lead") == "CREATE_COMPLETE"
    switch.client("sagemaker").enable_sagemaker_servicecatalog_portfolio()
    switch.delete()
    assert switch.status == "Enabled"


@pytest.mark.parametrize(
    "missing",
    [
        "sagemaker:EnableSagemakerServicecatalogPortfolio",
        "servicecatalog:AcceptPortfolioShare",
        "servicecatalog:AssociatePrincipalWithPortfolio",
    ],
)
def test_a_missing_right_fails_the_stack_with_its_name_and_leaves_nothing(switch: Switch, missing: str) -> None:
    for statement in switch.statements:
        if missing in statement["Action"]:
            statement["Action"].remove(missing)
    assert switch.deploy(True, "lead") == "ROLLBACK_COMPLETE"
    assert any(missing in reason for reason in switch.reasons())
    assert (switch.status, switch.access) == ("Disabled", set())
    functions = switch.client("lambda").list_functions()["Functions"]
    assert functions == []
