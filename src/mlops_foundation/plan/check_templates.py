"""What is wrong with the templates in use, before anything is built of them: with file and line where it has one."""

import json
from collections.abc import Iterator, Sequence
from itertools import combinations, product
from typing import Final

from mlops_foundation.core.errors import Problem
from mlops_foundation.core.names import FRONT_PRODUCT_FILE, pascal
from mlops_foundation.plan.models import SetPlan
from mlops_foundation.plan.rights import Right, RightsScope, TemplateRights, beyond, union
from mlops_foundation.plan.specs import TemplateSpec

_ROOM: Final = {"launch": 8_192, "deployment": 10_240, "boundary": 4_608}
"""Characters of what all templates need together: a role's inline policies hold 10,240, a managed policy 6,144; the
rest is for what the platform itself writes into them.

Source: IAM User Guide, "IAM and AWS STS quotas".
"""


def check_templates(templates: Sequence[TemplateSpec]) -> Iterator[Problem]:
    """Yield names that are taken, types that two templates serve, and ends of names that meet."""
    yield from _names(templates)
    yield from _choices(templates)
    for each in templates:
        yield from _own_ends(each)
    for one, other in product(templates, repeat=2):
        yield from _pipelines(one, other)


def check_rights(templates: Sequence[TemplateSpec], set_plan: SetPlan) -> Iterator[Problem]:
    """Yield rights that no template may ask for, and those that are too long, in the accounts of a set."""
    for foundation in set_plan.foundations:
        if not foundation.stages:
            continue
        names, account = set_plan.names, foundation.account
        scope = RightsScope(
            names, account, set_plan.region, set_plan.accounts, foundation.stages, names.boundary_arn(account)
        )
        found = {each.name: each.rights_in(scope) for each in templates}
        for each in templates:
            yield from _beyond(each, found[each.name], scope)
        yield from _too_long(found, f"set {set_plan.name}, account {account}")


def line_of(template: TemplateSpec, module: str, text: str) -> str:
    """Return file and line where a file of a template first says something: the first line when it does nowhere."""
    path = template.folder / f"{module}.py"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return f"{path}:{next((number for number, line in enumerate(lines, 1) if text in line), 1)}"


def _names(templates: Sequence[TemplateSpec]) -> Iterator[Problem]:
    taken = {pascal(FRONT_PRODUCT_FILE): "the front product"}
    for each in templates:
        owner = taken.setdefault(pascal(each.name), "")
        taken[pascal(each.name)] = f"the template {each.name}"
        if owner:
            yield Problem(
                what=f"the name of the template {each.name} is taken by {owner}",
                where=line_of(each, "spec", f'name="{each.name}"'),
                got=each.name,
                expected="a name of its own, with and without hyphens: it is a product, and part of ids",
                fix="give the folder and its spec another name",
            )


def _choices(templates: Sequence[TemplateSpec]) -> Iterator[Problem]:
    for one, other in combinations(templates, 2):
        both = set(product(one.problem_types, one.inference_types)) & set(
            product(other.problem_types, other.inference_types)
        )
        if both:
            yield Problem(
                what=f"the templates {one.name} and {other.name} serve the same kind of project",
                where=line_of(other, "spec", "inference_types"),
                got=", ".join(" ".join(each) for each in sorted(both)),
                expected="one template for each problem type and inference type",
                fix="name what only one of them serves; a template without types is a product of its own only",
            )


def _own_ends(template: TemplateSpec) -> Iterator[Problem]:
    kinds = {
        "repositories": template.repositories,
        "builds": template.builds,
        "pipelines": (*template.pipelines, *template.promotions),
        "rules": template.rules,
        "roles": template.roles,
        "stage_roles": template.stage_roles,
    }
    for kind, ends in kinds.items():
        for end in sorted({end for end in ends if ends.count(end) > 1}):
            yield Problem(
                what=f"two {kind.replace('_', ' ')} of the template {template.name} have the same end",
                where=line_of(template, "spec", f'"{end}"'),
                got=end,
                expected="an end of its own for each",
                fix="name one of them differently",
            )


def _pipelines(one: TemplateSpec, other: TemplateSpec) -> Iterator[Problem]:
    """A pipeline that goes to production is the lead's: no name of another kind may fit its pattern."""
    for promotion in one.promotions:
        for part in other.pipelines:
            if part == promotion or part.endswith(f"_{promotion}"):
                yield _meets(other, part, f"the pipelines *_{promotion}_pipeline of {one.name}, which people approve")
        for role in other.roles:
            if role.endswith(f"-{promotion}-pipeline"):
                yield _meets(other, role, f"the roles *-{promotion}-pipeline of {one.name}, which deploy to production")


def _meets(template: TemplateSpec, end: str, what: str) -> Problem:
    return Problem(
        what=f"a suffix of the template {template.name} meets {what}",
        where=line_of(template, "spec", f'"{end}"'),
        got=end,
        expected="an end that fits no pattern of another kind",
        fix="choose another one",
    )


def _beyond(template: TemplateSpec, rights: TemplateRights, scope: RightsScope) -> Iterator[Problem]:
    asked = [right for each in rights.launch.values() for right in each]
    for right, reason in beyond([*asked, *rights.deployment, *rights.boundary, *rights.working], scope):
        yield Problem(
            what=f"the template {template.name} asks for rights beyond the boundary: {reason}",
            where=line_of(template, "rights", f'"{right.sid}"'),
            got=f"{right.sid}: {', '.join(right.actions)} on {', '.join(right.resources)}",
            expected="what bounded roles of projects may do, on what belongs to projects",
            fix="ask for less, or take the part of constructs/project that is there for it",
        )


def _too_long(found: dict[str, TemplateRights], where: str) -> Iterator[Problem]:
    launch = [
        right
        for name in dict.fromkeys(name for each in found.values() for name in each.launch)
        for right in union({template: each.launch.get(name, ()) for template, each in found.items()})
    ]
    deployment = union({template: each.deployment for template, each in found.items()})
    boundary = union({template: each.boundary for template, each in found.items()})
    for kind, rights in (("launch", launch), ("deployment", deployment), ("boundary", boundary)):
        size = _size(rights)
        if size > _ROOM[kind]:
            yield Problem(
                what=f"what the templates need together does not fit into the policy for {kind}",
                where=where,
                got=f"{size} characters, for {', '.join(found)}",
                expected=f"at most {_ROOM[kind]}",
                fix="use fewer templates, or write their rights shorter",
            )


def _size(rights: Sequence[Right]) -> int:
    """Return the characters of a policy with these statements, as IAM counts them."""
    statements = [
        {
            "Sid": each.sid,
            "Effect": each.effect,
            "Action": each.actions,
            "Resource": each.resources,
            **({"Condition": each.conditions} if each.conditions else {}),
        }
        for each in rights
    ]
    return len(json.dumps(statements, separators=(",", ":")))
