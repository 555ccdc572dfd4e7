"""The studio section: how SageMaker Studio is set up, and who uses it."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from mlops_foundation.config.base import Section, shape
from mlops_foundation.config.fields import UserName, invalid

DOMAIN_ADMIN_PROFILE: Final = "ds-admin"
IDLE_SHUTDOWN_MIN: Final = 60
IDLE_SHUTDOWN_MAX: Final = 525600
"""SageMaker's limits of IdleTimeoutInMinutes."""


def _idle_shutdown(value: int) -> int:
    if value and not IDLE_SHUTDOWN_MIN <= value <= IDLE_SHUTDOWN_MAX:
        expected = f"{IDLE_SHUTDOWN_MIN} to {IDLE_SHUTDOWN_MAX} minutes, or 0 for never"
        raise invalid("not a usable time", expected)
    return value


FileName = Annotated[str, Field(pattern=r"^[^\x00-\x1f]{1,255}$")]
SsoUser = Annotated[str, Field(min_length=1, max_length=256)]
IdleMinutes = Annotated[int, Field(ge=0, le=IDLE_SHUTDOWN_MAX, strict=True), AfterValidator(_idle_shutdown)]


class StudioUser(Section):
    """A person with a user profile."""

    name: UserName
    """Name of the user profile."""
    sso_user: SsoUser | None = None
    """User name in IAM Identity Center; with auth_mode sso."""


User = Annotated[
    Annotated[UserName, Tag("scalar")] | Annotated[StudioUser, Tag("mapping")],
    Discriminator(shape),
]


class UserFiles(Section):
    """Files that list users, one for each role; relative to ``mlops.yaml``."""

    data_scientists: FileName | None = None
    """For example data_scientists.yml."""
    lead_data_scientists: FileName | None = None
    """For example lead_data_scientists.yml."""


class Studio(Section):
    """SageMaker Studio, in dev; the profile ``ds-admin`` is always there."""

    auth_mode: Literal["iam", "sso"] = "iam"
    """How people sign in; cannot be changed once the domain is there."""
    data_scientists: tuple[User, ...] = ()
    """One user profile each."""
    lead_data_scientists: tuple[User, ...] = ()
    """One user profile each, whose apps may also decide on model versions."""
    users_from: UserFiles = UserFiles()
    admin_sso_user: SsoUser | None = None
    """User name in IAM Identity Center of who opens the profile ds-admin; with auth_mode sso."""
    idle_shutdown_minutes: IdleMinutes = 120
    """Apps that nobody uses for so long are stopped, 60 to 525600; 0 lets them run."""
    sagemaker_templates: bool = False
    """SageMaker's own project templates beside ours."""

    @property
    def users(self) -> tuple[StudioUser, ...]:
        """Everybody, data scientists first; the loader adds those of ``users_from``."""
        return (*_people(self.data_scientists), *self.leads)

    @property
    def leads(self) -> tuple[StudioUser, ...]:
        """Those who are listed as lead data scientists."""
        return _people(self.lead_data_scientists)


def _people(listed: tuple[User, ...]) -> tuple[StudioUser, ...]:
    return tuple(user if isinstance(user, StudioUser) else StudioUser(name=user) for user in listed)
