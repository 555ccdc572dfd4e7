"""One CDK app for the whole plan: a stage for each set and foundation, and in it the stacks in their order."""

from pathlib import Path

import aws_cdk as cdk

from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.nag import Checks, add_packs
from mlops_foundation.core.errors import PluginError
from mlops_foundation.plan.foundations import Foundation
from mlops_foundation.plan.models import Plan, SetPlan
from mlops_foundation.plan.specs import load_builder


def build_app(
    plan: Plan,
    outdir: Path,
    checks: Checks = Checks(),  # noqa: B008  frozen
) -> cdk.App:
    """Build every stack of the plan.

    Args:
        plan: What to build.
        outdir: Where the cloud assembly goes.
        checks: What is checked beside cdk-nag's AwsSolutions pack.

    Raises:
        PluginError: When a builder cannot be loaded or does not return a stack.
    """
    app = cdk.App(
        outdir=str(outdir),
        analytics_reporting=False,
        tree_metadata=False,
        stack_traces=False,
        builtin_cloud_formation_validation=checks.schemas,
        # Creation traces hold the temporary directory of the CDK's runtime: no two synths would give the same bytes.
        context={"aws:cdk:disable-creation-stack-traces": True},
    )
    add_packs(app, checks)
    for set_plan in plan.sets:
        for foundation in set_plan.foundations:
            if foundation.stacks:
                _build_stage(app, plan, set_plan, foundation)
    return app


def _build_stage(app: cdk.App, plan: Plan, set_plan: SetPlan, foundation: Foundation) -> None:
    stage = cdk.Stage(
        app,
        f"{set_plan.name}-{foundation.name}",
        env=cdk.Environment(account=foundation.account, region=foundation.region),
    )
    built: dict[str, cdk.Stack] = {}
    for stack in foundation.stacks:
        context = StackContext(plan.settings, set_plan, foundation, stack, plan.templates)
        builder = load_builder(stack.builder, f"the stack {stack.name}")
        made = builder(stage, context)
        if not isinstance(made, cdk.Stack):
            what = f"the builder of the stack {stack.name} returned no stack"
            raise PluginError(what, stack.builder, type(made).__name__, "aws_cdk.Stack")
        built[stack.name] = made
        for need in stack.needs:
            made.add_stack_dependency(built[need])
