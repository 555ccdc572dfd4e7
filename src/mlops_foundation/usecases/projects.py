"""Projects: create one from the catalog, list them, look at one."""

import itertools
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from botocore.exceptions import ClientError

from mlops_foundation.aws import stacks
from mlops_foundation.core.errors import AccessDenied, ConfigError, DeployError, StackFailed
from mlops_foundation.core.names import (
    BUCKET_NAME_MAX,
    INFERENCE_TYPE,
    NO_TYPE,
    PROBLEM_TYPE,
    PROJECT_NAME_MAX,
    PROJECT_NAME_PATTERN,
    ROLE_NAME_MAX,
    STAGES,
    ProjectNames,
)
from mlops_foundation.plan.specs import TemplateSpec
from mlops_foundation.usecases import project_remains
from mlops_foundation.usecases.calls import aws_errors
from mlops_foundation.usecases.workspace import Workspace

Report = Callable[[str], None]
_POLL_S: Final = 0.5
_GONE: Final = "DeleteCompleted"
_DONE: Final = {"CreateCompleted", "UpdateCompleted"}


@dataclass(frozen=True)
class NewProject:
    """What somebody asks for.

    Attributes:
        name: At most 32 characters.
        cost_center: Who pays; mandatory.
        description: What it is for.
        problem_type: Kind of problem; the first that a template serves, when empty.
        inference_type: How predictions are served; with the problem type it chooses the template.
        template: Name of the template whose own product makes it; the front product does, when empty.
        tags: Further tags.
    """

    name: str
    cost_center: str
    description: str = "a model"
    problem_type: str = ""
    inference_type: str = ""
    template: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Project:
    """A project as it is."""

    name: str
    project_id: str
    status: str
    description: str
    created: str
    reason: str = ""
    product: str = ""
    template: str = ""
    resources: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``."""
        return asdict(self)


def choose(templates: Sequence[TemplateSpec], new: NewProject) -> tuple[TemplateSpec, dict[str, str]]:
    """Return the template that a project is made from, and the two parameters that choose it.

    Args:
        templates: Those in use, in their order.
        new: What is asked for.

    Raises:
        ConfigError: When there is no such template, or none that serves this; with those there are.
    """
    named = [each for each in templates if new.template in {"", each.name}]
    for template in named:
        for problem, inference in _kinds(template, own=bool(new.template)):
            if new.problem_type in {"", problem} and new.inference_type in {"", inference}:
                return template, {PROBLEM_TYPE: problem, INFERENCE_TYPE: inference}
    given = {"--template": new.template, "--problem-type": new.problem_type, "--inference-type": new.inference_type}
    served = [f"{each.name} ({' or '.join(map(' '.join, _kinds(each, own=True)))})" for each in named or templates]
    raise ConfigError(
        "no project template serves this",
        where=", ".join(option for option, value in given.items() if value),
        got=" ".join(value for value in given.values() if value),
        expected=f"one of {', '.join(served)}",
        fix="choose one of them; mlops project templates shows what each is for",
    )


def _kinds(template: TemplateSpec, *, own: bool) -> list[tuple[str, str]]:
    """Return the problem and inference types of a template; one without types is offered by its own product only."""
    none = [(NO_TYPE, NO_TYPE)] if own else []
    return list(itertools.product(template.problem_types, template.inference_types)) or none


def check_name(names: ProjectNames, account: str, templates: Sequence[TemplateSpec]) -> None:
    """Check a project's name and the longest names derived from it, before anything is made.

    Args:
        names: Of the project.
        account: The account of dev.
        templates: Those that it may be made from.

    Raises:
        ConfigError: When a name would break a limit of AWS.
    """
    name = names.project
    if not re.fullmatch(PROJECT_NAME_PATTERN, name):
        raise ConfigError(
            "this is not a project name",
            where="--name",
            got=name,
            expected=f"small letters, digits and hyphens, a letter first, 2 to {PROJECT_NAME_MAX} characters",
            fix="choose another name",
        )
    longest = {
        "role": (_longest_role(names, templates), ROLE_NAME_MAX),
        "bucket": (names.pipeline_bucket(account), BUCKET_NAME_MAX),
    }
    for kind, (derived, limit) in longest.items():
        if len(derived) > limit:
            raise ConfigError(
                f"the name of a {kind} of this project would be too long",
                where="--name",
                got=f"{derived} ({len(derived)} characters)",
                expected=f"at most {limit}",
                fix=f"shorten the project's name by {len(derived) - limit}",
            )


def _longest_role(names: ProjectNames, templates: Sequence[TemplateSpec]) -> str:
    return max((names.longest(each.roles, each.stage_roles) for each in templates), key=len)


def check_others(name: str, others: Iterable[str]) -> None:
    """Refuse a name that another project's names begin with, or the other way round.

    A project's policies name its jobs, roles and builds as ``<project>-*``: ``churn`` would reach what belongs to
    ``churn-eu``, and the build role of ``churn-deploy`` would be the one of ``churn``'s deploy app.

    Raises:
        ConfigError: Naming the project in the way.
    """
    for other in others:
        if name.startswith(f"{other}-") or other.startswith(f"{name}-"):
            raise ConfigError(
                f"the name is too close to that of the project {other}",
                where="--name",
                got=name,
                expected=f"a name that does not begin with {other}-, nor is the beginning of it",
                fix="choose another name",
            )


def create(workspace: Workspace, new: NewProject, persona: str, report: Report) -> Project:
    """Create a project through SageMaker, which launches the catalog's product, and wait until it is ready.

    Args:
        workspace: Where.
        new: What is asked for.
        persona: Who asks; the data science admin.
        report: Takes one line on what is happening.

    Raises:
        ConfigError: When the name cannot be used or is taken.
        AccessDenied: When the persona may not.
        StackFailed: With the first resource that failed and its reason.
    """
    names = workspace.project(new.name)
    template, chosen = choose(workspace.plan.templates, new)
    check_name(names, workspace.account("dev"), [template])
    others = {each.name: each.status for each in list_projects(workspace, persona)}
    check_others(new.name, others)
    if others.get(new.name, _GONE) == _GONE:
        project_remains.require_free(workspace, new.name)
    sagemaker = workspace.client("sagemaker", "dev", persona)
    with aws_errors(f"project {new.name}"):
        product = _product(workspace, new.template, persona)
        try:
            sagemaker.create_project(**_request(workspace, new, product, chosen))
        except ClientError as error:
            if "already exists" in error.response["Error"]["Message"]:
                raise _exists(new.name) from error
            raise
        return _wait(workspace, sagemaker, new.name, report)


def _request(workspace: Workspace, new: NewProject, product: str, chosen: Mapping[str, str]) -> dict[str, Any]:
    parameters = {
        **chosen,
        "Description": new.description,
        "CostCenter": new.cost_center,
        "PreProdAccount": workspace.account("preprod"),
        "ProdAccount": workspace.account("prod"),
        "DeploymentRegion": workspace.set_plan.region,
    }
    tags = {**workspace.config.tags, **new.tags, "CostCenter": new.cost_center}
    return {
        "ProjectName": new.name,
        "ProjectDescription": new.description,
        "ServiceCatalogProvisioningDetails": {
            "ProductId": product,
            "ProvisioningParameters": [{"Key": key, "Value": value} for key, value in parameters.items()],
        },
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }


def _product(workspace: Workspace, template: str, persona: str) -> str:
    """Return the id of the front product, or of a template's own, which is found by its name."""
    if not template:
        return _parameter(workspace, persona, workspace.set_plan.names.product_id_parameter)
    catalog = workspace.client("servicecatalog", "dev", persona)
    token: dict[str, str] = {}
    while True:
        page = catalog.search_products(Filters={"FullTextSearch": [template]}, **token)
        for product in page["ProductViewSummaries"]:
            if (product["Name"], product["Owner"]) == (template, workspace.set_plan.prefix):
                return str(product["ProductId"])
        if not page.get("NextPageToken"):
            break
        token = {"PageToken": page["NextPageToken"]}
    raise DeployError(
        f"the template {template} is not in the catalog",
        where=f"account {workspace.account('dev')}",
        expected=f"a product {template} of {workspace.set_plan.prefix}",
        fix="mlops deploy",
    )


