"""The CDK's bootstrap, edited: ``toolkit.template.yaml`` with the account's own values in it.

The edits, against the template of ``cdk bootstrap --show-template`` (version 33):

- the roles trust the account of the platform engineer, narrowed by ``aws:PrincipalArn`` to the engineer's role, instead
  of whole accounts; ``--trust`` is refused, because there is no such parameter;
- CloudFormation's role has the scoped policies of the stack before, instead of AdministratorAccess, and nothing else:
  ``--cloudformation-execution-policies`` is refused in the same way;
- the deployment role reaches the platform's own stacks only, the lookup role reads stacks and nothing else;
- no container repository and no key: the platform has no image assets, the bucket uses the AWS managed key of S3.
"""

import copy
import functools
from importlib.resources import files
from typing import Any

import yaml

from mlops_foundation.constructs.bootstrap.policies import execution_policies
from mlops_foundation.core.names import persona_role, role_arn
from mlops_foundation.plan.foundations import Foundation
from mlops_foundation.plan.models import SetPlan


@functools.cache
def _common() -> dict[str, Any]:
    """Return what all accounts have; PyYAML's own reader takes ten times as long as libyaml, where there is that."""
    text = files(__package__).joinpath("toolkit.template.yaml").read_text(encoding="utf-8")
    template: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return template


def toolkit_template(set_plan: SetPlan, foundation: Foundation) -> dict[str, Any]:
    """Return the toolkit's template of one account, accepted by ``cdk bootstrap --template``.

    Args:
        set_plan: The set of accounts.
        foundation: The account.

    Raises:
        PlanError: When CloudFormation's policies are more, or longer, than AWS allows.
    """
    template = copy.deepcopy(_common())
    home = set_plan.engineer_account(foundation.account)
    engineer = role_arn(home, persona_role("platform-engineer", set_plan.region, home))
    defaults = {
        "Qualifier": set_plan.names.qualifier,
        "TrustedAccount": home,
        "TrustedPrincipals": engineer,
    }
    for name, value in defaults.items():
        template["Parameters"][name]["Default"] = value
    policies = [each.arn for each in execution_policies(set_plan, foundation)]
    if policies:
        template["Resources"]["CloudFormationExecutionRole"]["Properties"]["ManagedPolicyArns"] = policies
    return template
