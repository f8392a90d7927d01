"""A task that waits is answered by a gate that compares with the champion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.cloud import WORKSPACE
from tests.flow.asking import EXPERIMENT
from tests.flow.waits.test_waits import KEY, register, runs
from tests.stage.azure import Stage, completed

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud

ROUTES = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: wait
    complete: true
    model: defects
    champion: {alias: champion}
    when: run.metrics.accuracy > champion.metrics.accuracy
"""


@pytest.mark.parametrize(
    ("accuracy", "result", "words"),
    [
        (0.95, "succeeded", "its gate holds"),
        (0.85, "failed", "its gate does not hold"),
    ],
)
def test_a_task_is_answered_by_what_the_champion_has(
    cloud: Cloud, tmp_path: Path, accuracy: float, result: str, words: str
) -> None:
    stage = Stage(cloud, tmp_path, WAITS="1", SWEEP_WORKSPACES=WORKSPACE)
    stage.cloud.vault.put("run-relay-waits-key", KEY)
    stage.routes(ROUTES)
    stage.aml.add_run("b1", metrics={"accuracy": 0.9}, experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 3, "b1")
    stage.aml.set_alias("defects", "champion", 3)
    runs(stage)
    job = register(stage)
    runs(stage, accuracy=accuracy)
    stage.aml.add_model_version("defects", 4, "r1")
    stage.deliver(completed("r1"))
    assert job.result == result
    assert words in job.lines[0]
    assert "champion.metrics.accuracy = 0.9" in job.lines[0]
