"""``mlops init``, ``plan``, ``synth`` and ``config``: from the configuration to the templates."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mlops_foundation.cli import output
from mlops_foundation.cli.options import CONFIG_FILE, ConfigOption, JsonOption

if TYPE_CHECKING:
    from mlops_foundation.plan import Plan
    from mlops_foundation.usecases.init import Answers, EndpointsAnswer, EndpointsChoice

init_app = typer.Typer()
plan_app = typer.Typer()
synth_app = typer.Typer()
config_app = typer.Typer(no_args_is_help=True)


@init_app.command(
    epilog="Examples: mlops init --yes | mlops init -c team/mlops.yaml | mlops init --yes --endpoints own | "
    "mlops init --from accounts.json --yes"
)
def init(
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="The file to write: mlops.yaml, when left out.")
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take the example ids and ask nothing.")] = False,
    endpoints: Annotated[
        Literal["shared", "own", "s3"] | None,
        typer.Option(help="How VPCs reach AWS's services; else the cheapest way that keeps every call private."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    accounts: Annotated[
        Path | None,
        typer.Option("--from", help="Take the sets of accounts from an accounts.json of AWS's multi-account sample."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Write mlops.yaml with a comment for every key, and its schema for editors beside it."""
    from mlops_foundation.usecases import repository_guard  # noqa: PLC0415
    from mlops_foundation.usecases.init import (  # noqa: PLC0415
        Answers,
        check_free,
        endpoints_choices,
        from_accounts,
        write_config,
    )

    check_free(config, force=force)
    file = config or CONFIG_FILE
    given = from_accounts(accounts) if accounts else Answers()
    answers = given if yes else _ask(given)
    choices = endpoints_choices(answers)
    chosen = endpoints or (choices[0].answer if yes or json else _ask_endpoints(choices))
    written = write_config(file, replace(answers, endpoints=chosen), force=force)
    ignored, hook = repository_guard.ignore(file.parent), repository_guard.install_hook(file.parent)
    if json:
        shown = [choice.as_dict() for choice in choices]
        output.as_json({**written.as_dict(), "endpoints_choices": shown, "ignored": ignored, "hook": hook})
        return
    if yes or endpoints:
        _show_endpoints(choices, chosen)
    output.done(f"wrote {written.config}")
    output.done(f"wrote {written.schema} (editors complete and check the configuration with it)")
    if ignored:
        output.done(f"wrote {file.parent / '.gitignore'}: {', '.join(ignored)}")
    if hook in _HOOKS:
        output.say(_HOOKS[hook])
    output.say("next: mlops plan")


_HOOKS = {
    "written": "git looks for keys and passwords before each commit from now on: .git/hooks/pre-commit",
    "other": "git has a pre-commit hook already; let it run too: mlops check secrets --staged",
}


def _ask(given: "Answers") -> "Answers":
    """Ask for every answer, with the one that is given as its default."""
    questions = {
        "prefix": "Prefix of all names",
        "region": "Region",
        "governance": "Account id of governance",
        "dev": "Account id of dev",
        "preprod": "Account id of preprod",
        "prod": "Account id of prod",
        "nat_gateways": "NAT gateways (1 to 3)",
        "data_scientists": "Data scientists, by commas",
        "lead_data_scientists": "Lead data scientists, by commas",
        "cost_center": "Cost center",
    }
    if given.imported:
        questions = {name: text for name, text in questions.items() if name not in {"dev", "preprod", "prod"}}
    default = vars(given)
    return replace(given, **{name: typer.prompt(text, default=default[name]) for name, text in questions.items()})


def _ask_endpoints(choices: "Sequence[EndpointsChoice]") -> "EndpointsAnswer":
    """Ask how the VPCs reach AWS's services, with what each way costs."""
    _show_endpoints(choices, choices[0].answer)
    known: dict[str, EndpointsAnswer] = {each.answer: each.answer for each in choices}

    def read(text: str) -> "EndpointsAnswer":
        if text not in known:
            raise typer.BadParameter(f"one of {', '.join(known)}")
        return known[text]

    chosen: EndpointsAnswer = typer.prompt("Endpoints", default=choices[0].answer, value_proc=read)
    return chosen


def _show_endpoints(choices: "Sequence[EndpointsChoice]", chosen: str) -> None:
    rows = [
        (
            "→" if each.answer == chosen else "",
            each.answer,
            "no price of this region" if each.monthly is None else f"{each.monthly:>9,.2f}",
            each.what,
        )
        for each in choices
    ]
    output.table(("", "endpoints", "USD a month", "which means"), rows)
    output.note("the whole platform without use; mlops plan --cost shows every account, mlops init --endpoints chooses")


