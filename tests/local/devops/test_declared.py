"""What the local Azure DevOps reads of a pipeline's YAML."""

from __future__ import annotations

import pytest

from local.devops import Parameter
from local.devops.pipelines import declared

LISTED = """
parameters:
  - name: model
    type: string
  - {name: count, type: number, default: 1}
  - {name: dry, type: boolean, default: false}
  - {name: size, type: string, default: small, values: [small, large]}
  - {name: pool, type: object, default: {vmImage: ubuntu-latest}}
  - {name: before, type: stepList, default: []}
  - name: plain
"""


def test_a_list_declares_types_defaults_and_allowed_values() -> None:
    assert declared.parameters(LISTED) == {
        "model": Parameter(),
        "count": Parameter("number", "1"),
        "dry": Parameter("boolean", "false"),
        "size": Parameter("string", "small", ("small", "large")),
        "pool": Parameter("object", '{"vmImage": "ubuntu-latest"}'),
        "before": Parameter("object", "[]"),
        "plain": Parameter(),
    }


def test_a_mapping_declares_texts_with_defaults() -> None:
    read = declared.parameters("parameters: {model: defects, count: 1}")
    assert read == {"model": Parameter(default="defects"), "count": Parameter(default="1")}


@pytest.mark.parametrize("text", ["", "steps: []", "- a", "parameters:"])
def test_a_pipeline_may_declare_none(text: str) -> None:
    assert declared.parameters(text) == {}


@pytest.mark.parametrize("text", ["parameters: text", "parameters: [a]", "a: [", "\x00"])
def test_what_declares_none_so_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"neither a list|no YAML"):
        declared.parameters(text)
