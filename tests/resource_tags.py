"""The tags that things in an account really have, by asking the service of each; not what a template says of them."""

from collections.abc import Callable, Mapping
from typing import Any

Client = Callable[[str], Any]
"""Gives the client of a service, in one account."""


def _pairs(listed: list[dict[str, str]], key: str = "Key", value: str = "Value") -> dict[str, str]:
    return {each[key]: each[value] for each in listed}


def _repository(client: Client, repository_id: str) -> dict[str, str]:
    codecommit = client("codecommit")
    listed = {each["repositoryId"]: each["repositoryName"] for each in codecommit.list_repositories()["repositories"]}
    found = codecommit.get_repository(repositoryName=listed[repository_id])["repositoryMetadata"]
    return dict(codecommit.list_tags_for_resource(resourceArn=found["Arn"])["tags"])


def _pipeline(client: Client, name: str) -> dict[str, str]:
    pipelines = client("codepipeline")
    arn = pipelines.get_pipeline(name=name)["metadata"]["pipelineArn"]
    return _pairs(pipelines.list_tags_for_resource(resourceArn=arn)["tags"], "key", "value")


def _log_group(client: Client, name: str) -> dict[str, str]:
    logs = client("logs")
    (found,) = (each for each in logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
                if each["logGroupName"] == name)  # fmt: skip
    return dict(logs.list_tags_for_resource(resourceArn=found["arn"].removesuffix(":*"))["tags"])


READERS: Mapping[str, Callable[[Client, str], dict[str, str]]] = {
    "AWS::CodeBuild::Project": lambda client, name: _pairs(
        client("codebuild").batch_get_projects(names=[name])["projects"][0]["tags"], "key", "value"
    ),
    "AWS::CodeCommit::Repository": _repository,
    "AWS::CodePipeline::Pipeline": _pipeline,
    "AWS::Events::Rule": lambda client, name: _pairs(
        client("events").list_tags_for_resource(ResourceARN=client("events").describe_rule(Name=name)["Arn"])["Tags"]
    ),
    "AWS::IAM::Role": lambda client, name: _pairs(client("iam").list_role_tags(RoleName=name)["Tags"]),
    "AWS::KMS::Key": lambda client, key: _pairs(
        client("kms").list_resource_tags(KeyId=key)["Tags"], "TagKey", "TagValue"
    ),
    "AWS::Logs::LogGroup": _log_group,
    "AWS::S3::Bucket": lambda client, name: _pairs(client("s3").get_bucket_tagging(Bucket=name)["TagSet"]),
    "AWS::SSM::Parameter": lambda client, name: _pairs(
        client("ssm").list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]
    ),
    "AWS::SageMaker::ModelPackageGroup": lambda client, arn: _pairs(
        client("sagemaker").list_tags(ResourceArn=arn)["Tags"]
    ),
}
"""How the tags of each type are read, by the physical id that CloudFormation gives."""
WITHOUT_TAGS = {"AWS::CDK::Metadata", "AWS::IAM::Policy", "AWS::KMS::Alias", "AWS::S3::BucketPolicy"}


def tags_of_stack(client: Client, stack: str) -> list[tuple[str, str, dict[str, str]]]:
    """Return type, physical id and tags of everything that a stack and those nested in it made."""
    found = []
    for each in client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]:
        kind, physical_id = each["ResourceType"], each["PhysicalResourceId"]
        if kind == "AWS::CloudFormation::Stack":
            found += tags_of_stack(client, physical_id)
        elif kind not in WITHOUT_TAGS:
            found.append((kind, physical_id, READERS[kind](client, physical_id)))
    return found
