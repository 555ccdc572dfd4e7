"""What is wrong with a template is one error of the plan, with the file and the line where it stands."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mlops_foundation.config import load_text
from mlops_foundation.core.errors import PlanError, Problem
from mlops_foundation.core.names import PlatformNames
from mlops_foundation.plan import StackSpec, TemplateSpec, build
from mlops_foundation.plan.rights import Right, RightsScope, TemplateRights, beyond, right, union
from mlops_foundation.plan.specs import load_specs
from mlops_foundation.stacks import STACKS
from mlops_foundation.templates import TEMPLATES

CONFIG = (
    '{"region": "eu-west-1", "tags": {"CostCenter": "0"}, "sets": [{"name": "default", "accounts": '
    '{"governance": "111111111111", "dev": "222222222222", "preprod": "333333333333", "prod": "444444444444"}}]}'
)
NAMES = PlatformNames("mlops")
SCOPE = RightsScope(
    NAMES,
    "222222222222",  # type: ignore[arg-type]
    "eu-west-1",  # type: ignore[arg-type]
    {"dev": "222222222222", "preprod": "333333333333", "prod": "444444444444"},  # type: ignore[dict-item]
    ("dev",),
    NAMES.boundary_arn("222222222222"),
)
FIRST = TEMPLATES[0]

SPEC = '''"""A second template."""
from dataclasses import replace
from mlops_foundation.templates import TEMPLATES

SPEC = replace(
    TEMPLATES[0],
    name="second",
    problem_types=("other",),
    inference_types=("other",),
    builder="extra.second.product:build",
    rights="extra.second.rights:rights",
)
'''
RIGHTS = """from dataclasses import replace
from mlops_foundation.plan.rights import right
from mlops_foundation.templates import TEMPLATES

def rights(scope):
    given = TEMPLATES[0].rights_in(scope)
    return replace(given, deployment=[
        *given.deployment,
        right("Too" + "Much", ["iam:CreateRole"], [scope.roles("*/*")]),
        right(
            "AnyRole",
            ["iam:CreateRole"],
            [scope.roles("*/*")],
        ),
    ])
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with one template more, which is put right."""
    made = tmp_path / "extra" / "second"
    made.mkdir(parents=True)
    for path, text in (("extra/__init__", ""), ("extra/second/__init__", ""), ("extra/second/product", "")):
        (tmp_path / f"{path}.py").write_text(text)
    (made / "spec.py").write_text(SPEC)
    (made / "rights.py").write_text(RIGHTS.replace('"iam:CreateRole"', '"ssm:GetParameter"'))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield made
    for name in [name for name in sys.modules if name.split(".")[0] == "extra"]:
        del sys.modules[name]


def second() -> TemplateSpec:
    (spec,) = load_specs("extra", ["second"], TemplateSpec)
    return spec


def problems(*templates: TemplateSpec) -> tuple[Problem, ...]:
    with pytest.raises(PlanError) as raised:
        build(load_text(CONFIG), STACKS, templates)
    return raised.value.problems


def test_a_second_template_is_planned(folder: Path) -> None:
    plan = build(load_text(CONFIG), STACKS, (FIRST, second()))
    assert [each.name for each in plan.templates] == [FIRST.name, "second"]


def test_a_folder_without_its_spec_is_named(folder: Path) -> None:
    (folder / "spec.py").unlink()
    with pytest.raises(PlanError, match="the folder second of extra says nothing of itself") as raised:
        second()
    assert raised.value.problems[0].where == f"{folder / 'spec.py'}:1"


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('name="second"', 'name="third"', "another name"),
        ("SPEC = replace(", "OTHER = replace(", "says nothing of itself"),
        ("\nSPEC", "\nSPEC = 1\nOTHER", "of another kind"),
    ],
)
def test_a_spec_that_is_not_this_folders_is_refused(folder: Path, old: str, new: str, what: str) -> None:
    (folder / "spec.py").write_text(SPEC.replace(old, new))
    with pytest.raises(PlanError, match=what):
        second()


def test_a_name_that_is_taken_is_refused_with_its_line(folder: Path) -> None:
    for name, owner in ((FIRST.name, f"the template {FIRST.name}"), ("sagemaker-project", "the front product")):
        (folder / "spec.py").write_text(SPEC.replace('"second"', f'"{name}"'))
        taken = replace(second_named(name), name=name)
        (problem,) = problems(FIRST, taken)
        assert problem.what == f"the name of the template {name} is taken by {owner}"
        assert problem.where == f"{folder / 'spec.py'}:7"


def second_named(name: str) -> TemplateSpec:
    """Load the spec under the name that it has, which is not its folder's."""
    for module in [module for module in sys.modules if module.startswith("extra.second.spec")]:
        del sys.modules[module]
    from importlib import import_module

    spec: TemplateSpec = import_module("extra.second.spec").SPEC
    assert spec.name == name
    return spec


def test_two_templates_for_one_kind_of_project_are_refused(folder: Path) -> None:
    same = replace(second(), problem_types=FIRST.problem_types, inference_types=("other", *FIRST.inference_types))
    (problem,) = problems(FIRST, same)
    assert "serve the same kind of project" in problem.what
    assert problem.got == f"{FIRST.problem_types[0]} {FIRST.inference_types[0]}"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"pipelines": ("build", "pre_deploy")}, "which people approve"),
        ({"pipelines": ("deploy",), "promotions": ("other",)}, "which people approve"),
        ({"roles": ("pre-deploy-pipeline",)}, "which deploy to production"),
    ],
)
def test_a_suffix_that_meets_another_templates_is_refused(folder: Path, change: dict[str, object], what: str) -> None:
    found = problems(FIRST, replace(second(), **change))  # type: ignore[arg-type]
    assert found
    for problem in found:
        assert problem.what.startswith("a suffix of the template second meets")
        assert problem.what.endswith(what)
        assert problem.where.startswith(str(folder / "spec.py"))


