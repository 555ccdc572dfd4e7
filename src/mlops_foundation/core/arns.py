"""Types for the strings AWS is addressed by, and the parts of an ARN."""

import re
from dataclasses import dataclass
from typing import NewType

AccountId = NewType("AccountId", str)
Region = NewType("Region", str)
RoleArn = NewType("RoleArn", str)
ProjectName = NewType("ProjectName", str)

ACCOUNT_ID = re.compile(r"\d{12}")


@dataclass(frozen=True)
class Arn:
    """The six parts of ``arn:partition:service:region:account:resource``."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> "Arn":
        """Split an ARN.

        Raises:
            ValueError: When ``text`` has not the six parts of an ARN.
        """
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn":  # noqa: PLR2004  the six parts named above
            msg = f"not an ARN: {text!r}"
            raise ValueError(msg)
        return cls(*parts[1:])

    def __str__(self) -> str:
        """Return the ARN as text."""
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"

    @property
    def name(self) -> str:
        """The last segment of the resource: the name of a role, model, group and so on."""
        return self.resource.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
