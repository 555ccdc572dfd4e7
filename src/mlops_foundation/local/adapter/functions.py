"""Lambda functions of one name in several accounts: each has workers of its own."""

from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc


def keep_workers_apart(_cloud: object) -> None:
    """End a function's workers in its own account and region only.

    ministack's CloudFormation and its code updates name no account, and so end those of every account with such a
    function, in the middle of what they do.
    """
    invalidate = lambda_svc.invalidate_worker

    def invalidate_here(
        func_name: str, qualifier: str | None = None, account: str | None = None, region: str | None = None
    ) -> None:
        invalidate(func_name, qualifier, account or get_account_id(), region or get_region())

    lambda_svc.invalidate_worker = invalidate_here
