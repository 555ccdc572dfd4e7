"""The local cloud as a person uses it: start, stop, look at it, get credentials."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mlops_foundation.core.arns import ACCOUNT_ID
from mlops_foundation.core.errors import ConfigError, LocalCloudError
from mlops_foundation.core.names import ENVIRONMENTS, PERSONAS, PROJECT_TAG, Environment, persona_role
from mlops_foundation.local import DEFAULT_PORT, process, runtimes
from mlops_foundation.local.git_login import git_settings
from mlops_foundation.usecases.plan import load_and_plan
from mlops_foundation.usecases.workspace import choose_set, running_cloud

HOMES: Final[dict[str, Environment]] = {
    persona: "governance" if persona == "platform-engineer" else "dev" for persona in PERSONAS
}
"""The account that holds each persona's role."""


@dataclass(frozen=True)
class Status:
    """The local cloud as it is."""

    running: bool
    state_dir: str
    pid: int = 0
    endpoint_url: str = ""
    unsaved: Mapping[str, str] = field(default_factory=dict)
    """Services whose state could not be saved the last time, with the reason."""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``."""
        return dict(vars(self))


def status(state_dir: Path) -> Status:
    """Return whether the cloud of a state directory runs, and where."""
    running = process.find(state_dir.absolute())
    if running is None:
        return Status(running=False, state_dir=str(state_dir))
    return Status(
        running=True,
        state_dir=str(state_dir),
        pid=running.pid,
        endpoint_url=running.endpoint_url,
        unsaved=process.unsaved(running),
    )


def start(state_dir: Path, port: int | None = None) -> Status:
    """Start the cloud and wait until it answers; one that runs already is left as it is.

    Args:
        state_dir: Of the cloud.
        port: Port on 127.0.0.1; None is the usual one, or the one that it has already.

    Raises:
        LocalCloudError: When it cannot start, or runs on another port than the one that is asked for.
    """
    running = process.find(state_dir.absolute())
    if running and port not in {None, running.port}:
        raise LocalCloudError(
            "the local cloud runs already, on another port",
            where=str(state_dir),
            got=f"port {running.port}, asked for port {port}",
            expected="one port for each cloud",
            fix=f"use {running.endpoint_url}, or: mlops local stop; mlops local start --port {port}",
        )
    process.start(state_dir.absolute(), port or DEFAULT_PORT)
    return status(state_dir)


def stop(state_dir: Path) -> bool:
    """Stop the cloud; False when it did not run."""
    return process.stop(state_dir.absolute())


def reset(state_dir: Path) -> None:
    """Stop the cloud and forget everything in it."""
    process.reset(state_dir.absolute())


def logs(state_dir: Path, lines: int) -> Iterator[str]:
    """Return the last lines that the cloud's process said."""
    path = process.log_file(state_dir.absolute())
    said = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    yield from said[-lines:]


def runtime(image_uri: str, report: Callable[[str], None]) -> runtimes.Runtime:
    """Return the runtime that stands for an image, built when it is used for the first time.

    Raises:
        LocalCloudError: When no runtime stands for the image, or it cannot be built.
    """
    try:
        return runtimes.Runtimes(runtimes.cache_folder(), os.environ).get(image_uri, report)
    except (runtimes.UnknownImageError, runtimes.RuntimeBuildError) as error:
        raise LocalCloudError(
            str(error), where=image_uri, expected=f"one of {', '.join(runtimes.known())}", fix="use a known image"
        ) from error


def prepare_runtimes() -> None:
    """Build the runtimes that are not there yet, ahead of the first job; one that fails is tried again by that job."""
    made = runtimes.Runtimes(runtimes.cache_folder(), os.environ)
    for name in runtimes.known():
        with contextlib.suppress(runtimes.RuntimeBuildError):
            made.named(name)


def environment(
    config_file: Path, state_dir: Path, account: str, role: str, project: str = "", set_name: str = ""
) -> dict[str, str]:
    """Return the variables with which any AWS client, and git, acts on the local cloud.

    Args:
        config_file: ``mlops.yaml``, which names the accounts.
        state_dir: Of the cloud.
        account: Environment or account id; empty for the persona's home.
        role: Persona, role name, or empty for the account's root.
        project: The project that the session works in.
        set_name: Set of accounts.

    Raises:
        ConfigError: When the account is not known.
        LocalCloudError: When the cloud does not run or the role does not exist.
    """
    running = running_cloud(state_dir)
    _, plan = load_and_plan(config_file)
    set_plan = choose_set(plan, set_name, config_file)
    home = HOMES.get(role, "dev")
    account = account or (home if home in set_plan.accounts else "dev")
    if account in ENVIRONMENTS:
        account_id: str = set_plan.account(next(name for name in ENVIRONMENTS if name == account))
    elif ACCOUNT_ID.fullmatch(account):
        account_id = account
    else:
        raise ConfigError(
            f"there is no account {account}",
            where="--account",
            got=account,
            expected=f"one of {', '.join(ENVIRONMENTS)}, or 12 digits",
        )
    name = persona_role(role, set_plan.region, account_id) if role in PERSONAS else role
    tags = {PROJECT_TAG: project} if project else {}
    found = process.sign_in(running, account_id, name, tags).credentials
    values = {
        "AWS_ACCESS_KEY_ID": found.access_key_id,
        "AWS_SECRET_ACCESS_KEY": found.secret_access_key,
        "AWS_SESSION_TOKEN": found.session_token or "",
        "AWS_REGION": set_plan.region,
        "AWS_DEFAULT_REGION": set_plan.region,
        "AWS_ENDPOINT_URL": running.endpoint_url,
        # From anywhere, the commands of the platform work on it: in a clone that is not below its folder too.
        "MLOPS_CONFIG": str(config_file.absolute()),
        "MLOPS_STATE_DIR": str(state_dir.absolute()),
        **git_settings(running.endpoint_url),
    }
    return {key: value for key, value in values.items() if value}
