"""What will be made where: pure data from the configuration, checked before any synth."""

from mlops_foundation.plan.build import build
from mlops_foundation.plan.foundations import Foundation, StackPlan
from mlops_foundation.plan.models import Plan, SetPlan
from mlops_foundation.plan.specs import StackSpec, TemplateSpec

__all__ = ["Foundation", "Plan", "SetPlan", "StackPlan", "StackSpec", "TemplateSpec", "build"]