@plan_app.command(
    epilog="Examples: mlops plan | mlops plan --json | mlops plan --cost | mlops plan --compare old/mlops.yaml"
)
def plan(
    config: ConfigOption = CONFIG_FILE,
    *,
    compare: Annotated[Path | None, typer.Option(help="Show what changes against another configuration.")] = None,
    cost: Annotated[bool, typer.Option("--cost", help="Show what each account costs in a month without use.")] = False,
    json: JsonOption = False,
) -> None:
    """Show which stacks each account gets, in the order of deployment."""
    if cost:
        from mlops_foundation.cli.cost import show_cost  # noqa: PLC0415

        show_cost(config, compare, as_json=json)
        return
    from mlops_foundation.usecases.plan import load_and_plan  # noqa: PLC0415

    _, planned = load_and_plan(config)
    changes = planned.diff(load_and_plan(compare)[1]) if compare else None
    if json:
        output.as_json(planned.as_dict() if changes is None else {**planned.as_dict(), "changes": list(changes)})
        return
    if changes is not None:
        for line in changes:
            output.say(line, style="red" if line.startswith("-") else "green")
        if not changes:
            output.say("no change")
        return
    _tree(planned)


def _tree(planned: "Plan") -> None:
    """Draw the accounts of every set with their stacks."""
    for each in planned.sets:
        root = output.branch(None, f"set {each.name}", f"prefix {each.prefix}", style="bold")
        for foundation in each.foundations:
            where = f"{foundation.account} {foundation.region}"
            place = output.branch(root, " + ".join(foundation.environments), where)
            output.branch(place, each.names.bootstrap_policies_stack, "bootstrap: what CloudFormation may do")
            output.branch(place, each.names.toolkit_stack, "bootstrap: CDK toolkit")
            for stack in foundation.stacks:
                output.branch(place, stack.stack_name, stack.description)
        output.tree(root)


@synth_app.command(epilog="Examples: mlops synth -o out | mlops synth -o out --validate | cdk --app out ls")
def synth(
    directory: Annotated[Path, typer.Option("--output", "-o", help="Where the cloud assembly goes.")] = Path("cdk.out"),
    config: ConfigOption = CONFIG_FILE,
    *,
    validate: Annotated[bool, typer.Option(help="Check with CloudFormation's schemas and NIST 800-53 too.")] = False,
    json: JsonOption = False,
) -> None:
    """Write the templates of all accounts: a cloud assembly, with bootstrap/ and products/ in it.

    They are the same for AWS and for the local cloud.
    """
    from mlops_foundation.usecases.synth import synth as synthesize  # noqa: PLC0415

    with output.progress("synthesizing", quiet=json, left=(f"{directory} is as it was", "")):
        made = synthesize(config, directory, validate=validate, nist=validate)
    if json:
        output.as_json(made.as_dict())
        return
    rows = [
        (each.name, "+".join(foundation.environments), foundation.account, stack.stack_name)
        for each in made.plan.sets
        for foundation in each.foundations
        for stack in foundation.stacks
    ]
    output.table(("set", "environment", "account", "stack"), rows)
    output.done(f"{len(rows)} stacks in {made.directory} ({made.seconds:.1f} s)")
    output.say(f"bootstrap templates of {len(made.bootstrap)} accounts in {made.directory / 'bootstrap'}")
    output.say(f"product templates: {', '.join(made.products)}")


@config_app.command("check", epilog="Example: mlops config check -c team/mlops.yaml")
def config_check(config: ConfigOption = CONFIG_FILE, *, json: JsonOption = False) -> None:
    """Check the configuration and the plan that follows from it."""
    from mlops_foundation.usecases.plan import load_and_plan  # noqa: PLC0415

    loaded, _ = load_and_plan(config)
    if json:
        output.as_json(loaded.model_dump(mode="json", by_alias=True))
        return
    output.done(f"{config} is right")


@config_app.command("schema", epilog="Example: mlops config schema > mlops.schema.json")
def config_schema() -> None:
    """Print the JSON Schema of the configuration, for editors."""
    from mlops_foundation.config import json_schema  # noqa: PLC0415

    output.as_json(json_schema())


@config_app.command("credentials", epilog="Examples: mlops config credentials | mlops config credentials --form keys")
def config_credentials(
    config: ConfigOption = CONFIG_FILE,
    *,
    form: Annotated[
        Literal["sso", "keys"], typer.Option(help="Sign-in with IAM Identity Center, or access keys.")
    ] = "sso",
    json: JsonOption = False,
) -> None:
    """Print a profile for each account, with places to fill in, for ~/.aws; nothing is written and no key is known."""
    from mlops_foundation.usecases.plan import load_and_plan  # noqa: PLC0415
    from mlops_foundation.usecases.sign_in import credentials_template  # noqa: PLC0415

    text = credentials_template(load_and_plan(config)[1], form)
    if json:
        output.as_json({"form": form, "template": text})
        return
    output.say(text)