def _parameter(workspace: Workspace, persona: str, name: str) -> str:
    ssm = workspace.client("ssm", "dev", persona)
    try:
        value: str = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound as error:
        raise DeployError(
            "the catalog is not deployed",
            where=f"account {workspace.account('dev')}",
            expected=f"the parameter {name}",
            fix="mlops deploy",
        ) from error
    return value


def _exists(name: str) -> ConfigError:
    return ConfigError(
        f"there is a project {name} already",
        where="--name",
        got=name,
        expected="a name that no project of this account has",
        fix="mlops project list, then choose another name",
    )


def _wait(workspace: Workspace, sagemaker: Any, name: str, report: Report) -> Project:  # noqa: ANN401  boto3 clients
    started = time.monotonic()
    while True:
        project = _project(sagemaker.describe_project(ProjectName=name))
        report(f"{project.status} after {time.monotonic() - started:.0f} s")
        if project.status in _DONE:
            return project
        if "Failed" in project.status:
            raise StackFailed(
                f"project {name} was not created: {_reason(workspace, project)}",
                where=f"project {name}",
                got=project.status,
                expected="CreateCompleted",
                fix=f"put the reason right, then: mlops project delete {name} --yes, and create it again",
            )
        time.sleep(_POLL_S)


def _reason(workspace: Workspace, project: Project) -> str:
    """Return why a project was not created: of the template's own stack, and each reason of CloudFormation."""
    nested, refused = "Embedded stack" in project.reason, "DescribeEvents" in project.reason
    if project.product and (nested or refused):
        dev = workspace.account("dev")
        stack = f"SC-{dev}-{project.product}"
        with aws_errors(f"stack {stack}"):
            client = workspace.sessions.client("cloudformation", dev)
            inner, reason = stacks.innermost_failure(client, stack) if nested else (stack, "")
            reasons = stacks.validation_errors(client, inner) or [each for each in (reason,) if each]
        if reasons:
            return "; ".join(reasons)
    return project.reason or "no reason given"


