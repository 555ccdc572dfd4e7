"""Where a command works: the configuration, one set of accounts, and sessions on AWS or on the local cloud."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from mlops_foundation.aws.sessions import Keys, ProfileSource, Sessions
from mlops_foundation.config.models import AccountSet, Config
from mlops_foundation.core.arns import AccountId
from mlops_foundation.core.errors import ConfigError, LocalCloudError
from mlops_foundation.core.names import PERSONAS, PROJECT_TAG, Environment, ProjectNames, persona_role
from mlops_foundation.local import process
from mlops_foundation.plan import Plan, SetPlan
from mlops_foundation.usecases.plan import load_and_plan

Target = Literal["local", "aws"]
STATE_DIR: Final = Path(".mlops")


class LocalSource:
    """Credentials of the local cloud: every account's root, and any role, by sign-in."""

    def __init__(self, running: process.Running, project: str = "") -> None:
        self._running = running
        self._tags = {PROJECT_TAG: project} if project else {}
        self.endpoint_url: str | None = running.endpoint_url

    def keys(self, account: str, role: str) -> Keys:
        """Return credentials of an account's root, or of a role in it with the project as session tag."""
        found = process.sign_in(self._running, account, role, self._tags).credentials
        return Keys(found.access_key_id, found.secret_access_key, found.session_token)


@dataclass(frozen=True)
class Workspace:
    """What every use case works on.

    Attributes:
        config: The configuration.
        plan: Its plan.
        set_plan: The set of accounts that is worked on.
        target: Where it is.
        sessions: Clients by account and role.
    """

    config: Config
    plan: Plan
    set_plan: SetPlan
    target: Target
    sessions: Sessions

    @property
    def account_set(self) -> AccountSet:
        """The set's configuration."""
        return self.config.account_set(self.set_plan.name)

    def account(self, environment: Environment) -> AccountId:
        """Return the account of an environment."""
        return self.set_plan.account(environment)

    def project(self, name: str) -> ProjectNames:
        """Return the names of a project."""
        return self.set_plan.names.project(name)

    def client(self, service: str, environment: Environment, persona: str = "") -> Any:  # noqa: ANN401  boto3
        """Return a client in an environment's account, as a persona or a role by its name.

        On AWS the profile of the account is the person already, so a persona is taken only where none is given by it:
        with ``persona`` empty the profile acts as it is.
        """
        account = self.account(environment)
        return self.sessions.client(service, account, self.role(environment, persona))

    def persona(self, asked: str, usual: str) -> str:
        """Return who acts: who was asked for, else whose task it is; on AWS the profile is that person already."""
        return asked or (usual if self.target == "local" else "")

    def role(self, environment: Environment, persona: str) -> str:
        """Return the name of a persona's role; any other name is a role's own.

        Raises:
            ConfigError: When the persona has no role in the environment's account.
        """
        account = self.account(environment)
        if persona in PERSONAS and persona != "platform-engineer" and account != self.account("dev"):
            raise ConfigError(
                f"the persona {persona} has a role in dev only",
                where=f"{environment}, account {account}",
                got=f"--role {persona}",
                expected="a stage in dev's account, or the name of a role of this account",
                fix="leave --role out: the account is read as its administrator, on AWS as its profile",
            )
        return self.role_in(account, persona)

    def role_in(self, account: str, persona: str) -> str:
        """Return the name of a persona's role in an account; any other name is a role's own."""
        return persona_role(persona, self.set_plan.region, account) if persona in PERSONAS else persona


def open_workspace(
    config_file: Path, set_name: str = "", target: Target = "local", state_dir: Path = STATE_DIR, project: str = ""
) -> Workspace:
    """Load the configuration and connect to where it is deployed.

    Args:
        config_file: ``mlops.yaml``.
        set_name: Set of accounts; may be empty when there is one.
        target: AWS or the local cloud.
        state_dir: Of the local cloud.
        project: The project a person works in, for sessions on the local cloud.

    Raises:
        ConfigError: When the file cannot be used or has no such set.
        LocalCloudError: When the local cloud does not run.
    """
    config, plan = load_and_plan(config_file)
    return _opened(config, plan, choose_set(plan, set_name, config_file), target, state_dir, project)


def open_workspaces(
    config_file: Path, set_names: Sequence[str] = (), target: Target = "local", state_dir: Path = STATE_DIR
) -> list[Workspace]:
    """Load the configuration and connect to several sets of accounts.

    Args:
        config_file: ``mlops.yaml``.
        set_names: Sets of accounts; all when empty.
        target: AWS or the local cloud.
        state_dir: Of the local cloud.

    Raises:
        ConfigError: When the file cannot be used or has no such set.
        LocalCloudError: When the local cloud does not run.
    """
    config, plan = load_and_plan(config_file)
    chosen = [choose_set(plan, name, config_file) for name in dict.fromkeys(set_names)] or plan.sets
    return [_opened(config, plan, each, target, state_dir) for each in chosen]


def _opened(
    config: Config, plan: Plan, set_plan: SetPlan, target: Target, state_dir: Path, project: str = ""
) -> Workspace:
    if target == "local":
        source: Any = LocalSource(running_cloud(state_dir), project)
    else:
        source = ProfileSource({account: f"{set_plan.prefix}-{name}" for name, account in set_plan.accounts.items()})
    return Workspace(config, plan, set_plan, target, Sessions(source, set_plan.region))


def choose_set(plan: Plan, name: str, config_file: Path) -> SetPlan:
    """Return the set with this name, or the only one.

    Raises:
        ConfigError: When there is none, or several and no name.
    """
    names = [each.name for each in plan.sets]
    if not name and len(names) == 1:
        return plan.sets[0]
    for each in plan.sets:
        if each.name == name:
            return each
    raise ConfigError(
        f"there is no set {name}" if name else "there are several sets of accounts",
        where=str(config_file),
        got=name,
        expected=f"one of {', '.join(names)}",
        fix=f"--set {names[0]}",
    )


def running_cloud(state_dir: Path) -> process.Running:
    """Return the local cloud of a state directory.

    Raises:
        LocalCloudError: When it does not run.
    """
    running = process.find(state_dir.absolute())
    if running is None:
        raise LocalCloudError(
            "the local cloud does not run",
            where=str(state_dir),
            expected="a running local cloud, or --target aws",
            fix="mlops local start",
        )
    return running
