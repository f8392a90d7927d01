"""A secret variable reaches the pipeline, and nobody else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from functions.core.reasons import Reason
from tests.azure import completed
from tests.flow.asking import EXPERIMENT

if TYPE_CHECKING:
    import pytest

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
      variables: {STAGE: prod, TOKEN: {value: "for {{ run.id }}", secret: true}}
"""


def deliver(stage: Stage, mode: str) -> None:
    stage.devops.add_pipeline(
        "contoso",
        "mlops",
        42,
        "next",
        parameters={"run_id": None},
        settable_variables=["STAGE", "TOKEN"],
    )
    stage.routes(ROUTE.replace("MODE", mode))
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
