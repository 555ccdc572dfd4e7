"""Alarms."""

from typing import Final

from mlops_foundation.local.contract import Json
from mlops_foundation.local.resource_types.called import CalledType, Name, Put, Request, Tags, Target, members, pairs

_CARRIED: Final = (
    "ActionsEnabled", "AlarmActions", "AlarmDescription", "ComparisonOperator", "DatapointsToAlarm", "Dimensions",
    "EvaluateLowSampleCountPercentile", "EvaluationPeriods", "ExtendedStatistic", "InsufficientDataActions",
    "MetricName", "Metrics", "Namespace", "OKActions", "Period", "Statistic", "Threshold", "ThresholdMetricId",
    "TreatMissingData", "Unit",
)  # fmt: skip


def _alarm(target: Target, properties: Json) -> Request:
    return Request("put_metric_alarm", {"AlarmName": target.id, **members(properties, *_CARRIED)})


def _create(target: Target, properties: Json) -> Request:
    request = _alarm(target, properties).members
    return Request("put_metric_alarm", {**request, **members(properties, "Tags")})


def _arn(target: Target) -> str:
    return target.arn("cloudwatch", f"alarm:{target.id}")


ALARM = CalledType(
    "AWS::CloudWatch::Alarm",
    "cloudwatch",
    create=_create,
    delete=lambda target: Request("delete_alarms", {"AlarmNames": [target.id]}),
    name=Name("AlarmName", 255),
    attributes={"Arn": _arn},
    steps=(
        Put(_CARRIED, _alarm, on_create=False),
        Tags(
            lambda target, tags: Request("tag_resource", {"ResourceARN": _arn(target), "Tags": pairs(tags)}),
            lambda target, keys: Request("untag_resource", {"ResourceARN": _arn(target), "TagKeys": keys}),
        ),
    ),
)

TYPES = (ALARM,)
