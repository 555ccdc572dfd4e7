"""What the platform's roles need for projects of this template, and the most that a project's own roles may do."""

from mlops_foundation.constructs.project import boundary_rights, deployment_rights, launch_rights
from mlops_foundation.plan.rights import IN_A_PROJECT, Right, RightsScope, TemplateRights, right
from mlops_foundation.templates.realtime.spec import SPEC

_TAKING_ROLES = ("codebuild", "codepipeline", "events")


def rights(scope: RightsScope) -> TemplateRights:
    """Return the rights in one account."""
    return TemplateRights(
        launch={
            "delivery": [
                *launch_rights.repositories(scope, SPEC.repositories),
                *launch_rights.builds(scope, SPEC.builds),
                *launch_rights.pipelines(scope, [*SPEC.pipelines, *SPEC.promotions]),
                *launch_rights.rules(scope, SPEC.rules),
                *launch_rights.roles(scope, _TAKING_ROLES),
            ],
            "storage": [
                *launch_rights.parameters(scope),
                *launch_rights.buckets(scope),
                *launch_rights.keys(scope),
                *launch_rights.registry(scope),
                *launch_rights.build_logs(scope),
            ],
        },
        deployment=[
            *deployment_rights.endpoints(scope),
            *deployment_rights.stage_roles(scope, SPEC.stage_roles, passed=["endpoint"]),
            *deployment_rights.parameters(scope),
        ],
        boundary=[
            *boundary_rights.storage(scope),
            *boundary_rights.machine_learning(scope),
            *boundary_rights.workloads(scope),
            *boundary_rights.delivery(scope),
            *boundary_rights.roles(scope),
        ],
        working=_working(scope),
    )


def _working(scope: RightsScope) -> list[Right]:
    endpoints = [scope.arn("sagemaker", "endpoint/*-dev")]
    return [right("DevEndpoints", ["sagemaker:InvokeEndpoint"], endpoints, IN_A_PROJECT)]
