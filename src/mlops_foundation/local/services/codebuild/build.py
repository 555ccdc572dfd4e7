"""One build: its phases in order, each with what AWS says when it fails.

Source: "Build phase transitions" and "Environment variables in build environments" in the CodeBuild user guide.
"""

import contextlib
import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from mlops_foundation.core.clock import now
from mlops_foundation.local import interpreters
from mlops_foundation.local.contract import Cloud, Json, Principal, Scope, ServiceError
from mlops_foundation.local.services.codebuild import buildspec as specs
from mlops_foundation.local.services.codebuild import files, images
from mlops_foundation.local.services.codebuild.buildspec import Buildspec, BuildspecError, Phase
from mlops_foundation.local.services.codebuild.files import BuildFailed
from mlops_foundation.local.services.codebuild.log import BuildLog
from mlops_foundation.local.services.codebuild.shell import BuildShell, DeadlinePassed
from mlops_foundation.local.services.codebuild.workplace import Workplace

Change = Callable[[Callable[[Json], None]], Json]
"""Applies a change to the build's record and returns a copy."""
TAIL_LINES, TAIL_CHARACTERS = 12, 1200
DEFAULT_BUILDSPEC = "buildspec.yml"


@dataclass(frozen=True)
class Surroundings:
    """What a build works with.

    Attributes:
        cloud: The local cloud.
        scope: Account and region of the project.
        role: Session of the service role.
        folder: The build's own folder.
        change: Changes the build's record.
        done: Called with the record when the build is complete.
    """

    cloud: Cloud
    scope: Scope
    role: Principal
    folder: Path
    change: Change
    done: Callable[[Json], None]

    def client(self, service: str) -> Any:  # noqa: ANN401  boto3 clients
        """Return a client with the service role's rights."""
        return self.cloud.client(self.role, service, self.scope.region)


