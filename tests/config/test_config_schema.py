"""The JSON Schema agrees with the loader."""

import jsonschema
import pytest
import yaml
from config_samples import GOOD

from mlops_foundation.config import json_schema


def test_the_schema_takes_what_the_loader_takes() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    jsonschema.validate(yaml.safe_load(GOOD), json_schema())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("region:", "regon:"),
        ('"222222222222"', '"22"'),
        ("azs: 3", "azs: 7"),
        ("nat_gateways: 1", "endpoints: [s4]"),
        ("[alice]", '["alice b"]'),
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(old: str, new: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(GOOD.replace(old, new)), json_schema())


def test_every_key_is_described() -> None:
    schema = json_schema()
    undescribed = [
        f"{owner}.{name}"
        for owner, model in {"": schema, **schema["$defs"]}.items()
        for name, value in model.get("properties", {}).items()
        if "description" not in value and "$ref" not in value
    ]
    assert undescribed == []