def _project(found: Mapping[str, Any]) -> Project:
    provisioned = found.get("ServiceCatalogProvisionedProductDetails", {})
    return Project(
        name=found["ProjectName"],
        project_id=found["ProjectId"],
        status=found["ProjectStatus"],
        description=found.get("ProjectDescription", ""),
        created=found["CreationTime"].isoformat(),
        reason=provisioned.get("ProvisionedProductStatusMessage", ""),
        product=provisioned.get("ProvisionedProductId", ""),
    )


def delete(workspace: Workspace, name: str, persona: str, report: Report) -> None:
    """Delete a project: its pipelines, repositories and roles.

    Its buckets and keys, the versions of its model, and its endpoints stay; ``project_remains`` finds and purges them.

    Args:
        workspace: Where.
        name: Project name.
        persona: Who asks; the data science admin.
        report: Takes one line on what is happening.

    Raises:
        ConfigError: When there is no such project.
        StackFailed: When something of it cannot be deleted.
    """
    describe(workspace, name, persona)
    sagemaker = workspace.client("sagemaker", "dev", persona)
    with aws_errors(f"project {name}"):
        sagemaker.delete_project(ProjectName=name)
        while found := [each for each in list_projects(workspace, persona) if each.name == name]:
            report(found[0].status)
            if found[0].status == _GONE:
                return
            if found[0].status == "DeleteFailed":
                raise StackFailed(
                    f"project {name} was not deleted",
                    where=f"project {name}",
                    got=describe(workspace, name, persona).reason or found[0].status,
                    fix=f"put the reason right, then again: mlops project delete {name}",
                )
            time.sleep(_POLL_S)


def require_deleted(workspace: Workspace, name: str, persona: str) -> None:
    """Refuse to purge what a project uses, or another one whose names begin with it.

    Raises:
        ConfigError: Naming the project.
    """
    others = {each.name: each.status for each in list_projects(workspace, persona)}
    if others.get(name, _GONE) != _GONE:
        raise ConfigError(
            f"there is a project {name}",
            where="--name",
            got=others[name],
            expected="a project that was deleted",
            fix=f"mlops project delete {name} --purge deletes it with its data",
        )
    check_others(name, [other for other in others if other != name])


def list_projects(workspace: Workspace, persona: str) -> list[Project]:
    """Return every project of the dev account, newest first."""
    sagemaker = workspace.client("sagemaker", "dev", persona)
    found: list[Project] = []
    token: dict[str, str] = {}
    with aws_errors("projects"):
        while True:
            page = sagemaker.list_projects(SortBy="CreationTime", SortOrder="Descending", **token)
            found += [_project(each) for each in page["ProjectSummaryList"]]
            if "NextToken" not in page:
                return found
            token = {"NextToken": page["NextToken"]}


def describe(workspace: Workspace, name: str, persona: str) -> Project:
    """Return one project with the names of what it consists of.

    Raises:
        ConfigError: When there is no such project.
        AccessDenied: When the persona may not see it.
    """
    sagemaker = workspace.client("sagemaker", "dev", persona)
    try:
        found = _project(sagemaker.describe_project(ProjectName=name))
    except ClientError as error:
        if "AccessDenied" in error.response["Error"]["Code"]:
            raise AccessDenied(error.response["Error"]["Message"], where=f"project {name}") from error
        raise ConfigError(
            f"there is no project {name}", where=f"account {workspace.account('dev')}", fix="mlops project list"
        ) from error
    template = template_of(workspace, name, persona)
    return replace(found, template=template.name, resources=_resources(workspace, name, template))


def template_of(workspace: Workspace, name: str, persona: str) -> TemplateSpec:
    """Return the template that a project was made from, by the parameter that it keeps; else the first."""
    templates = workspace.plan.templates
    if len(templates) == 1:
        return templates[0]
    parameter = f"{workspace.project(name).parameters}/template"
    try:
        made_from = workspace.client("ssm", "dev", persona).get_parameter(Name=parameter)["Parameter"]["Value"]
    except ClientError:
        made_from = ""
    return next((each for each in templates if each.name == made_from), templates[0])


def _resources(workspace: Workspace, name: str, template: TemplateSpec) -> dict[str, str]:
    """Return what a project consists of, by what it is."""
    names, dev = workspace.project(name), workspace.account("dev")
    endpoint = workspace.sessions.endpoint_url or f"https://git-codecommit.{workspace.set_plan.region}.amazonaws.com"
    found = {f"{side} repository": f"{endpoint}/v1/repos/{name}-{side}" for side in template.repositories}
    found |= {f"{part} pipeline": f"{name}_{part}_pipeline" for part in (*template.pipelines, *template.promotions)}
    found |= {"model package group": names.model_package_group, "artifact bucket": names.artifact_bucket(dev)}
    if "execution" in template.roles:
        found["execution role"] = f"arn:aws:iam::{dev}:role{names.path}{names.role('execution')}"
    deployed = "endpoints" if "endpoint" in template.stage_roles else "stacks"
    return {**found, deployed: ", ".join(names.endpoint(stage) for stage in STAGES)}
