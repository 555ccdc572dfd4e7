"""Whole accounts whose services are small fakes, for what looks at all of them before anything is changed."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from fake_aws import refused

from mlops_foundation.core.arns import Region
from mlops_foundation.core.errors import FoundationError
from mlops_foundation.usecases.plan import load_and_plan
from mlops_foundation.usecases.workspace import Target, Workspace

REGION = "eu-west-1"
FOUR = dict(zip(("governance", "dev", "preprod", "prod"), (digit * 12 for digit in "1234"), strict=True))
PUBLIC = "/aws/service/global-infrastructure/regions/"


@dataclass
class Account:
    """What an account has; what ``refuses`` names by ``service.operation`` is answered with that error.

    Attributes:
        stacks: Parameters of each stack by the stack's name.
        records: Values below ``/mlops-foundation/`` by region and prefix.
    """

    account: str
    arn: str = ""
    expires: dt.datetime | None = None
    lacks_rights: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    stacks: dict[str, dict[str, str]] = field(default_factory=dict)
    buckets: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    roles_used: int = 10
    domains: set[str] = field(default_factory=set)
    vpcs: dict[str, str] = field(default_factory=dict)
    addresses: int = 0
    quotas: dict[str, int] = field(default_factory=dict)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    refuses: dict[str, ClientError] = field(default_factory=dict)
    no_credentials: FoundationError | None = None


class Client:
    """A client of one service in one account and region."""

    def __init__(self, service: str, account: Account, region: str) -> None:
        self._service, self._account, self._region = service, account, region

    def __getattr__(self, operation: str) -> Any:
        if operation.startswith("_"):
            raise AttributeError(operation)
        error = self._account.refuses.get(f"{self._service}.{operation}")
        if error:
            raise error
        return getattr(self, f"_{self._service}_{operation}".replace("-", "_"))

    def get_paginator(self, operation: str) -> Any:
        call = getattr(self, operation)
        return type("Paginator", (), {"paginate": staticmethod(lambda **request: iter([call(**request)]))})

    def _sts_get_caller_identity(self) -> dict[str, Any]:
        return {"Arn": self._account.arn or f"arn:aws:iam::{self._account.account}:root"}

    def _iam_simulate_principal_policy(self, PolicySourceArn: str, ActionNames: list[str]) -> dict[str, Any]:  # noqa: N803
        assert PolicySourceArn
        lacks = self._account.lacks_rights
        return {
            "EvaluationResults": [
                {"EvalActionName": name, "EvalDecision": "implicitDeny" if name in lacks else "allowed"}
                for name in ActionNames
            ]
        }

    def _iam_list_roles(self) -> dict[str, Any]:
        return {"Roles": [{"RoleName": name} for name in sorted(self._account.roles)]}

    def _iam_get_role(self, RoleName: str) -> dict[str, Any]:  # noqa: N803  botocore's name
        if RoleName not in self._account.roles:
            raise refused("NoSuchEntity", "no such role")
        return {}

    def _iam_get_account_summary(self) -> dict[str, Any]:
        return {"SummaryMap": {"Roles": self._account.roles_used, "RolesQuota": 1000}}

    def _ssm_get_parameters_by_path(self, Path: str) -> dict[str, Any]:  # noqa: N803  botocore's name
        if Path.startswith(PUBLIC):
            values = self._account.services if Path == f"{PUBLIC}{self._region}/services" else []
            return {"Parameters": [{"Value": value} for value in values]}
        assert Path == "/mlops-foundation"
        found = self._account.records.get(self._region, {})
        return {"Parameters": [{"Name": f"{Path}/{key}", "Value": json.dumps(value)} for key, value in found.items()]}

    def _cloudformation_describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803  botocore's name
        if StackName not in self._account.stacks:
            raise refused("ValidationError", f"Stack with id {StackName} does not exist")
        parameters = self._account.stacks[StackName]
        pairs = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
        return {"Stacks": [{"StackStatus": "CREATE_COMPLETE", "Parameters": pairs}]}

    def _cloudformation_get_template(self, StackName: str) -> dict[str, Any]:  # noqa: N803  botocore's name
        assert StackName in self._account.stacks
        return {"TemplateBody": {"Resources": {}}}

    def _s3_head_bucket(self, Bucket: str) -> None:  # noqa: N803  botocore's name
        if Bucket not in self._account.buckets:
            raise refused("404", "Not Found")

    def _sagemaker_list_domains(self) -> dict[str, Any]:
        return {"Domains": [{"DomainName": name, "DomainId": f"d-{name}"} for name in self._account.domains]}

    def _sagemaker_describe_domain(self, DomainId: str) -> dict[str, Any]:  # noqa: N803  botocore's name
        assert DomainId
        return {"AuthMode": "IAM"}

    def _ec2_describe_vpcs(self) -> dict[str, Any]:
        return {"Vpcs": [{"VpcId": name, "CidrBlock": block} for name, block in self._account.vpcs.items()]}

    def _ec2_describe_addresses(self) -> dict[str, Any]:
        return {"Addresses": [{}] * self._account.addresses}

    def _service_quotas_get_service_quota(self, ServiceCode: str, QuotaCode: str) -> dict[str, Any]:  # noqa: N803
        if QuotaCode not in self._account.quotas:
            raise refused("NoSuchResourceException", f"no {ServiceCode} {QuotaCode}")
        return {"Quota": {"Value": self._account.quotas[QuotaCode]}}


class Fleet:
    """Accounts by id, made when they are first asked for, and sessions of all of them."""

    endpoint_url: str | None = None

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.asked: list[tuple[str, str, str, str]] = []
        self.region = Region(REGION)

    def __getitem__(self, account: str) -> Account:
        return self.accounts.setdefault(account, Account(account))

    def client(self, service: str, account: str, role: str = "", region: str = "") -> Any:
        self.asked.append((service, account, role, region or self.region))
        return Client(service, self[account], region or self.region)

    def expires(self, account: str) -> dt.datetime | None:
        error = self[account].no_credentials
        if error:
            raise error
        return self[account].expires

    def workspaces(
        self, folder: Path, *sets: Mapping[str, Any], target: Target = "local", **sections: Any
    ) -> list[Workspace]:
        """Return the workspaces of a configuration with these sets, one of four accounts when none is given."""
        chosen = sets or ({"name": "team", "accounts": FOUR},)
        path = folder / "mlops.yaml"
        path.write_text(json.dumps({"region": REGION, "sets": chosen, "tags": {"CostCenter": "0"}, **sections}))
        config, plan = load_and_plan(path)
        return [Workspace(config, plan, each, target, self) for each in plan.sets]  # type: ignore[arg-type]