class Build:
    """Runs one build to its end.

    Args:
        surroundings: What it works with.
        record: The build as StartBuild made it.
    """

    def __init__(self, surroundings: Surroundings, record: Json) -> None:
        self._around = surroundings
        self._record = record
        self._place = Workplace.take()
        self._work = self._place.folder
        self._source = self._work / "src"
        self._log = BuildLog(surroundings.folder / "build.log")
        self._spec = Buildspec()
        self._shell: BuildShell | None = None
        self._environment: dict[str, str] = {}
        self._deadline = time.monotonic() + 60 * record["timeoutInMinutes"]
        self._status = "SUCCEEDED"
        self._stopped = False

    def stop(self) -> None:
        """End the build: what runs is killed, and no further phase starts."""
        self._stopped = True
        if self._shell:
            self._shell.kill()

    def run(self) -> None:
        """Run all phases and leave the final status in the record."""
        try:
            self._phase("PROVISIONING", self._provision)
            if self._good():
                self._phase("DOWNLOAD_SOURCE", self._download)
            if self._good():
                self._run_commands()
        except Exception:
            self._status = "FAULT"
            raise
        finally:
            if self._shell:
                self._shell.close()
            self._phase("FINALIZING", self._finalize)
            self._complete()

    def _good(self) -> bool:
        return self._status == "SUCCEEDED"

    def _run_commands(self) -> None:
        """Run the buildspec's phases: BUILD's failure does not keep POST_BUILD and the upload from being tried."""
        for name in specs.PHASES:
            phase = self._spec.phases.get(name, Phase())
            good = self._phase(name.upper(), functools.partial(self._commands, phase))
            if self._status in ("STOPPED", "TIMED_OUT"):
                return
            goes_on = phase.on_failure == "CONTINUE" or (name in ("build", "post_build") and not phase.on_failure)
            if not good and not goes_on:
                return
        self._phase("UPLOAD_ARTIFACTS", self._upload)

    # --- phases

    def _provision(self) -> None:
        if self._record["logs"]["cloudWatchLogs"]["status"] == "ENABLED":
            self._open_log_stream()
        self._log.write("Waiting for agent ping")
        home = self._work / "home"
        home.mkdir(parents=True)
        (self._work / "tmp").mkdir()
        cloud = self._around.cloud
        machine = cloud.machine_environment()
        if not self._leads_out():
            self._log.write("The subnets of this build have no way out: only the cloud itself is reached")
            machine = images.without_way_out(machine)
        self._environment = images.tool_environment(machine, self._work / "toolchain" / "bin")
        self._environment |= cloud.environment(self._around.role, self._around.scope.region)
        self._environment |= {"HOME": str(home), "TMPDIR": str(self._work / "tmp")}
        self._environment["PYTHONPYCACHEPREFIX"] = str(self._place.bytecode)

    def _leads_out(self) -> bool:
        vpc = self._record.get("vpcConfig")
        return not vpc or self._around.cloud.leads_out(self._around.scope, vpc["subnets"])

    def _open_log_stream(self) -> None:
        logs, place = self._around.client("logs"), self._record["logs"]
        stream = {"logGroupName": place["groupName"], "logStreamName": place["streamName"]}
        try:
            logs.create_log_stream(**stream)
        except logs.exceptions.ResourceNotFoundException:
            with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):  # a build beside this one made it
                logs.create_log_group(logGroupName=place["groupName"])
            logs.create_log_stream(**stream)
        self._log.write(f"Build {self._record['id']} of project {self._record['projectName']}")
        self._log.ship_to(lambda events: logs.put_log_events(**stream, logEvents=events))

    def _download(self) -> None:
        self._log.write("Phase is DOWNLOAD_SOURCE")
        source = self._record["source"]
        if source["type"] == "NO_SOURCE":
            self._source.mkdir()
        else:
            s3 = self._around.client("s3")
            for identifier, location in self._sources().items():
                files.fetch(s3, location, self._source_folder(identifier))
        text = self._buildspec_text(source.get("buildspec") or DEFAULT_BUILDSPEC)
        self._spec = specs.load(text)
        self._make_toolchain()
        self._environment |= self._variables()

    def _make_toolchain(self) -> None:
        image, runtimes = self._record["environment"]["image"], self._spec.runtimes
        images.check_runtimes(runtimes, image)
        wanted = images.python_of(runtimes)
        python = interpreters.choose(wanted)
        has = f"Python {python.version}, {images.NODE_AND_UV}"
        self._log.write(f"{image} is stood in for by this machine: {has}")
        if difference := python.difference(wanted):
            self._log.write(difference)
        images.make_toolchain(self._work / "toolchain", python)

    def _sources(self) -> dict[str, str]:
        source, version = self._record["source"], self._record.get("sourceVersion", "")
        primary = version if source["type"] == "CODEPIPELINE" else source["location"]
        secondary = {
            item["sourceIdentifier"]: item["sourceVersion"] for item in self._record.get("secondarySourceVersions", [])
        }
        return {"": primary, **secondary}

    def _source_folder(self, identifier: str) -> Path:
        return self._work / f"src-{identifier}" if identifier else self._source

    def _buildspec_text(self, given: str) -> str:
        if "\n" in given.strip():
            return given
        file = self._source / given
        if not file.is_file():
            raise BuildspecError("YAML file does not exist" if given == DEFAULT_BUILDSPEC else f"{given}: no such file")
        return file.read_text(encoding="utf-8")

    def _variables(self) -> dict[str, str]:
        """Return the build's variables: buildspec, then project and start, then CodeBuild's own."""
        given = self._record["environment"].get("environmentVariables", [])
        stored = dict(self._spec.parameter_store)
        stored |= {item["name"]: item["value"] for item in given if item.get("type") == "PARAMETER_STORE"}
        plain = {item["name"]: item["value"] for item in given if item.get("type", "PLAINTEXT") == "PLAINTEXT"}
        return {**self._spec.variables, **self._parameters(stored), **plain, **self._builtin()}

    def _parameters(self, wanted: Mapping[str, str]) -> dict[str, str]:
        names = sorted(set(wanted.values()))
        values: dict[str, str] = {}
        for start in range(0, len(names), 10):
            answer = self._around.client("ssm").get_parameters(Names=names[start : start + 10], WithDecryption=True)
            if answer["InvalidParameters"]:
                raise BuildFailed(
                    "Decrypted Variables Error", f"parameter does not exist: {answer['InvalidParameters']}"
                )
            values |= {parameter["Name"]: parameter["Value"] for parameter in answer["Parameters"]}
        return {name: values[parameter] for name, parameter in wanted.items()}

    def _builtin(self) -> dict[str, str]:
        record = self._record
        folders = {f"CODEBUILD_SRC_DIR_{key}": str(self._source_folder(key)) for key in self._secondary_keys()}
        return folders | {
            "CODEBUILD_BUILD_ARN": record["arn"],
            "CODEBUILD_BUILD_ID": record["id"],
            "CODEBUILD_BUILD_IMAGE": record["environment"]["image"],
            "CODEBUILD_BUILD_NUMBER": str(record["buildNumber"]),
            "CODEBUILD_BUILD_SUCCEEDING": "1",
            "CODEBUILD_INITIATOR": record["initiator"],
            "CODEBUILD_KMS_KEY_ID": record["encryptionKey"],
            "CODEBUILD_LOG_PATH": record["logs"].get("streamName", ""),
            "CODEBUILD_RESOLVED_SOURCE_VERSION": record.get("resolvedSourceVersion", ""),
            "CODEBUILD_SOURCE_VERSION": record.get("sourceVersion", ""),
            "CODEBUILD_SRC_DIR": str(self._source),
            "CODEBUILD_START_TIME": str(int(record["startTime"] * 1000)),
        }

    def _secondary_keys(self) -> list[str]:
        return [item["sourceIdentifier"] for item in self._record.get("secondarySourceVersions", [])]

    def _commands(self, phase: Phase) -> None:
        if not phase.commands and not phase.finally_:
            return
        if self._shell is None:
            environment = self._environment
            self._shell = BuildShell(self._spec.shell, self._work / "tmp", self._source, environment, self._log.file)
        shell = self._shell
        if not self._good():
            shell.run("export CODEBUILD_BUILD_SUCCEEDING=0", self._deadline)
        try:
            self._run_all(shell, phase.commands)
        finally:
            if not self._stopped:
                self._run_all(shell, phase.finally_)
            if self._spec.exported and not self._stopped:
                self._export(shell)

    def _run_all(self, shell: BuildShell, commands: tuple[str, ...]) -> None:
        for command in commands:
            if self._stopped:
                return
            self._log.write(f"Running command {command}")
            before = self._log.size()
            status = shell.run(command, self._deadline)
            if status != 0 and not self._stopped:
                message = f"Error while executing command: {command}. Reason: exit status {status}"
                tail = self._log.tail(before, TAIL_LINES, TAIL_CHARACTERS)
                self._log.write(f"Command did not exit successfully {command} exit status {status}")
                raise BuildFailed("COMMAND_EXECUTION_ERROR", f"{message}\n{tail}".strip())

    def _upload(self) -> None:
        record = self._record
        wanted = [("", record["artifacts"], self._spec.artifacts)]
        secondary = {item["artifactIdentifier"]: item for item in record.get("secondaryArtifacts", [])}
        # A pipeline's only output artifact is the primary one; with several, each is a secondary one of that name.
        wanted += [(name, secondary.get(name, {}), artifact) for name, artifact in self._spec.secondary.items()]
        for name, target, artifact in wanted:
            if artifact is None or not target.get("location"):
                continue
            found = files.matching(self._source, artifact)
            self._log.write(f"Uploading {len(found)} files of artifact {name or 'primary'}")
            files.upload(self._around.client("s3"), target, found, self._encryption(target))

    def _encryption(self, artifact: Json) -> Json:
        key = self._record["encryptionKey"]
        if artifact.get("encryptionDisabled") or key.endswith("alias/aws/s3"):
            return {}
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}

    def _finalize(self) -> None:
        self._log.close()
        self._place.leave(self._around.cloud.spawn)

    # --- the record

    def _phase(self, name: str, work: Callable[[], None]) -> bool:
        """Run one phase and record how it went; return whether it went well."""
        if self._stopped and name != "FINALIZING":
            self._status = "STOPPED"
            return False
        started = now().timestamp()
        self._enter(name, started)
        status, contexts = self._outcome(work)
        if self._stopped and name != "FINALIZING":
            status, contexts = "STOPPED", []
        self._leave(name, started, status, contexts)
        if status != "SUCCEEDED" and self._good():
            self._status = status
        return status == "SUCCEEDED"

    def _outcome(self, work: Callable[[], None]) -> tuple[str, list[Json]]:
        try:
            work()
        except DeadlinePassed:
            minutes = self._record["timeoutInMinutes"]
            return "TIMED_OUT", [_context("BUILD_TIMED_OUT", f"Build has timed out after {minutes} minutes")]
        except BuildFailed as error:
            return "FAILED", [_context(error.code, error.message)]
        except BuildspecError as error:
            return "FAILED", [_context("YAML_FILE_ERROR", str(error))]
        except (ClientError, ServiceError) as error:
            return "FAILED", [_context("CLIENT_ERROR", str(error))]
        return "SUCCEEDED", [_context("", "")]

    def _export(self, shell: BuildShell) -> None:
        values = shell.values(self._spec.exported)
        exported = [{"name": name, "value": value} for name, value in values.items()]
        self._around.change(lambda record: record.update(exportedEnvironmentVariables=exported))

    def _enter(self, name: str, started: float) -> None:
        def enter(record: Json) -> None:
            record["currentPhase"] = name
            record["phases"].append({"phaseType": name, "startTime": started})

        self._around.change(enter)

    def _leave(self, name: str, started: float, status: str, contexts: list[Json]) -> None:
        ended = now().timestamp()
        done = {
            "phaseType": name,
            "phaseStatus": status,
            "startTime": started,
            "endTime": ended,
            "durationInSeconds": int(ended - started),
            "contexts": contexts,
        }
        if name != "FINALIZING":
            self._log.write(f"Phase complete: {name} State: {status}")
            for context in contexts:
                if context["message"]:
                    self._log.write(f"Phase context status code: {context['statusCode']} Message: {context['message']}")
        self._around.change(lambda record: record["phases"].__setitem__(-1, done))

    def _complete(self) -> None:
        ended = now().timestamp()

        def complete(record: Json) -> None:
            record |= {"currentPhase": "COMPLETED", "buildStatus": self._status}
            record |= {"buildComplete": True, "endTime": ended}
            record["phases"].append({"phaseType": "COMPLETED", "startTime": ended})

        self._around.done(self._around.change(complete))


def _context(code: str, message: str) -> Json:
    return {"statusCode": code, "message": message}
