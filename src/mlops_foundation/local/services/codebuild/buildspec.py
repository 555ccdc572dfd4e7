"""The buildspec of a build, read and checked before anything of it runs.

Source: "Build specification reference for CodeBuild", version 0.2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

PHASES = ("install", "pre_build", "build", "post_build")
OnFailure = Literal["", "ABORT", "CONTINUE"]
_REFUSED = ("batch", "proxy", "reports", "run-as")
_KNOWN = ("version", "env", "phases", "artifacts", "cache", *_REFUSED)
_ENV_KNOWN = ("shell", "variables", "parameter-store", "exported-variables", "git-credential-helper", "secrets-manager")
_PHASE_KNOWN = ("commands", "finally", "on-failure", "runtime-versions", "run-as")
_ARTIFACT_KNOWN = ("files", "name", "discard-paths", "base-directory", "exclude-paths", "enable-symlinks")


class BuildspecError(Exception):
    """The buildspec cannot be used; ends the build with ``YAML_FILE_ERROR``."""


@dataclass(frozen=True)
class Phase:
    """One phase of a build.

    Attributes:
        commands: Run in order until one fails.
        finally_: Run after them in any case.
        on_failure: What the buildspec says about going on; empty when it says nothing.
    """

    commands: tuple[str, ...] = ()
    finally_: tuple[str, ...] = ()
    on_failure: OnFailure = ""


@dataclass(frozen=True)
class ArtifactFiles:
    """Which files make an artifact.

    Attributes:
        files: Patterns below the base directory.
        base_directory: Below the source directory; empty for the source directory itself.
        exclude: Patterns to leave out.
        discard_paths: Keep file names only.
        name: Name of the artifact in S3, when the project allows it.
    """

    files: tuple[str, ...]
    base_directory: str = ""
    exclude: tuple[str, ...] = ()
    discard_paths: bool = False
    name: str = ""


@dataclass(frozen=True)
class Buildspec:
    """A buildspec of version 0.2."""

    shell: Literal["sh", "bash"] = "sh"
    variables: Mapping[str, str] = field(default_factory=dict)
    parameter_store: Mapping[str, str] = field(default_factory=dict)
    exported: tuple[str, ...] = ()
    runtimes: Mapping[str, str] = field(default_factory=dict)
    phases: Mapping[str, Phase] = field(default_factory=dict)
    artifacts: ArtifactFiles | None = None
    secondary: Mapping[str, ArtifactFiles] = field(default_factory=dict)


def load(text: str) -> Buildspec:
    """Read a buildspec.

    Raises:
        BuildspecError: When it is no YAML, not version 0.2, or says what CodeBuild or the local cloud does not know.
    """
    document = _parse(text)
    _known(document, _KNOWN, "buildspec")
    if str(document.get("version")) != "0.2":
        raise BuildspecError(f"version: found {document.get('version')!r}, expected 0.2")
    for key in _REFUSED:
        if key in document:
            raise BuildspecError(f"{key} is not supported by the local cloud")
    env = _mapping(document.get("env"), "env")
    _check_env(env)
    phases = _mapping(document.get("phases"), "phases")
    if not phases:
        raise BuildspecError("phases: a buildspec needs at least one phase")
    _known(phases, PHASES, "phases")
    artifacts = _mapping(document.get("artifacts"), "artifacts")
    secondary = _mapping(artifacts.pop("secondary-artifacts", None), "artifacts/secondary-artifacts")
    return Buildspec(
        shell=env.get("shell", "sh"),
        variables=_strings(env.get("variables"), "env/variables"),
        parameter_store=_strings(env.get("parameter-store"), "env/parameter-store"),
        exported=_texts(env.get("exported-variables"), "env/exported-variables"),
        runtimes=_runtimes(phases),
        phases={name: _phase(name, _mapping(phases[name], name)) for name in PHASES if name in phases},
        artifacts=_artifact(artifacts, "artifacts") if artifacts else None,
        secondary={
            name: _artifact(_mapping(value, name), f"secondary-artifacts/{name}") for name, value in secondary.items()
        },
    )


def _parse(text: str) -> dict[str, Any]:
    try:
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise BuildspecError(f"{error.problem or error.context}{where}") from error
    except yaml.YAMLError as error:
        raise BuildspecError(str(error)) from error
    return _mapping(document, "buildspec")


def _check_env(env: Mapping[str, Any]) -> None:
    _known(env, _ENV_KNOWN, "env")
    if env.get("shell", "sh") not in ("sh", "bash"):
        raise BuildspecError(f"env/shell: found {env['shell']!r}, expected sh or bash")
    if env.get("secrets-manager"):
        raise BuildspecError("env/secrets-manager is not supported by the local cloud")
    if env.get("git-credential-helper") not in (None, False, "no"):
        raise BuildspecError("env/git-credential-helper is not supported by the local cloud")


def _phase(name: str, phase: Mapping[str, Any]) -> Phase:
    _known(phase, _PHASE_KNOWN, name)
    if "run-as" in phase:
        raise BuildspecError(f"{name}/run-as is not supported by the local cloud")
    if "runtime-versions" in phase and name != "install":
        raise BuildspecError(f"{name}/runtime-versions: only the install phase can have it")
    on_failure = phase.get("on-failure", "")
    if on_failure not in ("", "ABORT", "CONTINUE"):
        raise BuildspecError(f"{name}/on-failure: found {on_failure!r}, expected ABORT or CONTINUE")
    commands = _texts(phase.get("commands"), f"{name}/commands")
    if not commands and "runtime-versions" not in phase:
        raise BuildspecError(f"{name}: a phase needs commands")
    return Phase(commands, _texts(phase.get("finally"), f"{name}/finally"), on_failure)


def _runtimes(phases: Mapping[str, Any]) -> Mapping[str, str]:
    install = _mapping(phases.get("install"), "install")
    return _strings(install.get("runtime-versions"), "install/runtime-versions")


def _artifact(artifact: Mapping[str, Any], where: str) -> ArtifactFiles:
    _known(artifact, _ARTIFACT_KNOWN, where)
    files = _texts(artifact.get("files"), f"{where}/files")
    if not files:
        raise BuildspecError(f"{where}/files: an artifact needs files")
    return ArtifactFiles(
        files=files,
        base_directory=str(artifact.get("base-directory", "")),
        exclude=_texts(artifact.get("exclude-paths"), f"{where}/exclude-paths"),
        discard_paths=artifact.get("discard-paths") in (True, "yes"),
        name=str(artifact.get("name", "")),
    )


def _known(value: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in value:
        if key not in known:
            raise BuildspecError(f"{where}: unknown key {key!r}, expected one of {', '.join(known)}")


def _mapping(value: object, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BuildspecError(f"{where}: found {value!r}, expected keys and values")
    return dict(value)


def _strings(value: object, where: str) -> dict[str, str]:
    return {str(key): _text(item, f"{where}/{key}") for key, item in _mapping(value, where).items()}


def _texts(value: object, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    items = value if isinstance(value, list) else [value]
    for number, item in enumerate(items):
        if isinstance(item, dict | list) or item is None:
            raise BuildspecError(f"Expected {where}[{number}] to be of string type: found {item!r}")
    return tuple(_text(item, where) for item in items)


def _text(value: object, where: str) -> str:
    if isinstance(value, dict | list):
        raise BuildspecError(f"Expected {where} to be of string type: found {value!r}")
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
