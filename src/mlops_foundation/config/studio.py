"""The studio section: how SageMaker Studio is set up, and who uses it."""

from typing import Annotated, Final, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from mlops_foundation.config.base import Section, shape
from mlops_foundation.config.fields import UserName, invalid, once

DOMAIN_ADMIN_PROFILE: Final = "ds-admin"


class StudioUser(Section):
    """A person with a user profile."""

    name: UserName
    """Name of the user profile."""
    sso_user: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    """User name in IAM Identity Center; with auth_mode sso."""


User = Annotated[
    Annotated[UserName, Tag("scalar")] | Annotated[StudioUser, Tag("mapping")],
    Discriminator(shape),
]


class UserFiles(Section):
    """Files that list users, one for each role; relative to ``mlops.yaml``."""

    data_scientists: str | None = None
    """For example data_scientists.yml."""
    lead_data_scientists: str | None = None
    """For example lead_data_scientists.yml."""


class Studio(Section):
    """SageMaker Studio, in dev; the profile ``ds-admin`` is always there."""

    auth_mode: Literal["iam", "sso"] = "iam"
    """How people sign in; cannot be changed once the domain is there."""
    data_scientists: tuple[User, ...] = ()
    """One user profile each."""
    lead_data_scientists: tuple[User, ...] = ()
    """One user profile each; the same in Studio, they approve as the lead's role."""
    users_from: UserFiles = UserFiles()
    idle_shutdown_minutes: Annotated[int, Field(ge=0, le=525600, strict=True)] = 120
    """Apps that nobody uses for so long are stopped, 60 to 525600; 0 lets them run."""
    sagemaker_templates: bool = False
    """SageMaker's own project templates beside ours."""

    @property
    def users(self) -> tuple[StudioUser, ...]:
        """Everybody in the configuration itself, data scientists first."""
        return tuple(
            each if isinstance(each, StudioUser) else StudioUser(name=each)
            for each in (*self.data_scientists, *self.lead_data_scientists)
        )

    @model_validator(mode="after")
    def _users_once(self) -> Self:
        users = [user.name for user in self.users]
        once(users, "Studio user")
        if DOMAIN_ADMIN_PROFILE in users:
            raise invalid(
                f"the profile {DOMAIN_ADMIN_PROFILE} is always made", "other names", "remove it from the list"
            )
        return self
