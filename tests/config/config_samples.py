"""A configuration that is right, for tests to break."""

from typing import Any

GOOD = """\
region: eu-west-1
sets:
  - name: default
    accounts:
      governance: "111111111111"
      dev: "222222222222"
      preprod: "333333333333"
      prod: "444444444444"
network:
  cidr: 10.0.0.0/16
  azs: 3
  nat_gateways: 1
studio:
  data_scientists: [alice]
  lead_data_scientists: [lea]
tags:
  CostCenter: "0000"
"""

SCIENTISTS = 'prefix: "ds"\nusers:\n  - user_profile_name: "data-scientist"\n'
LEADS = 'prefix: "lead-ds"\nusers:\n  - user_profile_name: "lead-data-scientist"\n'

EVERYTHING = """\
prefix: mlops
region: eu-west-1
sets:
  - name: default
    prefix: team1
    region: eu-west-2
    accounts: {governance: "111111111111", dev: "222222222222", preprod: "333333333333", prod: "444444444444"}
    stages:
      dev:
        network:
          import:
            vpc_id: vpc-12345678
            private_subnet_ids: [subnet-12345678, subnet-23456789]
            security_group_id: sg-12345678
            extra_security_group_ids: [sg-23456789]
            execution_role_arn: arn:aws:iam::222222222222:role/studio
      prod:
        network:
          cidr: 10.9.0.0/16
          azs: [eu-west-2a, eu-west-2b]
          nat_gateways: 2
          endpoints: [s3, logs]
          flow_logs: {enabled: true, retention_days: 365}
          subnet_masks: {private: 20, public: 26}
        tags: {DataClass: confidential}
  - name: second
    accounts: {dev: "555555555555", preprod: "555555555555", prod: "666666666666"}
network:
  cidr: {dev: 10.0.0.0/18, preprod: 10.0.64.0/18, prod: 10.0.128.0/18, governance: 10.0.192.0/18}
  azs: 3
  nat_gateways: 1
  shared_endpoints: {owner: governance, connection: transit_gateway, transit_gateway_id: tgw-12345678}
studio:
  auth_mode: iam
  data_scientists: [alice, {name: bob}]
  lead_data_scientists: [lea]
  users_from: {data_scientists: data_scientists.yml, lead_data_scientists: lead_data_scientists.yml}
  idle_shutdown_minutes: 60
  sagemaker_templates: true
source: {provider: codecommit, branch: main}
packages: {provider: codeartifact, domain: mlops, repository: mlops-pypi}
builds: {in_vpc: true}
sign_in:
  principals:
    lead: [arn:aws:iam::111111111111:role/people/Lead_*]
tags:
  CostCenter: "0000"
"""
"""Every section, with two sets; its two files of users stand beside it."""

ACCOUNTS = """\
[
    {
        "SET_NAME": "first-example",
        "DEV_ACCOUNT": "222222222222",
        "PREPROD_ACCOUNT": "333333333333",
        "PROD_ACCOUNT": "444444444444",
        "DEPLOYMENT_REGION": "eu-west-1",
        "CREATE_SM_DOMAIN": "True"
    }
]
"""
"""``accounts.json`` of AWS's sample."""

FOUR = {"governance": "111111111111", "dev": "222222222222", "preprod": "333333333333", "prod": "444444444444"}
_TAGS = {"CostCenter": "0000"}
_NO_INTERNET: dict[str, Any] = {"network": {"nat_gateways": 0}, "packages": {"provider": "codeartifact"}}
_IMPORT = {
    "vpc_id": "vpc-12345678",
    "private_subnet_ids": ["subnet-12345678", "subnet-23456789"],
    "extra_security_group_ids": ["sg-23456789"],
    "execution_role_arn": "arn:aws:iam::222222222222:role/studio",
}


def _one(accounts: dict[str, str], stages: dict[str, Any] | None = None, **sections: Any) -> dict[str, Any]:
    sets = [{"name": "default", "accounts": accounts, "stages": stages or {}}]
    return {"region": "eu-west-1", "sets": sets, "tags": _TAGS, **sections}


TOPOLOGIES: dict[str, dict[str, Any]] = {
    "four accounts": _one(FOUR),
    "three accounts": _one({**FOUR, "preprod": FOUR["prod"]}),
    "one account": _one(dict.fromkeys(FOUR, "222222222222")),
    "manual": _one({name: account for name, account in FOUR.items() if name != "governance"}),
    "several sets": {
        "region": "eu-west-1",
        "sets": [
            {"name": "europe", "prefix": "eu", "accounts": FOUR},
            {"name": "america", "prefix": "us", "accounts": FOUR, "region": "us-east-1"},
        ],
        "tags": _TAGS,
    },
    "no internet": _one(FOUR, **_NO_INTERNET),
    "imported network": _one(FOUR, {"dev": {"network": {"import": _IMPORT}}}),
    "shared endpoints": _one(FOUR, network={"shared_endpoints": {"owner": "prod"}}),
    "shared endpoints in governance": _one(
        FOUR,
        network={
            "shared_endpoints": {
                "owner": "governance",
                "connection": "transit_gateway",
                "transit_gateway_id": "tgw-12345678",
            }
        },
    ),
    "stages of their own": _one(
        FOUR,
        {
            "dev": {"network": {"azs": 2, "flow_logs": {"enabled": False}}},
            "prod": {
                "network": {"azs": 3, "nat_gateways": 3, "subnet_masks": {"private": 20}},
                "tags": {"Class": "high"},
            },
        },
    ),
    "single sign-on and SageMaker's templates": _one(
        FOUR,
        studio={
            "auth_mode": "sso",
            "admin_sso_user": "ada@example.com",
            "data_scientists": [{"name": "alice", "sso_user": "alice@example.com"}],
            "idle_shutdown_minutes": 0,
            "sagemaker_templates": True,
        },
    ),
}
"""Every shape of accounts, networks and Studio that the platform can be deployed in."""
