"""``mlops links``: how people switch to their roles in the console."""

import typer

from mlops_foundation.cli import output
from mlops_foundation.cli.options import CONFIG_FILE, ConfigOption, JsonOption

app = typer.Typer()


@app.command(epilog="Examples: mlops links | mlops links --json | mlops links -c team/mlops.yaml")
def links(config: ConfigOption = CONFIG_FILE, *, json: JsonOption = False) -> None:
    """Print the console's switch-role link of each persona's role and account.

    They open for who is signed in as one of sign_in.principals of the persona.
    """
    from mlops_foundation.usecases.plan import load_and_plan  # noqa: PLC0415
    from mlops_foundation.usecases.sign_in import role_links  # noqa: PLC0415

    loaded, plan = load_and_plan(config)
    found = role_links(plan)
    if json:
        output.as_json({"links": [each.as_dict() for each in found]})
        return
    for each in found:
        output.say(f"{each.set_name}: {each.persona} in {each.account}", style="bold")
        output.say(f"  {each.link}")
    without = [name for name in dict.fromkeys(each.persona for each in found) if name not in loaded.sign_in.principals]
    if without:
        output.note(f"nobody may take the roles of {', '.join(without)} on AWS yet: list them in sign_in.principals")
