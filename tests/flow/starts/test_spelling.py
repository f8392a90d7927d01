"""A run whose id an event spells otherwise than MLflow, which answers to either."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.terms.words import State
from local.cloud import WORKSPACE
from tests.flow.rounds.sweeps import end, settled, sweep
from tests.saying.wrapped import Wrapped
from tests.stage.azure import Stage, completed

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud


class AnyCase(Wrapped):
    """Runs, which are found however they are spelled."""

    def read(self, workspace: Any, run: str, deadline: Any) -> Any:
        return self.real.read(workspace, run.lower(), deadline)


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path) -> Stage:
    stage = settled(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)
    sweep(stage)
    stage.build(runs=AnyCase(stage.ports.runs))
    end(stage, "r1", timedelta(minutes=-1))
    stage.clock.forward(minutes=2)
    return stage


def marked(run: str) -> dict[str, Any]:
    own = {"azureml.runsource": "azureml.PipelineRun", "azureml.pipelinerunid": run.lower()}
    return completed(run, runProperties=own)


def test_the_sweep_knows_what_an_event_started(stage: Stage) -> None:
    stage.deliver(completed("R1"))
    stage.deliver(completed("R1"))
    sweep(stage, hours=1)
    assert stage.started() == [(42, "r1")]


def test_an_event_that_comes_after_the_sweep_starts_nothing(stage: Stage) -> None:
    sweep(stage)
    stage.deliver(completed("R1"))
    assert stage.started() == [(42, "r1")]
    other = stage.only("R1")
    assert (other.state, other.detail) == (State.SKIPPED, "the run is r1, which is followed")


def test_two_events_that_spell_it_otherwise_start_one(stage: Stage) -> None:
    stage.deliver(completed("R1"))
    stage.deliver(completed("r1"))
    assert stage.started() == [(42, "r1")]


def test_a_run_that_names_itself_as_its_pipeline_run_is_no_part_of_another(stage: Stage) -> None:
    stage.deliver(marked("R1"))
    assert stage.started() == [(42, "r1")]
