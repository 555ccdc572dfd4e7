"""``mlops demo``: the whole way, on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_foundation.cli import output
from mlops_foundation.cli.options import JsonOption
from mlops_foundation.core import interrupt

if TYPE_CHECKING:
    from mlops_foundation.usecases.demo import Demo, Done
    from mlops_foundation.usecases.pipelines import PipelineState

app = typer.Typer()
_FOLDER = Path(".mlops-demo")


class _Shown:
    """Draws what the demo reports."""

    def __init__(self, progress: output.Progress) -> None:
        self._progress = progress

    def line(self, text: str) -> None:
        self._progress.update(text)

    def pipeline(self, state: "PipelineState") -> None:
        self._progress.picture(output.stages(state))


@app.command(epilog="Examples: mlops demo | mlops demo --keep | mlops demo --json")
def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo's configuration and local cloud go.")] = _FOLDER,
    port: Annotated[int, typer.Option(help="Port of the local cloud; 0 takes a free one.")] = 0,
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace what an earlier demo has left running.")] = False,
    json: JsonOption = False,
) -> None:
    """Take a model from an empty machine to production in four accounts, on the local cloud.

    Starts the cloud, deploys the platform, creates a project, trains and registers a model, approves and promotes it,
    and asks production. What must be refused is tried on the way, and has to be refused.
    """
    from mlops_foundation.usecases.demo import Demo  # noqa: PLC0415
    from mlops_foundation.usecases.demo_folder import DemoFolder  # noqa: PLC0415

    kept = (f"what it made is in {folder}", f"mlops local status --state-dir {folder / '.mlops'}")
    with output.progress("demo", quiet=json, left=kept if keep else ("what it made is removed", "")) as progress:
        running = Demo(DemoFolder(folder), port, _Shown(progress), keep=keep, force=force)
        done = []
        try:
            for step in running.run():
                done.append(step)
                progress.clear()
                if not json:
                    output.step(step.step, step.result, step.seconds)
        finally:
            if not keep:
                progress.clear()
                progress.update("removing the local cloud")
                with interrupt.held():
                    running.stop()
    if json:
        output.as_json(
            {"steps": [each.as_dict() for each in done], "metrics": running.metrics, "answers": running.answers}
        )
        return
    _print(running, done, keep=keep)


def _print(running: "Demo", done: "list[Done]", *, keep: bool) -> None:
    rows = [(each.step, each.account, each.role, each.result, f"{each.seconds:.1f}") for each in done]
    output.say("")
    output.table(("step", "account", "as", "result", "s"), rows, spare=("result",))
    output.say("")
    output.table(("metric", "value"), [(name, f"{value:.4f}") for name, value in running.metrics.items()])
    output.say("")
    answers = [(each["label"], f"{each['probability']:.4f}", each["expected"]) for each in running.answers]
    output.table(("prod says", "probability", "truth"), answers)
    output.done(f"done in {sum(each.seconds for each in done):.0f} s")
    if keep:
        output.say(f"it goes on running: cd {running.place.path}; mlops endpoint list churn; mlops pipeline list churn")
        output.say('act as somebody: eval "$(mlops local env --role data-scientist --project churn)"')
        output.say("end it: mlops local reset --yes")
