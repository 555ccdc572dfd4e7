"""Turn SageMaker's own project templates on or off: the code of a CloudFormation custom resource.

The templates are in a Service Catalog portfolio of AWS. On: SageMaker enables it in the account and region, and the
roles that create projects get access. Off, or when the resource is deleted: the access is taken away, and SageMaker
disables it. Every request is answered, in time: what goes wrong fails the stack with its reason.

Properties: ``Enabled`` ("true" or "false"), ``Roles`` (ARNs).
"""

import time

import boto3
from answer import respond
from botocore.config import Config

PROVIDER = "Amazon SageMaker"
MADE, NOT_MADE = "sagemaker-project-templates", "sagemaker-project-templates-not-made"
SHARE_S = 20
"""Seconds until the portfolio has to be there once SageMaker enabled it."""
CALLS = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})


def handler(event, context):
    """Do what CloudFormation asks, and answer it."""
    respond(event, context, apply, NOT_MADE)


def apply(event, seconds):
    """Bring the account to what the resource's properties say; the calls' own limits keep it within the time."""
    templates, wanted = Templates(), event["ResourceProperties"]
    if event["RequestType"] == "Delete":
        # A create that failed has cleaned up after itself; a resource that was off has nothing to take away.
        if event["PhysicalResourceId"] == MADE and is_on(wanted):
            templates.off(wanted["Roles"])
        return event["PhysicalResourceId"], {}
    before = event.get("OldResourceProperties", {}).get("Roles", [])
    if not is_on(wanted):
        templates.off([*wanted["Roles"], *before])
        return MADE, {}
    try:
        templates.on(wanted["Roles"])
    except Exception:
        if event["RequestType"] == "Create":
            templates.clean_up(wanted["Roles"])
        raise
    templates.take_access(sorted(set(before) - set(wanted["Roles"])))
    return MADE, {}


def is_on(properties):
    """Tell whether the switch is on."""
    return properties["Enabled"] == "true"


class Templates:
    """SageMaker's own project templates in this account and region."""

    def __init__(self):
        self.sagemaker = boto3.client("sagemaker", config=CALLS)
        self.catalog = boto3.client("servicecatalog", config=CALLS)

    def on(self, roles):
        """Enable them, and give the roles access; what is so already stays."""
        self.sagemaker.enable_sagemaker_servicecatalog_portfolio()
        for portfolio in self.shared():
            for role in roles:
                self.catalog.associate_principal_with_portfolio(
                    PortfolioId=portfolio, PrincipalARN=role, PrincipalType="IAM"
                )

    def off(self, roles):
        """Take the access of the roles away, and disable them."""
        self.take_access(roles)
        if self.sagemaker.get_sagemaker_servicecatalog_portfolio_status()["Status"] == "Enabled":
            self.sagemaker.disable_sagemaker_servicecatalog_portfolio()

    def take_access(self, roles):
        """Take the access of roles away; who has none is left alone."""
        for portfolio in self.portfolios() if roles else ():
            pages = self.catalog.get_paginator("list_principals_for_portfolio").paginate(PortfolioId=portfolio)
            associated = {each["PrincipalARN"] for page in pages for each in page["Principals"]}
            for role in sorted(associated.intersection(roles)):
                self.catalog.disassociate_principal_from_portfolio(
                    PortfolioId=portfolio, PrincipalARN=role, PrincipalType="IAM"
                )

    def clean_up(self, roles):
        """Take back what a create that failed has done so far; its own reason matters more than one from here."""
        try:
            self.off(roles)
        except Exception as error:
            print(f"could not clean up: {type(error).__name__}: {error}")

    def shared(self):
        """Return the portfolios, once the share that SageMaker accepts is there."""
        deadline = time.monotonic() + SHARE_S
        while not (found := self.portfolios()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"no portfolio of {PROVIDER} was shared within {SHARE_S} seconds")
            time.sleep(1)
        return found

    def portfolios(self):
        """Return the ids of the accepted portfolios that AWS provides."""
        pages = self.catalog.get_paginator("list_accepted_portfolio_shares").paginate()
        return [each["Id"] for page in pages for each in page["PortfolioDetails"] if each["ProviderName"] == PROVIDER]
