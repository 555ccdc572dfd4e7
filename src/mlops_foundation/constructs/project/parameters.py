"""The parameters of every project template, as Studio's form shows them, and the tags that follow from them."""

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from constructs import Construct

from mlops_foundation.constructs.product import ProductContext
from mlops_foundation.constructs.project.names import Names
from mlops_foundation.core.names import (
    INFERENCE_TYPE,
    NO_TYPE,
    PROBLEM_TYPE,
    PROJECT_ID_TAG,
    PROJECT_NAME_PATTERN,
    PROJECT_TAG,
)


@dataclass(frozen=True)
class ProjectParameters:
    """What a project is asked for.

    Attributes:
        names: The project's names, made of the parameters.
        facts: What is kept in SSM of the project, by the end of the parameter's name.
    """

    names: Names
    facts: Mapping[str, str]


def project_parameters(scope: Construct, context: ProductContext) -> ProjectParameters:
    """Add the parameters to a product's template, and tag everything in it with the project.

    Args:
        scope: The product's template.
        context: What it is built from; its templates say which kinds of project it serves.
    """
    pattern = f"^{PROJECT_NAME_PATTERN}$"
    name = _parameter(scope, "SageMakerProjectName", "Name of the project", allowed_pattern=pattern, max_length=32)
    project_id = _parameter(scope, "SageMakerProjectId", "Id that SageMaker gives the project")
    problem = _choice(scope, PROBLEM_TYPE, "Kind of problem", context.problem_types)
    inference = _choice(scope, INFERENCE_TYPE, "How predictions are served", context.inference_types)
    description = _parameter(scope, "Description", "What the project is for", default="a model", min_length=1)
    cost_center = _parameter(scope, "CostCenter", "Cost center that pays", min_length=1)
    preprod = _parameter(scope, "PreProdAccount", "Account of preprod", default=context.accounts["preprod"])
    prod = _parameter(scope, "ProdAccount", "Account of prod", default=context.accounts["prod"])
    region = _choice(scope, "DeploymentRegion", "Region of the endpoints", (context.region,))
    tags = {PROJECT_TAG: name, PROJECT_ID_TAG: project_id, "CostCenter": cost_center}
    for key, value in {**context.tags, **tags}.items():
        cdk.Tags.of(scope).add(key, value)
    facts = {
        "template": context.title,
        "problem-type": problem,
        "inference-type": inference,
        "description": description,
    }
    return ProjectParameters(Names(context, project_id, preprod, prod, region), facts)


def _choice(scope: Construct, name: str, description: str, allowed: tuple[str, ...]) -> str:
    """Return a parameter with these values, the first as its default; a template of no type has one for none."""
    values = allowed or (NO_TYPE,)
    return _parameter(scope, name, description, default=values[0], allowed_values=list(values))


def _parameter(scope: Construct, name: str, description: str, **constraints: object) -> str:
    parameter = cdk.CfnParameter(scope, name, type="String", description=description, **constraints)  # type: ignore[arg-type]
    return parameter.value_as_string
