"""Service Catalog: who sees a product, and stacks that the launch role makes and nobody else."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError
from catalog_lab import LAUNCH_RIGHTS, Catalog
from code_clients import allow, make_role, set_rights

pytestmark = pytest.mark.cloud


@pytest.fixture
def catalog(cloud: Any, account: str) -> Catalog:
    return Catalog(cloud, account)


def test_launch_change_and_end(catalog: Catalog) -> None:
    catalog.open()
    record = catalog.provision(Tags=[{"Key": "CostCenter", "Value": "42"}])
    assert record["RecordType"] == "PROVISION_PRODUCT"
    done = catalog.ended(record["RecordId"])
    assert done["RecordDetail"]["Status"] == "SUCCEEDED", done["RecordDetail"]["RecordErrors"]
    assert catalog.value() == "one"
    outputs = {item["OutputKey"]: item["OutputValue"] for item in done["RecordOutputs"]}
    product_id = record["ProvisionedProductId"]
    assert outputs["Name"] == "/product"
    stack = catalog.cloud.client("cloudformation", catalog.account).describe_stacks(
        StackName=outputs["CloudformationStackARN"]
    )["Stacks"][0]
    assert stack["StackName"] == f"SC-{catalog.account}-{product_id}"
    tags = {tag["Key"]: tag["Value"] for tag in stack["Tags"]}
    assert (tags["CostCenter"], tags["from"]) == ("42", "portfolio")
    assert tags["aws:servicecatalog:productArn"].endswith(f":product/{catalog.product}")
    assert tags["aws:servicecatalog:provisioningPrincipalArn"].split("/")[1] == "scientist"
    described = catalog.client().describe_provisioned_product(Name="mine")["ProvisionedProductDetail"]
    assert (described["Status"], described["LaunchRoleArn"]) == ("AVAILABLE", catalog.launch_role)
    added = catalog.admin.create_provisioning_artifact(
        ProductId=catalog.product, Parameters={"Name": "v2", "Info": {"LoadTemplateFromURL": catalog.url_2}}
    )["ProvisioningArtifactDetail"]["Id"]
    update = catalog.client().update_provisioned_product(
        ProvisionedProductId=product_id,
        ProvisioningArtifactId=added,
        ProvisioningParameters=[{"Key": "Word", "Value": "two"}],
    )["RecordDetail"]
    assert catalog.ended(update["RecordId"])["RecordDetail"]["Status"] == "SUCCEEDED"
    assert catalog.value() == "two"
    found = catalog.client().get_provisioned_product_outputs(ProvisionedProductId=product_id, OutputKeys=["Version"])
    assert [item["OutputValue"] for item in found["Outputs"]] == ["v2"]
    end = catalog.client().terminate_provisioned_product(ProvisionedProductId=product_id)["RecordDetail"]
    assert catalog.ended(end["RecordId"])["RecordDetail"]["Status"] == "SUCCEEDED"
    with pytest.raises(ClientError, match="ParameterNotFound"):
        catalog.value()
    with pytest.raises(ClientError, match="ResourceNotFound"):
        catalog.client().describe_provisioned_product(Id=product_id)


def test_only_associated_principals_see_and_launch(catalog: Catalog) -> None:
    for role in ("scientist", "stranger"):
        assert catalog.client(role).search_products()["ProductViewSummaries"] == []
    catalog.open()
    assert [item["Name"] for item in catalog.client().search_products()["ProductViewSummaries"]] == ["Project"]
    stranger = catalog.client("stranger")
    assert stranger.search_products()["ProductViewSummaries"] == []
    for refused in (
        lambda: stranger.describe_product(Id=catalog.product),
        lambda: stranger.list_launch_paths(ProductId=catalog.product),
        lambda: stranger.describe_provisioning_parameters(
            ProductId=catalog.product, ProvisioningArtifactId=catalog.version
        ),
        lambda: stranger.provision_product(
            ProductId=catalog.product, ProvisioningArtifactId=catalog.version, ProvisionedProductName="x"
        ),
    ):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            refused()
    catalog.admin.disassociate_principal_from_portfolio(PortfolioId=catalog.portfolio, PrincipalARN=catalog.scientist)
    assert catalog.client().search_products()["ProductViewSummaries"] == []


def test_a_pattern_of_names_gives_access(catalog: Catalog) -> None:
    catalog.admin.associate_principal_with_portfolio(
        PortfolioId=catalog.portfolio, PrincipalARN="arn:aws:iam:::role/scien*", PrincipalType="IAM_PATTERN"
    )
    assert len(catalog.client().search_products()["ProductViewSummaries"]) == 1
    assert catalog.client("stranger").search_products()["ProductViewSummaries"] == []


def test_what_a_launch_has_to_give(catalog: Catalog) -> None:
    catalog.open()
    client = catalog.client()
    paths = client.list_launch_paths(ProductId=catalog.product)["LaunchPathSummaries"]
    assert [(path["Name"], path["ConstraintSummaries"]) for path in paths] == [("Templates", [{"Type": "LAUNCH"}])]
    described = client.describe_product(Id=catalog.product)
    assert described["LaunchPaths"][0]["Id"] == paths[0]["Id"]
    assert [item["Name"] for item in described["ProvisioningArtifacts"]] == ["v1"]
    found = client.describe_provisioning_parameters(
        ProductId=catalog.product, ProvisioningArtifactId=catalog.version, PathId=paths[0]["Id"]
    )["ProvisioningArtifactParameters"]
    word, secret = found
    assert (word["ParameterKey"], word["ParameterConstraints"]["AllowedValues"]) == ("Word", ["one", "two"])
    assert (secret["DefaultValue"], secret["IsNoEcho"]) == ("s", True)


@pytest.mark.parametrize("missing", ["s3:GetObject", "cloudformation:CreateStack", "ssm:PutParameter"])
def test_a_missing_right_of_the_launch_role_fails_the_record_and_is_named(catalog: Catalog, missing: str) -> None:
    catalog.open()
    set_rights(catalog.iam, "launch", allow(*sorted(LAUNCH_RIGHTS - {missing})))
    record = catalog.provision()
    done = catalog.ended(record["RecordId"])["RecordDetail"]
    assert done["Status"] == "FAILED"
    assert missing in done["RecordErrors"][0]["Description"]
    assert "launch" in done["RecordErrors"][0]["Description"]
    product = catalog.client().describe_provisioned_product(Name="mine")["ProvisionedProductDetail"]
    assert (product["Status"], missing in product["StatusMessage"]) == ("ERROR", True)
    end = catalog.client().terminate_provisioned_product(ProvisionedProductName="mine")["RecordDetail"]
    assert catalog.ended(end["RecordId"])["RecordDetail"]["Status"] == "SUCCEEDED"


def test_a_stack_that_fails_names_the_resource(catalog: Catalog) -> None:
    catalog.open()
    set_rights(catalog.iam, "launch", allow(*sorted(LAUNCH_RIGHTS - {"ssm:PutParameter"})))
    done = catalog.ended(catalog.provision()["RecordId"])["RecordDetail"]
    assert done["RecordErrors"][0]["Description"].startswith("Value (AWS::SSM::Parameter)")


def test_a_value_the_template_does_not_allow_fails_the_record(catalog: Catalog) -> None:
    catalog.open()
    done = catalog.ended(catalog.provision(word="three")["RecordId"])["RecordDetail"]
    assert (done["Status"], "Word" in done["RecordErrors"][0]["Description"]) == ("FAILED", True)


def test_without_a_launch_role_the_rights_are_those_of_who_launches(catalog: Catalog) -> None:
    catalog.admin.associate_principal_with_portfolio(
        PortfolioId=catalog.portfolio, PrincipalARN=catalog.scientist, PrincipalType="IAM"
    )
    done = catalog.ended(catalog.provision()["RecordId"])["RecordDetail"]
    assert "scientist" in done["RecordErrors"][0]["Description"]
    set_rights(catalog.iam, "scientist", allow("servicecatalog:*", *sorted(LAUNCH_RIGHTS)))
    assert catalog.ended(catalog.provision("other")["RecordId"])["RecordDetail"]["Status"] == "SUCCEEDED"


def test_a_launch_role_that_does_not_trust_service_catalog(catalog: Catalog) -> None:
    role = make_role(catalog.iam, "untrusting", allow(*sorted(LAUNCH_RIGHTS)), trust="lambda.amazonaws.com")
    catalog.launch_role = role
    catalog.open()
    done = catalog.ended(catalog.provision()["RecordId"])["RecordDetail"]
    assert "trust policy" in done["RecordErrors"][0]["Description"]


def test_access_levels(catalog: Catalog) -> None:
    own = {"StringEquals": {"servicecatalog:roleLevel": "self"}}
    launching = allow("servicecatalog:ProvisionProduct")
    seeing = allow("servicecatalog:DescribeProvisionedProduct", "servicecatalog:TerminateProvisionedProduct",
                   "servicecatalog:SearchProvisionedProducts", Condition=own)  # fmt: skip
    for role in ("scientist", "stranger"):
        set_rights(catalog.iam, role, launching, seeing)
    catalog.open()
    catalog.ended(catalog.provision()["RecordId"])
    assert catalog.client().describe_provisioned_product(Name="mine")["ProvisionedProductDetail"]["Name"] == "mine"
    stranger = catalog.client("stranger")
    for call in (stranger.describe_provisioned_product, stranger.terminate_provisioned_product):
        key = "Name" if call == stranger.describe_provisioned_product else "ProvisionedProductName"
        with pytest.raises(ClientError, match="AccessDenied"):
            call(**{key: "mine"})
    level = {"AccessLevelFilter": {"Key": "Role", "Value": "self"}}
    assert len(catalog.client().search_provisioned_products(**level)["ProvisionedProducts"]) == 1
    assert stranger.search_provisioned_products(**level)["ProvisionedProducts"] == []


def test_the_same_token_and_the_same_name(catalog: Catalog) -> None:
    catalog.open()
    client = catalog.client()
    asked = {"ProvisioningArtifactId": catalog.long_version(), "ProvisionToken": "once"}
    first = catalog.provision(**asked)
    with pytest.raises(ClientError, match="under change"):
        client.terminate_provisioned_product(ProvisionedProductName="mine")
    assert catalog.provision(**asked)["RecordId"] == first["RecordId"]
    with pytest.raises(ClientError, match="DuplicateResource"):
        catalog.provision()
    catalog.ended(first["RecordId"])
    level = {"AccessLevelFilter": {"Key": "Account", "Value": "self"}}
    query = {"Filters": {"SearchQuery": ["name:mine"]}}
    found = catalog.admin.search_provisioned_products(**level, **query)["ProvisionedProducts"]
    assert [item["Id"] for item in found] == [first["ProvisionedProductId"]]
    assert len(catalog.admin.scan_provisioned_products(**level)["ProvisionedProducts"]) == 1


def test_a_template_that_cannot_be_read_makes_no_product(catalog: Catalog) -> None:
    for url in (catalog.url.replace("v1", "none"), "https://s3.eu-west-1.amazonaws.com/none/none.json"):
        with pytest.raises(ClientError, match="InvalidParameters"):
            catalog.admin.create_product(
                Name="Other",
                Owner="x",
                ProductType="CLOUD_FORMATION_TEMPLATE",
                ProvisioningArtifactParameters={"Info": {"LoadTemplateFromURL": url}},
            )
    assert len(catalog.admin.search_products_as_admin()["ProductViewDetails"]) == 1


def test_what_is_in_use_stays(catalog: Catalog) -> None:
    catalog.open()
    for refused in (
        lambda: catalog.admin.delete_portfolio(Id=catalog.portfolio),
        lambda: catalog.admin.delete_product(Id=catalog.product),
        lambda: catalog.admin.disassociate_product_from_portfolio(
            ProductId=catalog.product, PortfolioId=catalog.portfolio
        ),
    ):
        with pytest.raises(ClientError, match="ResourceInUse"):
            refused()


def test_setting_a_launch_role_needs_the_right_to_pass_it(catalog: Catalog) -> None:
    with pytest.raises(ClientError, match="iam:PassRole"):
        catalog.client().create_constraint(
            PortfolioId=catalog.portfolio,
            ProductId=catalog.product,
            Type="LAUNCH",
            Parameters=json.dumps({"RoleArn": catalog.launch_role}),
        )


# --- CloudFormation


def stack_template(catalog: Catalog, version: str, url: str) -> str:
    def resource(kind: str, **properties: Any) -> dict[str, Any]:
        return {"Type": f"AWS::ServiceCatalog::{kind}", "Properties": properties}

    both = {"PortfolioId": {"Ref": "Portfolio"}, "ProductId": {"Ref": "Product"}}
    launch = resource("LaunchRoleConstraint", **both, RoleArn=catalog.launch_role)
    product = resource(
        "CloudFormationProduct",
        Name="Stacked",
        Owner="mlops",
        ProvisioningArtifactParameters=[{"Name": version, "Info": {"LoadTemplateFromURL": url}}],
    )
    resources = {
        "Portfolio": resource("Portfolio", DisplayName="Stacked", ProviderName="mlops"),
        "Product": product,
        "InIt": resource("PortfolioProductAssociation", **both),
        "Launch": {**launch, "DependsOn": ["InIt"]},
        "Access": resource(
            "PortfolioPrincipalAssociation",
            PortfolioId={"Ref": "Portfolio"},
            PrincipalARN=catalog.scientist,
            PrincipalType="IAM",
        ),
    }
    outputs = {
        "Versions": {"Value": {"Fn::GetAtt": ["Product", "ProvisioningArtifactIds"]}},
        "Product": {"Value": {"Ref": "Product"}},
    }
    return json.dumps({"Resources": resources, "Outputs": outputs})


def test_a_stack_makes_updates_and_deletes_a_catalog(catalog: Catalog) -> None:
    cloudformation = catalog.cloud.client("cloudformation", catalog.account)

    def outputs(wait: str) -> dict[str, str]:
        cloudformation.get_waiter(wait).wait(StackName="catalog", WaiterConfig={"Delay": 1})
        found = cloudformation.describe_stacks(StackName="catalog")["Stacks"][0]["Outputs"]
        return {item["OutputKey"]: item["OutputValue"] for item in found}

    body = stack_template(catalog, "v1", catalog.url)
    cloudformation.create_stack(StackName="catalog", TemplateBody=body, Tags=[{"Key": "team", "Value": "ml"}])
    made = outputs("stack_create_complete")
    names = [item["Name"] for item in catalog.client().search_products()["ProductViewSummaries"]]
    assert names == ["Stacked"]
    tags = catalog.admin.describe_product_as_admin(Id=made["Product"])["Tags"]
    assert {"Key": "team", "Value": "ml"} in tags
    cloudformation.update_stack(StackName="catalog", TemplateBody=stack_template(catalog, "v1", catalog.url_2))
    changed = outputs("stack_update_complete")
    assert changed["Product"] == made["Product"]
    assert changed["Versions"] != made["Versions"]
    versions = catalog.admin.list_provisioning_artifacts(ProductId=made["Product"])["ProvisioningArtifactDetails"]
    assert [item["Id"] for item in versions] == [changed["Versions"]]
    cloudformation.delete_stack(StackName="catalog")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="catalog", WaiterConfig={"Delay": 1})
    assert [item["DisplayName"] for item in catalog.admin.list_portfolios()["PortfolioDetails"]] == ["Templates"]


def test_a_stack_role_without_a_right_fails_naming_it(catalog: Catalog) -> None:
    rights = allow("servicecatalog:*", "s3:GetObject")
    deployer = make_role(catalog.iam, "deployer", rights, trust="cloudformation.amazonaws.com")
    cloudformation = catalog.cloud.client("cloudformation", catalog.account)
    body = stack_template(catalog, "v1", catalog.url)
    cloudformation.create_stack(StackName="catalog", TemplateBody=body, RoleARN=deployer)
    with pytest.raises(WaiterError):
        cloudformation.get_waiter("stack_create_complete").wait(StackName="catalog", WaiterConfig={"Delay": 1})
    found = cloudformation.describe_stack_events(StackName="catalog")["StackEvents"]
    reasons = [event["ResourceStatusReason"] for event in found if event["ResourceStatus"] == "CREATE_FAILED"]
    assert any("iam:PassRole" in reason for reason in reasons)
