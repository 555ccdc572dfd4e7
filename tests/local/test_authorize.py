"""What the one authorization decides, asked through real clients."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from mlops_foundation.local import process

pytestmark = pytest.mark.cloud


def role_with(cloud: Any, account: str, statements: list[dict[str, Any]], name: str = "person") -> None:
    iam = cloud.client("iam", account)
    trust = {
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
        ]
    }
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps({"Statement": statements}))


def session_of(cloud: Any, account: str, tags: dict[str, str]) -> boto3.session.Session:
    found = process.sign_in(cloud.running, account, "person", tags).credentials
    return boto3.session.Session(
        found.access_key_id, found.secret_access_key, found.session_token, region_name="eu-west-1"
    )


def test_a_policy_variable_in_a_resource_takes_the_session_tag(cloud: Any, account: str) -> None:
    own = {
        "Effect": "Allow",
        "Action": "ssm:PutParameter",
        "Resource": "arn:aws:ssm:*:*:parameter/${aws:PrincipalTag/p}/*",
    }
    role_with(cloud, account, [own])
    ssm = session_of(cloud, account, {"p": "mine"}).client("ssm", endpoint_url=cloud.endpoint_url)
    ssm.put_parameter(Name="/mine/x", Value="1", Type="String")
    with pytest.raises(ClientError, match="AccessDenied"):
        ssm.put_parameter(Name="/other/x", Value="1", Type="String")


def test_a_variable_without_a_value_matches_nothing(cloud: Any, account: str) -> None:
    own = {
        "Effect": "Allow",
        "Action": "ssm:PutParameter",
        "Resource": "arn:aws:ssm:*:*:parameter/${aws:PrincipalTag/p}*",
    }
    role_with(cloud, account, [own])
    ssm = session_of(cloud, account, {}).client("ssm", endpoint_url=cloud.endpoint_url)
    with pytest.raises(ClientError, match="AccessDenied"):
        ssm.put_parameter(Name="/x", Value="1", Type="String")


def test_principal_arn_is_the_role_and_not_the_session(cloud: Any, account: str) -> None:
    condition = {"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{account}:role/person"}}
    role_with(
        cloud, account, [{"Effect": "Allow", "Action": "s3:CreateBucket", "Resource": "*", "Condition": condition}]
    )
    s3 = session_of(cloud, account, {}).client("s3", endpoint_url=cloud.endpoint_url)
    s3.create_bucket(Bucket=f"b-{account}", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})


def test_a_service_that_is_not_offered_says_so(cloud: Any, account: str) -> None:
    role_with(cloud, account, [{"Effect": "Allow", "Action": "*", "Resource": "*"}])
    glue = session_of(cloud, account, {}).client("glue", endpoint_url=cloud.endpoint_url)
    with pytest.raises(ClientError, match="glue is not supported by the local cloud"):
        glue.get_databases()


def test_what_would_run_nowhere_is_refused(cloud: Any, account: str) -> None:
    with pytest.raises(ClientError, match="ec2:RunInstances is not supported"):
        cloud.client("ec2", account).run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)
    with pytest.raises(ClientError, match="rds is not supported"):
        cloud.client("rds", account).describe_db_instances()


def test_objects_under_a_key_need_the_key(cloud: Any, account: str) -> None:
    kms, s3 = cloud.client("kms", account), cloud.client("s3", account)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    bucket = f"k-{account}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_object(Bucket=bucket, Key="x", Body=b"1")
    objects = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "*"}
    role_with(cloud, account, [objects, {"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": key}])
    person = session_of(cloud, account, {}).client("s3", endpoint_url=cloud.endpoint_url)
    person.put_object(Bucket=bucket, Key="y", Body=b"1")
    with pytest.raises(ClientError, match="kms:Decrypt"):
        person.get_object(Bucket=bucket, Key="x")


def test_a_key_of_another_account_is_used_only_when_its_policy_says_so(cloud: Any, account: str) -> None:
    owner = cloud.new_account()
    owner_kms = cloud.client("kms", owner)

    def policy(*arns: str) -> str:
        statements = [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{owner}:root"}, "Action": "kms:*", "Resource": "*"}
        ]
        narrowed = {"ArnEquals": {"aws:PrincipalArn": list(arns)}}
        other = {"AWS": f"arn:aws:iam::{account}:root"}
        statements += [
            {"Effect": "Allow", "Principal": other, "Action": "kms:Encrypt", "Resource": "*", "Condition": narrowed}
        ]
        return json.dumps({"Version": "2012-10-17", "Statement": statements})

    key = owner_kms.create_key(Policy=policy(f"arn:aws:iam::{account}:role/somebody"))["KeyMetadata"]["Arn"]
    role_with(cloud, account, [{"Effect": "Allow", "Action": "kms:Encrypt", "Resource": key}])
    kms = session_of(cloud, account, {}).client("kms", endpoint_url=cloud.endpoint_url)
    with pytest.raises(ClientError, match="AccessDenied"):
        kms.encrypt(KeyId=key, Plaintext=b"x")
    owner_kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy(f"arn:aws:iam::{account}:role/person"))
    assert kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
