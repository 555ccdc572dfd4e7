"""Configuration to cloud assembly, with the bootstrap templates and the products' templates beside it.

The directory is written whole or not at all: everything goes to a new directory next to it, which then takes its place.
"""

import hashlib
import importlib.metadata
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import mlops_foundation
from mlops_foundation.config import input_files
from mlops_foundation.core import node
from mlops_foundation.core.errors import FoundationError, Problem, SynthError
from mlops_foundation.core.names import FRONT_PRODUCT_FILE, pascal
from mlops_foundation.plan import Plan
from mlops_foundation.usecases.plan import load_and_plan

BOOTSTRAP_MANIFEST: Final = "bootstrap/manifest.json"
_STAMP: Final = "inputs.sha256"


@dataclass(frozen=True)
class Bootstrap:
    """The two templates that an account needs first.

    Attributes:
        set_name: The set of accounts.
        environments: What the account serves.
        account: Account id.
        region: Region.
        qualifier: CDK qualifier.
        policies_stack: Name of the stack that is deployed first.
        policies_template: Its template, relative to the assembly.
        toolkit_stack: Name of the CDK's toolkit stack.
        toolkit_template: Its template, relative to the assembly; ``cdk bootstrap --template`` takes it.
    """

    set_name: str
    environments: tuple[str, ...]
    account: str
    region: str
    qualifier: str
    policies_stack: str
    policies_template: str
    toolkit_stack: str
    toolkit_template: str

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Bootstrap":
        """Read what :meth:`as_dict` gave."""
        return cls(set_name=data["set"], environments=tuple(data["environments"]), **_same(data))

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as JSON data."""
        return {
            "set": self.set_name,
            "environments": list(self.environments),
            "account": self.account,
            "region": self.region,
            "qualifier": self.qualifier,
            "policies_stack": self.policies_stack,
            "policies_template": self.policies_template,
            "toolkit_stack": self.toolkit_stack,
            "toolkit_template": self.toolkit_template,
        }


def _same(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in {"set", "environments"}}


@dataclass(frozen=True)
class Synthesized:
    """A cloud assembly.

    Attributes:
        directory: The assembly, as ``cdk --app`` takes it.
        plan: What is in it.
        bootstrap: Templates to deploy before, one pair for each account.
        products: Templates of the products, relative to the directory.
        seconds: How long it took.
    """

    directory: Path
    plan: Plan
    bootstrap: tuple[Bootstrap, ...]
    products: tuple[str, ...]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return the result as JSON data."""
        return {
            "directory": str(self.directory),
            **self.plan.as_dict(),
            "bootstrap": [each.as_dict() for each in self.bootstrap],
            "products": list(self.products),
            "seconds": round(self.seconds, 2),
        }


def synth(config_file: Path, directory: Path, *, validate: bool = False, nist: bool = False) -> Synthesized:
    """Write the cloud assembly of a configuration.

    Args:
        config_file: ``mlops.yaml``.
        directory: Where it goes; an earlier assembly there is replaced.
        validate: Check every resource against CloudFormation's schemas too, which takes some seconds more.
        nist: Check with cdk-nag's NIST 800-53 pack too.

    Raises:
        ConfigError: When the configuration cannot be used.
        PlanError: When what it asks for cannot be deployed.
        SynthError: When the CDK or cdk-nag refuse the result, or the directory holds something else.
    """
    started = time.monotonic()
    _, plan = load_and_plan(config_file)
    _refuse_other_directory(directory)
    with _scratch(directory) as scratch:
        made = Path(scratch) / "assembly"
        _synthesize(plan, made, validate=validate, nist=nist)
        bootstrap = tuple(_write_bootstrap(plan, made))
        products = tuple(_copy_products(plan, made))
        if directory.exists():
            shutil.rmtree(directory)
        made.rename(directory)
    return Synthesized(directory, plan, bootstrap, products, time.monotonic() - started)


def _scratch(directory: Path) -> "tempfile.TemporaryDirectory[str]":
    """Return a new directory beside the one that is asked for, which can then take its place."""
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(prefix=f".{directory.name}-", dir=directory.parent)
    except OSError as error:
        what, expected = "the output directory cannot be made", "a directory that can be written"
        raise SynthError(what, str(directory), str(error.strerror), expected, "choose another with -o") from error


