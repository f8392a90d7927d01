"""Hosts are killed and frozen while a task is answered by an end: it goes on, and says so once.

On a ledger in a file: what a store must do for it is tried on each in tests/ledger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.cloud import WORKSPACE
from tests.crash.points import Answering, Later, Point
from tests.crash.theatre import (
    FREEZE,
    KILL,
    SHORT,
    cut,
    dead,
    playing,
    reconcile,
    told,
    until,
    wake,
)
from tests.flow.waits.test_after import ROUTES
from tests.flow.waits.test_waits import KEY, register, runs
from tests.soak.team import AFTER_ALL
from tests.stage.azure import Stage, completed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.cloud import Cloud
    from local.devops import ServerJob
    from tests.crash.points import Anywhere
    from tests.crash.theatre import Theatre
    from tests.stage.hosted import Hosted

OF_AN_END = [Later.LOOKED, Later.ENDED, Later.SHOWN, *Answering, Later.DROPPED]
OF_A_START = [Point.CLAIMED, Point.ASKED, Point.SENT, Point.ANSWERED, Point.SETTLED]
ENDS = pytest.mark.parametrize("point", OF_AN_END)
STARTS = pytest.mark.parametrize("point", OF_A_START)


@pytest.fixture
def theatre(cloud: Cloud, tmp_path: Path) -> Iterator[Theatre]:
    stage = Stage(cloud, tmp_path, WAITS="1", SWEEP_WORKSPACES=WORKSPACE, **SHORT)
    stage.cloud.vault.put("run-relay-waits-key", KEY)
    stage.routes(ROUTES)
    runs(stage)
    with playing(stage, tmp_path) as made:
        yield made


def training_ends(stage: Stage) -> None:
    runs(stage, accuracy=0.95)


def pipeline_ends(stage: Stage) -> None:
    for build in stage.devops.runs:
        if build.result is None:
            stage.devops.finish(build.id, "succeeded")


def until_it_is_over(theatre: Theatre, host: Hosted, job: ServerJob) -> None:
    """Let this host do rounds, minutes apart, until the task goes on and nothing is left to do."""
    ledger = theatre.stage.ledger

    def is_over() -> bool:
        theatre.forward(minutes=2)
        host.fire("reconcile")
        pipeline_ends(theatre.stage)
        left = ledger.followed.keys() or ledger.waits.taken(9) or ledger.backlog(AFTER_ALL).open
        return job.result is not None and not left

    until(is_over)


def assert_answered_once(theatre: Theatre, job: ServerJob) -> None:
    (build,) = theatre.stage.devops.runs
    assert job.result == "succeeded"
    assert {line.partition("route ")[2] for line in job.lines} == {
        f"validate: pipeline run {build.id} succeeded"
    }
    taken = [one for one in job.events if one.name == "TaskCompleted" and one.status < 300]
    assert [one.result for one in taken] == ["succeeded"]


@STARTS
@pytest.mark.parametrize("how", [KILL, pytest.param(FREEZE, marks=pytest.mark.proof)])
def test_a_task_outlives_a_host_that_is_cut_in_the_start_which_it_waits_for(
    theatre: Theatre, point: Anywhere, how: str
) -> None:
    job = register(theatre.stage)
    training_ends(theatre.stage)
    host, last = cut(theatre, point, how, told(**completed("r1")))
    second = theatre.host()
    theatre.stage.deliver(completed("r1"))
    assert job.result is None
    until_it_is_over(theatre, second, job)
    theatre.stage.devops.server.faults.clear()
    (dead if how == KILL else wake)(host, last)
    assert_answered_once(theatre, job)


@ENDS
def test_a_host_that_is_killed_around_the_end_leaves_no_task_that_waits(
    theatre: Theatre, point: Anywhere
) -> None:
    job = register(theatre.stage)
    training_ends(theatre.stage)
    theatre.stage.deliver(completed("r1"))
    pipeline_ends(theatre.stage)
    dead(*cut(theatre, point, KILL, reconcile))
    until_it_is_over(theatre, theatre.host(), job)
    assert_answered_once(theatre, job)


@pytest.mark.proof
@ENDS
def test_a_host_that_was_frozen_around_the_end_answers_no_task_again(
    theatre: Theatre, point: Anywhere
) -> None:
    job = register(theatre.stage)
    training_ends(theatre.stage)
    theatre.stage.deliver(completed("r1"))
    pipeline_ends(theatre.stage)
    frozen = cut(theatre, point, FREEZE, reconcile)
    until_it_is_over(theatre, theatre.host(), job)
    wake(*frozen)
    assert_answered_once(theatre, job)
