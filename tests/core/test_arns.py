import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_foundation.core.arns import Arn

PART = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", max_size=12)


@given(parts=st.tuples(PART, PART, PART, PART), resource=st.text(min_size=1))
def test_an_arn_is_the_same_text_again_whatever_its_resource_holds(parts: tuple[str, ...], resource: str) -> None:
    text = f"arn:{':'.join(parts)}:{resource}"
    arn = Arn.parse(text)
    assert str(arn) == text
    assert arn.resource == resource


@pytest.mark.parametrize("text", ["", "churn", "arn:aws:iam::1", "urn:aws:iam::1:role/x", "arn"])
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=f"not an ARN: '{text}'"):
        Arn.parse(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("arn:aws:iam::222222222222:role/mlops/churn/churn-build", "churn-build"),
        ("arn:aws:sagemaker:eu-west-1:222222222222:model-package/churn/3", "3"),
        ("arn:aws:codebuild:eu-west-1:222222222222:build/churn:0f3a", "0f3a"),
        ("arn:aws:s3:::churn-222222222222", "churn-222222222222"),
    ],
)
def test_the_name_is_the_last_part_of_the_resource(text: str, name: str) -> None:
    assert Arn.parse(text).name == name
