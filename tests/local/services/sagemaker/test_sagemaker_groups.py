"""The service is put together from groups of operations: none may hide a part of another by accident."""

from itertools import combinations

from mlops_foundation.local.services.sagemaker import SageMaker
from mlops_foundation.local.services.sagemaker.resources import Resources


def test_no_group_hides_a_private_part_of_another() -> None:
    groups = [group for group in SageMaker.__mro__ if issubclass(group, Resources)]
    for one, other in combinations(groups, 2):
        shared = {name for name in vars(one).keys() & vars(other).keys() if name.startswith("_")}
        assert not {name for name in shared if not name.startswith("__") and name != "_abc_impl"}, (one, other)
