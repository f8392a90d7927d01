"""The JSON Schema that editors use says what decoding says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from tests.routes.files import FULL, HEAD, problems, route

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "routes.schema.json"


@pytest.fixture(name="validator")
def _validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_committed_schema_is_what_the_command_prints() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "relay", "schema"], cwd=ROOT, capture_output=True, check=True
    )

    assert done.stdout.decode("utf-8").splitlines() == SCHEMA.read_text("utf-8").splitlines()


def inserted(body: Any, deep: str = "") -> Iterator[str]:
    """The lines that yaml-language-server writes of a snippet: each text as it stands."""
    for name, value in body.items():
        if isinstance(value, dict):
            yield f"{deep}{name}:"
            yield from inserted(value, f"{deep}  ")
        elif isinstance(value, list):
            yield f"{deep}{name}:"
            yield from (f"{deep}  - {one}" for one in value)
        else:
            yield f"{deep}{name}: {value}"


def filled(body: Any) -> str:
    """The route that stands there if nothing of the snippet is changed."""
    lines = [re.sub(r"\$\{\d+:([^{}]*)\}", r"\1", line) for line in inserted(body)]
    return "\n".join([f"- {lines[0]}", *(f"  {line}" for line in lines[1:])])


SNIPPETS = json.loads(SCHEMA.read_text("utf-8"))["properties"]["routes"]["defaultSnippets"]


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda one: one["label"])
def test_what_an_editor_offers_is_a_whole_route(
    snippet: dict[str, Any], validator: jsonschema.Draft202012Validator
) -> None:
    assert snippet.keys() == {"label", "description", "body"}
    text = filled(snippet["body"])
    assert "$" not in text
    made = route(text)
    assert made.start is not None
    assert [*validator.iter_errors(yaml.safe_load(HEAD + indent(text, "  ")))] == []
    assert (made.gate is not None) is ("when" in snippet["body"])


def test_each_of_them_has_a_name_of_its_own() -> None:
    assert len({filled(one["body"]).partition("\n")[0] for one in SNIPPETS}) == len(SNIPPETS) >= 3


@pytest.mark.parametrize("text", [FULL, (ROOT / "routes.yaml").read_text(encoding="utf-8")])
def test_good_files_are_valid(text: str, validator: jsonschema.Draft202012Validator) -> None:
    assert [error.message for error in validator.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize(
    "text",
    [
        "  - {name: a, strat: {pipeline: 1}}",
        "  - {name: a, start: {pipeline: 1, param: {}}}",
        "  - {name: a, match: {tag: {}}, start: {pipeline: 1}}",
        "  - {start: {pipeline: 1}}",
        "  - {name: a b, start: {pipeline: 1}}",
        '  - {name: "a\\n", start: {pipeline: 1}}',
        "  - {name: a, outcome: Running, start: {pipeline: 1}}",
        "  - {name: a, outcome: [Running], start: {pipeline: 1}}",
        "  - {name: a, event: RunCompleted, start: {pipeline: 1}}",
        "  - {name: a, when: , start: {pipeline: 1}}",
        "  - {name: a, limit: 20, start: {pipeline: 1}}",
        "  - {name: a, wait_for_facts: 10 minutes, start: {pipeline: 1}}",
        "  - {name: a, mode: off-line, start: {pipeline: 1}}",
        "  - {name: a, start: {pipeline: 0}}",
        "  - {name: a, start: {pipeline: 1, branch: main}}",
        "  - {name: a, start: {pipeline: 1, project: a/b}}",
        "  - {name: a, start: {pipeline: 1, organization: a/b}}",
        "  - {name: a, start: {pipeline: 1, secret: a_b}}",
        "  - {name: a, start: {pipeline: 1, correlation: ''}}",
        "  - {name: a, start: {pipeline: 1, variables: {a: {secret: true}}}}",
        "  - a",
        "  []",
    ],
)
def test_the_schema_refuses_what_decoding_refuses(
    text: str, validator: jsonschema.Draft202012Validator
) -> None:
    assert problems(HEAD + text)
    assert not validator.is_valid(yaml.safe_load(HEAD + text))


def shapes(within: Any) -> Iterator[dict[str, Any]]:
    """Every mapping with keys of its own that the schema describes."""
    if isinstance(within, dict) and isinstance(within.get("required"), list) and len(within) > 1:
        yield within
    for below in within.values() if isinstance(within, dict) else within:
        if isinstance(below, (dict, list)):
            yield from shapes(below)


def test_every_key_is_described(validator: jsonschema.Draft202012Validator) -> None:
    described = {
        key: about.get("description")
        for shape in shapes(validator.schema)
        for key, about in shape["properties"].items()
    }

    assert {"version", "name", "run_type", "pipeline", "value"} <= described.keys()
    assert [key for key, description in described.items() if not description] == []


def test_every_shape_is_closed(validator: jsonschema.Draft202012Validator) -> None:
    found = list(shapes(validator.schema))

    assert len(found) == 32  # those of a sequel three times
    assert [shape for shape in found if shape["additionalProperties"] is not False] == []
