"""Run ids are unique within a workspace only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT
from tests.stage.azure import Stage, completed

if TYPE_CHECKING:
    from pathlib import Path

    from functions.core.kept.continuation import Continuation
    from local.cloud import Cloud

OTHER = WORKSPACE.replace("ml-prod", "ml-test")


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.cloud.arm.add_workspace(OTHER, stage.aml.tracking_uri)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    return stage


def lost(stage: Stage) -> Continuation:
    """Deliver the other workspace's run of the same id; the POST for it gets lost."""
    post = Fault(method="POST", path="*/runs", drop="before")
    stage.devops.server.faults.add(post)
    stage.deliver({**completed("r1"), "topic": OTHER})
    return theirs(stage)


def theirs(stage: Stage) -> Continuation:
    (row,) = stage.ledger.of_run(OTHER.lower(), "r1")
    return row


def test_the_same_run_id_in_two_workspaces_starts_two_pipelines(stage: Stage) -> None:
    stage.deliver({**completed("r1"), "topic": OTHER})
    assert stage.started() == [(42, "r1"), (42, "r1")]
    assert theirs(stage).pipeline_run != stage.only("r1").pipeline_run


def test_a_pipeline_run_of_another_workspace_is_not_taken_for_the_lost_one(stage: Stage) -> None:
    assert lost(stage).reason is Reason.IN_DOUBT
    stage.reconcile(seconds=31)
    assert theirs(stage).state is State.OPEN
    stage.reconcile(minutes=11)
    assert theirs(stage).state is State.STARTED
    assert theirs(stage).pipeline_run != stage.only("r1").pipeline_run


def test_a_pipeline_run_of_another_workspace_is_no_duplicate(stage: Stage) -> None:
    lost(stage)
    stage.reconcile(seconds=31)
    stage.reconcile(minutes=11)
    stage.reconcile(minutes=61)
    assert (theirs(stage).recheck_at, theirs(stage).duplicates) == (None, ())


@pytest.mark.parametrize("attempt", range(5))
def test_two_lost_answers_with_one_run_id_do_not_adopt_the_same_pipeline_run(
    cloud: Cloud, tmp_path: Path, attempt: int
) -> None:
    """One POST was queued, the other was not, and both are looked for in the same round."""
    del attempt  # the two look-ups race
    stage = Stage(cloud, tmp_path)
    stage.cloud.arm.add_workspace(OTHER, stage.aml.tracking_uri)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    queued = Fault(method="POST", path="*/runs", drop="after")
    stage.devops.server.faults.add(queued)
    stage.deliver(completed("r1"))
    lost(stage)
    for minutes in (1, 11, 11):
        stage.reconcile(minutes=minutes)
    assert len(stage.devops.runs) == 2
    assert theirs(stage).pipeline_run != stage.only("r1").pipeline_run
