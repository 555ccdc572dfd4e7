"""The whole way on the local cloud: from an empty state to a model that answers in the prod account.

Every step uses what a user would use, under the role whose task it is; three of them are refusals that must happen.
"""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError

from mlops_foundation.core.errors import AccessDenied, FoundationError, LocalCloudError
from mlops_foundation.local import DEFAULT_PORT, process
from mlops_foundation.usecases import bootstrap, deploy, endpoints, local, models, pipelines, projects
from mlops_foundation.usecases.demo_folder import DemoFolder
from mlops_foundation.usecases.synth import current
from mlops_foundation.usecases.workspace import LocalSource, Workspace, open_workspace

PROJECT: Final = "churn"
_ROWS: Final = 5


class Reporter(Protocol):
    """Shows what a step is doing."""

    def line(self, text: str) -> None:
        """Show the last line that was said."""

    def pipeline(self, state: pipelines.PipelineState) -> None:
        """Show where a pipeline stands."""


@dataclass(frozen=True)
class Done:
    """One step that is over.

    Attributes:
        step: What was done.
        account: Where.
        role: By whom.
        result: What came out.
        seconds: How long it took.
    """

    step: str
    account: str
    role: str
    result: str
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``."""
        return {**vars(self), "seconds": round(self.seconds, 2)}


@dataclass
class Demo:
    """The demo under way.

    Attributes:
        place: Where the configuration and the local cloud's state are.
        port: Of the local cloud.
        reporter: Shows what happens.
        keep: What it makes is to stay.
        force: An earlier demo's, which was to stay, is removed.
        answers: What prod said, one for each row.
        metrics: Of the version that was deployed.
    """

    place: DemoFolder
    port: int
    reporter: Reporter
    keep: bool = False
    force: bool = False
    answers: list[dict[str, Any]] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)
    _began: bool = False
    _workspace: Workspace | None = None
    _before: list[str] = field(default_factory=list)

    @property
    def config_file(self) -> Path:
        """The demo's own configuration."""
        return self.place.config_file

    @property
    def state_dir(self) -> Path:
        """The demo's own local cloud."""
        return self.place.state_dir

    @property
    def workspace(self) -> Workspace:
        """The workspace, once the cloud runs."""
        if self._workspace is None:
            self._workspace = open_workspace(self.config_file, state_dir=self.state_dir, project=PROJECT)
        return self._workspace

    def run(self) -> Iterator[Done]:
        """Do every step, one after the other."""
        for title, environment, role, work in _STEPS:
            started = time.monotonic()
            self.reporter.line(title)
            result = work(self)
            account = self.workspace.account(environment) if environment else "local cloud"  # type: ignore[arg-type]
            yield Done(title, f"{environment} {account}".strip(), role, result, time.monotonic() - started)

    def stop(self) -> None:
        """End the cloud and remove everything that the demo made; nothing of an earlier one that it did not replace."""
        if self._began:
            self.place.remove()

    # --- steps --------------------------------------------------------------------------------------------------------

    def start(self) -> str:
        """Begin with nothing: what an ended demo left is removed."""
        self.place.take(keep=self.keep, force=self.force)
        self._began = True
        # What needs no cloud is done meanwhile; what fails here fails again, with its reason, where it is needed.
        templates = threading.Thread(target=self._synthesize, name="templates", daemon=True)
        templates.start()
        threading.Thread(target=local.prepare_runtimes, name="runtimes", daemon=True).start()
        found = local.start(self.state_dir, self.port or _free_port())
        templates.join()
        return f"answers at {found.endpoint_url}"

    def _synthesize(self) -> None:
        with contextlib.suppress(FoundationError):
            current(self.config_file, deploy.assembly_folder(self.config_file))

    def bootstrap(self) -> str:
        """Prepare the four accounts."""
        done = bootstrap.bootstrap([self.workspace], self.config_file, self.reporter.line)
        return f"{len({each.account for each in done})} accounts, {len(done)} stacks {_statuses(done)}"

    def deploy(self) -> str:
        """Deploy the platform."""
        done = deploy.deploy([self.workspace], self.config_file, [], [], [], self.reporter.line)
        return f"{len(done)} stacks {_statuses(done)}"

    def create_project(self) -> str:
        """Create the project."""
        new = projects.NewProject(PROJECT, cost_center="4711", description="the demo's model")
        made = projects.create(self.workspace, new, "admin", self.reporter.line)
        return f"{made.name} ({made.project_id}) {made.status}"

    def build(self) -> str:
        """Follow the first build to its end."""
        state = self._follow("build")
        found = models.describe(self.workspace, PROJECT, "latest", "data-scientist")
        self.metrics = dict(found.metrics)
        return f"{state.status}; version {found.version} {found.status}"

    def refuse_approval(self) -> str:
        """A data scientist may not approve."""
        return _refused(
            lambda: models.decide(self.workspace, PROJECT, "latest", "Approved", "", "data-scientist"),
            "sagemaker:UpdateModelPackage",
        )

    def refuse_approved_version(self) -> str:
        """Nor may a data scientist register a version that is approved from the start."""
        sagemaker = self.workspace.client("sagemaker", "dev", "data-scientist")
        container = {"Image": "any", "ModelDataUrl": f"s3://{PROJECT}-{self.workspace.account('dev')}/model.tar.gz"}
        request = {
            "ModelPackageGroupName": PROJECT,
            "ModelApprovalStatus": "Approved",
            "InferenceSpecification": {
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        }
        return _refused(lambda: sagemaker.create_model_package(**request), "sagemaker:CreateModelPackage")

    def refuse_other_bucket(self) -> str:
        """Who works in another project reads nothing of this one."""
        sessions = type(self.workspace.sessions)(
            LocalSource(process_of(self.state_dir), "another"), self.workspace.set_plan.region
        )
        dev = self.workspace.account("dev")
        s3 = sessions.client("s3", dev, self.workspace.role("dev", "data-scientist"))
        bucket = self.workspace.project(PROJECT).artifact_bucket(dev)
        return _refused(lambda: s3.list_objects_v2(Bucket=bucket), "s3:ListBucket")

    def refuse_unapproved_model(self) -> str:
        """SageMaker itself makes no model of a version that nobody approved, whoever asks."""
        arn = models.resolve(self.workspace, PROJECT, "latest", "data-scientist")
        names, dev = self.workspace.project(PROJECT), self.workspace.account("dev")
        role = f"arn:aws:iam::{dev}:role{names.path}{names.role('execution')}"
        sagemaker = self.workspace.client("sagemaker", "dev")
        request = {"ModelName": "unapproved", "PrimaryContainer": {"ModelPackageName": arn}, "ExecutionRoleArn": role}
        return _refused(lambda: sagemaker.create_model(**request), "approved")

    def approve_version(self) -> str:
        """The lead approves; that starts the deploy pipeline."""
        self._before = pipelines.executions(self.workspace, PROJECT, "deploy", "lead")
        found = models.decide(self.workspace, PROJECT, "latest", "Approved", "the demo's model", "lead")
        return f"version {found.version} {found.status}"

    def to_dev(self) -> str:
        """Synth, scan, deploy to dev, test."""
        return _waits(self._follow("deploy", self._before))

    def approve_preprod(self) -> str:
        """The lead lets it go on to preprod."""
        pipelines.put_approval(self.workspace, PROJECT, "preprod", approve=True, summary="demo", persona="lead")
        return "approved"

    def to_preprod(self) -> str:
        """Deploy to preprod, test."""
        return _waits(self._after_approval("preprod"))

    def refuse_prod_approval(self) -> str:
        """The lead may not let it go on to prod."""
        return _refused(
            lambda: pipelines.put_approval(
                self.workspace, PROJECT, "prod", approve=True, summary="demo", persona="lead"
            ),
            "codepipeline:PutApprovalResult",
        )

    def approve_prod(self) -> str:
        """The production approver does."""
        pipelines.put_approval(self.workspace, PROJECT, "prod", approve=True, summary="demo", persona="approver-prod")
        return "approved"

    def to_prod(self) -> str:
        """Deploy to prod, test."""
        return self._after_approval("prod").status

    def invoke(self) -> str:
        """Ask prod about rows that the model has not seen."""
        found = endpoints.describe(self.workspace, PROJECT, "prod")
        rows, labels = self._unseen_rows()
        body = "\n".join(rows).encode()
        role = self.workspace.project(PROJECT).test_role("prod")
        answer = endpoints.invoke(self.workspace, PROJECT, "prod", body, "text/csv", "application/json", role)
        predictions = json.loads(answer)["predictions"]
        self.answers = [{**each, "expected": label} for label, each in zip(labels, predictions, strict=True)]
        right = sum(str(each["label"]) == label for each, label in zip(predictions, labels, strict=True))
        return f"{found.status}, version {found.model_package.rsplit('/', 1)[-1]}; {right} of {len(labels)} right"

    # --- parts of steps -----------------------------------------------------------------------------------------------

    def _follow(self, kind: str, before: list[str] | None = None) -> pipelines.PipelineState:
        state = None
        for state in pipelines.watch(self.workspace, PROJECT, kind, "data-scientist", before or []):
            self.reporter.pipeline(state)
        if state is None:
            raise LocalCloudError(f"the {kind} pipeline never started", where=PROJECT)
        pipelines.check(self.workspace, state, "data-scientist")
        return state

    def _after_approval(self, stage: str) -> pipelines.PipelineState:
        """Follow the execution on, once the approval has been taken up."""
        while True:
            state = self._follow("deploy")
            if state.waiting is None or state.waiting.name != f"Approve{stage.capitalize()}":
                return state
            time.sleep(0.2)

    def _unseen_rows(self) -> tuple[list[str], list[str]]:
        """Return rows and labels of the test split of the run that made the version."""
        s3 = self.workspace.client("s3", "dev", "data-scientist")
        bucket = self.workspace.project(PROJECT).artifact_bucket(self.workspace.account("dev"))
        objects = s3.list_objects_v2(Bucket=bucket)["Contents"]
        newest = max((found for found in objects if "/test/" in found["Key"]), key=lambda found: found["LastModified"])
        text = s3.get_object(Bucket=bucket, Key=newest["Key"])["Body"].read().decode()
        header, *lines = text.strip().splitlines()
        target = header.split(",").index("target")
        cells = [line.split(",") for line in lines[:_ROWS]]
        rows = [",".join(value for index, value in enumerate(row) if index != target) for row in cells]
        return rows, [row[target] for row in cells]


_Step = tuple[str, str, str, Callable[[Demo], str]]
_STEPS: Final[tuple[_Step, ...]] = (
    ("start the local cloud", "", "you", Demo.start),
    ("bootstrap", "", "administrator", Demo.bootstrap),
    ("deploy the platform", "", "platform-engineer", Demo.deploy),
    (f"create project {PROJECT}", "dev", "admin", Demo.create_project),
    ("train and register", "dev", "build pipeline", Demo.build),
    ("refused: approve a version", "dev", "data-scientist", Demo.refuse_approval),
    ("refused: register as approved", "dev", "data-scientist", Demo.refuse_approved_version),
    ("refused: read another project", "dev", "data-scientist", Demo.refuse_other_bucket),
    ("refused: deploy unapproved", "dev", "administrator", Demo.refuse_unapproved_model),
    ("approve the version", "dev", "lead", Demo.approve_version),
    ("synth, scan, deploy to dev, test", "dev", "deploy pipeline", Demo.to_dev),
    ("approve preprod", "dev", "lead", Demo.approve_preprod),
    ("deploy to preprod, test", "preprod", "deploy pipeline", Demo.to_preprod),
    ("refused: approve prod", "dev", "lead", Demo.refuse_prod_approval),
    ("approve prod", "dev", "approver-prod", Demo.approve_prod),
    ("deploy to prod, test", "prod", "deploy pipeline", Demo.to_prod),
    ("invoke prod with unseen rows", "prod", "test role", Demo.invoke),
)


def process_of(state_dir: Path) -> process.Running:
    """Return the demo's cloud."""
    running = process.find(state_dir)
    if running is None:
        raise LocalCloudError("the demo's local cloud has ended", where=str(state_dir), fix="mlops demo")
    return running


def _refused(attempt: Callable[[], object], expected: str) -> str:
    """Return the reason of a refusal that must happen.

    Raises:
        LocalCloudError: When it was allowed, or refused for another reason.
    """
    try:
        attempt()
    except (AccessDenied, ClientError) as error:
        reason = error.what if isinstance(error, FoundationError) else error.response["Error"]["Message"]
        if expected.lower() in reason.lower():
            return f"AccessDenied: {expected}" if ":" in expected else reason
        raise LocalCloudError("it was refused for another reason", got=reason, expected=expected) from error
    raise LocalCloudError("what must be refused was allowed", expected=f"a refusal that names {expected}")


def _statuses(done: list[deploy.Deployed]) -> str:
    return ", ".join(sorted({each.status for each in done}))


def _waits(state: pipelines.PipelineState) -> str:
    passed = [stage.name for stage in state.stages if stage.status == "Succeeded"]
    return (
        f"{state.waiting.name} waits"
        if state.waiting
        else f"{state.status} after {passed[-1] if passed else 'nothing'}"
    )


def _free_port() -> int:
    """Return the usual port, or a free one when something listens there."""
    for port in (DEFAULT_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            free: int = probe.getsockname()[1]
            return free
    raise LocalCloudError("there is no free port on 127.0.0.1")
