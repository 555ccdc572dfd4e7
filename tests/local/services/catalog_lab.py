"""An account with a catalog, for the tests of Service Catalog."""

import json
from typing import Any

from code_clients import allow, make_bucket, make_role, wait_for

TEMPLATE = {
    "Parameters": {
        "Word": {"Type": "String", "AllowedValues": ["one", "two"], "Description": "What to keep"},
        "Secret": {"Type": "String", "NoEcho": True, "Default": "s"},
    },
    "Resources": {
        "Value": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/product", "Type": "String", "Value": {"Ref": "Word"}},
        }
    },
    "Outputs": {"Name": {"Value": {"Ref": "Value"}, "Description": "Where it is kept"}},
}
_LONG = 60
STACKS = ("cloudformation:CreateStack", "cloudformation:UpdateStack", "cloudformation:DeleteStack",
          "cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents")  # fmt: skip
LAUNCH_RIGHTS = {*STACKS, "s3:GetObject", "ssm:PutParameter", "ssm:DeleteParameter", "ssm:GetParameters",
                 "ssm:AddTagsToResource"}  # fmt: skip


class Catalog:
    """A portfolio with one product, a launch role, and two roles of which one has access."""

    def __init__(self, cloud: Any, account: str) -> None:
        self.cloud = cloud
        self.account = account
        self.admin = cloud.client("servicecatalog", account)
        self.iam = cloud.client("iam", account)
        s3 = cloud.client("s3", account)
        bucket = make_bucket(s3, f"templates-{account}")
        for name, default in (("v1", "s"), ("v2", "t")):
            template = json.loads(json.dumps(TEMPLATE))
            template["Parameters"]["Secret"]["Default"] = default
            template["Outputs"]["Version"] = {"Value": name}
            s3.put_object(Bucket=bucket, Key=f"{name}.json", Body=json.dumps(template))
        long = json.loads(json.dumps(TEMPLATE))
        value = long["Resources"]["Value"]
        for index in range(_LONG):
            properties = {**value["Properties"], "Name": f"/product/{index}"}
            long["Resources"][f"Value{index}"] = {**value, "Properties": properties}
            if index:
                long["Resources"][f"Value{index}"]["DependsOn"] = f"Value{index - 1}"
        s3.put_object(Bucket=bucket, Key="long.json", Body=json.dumps(long))
        self.long_url = f"https://s3.eu-west-1.amazonaws.com/{bucket}/long.json"
        self.url = f"https://s3.eu-west-1.amazonaws.com/{bucket}/v1.json"
        self.url_2 = f"https://{bucket}.s3.eu-west-1.amazonaws.com/v2.json"
        self.launch_role = make_role(
            self.iam, "launch", allow(*sorted(LAUNCH_RIGHTS)), trust="servicecatalog.amazonaws.com"
        )
        self.scientist = make_role(self.iam, "scientist", allow("servicecatalog:*"), trust={"AWS": account})
        make_role(self.iam, "stranger", allow("servicecatalog:*"), trust={"AWS": account})
        self.portfolio = self.admin.create_portfolio(
            DisplayName="Templates", ProviderName="mlops", Tags=[{"Key": "from", "Value": "portfolio"}]
        )["PortfolioDetail"]["Id"]
        made = self.admin.create_product(
            Name="Project",
            Owner="mlops",
            ProductType="CLOUD_FORMATION_TEMPLATE",
            ProvisioningArtifactParameters={"Name": "v1", "Info": {"LoadTemplateFromURL": self.url}},
        )
        self.product = made["ProductViewDetail"]["ProductViewSummary"]["ProductId"]
        self.version = made["ProvisioningArtifactDetail"]["Id"]
        self.admin.associate_product_with_portfolio(ProductId=self.product, PortfolioId=self.portfolio)

    def long_version(self) -> str:
        """Add a version that takes the time of many calls to make, on any machine; return its id."""
        made = self.admin.create_provisioning_artifact(
            ProductId=self.product, Parameters={"Name": "long", "Info": {"LoadTemplateFromURL": self.long_url}}
        )
        return str(made["ProvisioningArtifactDetail"]["Id"])

    def open(self) -> None:
        """Give the scientist access and the product its launch role."""
        self.admin.associate_principal_with_portfolio(
            PortfolioId=self.portfolio, PrincipalARN=self.scientist, PrincipalType="IAM"
        )
        self.admin.create_constraint(
            PortfolioId=self.portfolio,
            ProductId=self.product,
            Type="LAUNCH",
            Parameters=json.dumps({"RoleArn": self.launch_role}),
        )

    def client(self, role: str = "scientist") -> Any:
        return self.cloud.client("servicecatalog", self.account, role=role)

    def provision(self, name: str = "mine", word: str = "one", **more: Any) -> dict[str, Any]:
        request = {
            "ProductId": self.product,
            "ProvisioningArtifactId": self.version,
            "ProvisionedProductName": name,
            "ProvisioningParameters": [{"Key": "Word", "Value": word}],
            **more,
        }
        return dict(self.client().provision_product(**request)["RecordDetail"])

    def ended(self, record_id: str) -> dict[str, Any]:
        def record() -> Any:
            found = self.admin.describe_record(Id=record_id)
            return found if found["RecordDetail"]["Status"] in ("SUCCEEDED", "FAILED") else None

        return dict(wait_for(record))

    def value(self) -> str:
        return str(self.cloud.client("ssm", self.account).get_parameter(Name="/product")["Parameter"]["Value"])
