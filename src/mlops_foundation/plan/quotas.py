"""Names of the quotas of an account that stacks and projects take from, and that the preflight looks at."""

from typing import Final

VPCS: Final = "VPCs in the region"
ELASTIC_ADDRESSES: Final = "Elastic IP addresses in the region"
ROLES: Final = "IAM roles in the account"

TOOLKIT_ROLES: Final = 4
"""What the CDK's toolkit takes of them in every account; a test counts them in its template."""
ENGINEER_ROLES: Final = 1
"""What the bootstrap takes of them where the platform engineer signs in."""
