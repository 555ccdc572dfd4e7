"""One stage: the approved version behind an endpoint, the role it runs under, and the role that may test it."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from deploy.settings import Project, Settings

_INLINE = "NIST.800.53.R5::NIST.800.53.R5-IAMNoInlinePolicy"
_INLINE_REASON = "Each policy belongs to one role below the project's boundary, and comes and goes with it."
_WILDCARDS = (
    "Names that only exist later: objects of the model, log streams, and models and endpoint configurations, which "
    "CloudFormation names; those are limited by the project's tag."
)


class EndpointStack(cdk.Stack):
    """The template of one stage.

    Models and endpoint configurations are immutable, so they carry no names: a new version makes new ones, the
    endpoint moves over, and the old ones go.
    """

    def __init__(self, scope: Construct, stage: str, project: Project, settings: Settings) -> None:
        name = f"{project.name}-{stage}"
        super().__init__(
            scope,
            stage,
            stack_name=name,
            description=f"{project.name} in {stage}",
            synthesizer=cdk.BootstraplessSynthesizer(),
        )
        self._project = project
        self._stage = stage
        cdk.Validations.of(self).acknowledge(cdk.Acknowledgment(id=_INLINE, reason=_INLINE_REASON))
        cdk.Tags.of(self).add("sagemaker:project-name", project.name)
        cdk.Tags.of(self).add("sagemaker:project-id", project.project_id)
        cdk.Tags.of(self).add("CostCenter", project.cost_center)
        version = cdk.CfnParameter(self, "ModelPackageArn", description="The approved version to serve")
        role = self._endpoint_role()
        model = self._model(role, version.value_as_string)
        configuration = self._configuration(model, settings)
        endpoint = sagemaker.CfnEndpoint(
            self, "Endpoint", endpoint_name=name, endpoint_config_name=configuration.attr_endpoint_config_name
        )
        test_role = self._test_role(name)
        cdk.CfnOutput(self, "EndpointName", value=endpoint.attr_endpoint_name)
        cdk.CfnOutput(self, "ModelPackage", value=version.value_as_string)
        cdk.CfnOutput(self, "TestRoleArn", value=test_role.role_arn)

    def _model(self, role: iam.Role, version: str) -> sagemaker.CfnModel:
        subnets = cdk.CfnParameter(
            self,
            "PrivateSubnets",
            type="AWS::SSM::Parameter::Value<List<String>>",
            default="/vpc/subnets/private/ids",
        )
        security_groups = cdk.CfnParameter(
            self, "SecurityGroups", type="AWS::SSM::Parameter::Value<List<String>>", default="/vpc/sg/ids"
        )
        return sagemaker.CfnModel(
            self,
            "Model",
            execution_role_arn=role.role_arn,
            enable_network_isolation=True,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(model_package_name=version),
            vpc_config=sagemaker.CfnModel.VpcConfigProperty(
                subnets=subnets.value_as_list, security_group_ids=security_groups.value_as_list
            ),
        )

    def _configuration(self, model: sagemaker.CfnModel, settings: Settings) -> sagemaker.CfnEndpointConfig:
        key = cdk.CfnParameter(
            self,
            "EndpointKey",
            type="AWS::SSM::Parameter::Value<String>",
            default=self._project.endpoint_key_parameter,
        )
        variant = sagemaker.CfnEndpointConfig.ProductionVariantProperty(
            variant_name="AllTraffic",
            model_name=model.attr_model_name,
            instance_type=settings.instance_type,
            initial_instance_count=settings.instance_count,
            initial_variant_weight=1,
        )
        return sagemaker.CfnEndpointConfig(
            self, "EndpointConfig", production_variants=[variant], kms_key_id=key.value_as_string
        )

    # --- roles --------------------------------------------------------------------------------------------------------

    def _role(self, construct_id: str, kind: str, trusted: iam.IPrincipal, statements: list[iam.PolicyStatement]) -> iam.Role:
        project = self._project
        boundary = f"arn:aws:iam::{cdk.Aws.ACCOUNT_ID}:policy{project.boundary}"
        role = iam.Role(
            self,
            construct_id,
            role_name=f"{project.name}-{kind}-{self._stage}",
            path=project.role_path,
            assumed_by=trusted,
            permissions_boundary=iam.ManagedPolicy.from_managed_policy_arn(self, f"{construct_id}Boundary", boundary),
            inline_policies={"stage": iam.PolicyDocument(statements=statements)},
        )
        _acknowledge_wildcards(role, statements)
        return role

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}:{resource}"

    def _endpoint_role(self) -> iam.Role:
        """Return the role of the container: reads the model in the dev account, writes its own log and metrics."""
        project = self._project
        bucket = f"arn:aws:s3:::{project.name}-{project.dev_account}"
        dev_keys = f"arn:aws:kms:{cdk.Aws.REGION}:{project.dev_account}:key/*"
        log_group = self._arn("logs", f"log-group:/aws/sagemaker/Endpoints/{project.name}-{self._stage}")
        describe = ["DescribeDhcpOptions", "DescribeNetworkInterfaces", "DescribeSecurityGroups", "DescribeSubnets",
                    "DescribeVpcs"]  # fmt: skip
        interfaces = [self._arn("ec2", part) for part in ("network-interface/*", "subnet/*", "security-group/*")]
        statements = [
            _allow(["s3:GetObject"], [f"{bucket}/*"]),
            _allow(["s3:ListBucket"], [bucket]),
            _allow(
                ["kms:Decrypt", "kms:DescribeKey"],
                [dev_keys],
                {"StringEquals": {"kms:ViaService": f"s3.{cdk.Aws.REGION}.amazonaws.com"}},
            ),
            _allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], [log_group, f"{log_group}:*"]),
            _allow(
                ["cloudwatch:PutMetricData"],
                ["*"],
                {"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
            ),
            _allow(
                ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                [f"arn:aws:ecr:{cdk.Aws.REGION}:*:repository/sagemaker-scikit-learn"],
            ),
            _allow(["ecr:GetAuthorizationToken"], ["*"]),
            _allow(["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"], interfaces),
            _allow(["ec2:CreateNetworkInterfacePermission"], [self._arn("ec2", "network-interface/*")]),
            _allow([f"ec2:{action}" for action in describe], ["*"]),
        ]
        return self._role("EndpointRole", "endpoint", iam.ServicePrincipal("sagemaker.amazonaws.com"), statements)

    def _test_role(self, endpoint: str) -> iam.Role:
        """Return the role of the integration test: may invoke and describe this endpoint, no more."""
        project = self._project
        tester = f"arn:aws:iam::{project.dev_account}:role{project.role_path}{project.name}-deploy-test"
        trusted = iam.AccountPrincipal(project.dev_account).with_conditions({"ArnEquals": {"aws:PrincipalArn": tester}})
        own = {"StringEquals": {"aws:ResourceTag/sagemaker:project-name": project.name}}
        statements = [
            _allow(["sagemaker:InvokeEndpoint", "sagemaker:DescribeEndpoint"], [self._arn("sagemaker", f"endpoint/{endpoint}")]),
            _allow(["sagemaker:DescribeEndpointConfig"], [self._arn("sagemaker", "endpoint-config/*")], own),
            _allow(["sagemaker:DescribeModel"], [self._arn("sagemaker", "model/*")], own),
        ]
        return self._role("TestRole", "test", trusted, statements)


def _allow(actions: list[str], resources: list[str], conditions: dict[str, object] | None = None) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions)


def _acknowledge_wildcards(role: iam.Role, statements: list[iam.PolicyStatement]) -> None:
    """Answer cdk-nag's finding for each resource with a wildcard; a new one in another role is found again."""
    for resource in sorted({each for statement in statements for each in statement.resources if "*" in each}):
        text = resource.replace(cdk.Aws.REGION, "<AWS::Region>").replace(cdk.Aws.ACCOUNT_ID, "<AWS::AccountId>")
        finding = f"AwsSolutions::AwsSolutions-IAM5[Resource::{text}]"
        cdk.Validations.of(role).acknowledge(cdk.Acknowledgment(id=finding, reason=_WILDCARDS))
