"""``accounts.json`` of AWS's multi-account sample, read as it is: the sets of accounts of both of its apps.

The infrastructure app and the template app have one each: an object for one set, or a list of sets. The account of
the pipeline, the default region and the app's prefix stand in ``constants.py`` beside it, as Python; they are read from
there.

Source: ``mlops_infra/config/accounts.json`` and ``scripts/cdk-account-setup.sh`` in
aws-samples/sagemaker-custom-project-templates.
"""

import ast
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, TypeAdapter

from mlops_foundation.config import documents
from mlops_foundation.config.base import Section
from mlops_foundation.config.fields import AccountIdField, RegionField, SetName, invalid, once
from mlops_foundation.core.errors import ConfigError, Problem

CONSTANTS_FILE: Final = "constants.py"


def _domain_is_made(value: str | bool) -> str | bool:  # noqa: FBT001  pydantic gives it
    if str(value).lower() != "true":
        fix = "remove the key; in another account of yours there can be another domain"
        raise invalid("the platform always makes a Studio domain in dev", "True", fix)
    return value


class LegacySet(Section):
    """One set of accounts of the file."""

    name: Annotated[SetName, Field(alias="SET_NAME")]
    """Name of the set: 2 to 20 lower-case letters, digits and hyphens."""
    dev: Annotated[AccountIdField, Field(alias="DEV_ACCOUNT")]
    """Account id of dev, 12 digits."""
    preprod: Annotated[AccountIdField, Field(alias="PREPROD_ACCOUNT")]
    """Account id of preprod, 12 digits; the template app's file may lack it, the infrastructure app's has it."""
    prod: Annotated[AccountIdField, Field(alias="PROD_ACCOUNT")]
    """Account id of prod, 12 digits; the template app's file may lack it, the infrastructure app's has it."""
    region: Annotated[RegionField | None, Field(alias="DEPLOYMENT_REGION")] = None
    """Region of the set; that of constants.py when left out."""
    domain: Annotated[str | bool, AfterValidator(_domain_is_made), Field(alias="CREATE_SM_DOMAIN")] = True
    """Whether a Studio domain is made; here it always is."""


@dataclass(frozen=True)
class LegacyAccounts:
    """What the two files say.

    Attributes:
        sets: The sets of accounts.
        governance: The pipeline's account, None when ``constants.py`` is not there or names none.
        region: The default region, None likewise.
        prefix: The app's prefix (``mlops`` or ``mlops-cdk``), None likewise.
    """

    sets: tuple[LegacySet, ...]
    governance: str | None
    region: str | None
    prefix: str | None


def read(path: Path) -> LegacyAccounts:
    """Read ``accounts.json``, and ``constants.py`` beside it when it is there.

    Args:
        path: The JSON file.

    Raises:
        ConfigError: With every problem found, each with its line.
    """
    file = str(path)
    missing = Problem(
        what="there is no such file",
        where=file,
        got="nothing",
        expected="accounts.json of the infrastructure app",
        fix="give its path, such as mlops_infra/config/accounts.json",
    )
    text = documents.read_text(path, missing)
    _check_json(text, file)
    # Outside of its strings JSON's white space means nothing, and inside of them there are no tabs.
    document, problems = documents.read(text.replace("\t", " "), file, "write SET_NAME, DEV_ACCOUNT...", (dict, list))
    found, more = documents.checked(document, file, LegacySet, _sets)
    if found is None or problems or more:
        raise documents.failed(file, [*problems, *more])
    if not found:
        raise ConfigError("there is no set of accounts", f"{file}:1", "an empty list", "at least one set", "add one")
    constants = _constants(path.parent / CONSTANTS_FILE)
    names = ("PIPELINE_ACCOUNT", "DEFAULT_DEPLOYMENT_REGION", "APP_PREFIX")
    return LegacyAccounts(found, *(constants.get(name) for name in names))


def _sets(data: Any) -> tuple[LegacySet, ...]:  # noqa: ANN401  what JSON gave
    if isinstance(data, dict):
        return (LegacySet.model_validate(data),)
    return TypeAdapter(Annotated[tuple[LegacySet, ...], AfterValidator(_names_once)]).validate_python(data)


def _names_once(value: tuple[LegacySet, ...]) -> tuple[LegacySet, ...]:
    once([each.name for each in value], "set")
    return value


def _check_json(text: str, file: str) -> None:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{file}:{error.lineno}"
        got = documents.shown(repr(text[error.pos : error.pos + 20])) if text[error.pos :] else "the end of the file"
        raise ConfigError(f"not JSON: {error.msg}", where, got, "JSON", "look for commas and quotes") from error
    except (RecursionError, ValueError) as error:
        raise ConfigError("not JSON that can be read", f"{file}:1", expected="JSON", fix="write it anew") from error


def _constants(path: Path) -> dict[str, str]:
    """Return the texts that a Python file assigns to names; it is not run."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    assigned = [each for each in tree.body if isinstance(each, ast.Assign) and isinstance(each.value, ast.Constant)]
    return {
        target.id: each.value.value
        for each in assigned
        for target in each.targets
        if isinstance(target, ast.Name) and isinstance(each.value, ast.Constant)
        if isinstance(each.value.value, str) and each.value.value
    }
