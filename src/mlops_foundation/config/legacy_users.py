"""The two files of users of AWS's ``mlops-infra`` sample, read as they are.

    prefix: "ds"
    users:
      - user_profile_name: "alice"

``prefix`` comes before every name: the profile is ``ds-alice``. With ``auth_mode: sso`` each entry also needs
``sso_user``, which the sample does not know.

Source: ``mlops_infra/config/dev/data_scientists.yml`` in aws-samples/sagemaker-custom-project-templates.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from mlops_foundation.config import documents
from mlops_foundation.config.base import Section
from mlops_foundation.config.fields import USER_NAME_MAX, UserName
from mlops_foundation.config.people import Listed
from mlops_foundation.config.studio import SsoUser, StudioUser, UserFiles
from mlops_foundation.config.yaml_nodes import Document
from mlops_foundation.core.errors import ConfigError, Problem


class _Entry(Section):
    user_profile_name: UserName
    """Name of the user, without the prefix."""
    sso_user: SsoUser | None = None
    """User name in IAM Identity Center; with auth_mode sso."""


class _UserFile(Section):
    prefix: Annotated[str, Field(pattern=r"^([a-zA-Z0-9](-*[a-zA-Z0-9]){0,30})?$")] = ""
    """Comes before every name."""
    users: tuple[_Entry, ...] = ()
    """One user profile each."""


def files(users_from: UserFiles, folder: Path) -> list[Path]:
    """Return the files that are named."""
    named = (users_from.data_scientists, users_from.lead_data_scientists)
    return [folder / name for name in named if name is not None]


def listed(users_from: UserFiles, document: Document, file: str) -> tuple[list[Listed], list[Problem]]:
    """Return everybody in the files, and every problem in them.

    Args:
        users_from: Names the files.
        document: ``mlops.yaml``, which says where each file is named.
        file: Its name; files are found from its folder.
    """
    users: list[Listed] = []
    problems: list[Problem] = []
    for role in ("data_scientists", "lead_data_scientists"):
        name = getattr(users_from, role)
        if name is None:
            continue
        try:
            named = f"{file}:{document.line_of(('studio', 'users_from', role))}"
            users += _read(Path(file).parent / name, role, named)
        except ConfigError as error:
            problems += error.problems
    return users, problems


def _read(path: Path, role: str, named: str) -> Iterator[Listed]:
    missing = Problem(
        what=f"the file of the {role.replace('_', ' ')} is not there",
        where=named,
        got=str(path),
        expected="a file with prefix and users, beside mlops.yaml",
        fix=f"write it, or remove studio.users_from.{role}",
    )
    text = documents.read_text(path, missing)
    document, problems = documents.read(text, str(path), "write prefix: and users: with user_profile_name: of each")
    found, more = documents.checked(document, str(path), _UserFile, _UserFile.model_validate)
    if found is None or problems:
        raise documents.failed(str(path), [*problems, *more])
    too_long = []
    for index, entry in enumerate(found.users):
        where = f"{path}:{document.line_of(('users', index, 'user_profile_name'))}"
        name = "-".join(filter(None, [found.prefix, entry.user_profile_name]))
        if len(name) > USER_NAME_MAX:
            too_long.append(_too_long(name, where))
            continue
        user = StudioUser(name=name, sso_user=entry.sso_user)
        yield Listed(user, entry.user_profile_name, role, where)
    if too_long:
        raise documents.failed(str(path), too_long)


def _too_long(name: str, where: str) -> Problem:
    return Problem(
        what="the prefix and the name of a user are too long together",
        where=where,
        got=f"{name} ({len(name)} characters)",
        expected=f"at most {USER_NAME_MAX} characters (SageMaker's UserProfileName)",
        fix="shorten the name or the prefix",
    )
