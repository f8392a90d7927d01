"""A secret variable reaches the pipeline, and nobody else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from functions.core.reasons import Reason
from functions.core.values import State
from local.faults import Fault
from tests.azure import completed
from tests.flow.asking import EXPERIMENT
from tests.saying import POST_RUN, WRONG, says

if TYPE_CHECKING:
    from tests.azure import Stage

ROUTE = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: next
    mode: MODE
    start:
      pipeline: 42
      parameters: {run_id: "{{ run.id }}"}
      variables: {STAGE: prod, TOKEN: {value: VALUE, secret: true}}
"""


def deliver(stage: Stage, mode: str, value: str = "for {{ run.id }}") -> None:
    stage.devops.add_pipeline(
        "contoso",
        "mlops",
        42,
        "next",
        parameters={"run_id": None},
        settable_variables=["STAGE", "TOKEN"],
    )
    stage.routes(ROUTE.replace("MODE", mode).replace("VALUE", json.dumps(value)))
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))


def test_a_shadow_route_does_not_tell_secret_variables(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "run_relay")
    deliver(stage, "shadow")
    row = stage.only("r1")
    assert row.reason is Reason.SHADOW
    assert '"STAGE": {"value": "prod", "isSecret": false}' in row.detail
    assert '"TOKEN": {"value": "***", "isSecret": true}' in row.detail
    assert "for r1" not in repr(row)
    assert "for r1" not in caplog.text


def test_an_active_route_sends_secret_variables_and_does_not_log_them(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "run_relay")
    deliver(stage, "active")
    (sent,) = stage.devops.server.received("POST", "/runs")
    assert json.loads(sent.body)["variables"]["TOKEN"] == {"value": "for r1", "isSecret": True}
    assert "for r1" not in caplog.text


def test_a_secret_among_the_words_by_which_an_answer_is_judged_changes_no_judgement(
    stage: Stage,
) -> None:
    stage.devops.server.faults.add(says(400, WRONG))
    deliver(stage, "active", "parameter")
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.FAILED, Reason.REJECTED)
    assert row.detail == "the answer's words hold the value of a secret variable"


@pytest.mark.parametrize("status", [200, 400, 403, 500])
@pytest.mark.parametrize("secret", ["for r1", 'a "quoted" one', "ä\\b"])
def test_whoever_echoes_the_request_tells_no_secret_variable(
    stage: Stage, caplog: pytest.LogCaptureFixture, status: int, secret: str
) -> None:
    caplog.set_level("DEBUG", "run_relay")
    value = secret.replace("r1", "{{ run.id }}")
    said = {"message": f"not {secret}; nor {json.dumps(secret)}", "typeKey": "X"}
    body, kind = json.dumps(said), "application/json"
    if status == 403:
        body, kind = f"<html>You sent {json.dumps(secret)}: {secret}</html>", "text/html"
    fault = Fault("POST", POST_RUN, status=status, body=body, headers={"Content-Type": kind})
    stage.devops.server.faults.add(fault)
    deliver(stage, "active", value)
    detail = stage.only("r1").detail
    assert "***" in detail
    for form in (secret, json.dumps(secret)[1:-1]):
        assert form not in detail
        assert form not in caplog.text
