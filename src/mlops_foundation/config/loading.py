"""Read ``mlops.yaml``: every error at once, each with its file, line, value, what is allowed and the fix."""

from functools import partial
from pathlib import Path

from mlops_foundation.config import documents, legacy_users, people, yaml_nodes
from mlops_foundation.config.fields import NEW_REGIONS
from mlops_foundation.config.models import Config
from mlops_foundation.core.errors import Problem
from mlops_foundation.core.platform_folder import CONFIG_NAME


def load(path: Path) -> Config:
    """Read and check a configuration file, and the files of users that it names.

    Args:
        path: The YAML file.

    Raises:
        ConfigError: With every problem found, each with its line.
    """
    return load_text(documents.read_text(path, _missing(path)), str(path))


def _missing(path: Path) -> Problem:
    """Return the problem when there is no such file; the default one has been looked for in the folders above too."""
    searched = path == Path(CONFIG_NAME)
    another = "name its file with --config or MLOPS_CONFIG"
    return Problem(
        what=f"there is no {CONFIG_NAME} here, nor in a folder above" if searched else "there is no configuration file",
        where=str(Path.cwd() if searched else path),
        got="nothing",
        expected="a file written by mlops init",
        fix=f"cd to the platform's folder, or {another}; for a new platform: mlops init"
        if searched
        else f"check the name, or {another}; for a new platform: mlops init",
    )


def load_text(text: str, file: str = CONFIG_NAME) -> Config:
    """Check the text of a configuration file.

    Args:
        text: The YAML.
        file: Name shown in errors; files of users are found from its folder.

    Raises:
        ConfigError: With every problem found, each with its line.
    """
    document, problems = documents.read(text, file, "mlops init --force writes a new one")
    new = document.data.get(NEW_REGIONS)
    context = {NEW_REGIONS: [each for each in new if isinstance(each, str)] if isinstance(new, list) else []}
    validate = partial(Config.model_validate, context=context)
    config, found = documents.checked(document, file, Config, validate)
    problems += found
    if config is not None:
        listed, found = legacy_users.listed(config.studio.users_from, document, file)
        everybody = [*people.configured(config.studio, document, file), *listed]
        problems += [*found, *people.problems(config.studio, everybody, f"{file}:{document.line_of(('studio',))}")]
        config = config.model_copy(update={"studio": people.resolved(config.studio, listed)})
    if problems or config is None:
        raise documents.failed(file, problems)
    return config


def lines_of_sets(path: Path) -> dict[str, int]:
    """Return the line of each set of accounts in a configuration file that could be loaded, by its name."""
    document = yaml_nodes.read(path.read_text(encoding="utf-8-sig"))
    return {each["name"]: document.line_of(("sets", index, "name")) for index, each in enumerate(document.data["sets"])}


def input_files(path: Path, config: Config) -> list[Path]:
    """Return every file that a configuration was read from: itself, then the files of users that it names."""
    return [path, *legacy_users.files(config.studio.users_from, path.parent)]
