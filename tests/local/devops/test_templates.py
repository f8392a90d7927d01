"""What the local Azure DevOps refuses since a pipeline's own YAML does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from local.devops import DevOps
from local.devops.pipelines import templates

if TYPE_CHECKING:
    from collections.abc import Iterator

GUARDED = """
parameters:
  - name: model
    type: string
  - {name: kind, type: string, default: small}
jobs:
  - ${{ if contains(parameters.model, '$(') }}:
      - "model holds $(": error
  - ${{ if eq(parameters.kind, 'large') }}:
      - job: before
        steps: [{bash: echo large}]
  - job: after
    steps:
      - bash: echo ${{ parameters.model }}
      - ${{ if eq(parameters.kind, 'huge') }}:
          - "there is no such kind": error
"""


@pytest.fixture
def devops() -> Iterator[DevOps]:
    with DevOps(pats=["a-pat"]) as running:
        running.add_pipeline("contoso", "mlops", 7, "guarded", yaml=GUARDED)
        yield running


def asked(devops: DevOps, how: str, **parameters: str) -> requests.Response:
    return requests.post(
        f"{devops.url}/contoso/mlops/_apis/pipelines/7/{how}?api-version=7.1",
        json={"templateParameters": parameters},
        auth=("", "a-pat"),
        timeout=10,
    )


@pytest.mark.parametrize("how", ["runs", "preview"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"model": "a $(b)"}, "(Line: 8, Col: 9): Unexpected value 'model holds $('"),
        ({"model": "a", "kind": "HUGE"}, "(Line: 16, Col: 13): Unexpected value 'there is no"),
    ],
)
def test_what_the_yaml_refuses_is_refused_before_anything_is_queued(
    devops: DevOps, how: str, given: dict[str, str], said: str
) -> None:
    answer = asked(devops, how, **given)
    assert (answer.status_code, devops.runs) == (400, [])
    assert answer.json()["typeKey"] == "PipelineValidationException"
    assert f"/azure-pipelines.yml {said}" in answer.json()["message"]


@pytest.mark.parametrize("given", [{"model": "a"}, {"model": "$a (b)", "kind": "large"}])
def test_what_it_lets_pass_is_queued(devops: DevOps, given: dict[str, str]) -> None:
    assert asked(devops, "runs", **given).status_code == 200
    assert len(devops.runs) == 1


@pytest.mark.parametrize(
    ("text", "so"),
    [
        ("contains(parameters.a, 'IT''S')", True),
        ("or(eq(parameters.a, 'x'), startsWith(parameters.a, 'It'))", True),
        ("and(contains(parameters.a, 's'), not(endsWith(parameters.a, ')')))", False),
        ("ne( parameters.b , '' )", False),
        ("or(false, TRUE)", True),
        ("parameters.b", False),
        ("contains('a', '(,)')", False),
    ],
)
def test_an_expression_is_what_azure_pipelines_makes_of_it(text: str, *, so: bool) -> None:
    assert templates.holds(text, {"a": "it's (b)", "b": ""}) is so


@pytest.mark.parametrize(
    "text",
    ["", "nosuch('a')", "contains('a'", "contains('a' 'b')", "variables.a", "eq('a', 'b') c", "a'"],
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"Unrecognized|Unexpected|Unclosed"):
        templates.holds(text, {})
    if text:
        guarded = f'jobs:\n  - "${{{{ if {text} }}}}":\n      - job: a\n'
        (said,) = templates.refused(guarded, {})
        assert said.startswith("(Line: 2, Col: 5): ")
