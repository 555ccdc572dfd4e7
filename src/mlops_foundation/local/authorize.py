"""The one authorization: may this principal do this?

Everybody is asked the same way: people, roles, builds, jobs, pipelines, CloudFormation. Identity policies, permission
boundary, session policies and the resource's own policy decide together; across accounts both sides must allow.
"""

from collections.abc import Callable, Mapping

from mlops_foundation.core.arns import Region
from mlops_foundation.local.adapter import iam
from mlops_foundation.local.contract import Check, Principal, Service, ServiceError

Owner = Callable[[str], Service | None]
"""Finds the service of ours that a resource ARN belongs to."""


def authorize(principal: Principal, check: Check, region: Region, service_of: Owner) -> None:
    """Decide one check.

    Args:
        principal: Who asks.
        check: Action, resource and the request's condition keys.
        region: Where the request goes.
        service_of: Finds the service of a resource, for its tags and policy.

    Raises:
        ServiceError: ``AccessDeniedException`` with AWS's sentence: who, what, on what, why.
    """
    service = service_of(check.resource)
    tags: Mapping[str, str] = service.tags_of(check.resource) if service else iam.built_in_tags(check.resource)
    context = {f"aws:ResourceTag/{key}": value for key, value in tags.items()} | dict(check.context)
    policy = service.policy_of(check.resource) if service else iam.built_in_policy(check.resource)
    decision = iam.decide(principal, Check(check.action, check.resource, context), region, policy)
    if decision != "Allow":
        message = iam.denial(principal, check, decision == "Deny")
        raise ServiceError("AccessDeniedException", message, 403 if check.action.startswith("s3:") else 400)
