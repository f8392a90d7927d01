"""`bin/relay preview --check`, where GitHub has no preview and the workflow is compared."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from local.github.example import REGISTER
from local.serving.faults import Fault

if TYPE_CHECKING:
    from tests.relay.conftest import Desk


def test_what_was_compared_is_told_and_nothing_is_started(desk: Desk) -> None:
    desk.end("r1")
    said = desk.type("preview", "--run", "r1", "--check")
    assert (said.code, said.err) == (0, "")
    compared = "compared were the trigger, 3 inputs and `run-name`"
    assert f"accepted: Register the model is active; GitHub has no preview; {compared}" in said.out
    assert desk.stage.cloud.github.runs == []
    assert desk.stage.cloud.devops.server.requests == []


def test_an_input_that_the_workflow_does_not_declare_is_refused(desk: Desk) -> None:
    desk.end("r1")
    text = REGISTER.replace("      model_name: {}\n", "")
    desk.stage.cloud.github.add_workflow("contoso", "mlops", "register.yml", text)
    said = desk.type("preview", "--run", "r1", "--check")
    assert said.code == 1
    where = "github:contoso/mlops/register.yml"
    assert f"refused: {where}: it declares no input model_name" in said.out


def test_a_value_of_the_run_that_is_no_choice_is_refused(desk: Desk) -> None:
    desk.end("r1")
    text = REGISTER.replace("model_name: {}", "model_name: {type: choice, options: [scratches]}")
    desk.stage.cloud.github.add_workflow("contoso", "mlops", "register.yml", text)
    said = desk.type("preview", "--run", "r1", "--check")
    assert said.code == 1
    assert "model_name must be one of scratches, and is defects" in said.out


def test_a_run_that_could_not_be_found_by_its_name_is_told(desk: Desk) -> None:
    desk.end("r1")
    text = REGISTER.replace(" ${{ inputs.relay_id }}", "")
    desk.stage.cloud.github.add_workflow("contoso", "mlops", "register.yml", text)
    said = desk.type("preview", "--run", "r1", "--check")
    assert said.code == 0
    assert "its `run-name` does not show the input relay_id" in said.out


def test_a_file_that_may_not_be_read_is_told(desk: Desk) -> None:
    desk.end("r1")
    cloud = desk.stage.cloud
    rights = {"metadata": "read", "actions": "write"}
    cloud.github.accept(cloud.github_token, permissions=rights)
    said = desk.type("preview", "--run", "r1", "--check")
    assert said.code == 0
    assert "the file could not be looked at" in said.out


def test_github_that_does_not_answer_is_no_yes(desk: Desk) -> None:
    desk.end("r1")
    desk.stage.cloud.github.server.faults.add(Fault("GET", "/repos/*", status=502, times=99))
    said = desk.type("preview", "--run", "r1", "--check", "--json")
    assert said.code == 4
    assert json.loads(said.out)["totals"] == {"unknown": 1}
