"""The CloudFormation types of the services that ministack serves; those of ours stand with their services.

A type is an entry in the tuple of its service's module; ``tools/schemas.py`` then cuts out its schema.
"""

from collections.abc import Mapping
from typing import Final

from mlops_foundation.local.contract import ResourceType
from mlops_foundation.local.resource_types import (
    awslambda,
    cloudwatch,
    ec2,
    ecr,
    events,
    iam,
    kms,
    logs,
    route53,
    s3,
    sns,
    sqs,
    ssm,
)
from mlops_foundation.local.resource_types.called import CalledType

_MODULES: Final = (awslambda, cloudwatch, ec2, ecr, events, iam, kms, logs, route53, s3, sns, sqs, ssm)
CALLED_TYPES: Final[tuple[CalledType, ...]] = tuple(made for module in _MODULES for made in module.TYPES)


def resource_types() -> Mapping[str, ResourceType]:
    """Return every type by its name."""
    return {each.type_name: each.resource_type() for each in CALLED_TYPES}
