"""Answer CloudFormation for a custom resource, whatever happens and in time: beside the code of every such function."""

import json
import signal
import urllib.request

ANSWER_S = 10
"""Seconds kept for the answer."""


def respond(event, context, apply, not_made):
    """Do what CloudFormation asks, and tell it how that went: what goes wrong fails the stack with its reason.

    Args:
        event: CloudFormation's request.
        context: Lambda's.
        apply: Takes the request and the seconds there are; returns the physical id and the attributes.
        not_made: Physical id of a resource whose creation fails.
    """
    seconds = max(1, context.get_remaining_time_in_millis() / 1000 - ANSWER_S)
    signal.signal(signal.SIGALRM, too_late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    answer = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    try:
        physical_id, data = apply(event, seconds)
        answer |= {"Status": "SUCCESS", "PhysicalResourceId": physical_id, "Data": data}
    except Exception as error:  # whatever it is, CloudFormation has to hear of it
        reason = f"{type(error).__name__}: {error}"[:1000]
        failed = event.get("PhysicalResourceId", not_made)
        answer |= {"Status": "FAILED", "PhysicalResourceId": failed, "Reason": reason}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    print(json.dumps({key: answer.get(key) for key in ("LogicalResourceId", "Status", "Reason")}))
    send(event["ResponseURL"], answer)


def too_late(signum, frame):
    """Stop what takes longer than the function may run."""
    raise TimeoutError("AWS did not answer within the time of the function")


def send(url, answer):
    """Put the answer where CloudFormation waits for it."""
    body = json.dumps(answer).encode()
    request = urllib.request.Request(url, data=body, method="PUT", headers={"Content-Type": ""})
    with urllib.request.urlopen(request, timeout=ANSWER_S) as response:
        response.read()
