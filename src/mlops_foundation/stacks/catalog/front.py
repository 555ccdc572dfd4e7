"""The front product: its parameters problem type and inference type choose the template of a project.

Its template holds one nested stack for each template in use, under a condition: the types that this template serves.
What a project consists of is the same, whether it was made here or by the template's own product.
"""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_servicecatalog as servicecatalog
from constructs import Construct

from mlops_foundation.constructs.product import ProductContext
from mlops_foundation.constructs.project.parameters import project_parameters
from mlops_foundation.core.names import INFERENCE_TYPE, PROBLEM_TYPE, pascal
from mlops_foundation.plan.specs import TemplateSpec


class FrontProduct(servicecatalog.ProductStack):
    """The template of the front product.

    Args:
        scope: The catalog's stack.
        construct_id: Its id there.
        context: With the types of all templates.
        choices: The templates to choose among, each with the address of its own product's template.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        context: ProductContext,
        choices: Sequence[tuple[TemplateSpec, str]],
    ) -> None:
        super().__init__(scope, construct_id, description="A project, of the template for its problem and inference")
        project_parameters(self, context)
        self._refuse_others([template for template, _ in choices])
        parameters = {
            each.logical_id: each.value_as_string for each in self.node.children if isinstance(each, cdk.CfnParameter)
        }
        for template, address in choices:
            self._choice(template, address, parameters)

    def _refuse_others(self, templates: list[TemplateSpec]) -> None:
        """Refuse a problem type with an inference type that no template serves, before anything is made."""
        served: dict[str, list[str]] = {}
        for template in templates:
            for problem in template.problem_types:
                served.setdefault(problem, []).extend(template.inference_types)
        for problem, inferences in served.items():
            cdk.CfnRule(
                self,
                f"Served{pascal(problem)}",
                rule_condition=cdk.Fn.condition_equals(cdk.Fn.ref(PROBLEM_TYPE), problem),
                assertions=[
                    cdk.CfnRuleAssertion(
                        assert_=cdk.Fn.condition_contains(inferences, cdk.Fn.ref(INFERENCE_TYPE)),
                        assert_description=f"For the problem type {problem} the inference type is one of "
                        f"{', '.join(inferences)}.",
                    )
                ],
            )

    def _choice(self, template: TemplateSpec, address: str, parameters: Mapping[str, str]) -> None:
        title = pascal(template.name)
        chosen = cdk.CfnCondition(
            self,
            f"Is{title}",
            expression=cdk.Fn.condition_and(
                _one_of(PROBLEM_TYPE, template.problem_types), _one_of(INFERENCE_TYPE, template.inference_types)
            ),
        )
        stack = cdk.CfnStack(self, title, template_url=address, parameters=parameters)
        stack.cfn_options.condition = chosen
        cdk.CfnOutput(self, f"{title}Stack", value=stack.ref, condition=chosen)


def _one_of(parameter: str, values: tuple[str, ...]) -> cdk.ICfnConditionExpression:
    equal = [cdk.Fn.condition_equals(cdk.Fn.ref(parameter), value) for value in values]
    return equal[0] if len(equal) == 1 else cdk.Fn.condition_or(*equal)
