"""The parameters of every project template, as Studio's form shows them, and the tags that follow from them."""

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from constructs import Construct

from mlops_foundation.constructs.product import ProductContext
from mlops_foundation.constructs.project.names import Names
from mlops_foundation.core.names import PROJECT_ID_TAG, PROJECT_NAME_PATTERN, PROJECT_TAG


@dataclass(frozen=True)
class ProjectParameters:
    """What a project is asked for.

    Attributes:
        names: The project's names, made of the parameters.
        facts: What is kept in SSM of the project, by the end of the parameter's name.
    """

    names: Names
    facts: Mapping[str, str]


def project_parameters(
    scope: Construct, context: ProductContext, problem_types: tuple[str, ...], inference_types: tuple[str, ...]
) -> ProjectParameters:
    """Add the parameters to a product's template, and tag everything in it with the project.

    Args:
        scope: The product's template.
        context: What it is built from.
        problem_types: Kinds of problem it serves; the first is the default.
        inference_types: Ways of serving; the first is the default.
    """
    pattern = f"^{PROJECT_NAME_PATTERN}$"
    name = _parameter(scope, "SageMakerProjectName", "Name of the project", allowed_pattern=pattern, max_length=32)
    project_id = _parameter(scope, "SageMakerProjectId", "Id that SageMaker gives the project")
    problem = _choice(scope, "ProblemType", "Kind of problem", problem_types)
    inference = _choice(scope, "InferenceType", "How predictions are served", inference_types)
    description = _parameter(scope, "Description", "What the project is for", default="a model", min_length=1)
    cost_center = _parameter(scope, "CostCenter", "Cost center that pays", min_length=1)
    preprod = _parameter(scope, "PreProdAccount", "Account of preprod", default=context.accounts["preprod"])
    prod = _parameter(scope, "ProdAccount", "Account of prod", default=context.accounts["prod"])
    region = _choice(scope, "DeploymentRegion", "Region of the endpoints", (context.region,))
    tags = {PROJECT_TAG: name, PROJECT_ID_TAG: project_id, "CostCenter": cost_center}
    for key, value in {**context.tags, **tags}.items():
        cdk.Tags.of(scope).add(key, value)
    facts = {"problem-type": problem, "inference-type": inference, "description": description}
    return ProjectParameters(Names(context, project_id, preprod, prod, region), facts)


def _choice(scope: Construct, name: str, description: str, allowed: tuple[str, ...]) -> str:
    return _parameter(scope, name, description, default=allowed[0], allowed_values=list(allowed))


def _parameter(scope: Construct, name: str, description: str, **constraints: object) -> str:
    parameter = cdk.CfnParameter(scope, name, type="String", description=description, **constraints)  # type: ignore[arg-type]
    return parameter.value_as_string
