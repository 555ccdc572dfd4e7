"""Names of the quotas of an account that stacks and projects take from, and that the preflight looks at."""

from typing import Final

VPCS: Final = "VPCs in the region"
ELASTIC_ADDRESSES: Final = "Elastic IP addresses in the region"
ROLES: Final = "IAM roles in the account"
