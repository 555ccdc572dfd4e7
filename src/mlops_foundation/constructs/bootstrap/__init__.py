"""What an account needs before the first deployment: scoped policies, then the CDK toolkit that uses them.

Both are plain CloudFormation templates, one pair for each account, deployed with the account's own administrator:

1. ``policies.template.json``: what CloudFormation may do to deploy the stacks that the account gets, in as few managed
   policies as hold it; in governance also the platform engineer's role.
2. ``toolkit.template.json``: the CDK's bootstrap, edited: its roles trust the platform engineer's role and no account,
   CloudFormation gets the policies above instead of AdministratorAccess.
"""

from mlops_foundation.constructs.bootstrap.policies import check_bootstrap, policies_template
from mlops_foundation.constructs.bootstrap.toolkit import toolkit_template

__all__ = ["check_bootstrap", "policies_template", "toolkit_template"]