def test_two_ends_alike_of_one_template_are_refused(folder: Path) -> None:
    (problem,) = problems(FIRST, replace(second(), builds=("build", "scan", "build")))
    assert problem.what == "two builds of the template second have the same end"
    assert problem.got == "build"


def test_rights_beyond_the_boundary_are_refused_with_their_line(folder: Path) -> None:
    (folder / "rights.py").write_text(RIGHTS)
    problem = next(each for each in problems(FIRST, second()) if "AnyRole" in each.got)
    expected = "asks for rights beyond the boundary: it could make a role without the boundary of projects"
    assert problem.what.endswith(expected)
    line = next(number for number, text in enumerate(RIGHTS.splitlines(), 1) if '"AnyRole"' in text)
    assert problem.where == f"{folder / 'rights.py'}:{line}"


ROLE = "arn:aws:iam::222222222222:role/mlops/churn/*"
BOUNDED = {"StringEquals": {"iam:PermissionsBoundary": SCOPE.boundary_arn}}


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (right("A", ["*"], [ROLE]), "all actions of a service"),
        (right("A", ["s3:GetObject", "sagemaker:*"], ["*"]), "all actions of a service"),
        (right("A", ["iam:CreatePolicyVersion"], [ROLE]), "it could change the boundary of projects"),
        (right("A", ["iam:DeleteRolePermissionsBoundary"], [ROLE], BOUNDED), "it could change the boundary"),
        (right("A", ["iam:PutRolePolicy"], [ROLE]), "without the boundary"),
        (right("A", ["iam:CreateRole"], [ROLE], {"StringLike": BOUNDED["StringEquals"]}), "without the boundary"),
        (right("A", ["sts:AssumeRole"], ["*"]), "roles that belong to no project"),
        (right("A", ["iam:CreateRole"], ["arn:aws:iam::222222222222:role/*"], BOUNDED), "belong to no project"),
        (right("A", ["iam:PassRole"], [ROLE]), "hands roles to any service"),
        (right("A", ["codepipeline:PutApprovalResult"], ["x"]), "decide on versions or on stages"),
        (right("A", ["sagemaker:UpdateModelPackage"], ["x"]), "decide on versions or on stages"),
    ],
)
def test_each_right_that_no_template_may_have(asked: Right, reason: str) -> None:
    ((found, why),) = beyond([asked], SCOPE)
    assert found is asked
    assert reason in why


def test_what_is_bounded_or_denied_is_no_problem() -> None:
    fine = [
        right("A", ["iam:CreateRole", "iam:PutRolePolicy"], [ROLE], BOUNDED),
        right("B", ["iam:PassRole"], [ROLE], {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}),
        right("C", ["*"], ["*"], deny=True),
    ]
    assert list(beyond(fine, SCOPE)) == []


def test_what_templates_need_together_is_never_wider_than_what_one_needs() -> None:
    read = right("Read", ["s3:GetObject"], ["a"])
    more_resources = right("Read", ["s3:GetObject"], ["b"])
    more_actions = right("Read", ["s3:PutObject"], ["a"])
    neither = right("Read", ["s3:PutObject"], ["b"])
    assert union({"one": [read], "two": [more_resources]}) == [right("Read", ["s3:GetObject"], ["a", "b"])]
    assert union({"one": [read], "two": [more_actions]}) == [right("Read", ["s3:GetObject", "s3:PutObject"], ["a"])]
    assert union({"one": [read], "two-b": [neither]}) == [read, replace(neither, sid="ReadTwoB")]
    conditional = replace(read, conditions=BOUNDED)
    assert union({"one": [read], "two": [conditional]}) == [read, replace(conditional, sid="ReadTwo")]


def test_rights_that_do_not_fit_a_policy_together_are_refused() -> None:
    long = [right(f"Right{number}", ["s3:GetObject"], ["x" * 500]) for number in range(30)]
    given = TemplateRights({"delivery": long}, long, long)

    class Long(TemplateSpec):
        def rights_in(self, scope: RightsScope) -> TemplateRights:
            return given

    found = problems(Long(**vars(FIRST)))
    kinds = {each.what.rpartition(" ")[2] for each in found}
    assert kinds == {"launch", "deployment", "boundary"}


def test_a_stack_whose_rights_do_not_fit_names_its_file() -> None:
    from mlops_foundation.constructs.bootstrap import check_bootstrap

    (network, *others) = STACKS
    big: StackSpec = replace(network, execution=f"{__name__}:too_much")
    config = load_text(CONFIG)
    plan = build(config, (big, *others), TEMPLATES)
    with pytest.raises(PlanError, match="more than AWS allows") as raised:
        check_bootstrap(plan)
    line = too_much.__code__.co_firstlineno
    assert {each.where.partition(",")[0] for each in raised.value.problems} == {f"{__file__}:{line}"}
    assert {each.got.partition(":")[2].split()[0] for each in raised.value.problems} == {"network"}


def too_much(scope: object) -> list[dict[str, object]]:
    """Return rights for eleven policies."""
    del scope
    return [
        {"Sid": f"Right{number}", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["x" * 5900]}
        for number in range(11)
    ]
