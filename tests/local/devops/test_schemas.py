"""Every answer fits the published schemas of the Pipelines and the Build API."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import jsonschema

from tests.local.devops.calls import BUILDS, RUNS, call
from tests.stage.published import BUILD_API, PIPELINES_API, needs

if TYPE_CHECKING:
    from local.devops import DevOps

ASKED = {
    "templateParameters": {"run_id": "a", "fast": "true"},
    "variables": {"MODEL": {"value": "m"}},
}

pytestmark = [needs(PIPELINES_API), needs(BUILD_API)]


def validator(swagger: dict[str, Any], name: str) -> jsonschema.Draft4Validator:
    """A validator for one definition that also refuses a key the definition does not have."""
    closed = copy.deepcopy(swagger)
    top = closed["definitions"][name]
    known = dict(top.get("properties", {}))
    for part in top.get("allOf", []):
        known |= _inherited(closed, part["$ref"].rsplit("/", 1)[1])
    rule = {
        "$ref": f"#/definitions/{name}",
        "definitions": closed["definitions"],
    }
    schema = {
        "allOf": [rule, {"properties": {key: {} for key in known}, "additionalProperties": False}],
        "definitions": closed["definitions"],
    }
    return jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())


def _inherited(swagger: dict[str, Any], name: str) -> dict[str, Any]:
    definition = swagger["definitions"][name]
    known = dict(definition.get("properties", {}))
    for part in definition.get("allOf", []):
        known |= _inherited(swagger, part["$ref"].rsplit("/", 1)[1])
    return known


def run_validator() -> jsonschema.Draft4Validator:
    """The Run definition, with one correction.

    It says that every value of `templateParameters` is of type object. That is how the
    generator writes C#'s `object`, that is, anything: the documented example has strings and
    the request's own definition says string. So strings are demanded here.
    """
    swagger = json.loads(PIPELINES_API.read_text())
    run = swagger["definitions"]["Run"]["properties"]["templateParameters"]
    assert run["additionalProperties"] == {"type": "object"}
    run["additionalProperties"] = {"type": "string"}
    return validator(swagger, "Run")


def complaints(rules: jsonschema.Draft4Validator, value: object) -> list[str]:
    return [f"{list(error.path)}: {error.message}" for error in rules.iter_errors(value)]


def test_the_run_definition_as_published_fails_only_on_parameter_values(devops: DevOps) -> None:
    run = call(devops, "POST", RUNS, body=ASKED).json()
    rules = validator(json.loads(PIPELINES_API.read_text()), "Run")
    found = {str(error.path[0]) for error in rules.iter_errors(run)}
    assert found == {"templateParameters"}


def test_every_run_fits_the_run_definition(devops: DevOps) -> None:
    queued = call(devops, "POST", RUNS, body=ASKED).json()
    devops.finish(queued["id"])
    finished = call(devops, "GET", f"{RUNS}/{queued['id']}").json()
    in_list = call(devops, "GET", RUNS).json()["value"][0]
    previewed = call(devops, "POST", RUNS, body={**ASKED, "previewRun": True}).json()
    rules = run_validator()
    found = [complaints(rules, run) for run in (queued, finished, in_list, previewed)]
    assert found == [[], [], [], []]


def test_every_build_fits_the_build_definition(devops: DevOps) -> None:
    build_id = call(devops, "POST", RUNS, body=ASKED).json()["id"]
    queued = call(devops, "GET", f"{BUILDS}/{build_id}").json()
    devops.tag(build_id, ["one"])
    devops.finish(build_id, "failed")
    (in_list,) = call(devops, "GET", BUILDS).json()["value"]
    rules = validator(json.loads(BUILD_API.read_text()), "Build")
    assert [complaints(rules, build) for build in (queued, in_list)] == [[], []]


def test_pipelines_and_previews_fit_their_definitions(devops: DevOps) -> None:
    swagger = json.loads(PIPELINES_API.read_text())
    pipeline = call(devops, "GET", "pipelines/42").json()
    preview = call(devops, "POST", "pipelines/42/preview", body=ASKED).json()
    assert complaints(validator(swagger, "Pipeline"), pipeline) == []
    assert complaints(validator(swagger, "PreviewRun"), preview) == []


def test_the_validator_itself_finds_a_wrong_enum_and_an_unknown_key(devops: DevOps) -> None:
    run = call(devops, "POST", RUNS, body=ASKED).json()
    assert len(complaints(run_validator(), {**run, "state": "done", "colour": "red"})) == 2
