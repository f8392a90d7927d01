"""A run that was told in time and cannot be read yet: its join is not decided without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.core.events import parsing
from functions.core.kept.letter import Letter
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.flow.joins.several import (
    A,
    B,
    C,
    add,
    event,
    joining,
    joint,
    sent,
    set_up,
    stands,
    told,
    trained,
)
from tests.saying.wrapped import Wrapped
from tests.stage.azure import now

if TYPE_CHECKING:
    from tests.stage.azure import Stage

FAILS = joining(if_one_fails="fail")
ALL = [told(runs=("r1", "r2", "r3"))]


@pytest.fixture(name="stage")
def with_two_of_three(stage: Stage) -> Stage:
    set_up(stage, FAILS)
    stage.reconcile()
    trained(stage, "r1", A)
    trained(stage, "r2", B)
    return stage


def letter(run: str) -> Letter:
    """What waits in the inbox of this run; letters are taken out by their ids."""
    return Letter.of(parsing.parse(event(run, C)), now())


def rounds(stage: Stage, hours: float) -> None:
    for _ in range(int(hours * 4)):
        stage.reconcile(minutes=15)


def test_one_that_cannot_be_read_when_the_time_is_over_is_waited_for(stage: Stage) -> None:
    stage.clock.forward(hours=11)
    stage.aml.server.faults.add(Fault("GET", "*/runs/get", status=503, times=10**6))
    trained(stage, "r3", C)
    assert stands(stage, "r3") == ["open: run_unreadable"]
    rounds(stage, 4)
    waits = joint(stage)
    assert (waits.state, waits.detail) == (State.OPEN, "2 of 3; waits for train-c")
    stage.aml.server.faults.clear()
    rounds(stage, 1)
    assert (stands(stage, "r3"), sent(stage)) == (["skipped: joined"], ALL)


def test_for_a_day_and_no_longer(stage: Stage) -> None:
    stage.clock.forward(hours=11)
    stage.aml.server.faults.add(Fault("GET", "*/runs/get", status=503, times=10**6))
    trained(stage, "r3", C)
    for _ in range(3):
        stage.reconcile(hours=12)
        stage.reconcile(minutes=16)
    assert (joint(stage).state, joint(stage).reason) == (State.FAILED, Reason.INCOMPLETE)


def test_one_that_is_told_later_is_not_waited_for(stage: Stage) -> None:
    stage.reconcile(hours=11)
    stage.clock.forward(hours=2)
    stage.aml.server.faults.add(Fault("GET", "*/runs/get", status=503, times=10**6))
    trained(stage, "r3", C)
    stage.reconcile(minutes=1)
    assert joint(stage).state is State.FAILED


def test_one_that_is_being_read_just_when_the_time_is_over_is_one_of_them(stage: Stage) -> None:
    stage.clock.forward(hours=11, minutes=59)
    begun: list[str] = []

    class Slow(Wrapped):
        """A round goes by while it is read."""

        def read(self, *given: Any) -> Any:
            if not begun:
                begun.append(given[1])
                own = stage.app
                stage.build()
                stage.reconcile(minutes=1, seconds=30)
                stage.app = own
            return self.real.read(*given)

    stage.build(runs=Slow(stage.ports.runs))
    trained(stage, "r3", C)
    stage.build()
    rounds(stage, 0.5)
    assert (begun, sent(stage)) == (["r3"], ALL)


def test_one_whose_event_waits_in_the_inbox_is_one_of_them(
    stage: Stage,
) -> None:
    """The route file could not be read, and more came than a round takes out."""
    stage.clock.forward(hours=11)
    stage.routes("version: 7")
    for n in range(300):
        stage.deliver(event(f"o{n}", "another"))
    last = max((f"r{n}" for n in range(3, 50)), key=lambda run: letter(run).id)
    add(stage, last, C)
    stage.deliver(event(last, C))
    stage.clock.forward(hours=3)
    stage.routes(FAILS)
    rounds(stage, 2)
    assert stands(stage, last) == ["skipped: joined"]
    assert sent(stage) == [told(runs=("r1", "r2", last))]


def test_one_that_there_is_not_hides_from_nobody_who_is_missing(stage: Stage) -> None:
    stage.clock.forward(hours=11)
    stage.deliver(event("gone", C))
    assert stands(stage, "gone") == ["open: run_not_found"]
    stage.reconcile(hours=2)
    assert joint(stage).state is State.FAILED