def current(config_file: Path, directory: Path) -> Synthesized:
    """Return the assembly of a configuration, synthesized only when what it is made from has changed.

    Synth gives the same bytes for the same inputs, so an assembly whose inputs are the same is the same.

    Args:
        config_file: ``mlops.yaml``.
        directory: Where the assembly is, or goes.

    Raises:
        ConfigError, PlanError, SynthError: As :func:`synth`.
    """
    started = time.monotonic()
    config, plan = load_and_plan(config_file)
    inputs = _inputs(input_files(config_file, config))
    stamp = directory / _STAMP
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != inputs:
        made = synth(config_file, directory)
        stamp.write_text(inputs, encoding="utf-8")
        return made
    manifest = json.loads((directory / BOOTSTRAP_MANIFEST).read_text(encoding="utf-8"))
    bootstrap = tuple(Bootstrap.from_dict(each) for each in manifest["bootstrap"])
    products = tuple(str(path.relative_to(directory)) for path in sorted((directory / "products").rglob("*.json")))
    return Synthesized(directory, plan, bootstrap, products, time.monotonic() - started)


def _inputs(config_files: Sequence[Path]) -> str:
    """Return a digest of everything that an assembly is made from: configuration, our own files, the CDK's version."""
    digest = hashlib.sha256()
    for path in config_files:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    package = Path(mlops_foundation.__file__).parent
    for path in sorted(package.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes())
    for distribution in ("aws-cdk-lib", "cdk-nag", "constructs"):
        digest.update(importlib.metadata.version(distribution).encode())
    return digest.hexdigest()


def _refuse_other_directory(directory: Path) -> None:
    if directory.is_dir() and (not any(directory.iterdir()) or (directory / "cdk.out").is_file()):
        return
    if directory.exists():
        what = "the output directory holds something that is no cloud assembly"
        fix = "choose another directory with -o, or empty this one"
        raise SynthError(what, str(directory), expected="no directory, an empty one or an earlier assembly", fix=fix)


def _synthesize(plan: Plan, directory: Path, *, validate: bool, nist: bool) -> None:
    node.use()
    # The CDK takes half a second to import: only who synthesizes pays for it.
    from mlops_foundation.constructs.assembly import build_app  # noqa: PLC0415
    from mlops_foundation.constructs.nag import Checks  # noqa: PLC0415

    try:
        app = build_app(plan, directory, Checks(validate, nist))
        app.synth()
    except FoundationError:
        raise
    except RuntimeError as error:
        # jsii raises plain RuntimeErrors for everything that the CDK throws.
        problems = list(_findings(directory / "validation-report.json"))
        what = f"the CDK refuses the stacks with {len(problems)} findings" if problems else str(error).splitlines()[0]
        raise SynthError(
            what, "cdk synth", fix="correct the stack, or acknowledge with a reason", problems=problems
        ) from error


def _findings(report: Path) -> Iterator[Problem]:
    if not report.is_file():
        return
    for plugin in json.loads(report.read_text(encoding="utf-8"))["pluginReports"]:
        for violation in plugin["violations"]:
            for construct in violation["violatingConstructs"]:
                yield Problem(
                    what=violation["description"],
                    where=construct.get("constructPath", ""),
                    got=violation["ruleName"],
                    expected=f"no finding of {plugin['pluginName']}",
                    fix="correct it, or acknowledge it with a reason",
                )


def _write_bootstrap(plan: Plan, directory: Path) -> Iterator[Bootstrap]:
    from mlops_foundation.constructs.bootstrap import policies_template, toolkit_template  # noqa: PLC0415  as above

    written = []
    for set_plan in plan.sets:
        for foundation in set_plan.foundations:
            folder = f"bootstrap/{set_plan.name}/{foundation.name}"
            policies, toolkit = f"{folder}/policies.template.json", f"{folder}/toolkit.template.json"
            _write_json(directory / policies, policies_template(plan, set_plan, foundation))
            _write_json(directory / toolkit, toolkit_template(set_plan, foundation))
            names = set_plan.names
            written.append(
                Bootstrap(
                    set_name=set_plan.name,
                    environments=foundation.environments,
                    account=foundation.account,
                    region=foundation.region,
                    qualifier=names.qualifier,
                    policies_stack=names.bootstrap_policies_stack,
                    policies_template=policies,
                    toolkit_stack=names.toolkit_stack,
                    toolkit_template=toolkit,
                )
            )
    _write_json(directory / BOOTSTRAP_MANIFEST, {"bootstrap": [each.as_dict() for each in written]})
    yield from written


def _copy_products(plan: Plan, directory: Path) -> Iterator[str]:
    for set_plan in plan.sets:
        assembly = directory / f"assembly-{set_plan.name}-{set_plan.foundation('dev').name}"
        for name in (FRONT_PRODUCT_FILE, *(template.name for template in plan.templates)):
            # The CDK ends the id of a construct with eight digits of its path's hash.
            made = next(assembly.glob(f"*CatalogTemplate{pascal(name)}{'[0-9A-F]' * 8}.product.template.json"))
            product = f"products/{set_plan.name}/{name}.template.json"
            (directory / product).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(made, directory / product)
            yield product


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
