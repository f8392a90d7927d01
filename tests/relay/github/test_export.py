"""`bin/relay export` of what was started at GitHub."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema

from local.cloud import GITHUB_SECRET
from tests.relay.export.test_schema import SCHEMA
from tests.stage.azure import completed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.relay.conftest import Desk

VALID = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def exported(desk: Desk) -> list[dict[str, Any]]:
    said = desk.type("export")
    assert said.code == 0
    assert desk.stage.cloud.github_token not in said.out
    lines = [json.loads(line) for line in said.out.splitlines()]
    for line in lines:
        VALID.validate(line)
    return lines


def test_a_start_at_github_is_told_with_its_owner_its_workflow_and_its_run(desk: Desk) -> None:
    desk.stage.clock.forward(hours=-2)
    desk.stage.aml.add_run("r1", experiment="defect-detection")
    desk.stage.deliver(completed("r1"))
    desk.stage.clock.forward(hours=2)
    claimed, asked, started = exported(desk)
    row = desk.stage.only("r1")
    assert asked["request"] == {
        "organization": "github:contoso",
        "project": "mlops",
        "pipeline": "register.yml",
        "pipeline_version": None,
        "secret": GITHUB_SECRET,
        "body": {
            "ref": "main",
            "inputs": {"run_id": "r1", "model_name": "defects", "relay_id": row.key.hash},
        },
    }
    assert asked["why"] == "pipeline github:contoso/mlops/register.yml"
    assert (started["pipeline_run"], started["reason"]) == (row.pipeline_run, "answered")
    assert [line["request"] for line in (claimed, started)] == [None, None]


def test_one_that_was_found_says_how_it_came_to_that(
    desk: Desk, doubted: Callable[[str], int]
) -> None:
    desk.stage.clock.forward(hours=-2)
    number = doubted("r1")
    desk.stage.reconcile(hours=1)
    lines = exported(desk)
    assert [line["what"] for line in lines] == ["claimed", "asked", "parked", "resumed", "started"]
    assert (lines[2]["reason"], lines[-1]["reason"]) == ("in_doubt", "found")
    assert lines[2]["why"].startswith("in_doubt no answer from GitHub")
    assert lines[-1]["pipeline_run"] == number
