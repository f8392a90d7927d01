"""Whose process stands still before the schedule says what was so is followed all the same."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from functions.core.ledger.places import OPEN
from functions.core.operators.replaying import Replaying
from functions.core.ports.ledger import Place
from functions.core.terms.reasons import Reason
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.flow.following.ends import how
from tests.flow.rounds.sweeps import end, settled, sweep
from tests.ledger.counted import counted
from tests.stage.azure import completed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local.cloud import Cloud
    from tests.stage.azure import Stage

HOURS = {"Retry-After": "21600"}


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path) -> Stage:
    return settled(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)


def event(stage: Stage) -> dict[str, Any]:
    return {**completed("r1"), "eventTime": stage.clock.now().isoformat()}


def away(stage: Stage) -> None:
    """AML does not answer, and says to come again in six hours."""
    stage.aml.server.faults.add(Fault(path="*/runs/get", status=503, headers=HOURS, times=99))


def parked(stage: Stage) -> None:
    """It ended, and was told of while AML was away."""
    end(stage, "r1")
    away(stage)
    stage.deliver(event(stage))
    assert stage.only("r1").reason is Reason.RUN_UNREADABLE


def delivered(stage: Stage) -> None:
    end(stage, "r1")
    away(stage)
    stage.deliver(event(stage))


def delivered_again(stage: Stage) -> None:
    stage.deliver(event(stage))


def in_a_round(stage: Stage) -> None:
    stage.app.reconciler.reconcile()


def in_a_sweep(stage: Stage) -> None:
    sweep(stage)


def behind(stage: Stage) -> None:
    """Whoever parked it died before the schedule said so."""
    parked(stage)
    stage.ledger.schedule(replace(stage.only("r1"), due_at=stage.clock.now()))


@pytest.mark.parametrize(
    ("before", "stands", "nth"),
    [
        (lambda _: None, delivered, 2),  # once it is claimed, and once it is parked
        (parked, delivered_again, 1),
        (behind, in_a_round, 1),
        (parked, in_a_sweep, 1),
    ],
)
def test_what_was_started_meanwhile_is_followed_within_minutes(
    stage: Stage, before: Callable[[Stage], None], stands: Callable[[Stage], None], nth: int
) -> None:
    """An operator had it tried at once, since AML is there again."""
    before(stage)
    rows, puts = counted(stage.ledger), list[str]()

    def another_goes_on(kind: str, *given: object) -> None:
        place = given[0]
        if kind != "put" or not isinstance(place, Place) or place.partition != OPEN:
            return
        puts.append(place.key)
        if len(puts) == nth:
            own = stage.app
            stage.build()
            stage.aml.server.faults.clear()
            stage.clock.forward(hours=1)
            Replaying(stage.ledger, stage.clock, "ada").replay(stage.only("r1").key)
            stage.reconcile(seconds=1)
            stage.app = own

    rows.before = another_goes_on
    stage.build(ledger=rows.ledger)
    stands(stage)
    assert stage.started() == [(42, "r1")]
    stage.deploy()
    stage.reconcile(minutes=3)
    stage.devops.finish(stage.devops.runs[0].id, "failed")
    stage.reconcile(minutes=3)
    assert how(stage) == "failed"
    assert stage.ledger.backlog(stage.clock.now() + timedelta(days=1)).open == 0
