"""The Studio domain as the SageMaker API describes it; nothing is changed."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Domain:
    """A Studio domain.

    Attributes:
        domain_id: Its id.
        auth_mode: ``iam`` or ``sso``.
    """

    domain_id: str
    auth_mode: str


def find(sagemaker: Any, name: str) -> Domain | None:  # noqa: ANN401  boto3 clients
    """Return the domain with a name.

    Args:
        sagemaker: A client in the account and region.
        name: Name of the domain.

    Returns:
        The domain, or None when there is none.
    """
    for page in sagemaker.get_paginator("list_domains").paginate():
        for each in page["Domains"]:
            if each["DomainName"] == name:
                found = sagemaker.describe_domain(DomainId=each["DomainId"])
                return Domain(each["DomainId"], found["AuthMode"].lower())
    return None
