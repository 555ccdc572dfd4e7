"""Log streams of CloudWatch: read to their end, and on from there as they grow."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

_POLL_S: Final = 1.0


@dataclass(frozen=True)
class Place:
    """Where a log is.

    Attributes:
        group: Log group.
        prefix: How its streams begin; empty for all of the group.
    """

    group: str
    prefix: str = ""


def job_place(kind: str, job: str) -> Place:
    """Return where the log of a SageMaker job is.

    Args:
        kind: ``TrainingJob`` or ``ProcessingJob``, as a step's metadata names it.
        job: Its name.
    """
    return Place(f"/aws/sagemaker/{kind}s", f"{job}/")


def endpoint_place(endpoint: str) -> Place:
    """Return where the log of an endpoint's containers is."""
    return Place(f"/aws/sagemaker/Endpoints/{endpoint}")


class LogReader:
    """Reads what is new at a place.

    A job writes one stream for each instance, an endpoint one for each container: the streams are looked up at each
    reading, and each is read on from where the last reading ended.

    Args:
        logs: CloudWatch Logs client.
        place: What to read.
    """

    def __init__(self, logs: Any, place: Place) -> None:  # noqa: ANN401  boto3 clients
        self._logs = logs
        self._place = place
        self._tokens: dict[str, str] = {}

    def read(self) -> list[str]:
        """Return the lines that came since the last reading, oldest first; none while there is no log."""
        try:
            events = [event for stream in _streams(self._logs, self._place) for event in self._events(stream)]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return []
            raise
        return [line for _, line in sorted(events, key=lambda event: event[0])]

    def _events(self, stream: str) -> Iterator[tuple[int, str]]:
        while True:
            given = {"nextToken": self._tokens[stream]} if stream in self._tokens else {}
            page = self._logs.get_log_events(
                logGroupName=self._place.group, logStreamName=stream, startFromHead=True, **given
            )
            yield from ((event.get("timestamp", 0), event["message"].rstrip("\n")) for event in page["events"])
            ended = self._tokens.get(stream) == page["nextForwardToken"]
            self._tokens[stream] = page["nextForwardToken"]
            if ended or not page["events"]:
                return


def last_line(logs: Any, place: Place) -> str:  # noqa: ANN401  boto3 clients
    """Return the last line that was written at a place; empty when there is none, or it may not be read."""
    try:
        for stream in _streams(logs, place):
            page = logs.get_log_events(logGroupName=place.group, logStreamName=stream, limit=1)
            if page["events"]:
                return str(page["events"][-1]["message"]).strip()
    except ClientError:
        return ""
    return ""


def follow(reader: LogReader, ended: Callable[[], bool]) -> Iterator[str]:
    """Yield lines as they come, until what writes them has ended and all of it is read."""
    while True:
        over = ended()
        yield from reader.read()
        if over:
            return
        time.sleep(_POLL_S)


def _streams(logs: Any, place: Place) -> list[str]:  # noqa: ANN401  boto3 clients
    given = {"logStreamNamePrefix": place.prefix} if place.prefix else {}
    pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=place.group, **given)
    return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
