"""What is known of a route: written by others, kept for long, read while the file is not."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.rounds import bounds
from functions.core.rounds.expecting import held
from functions.core.rounds.expecting.awaited import MOST_AT_ONCE
from functions.core.rounds.expecting.row import known, name_of
from functions.core.rounds.watch import By
from functions.core.terms.errors import Unreadable
from tests.flow.asking import EXPERIMENT
from tests.flow.expecting.test_held import HELD, hold
from tests.flow.expecting.test_overdue import GRACE, Cut, by, end, expecting, heard, said, until
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES, Stage, completed

if TYPE_CHECKING:
    from functions.bootstrap import App
    from local.chat.front import Chat


@pytest.fixture(autouse=True)
def _lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def held_by_its_gate(what: str) -> str:
    return expecting(what).replace("    start:", HELD, 1)


class Newer(Wrapped):
    """A ledger in which another version has written one of the continuations."""

    def read(self, key: Any) -> Any:
        if key.run == "r1":
            raise Unreadable("left to the version that knows that")
        return self.real.read(key)


def test_one_that_cannot_be_read_costs_the_others_and_the_route_nothing(
    stage: Stage, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    what, due = by(stage, hours=4)
    stage.routes(held_by_its_gate(f"{what}, held: 1h"))
    for run in ("r1", "r2"):
        hold(stage, run)
    stage.clock.forward(days=1)
    stage.build(ledger=Newer(stage.ledger))
    until(stage, due + timedelta(days=1) + GRACE)
    for _ in range(3):
        stage.reconcile(minutes=6)
    assert sorted(heard(chat)) == ["overdue", "still_held"]
    assert len(said(caplog)) == len({*said(caplog)}) == 3  # the time of two days
    stage.build()
    stage.reconcile(minutes=6)
    stage.reconcile(minutes=1)
    assert sorted(heard(chat)) == ["overdue", "still_held", "still_held"]


@pytest.mark.parametrize("begins_anew", [True, False])
def test_what_a_clock_did_that_was_a_year_ahead_is_not_believed(
    stage: Stage, chat: Chat, begins_anew: bool
) -> None:
    what, due = by(stage, hours=2)
    stage.routes(expecting(what))
    stage.clock.forward(days=365)
    stage.reconcile()
    stage.clock.forward(days=-365)
    if begins_anew:
        stage.build()
    stage.reconcile()
    until(stage, due + GRACE)
    stage.reconcile(minutes=1)
    assert heard(chat) == ["overdue"]


def test_what_is_looked_at_is_not_forgotten_however_long_nothing_happens(
    stage: Stage, chat: Chat
) -> None:
    stage.routes(held_by_its_gate("held: 70d"))
    hold(stage)
    for _ in range(71):
        stage.clock.forward(days=1)
        stage.app.sweep.sweep()
        stage.reconcile()
    stage.reconcile(minutes=1)
    assert heard(chat) == ["still_held"]


def test_what_the_file_says_from_now_on_is_looked_at_now(stage: Stage, chat: Chat) -> None:
    """A quarter of an hour before the time, by a process that last looked shortly before."""
    later, _ = by(stage, hours=9)
    stage.routes(expecting(later))
    stage.reconcile()
    what, due = by(stage, minutes=15)
    stage.routes(expecting(what))
    stage.reconcile(minutes=1)
    until(stage, due + GRACE)
    stage.reconcile(minutes=1)
    assert heard(chat) == ["overdue"]


def test_what_the_file_did_not_say_meanwhile_was_not_awaited(stage: Stage, chat: Chat) -> None:
    what, due = by(stage, hours=2)
    both = expecting(f"{what}, held: 1h")
    stage.routes(both)
    stage.reconcile()
    stage.routes(expecting("held: 1h"))
    for _ in range(3):
        stage.reconcile(days=1)
    stage.routes(both)
    stage.reconcile(minutes=6)
    assert heard(chat) == []
    until(stage, due + timedelta(days=3) + GRACE)
    stage.reconcile(minutes=1)
    assert heard(chat) == ["overdue"]


def held_for_now(stage: Stage) -> None:
    """One is held, and the schedule has it still."""
    stage.aml.add_run("r1", experiment=EXPERIMENT, metrics={"accuracy": 0.5})
    stage.deliver(completed("r1"))


def test_one_that_is_held_while_the_file_cannot_be_read_is_looked_after(
    stage: Stage, chat: Chat
) -> None:
    good = held_by_its_gate("held: 2h")
    stage.routes(good)
    stage.reconcile()
    held_for_now(stage)
    stage.routes("version: 7")
    stage.reconcile(seconds=121)
    assert list(stage.ledger.due(stage.clock.now() + timedelta(days=1), 9)) == []
    stage.routes(good)
    stage.reconcile(hours=2)
    stage.reconcile(minutes=1)
    assert heard(chat) == ["still_held"]


def test_one_that_an_operator_lets_go_by_another_file_is_looked_after(
    stage: Stage, chat: Chat
) -> None:
    good = held_by_its_gate("held: 2h")
    stage.routes(good)
    stage.reconcile()
    held_for_now(stage)
    stage.routes(ROUTES)
    stage.clock.forward(seconds=121)
    stage.app.reconciler.round(bounds.whole(stage.clock), By.OPERATOR)
    stage.routes(good)
    stage.reconcile(hours=2)
    stage.reconcile(minutes=1)
    assert heard(chat) == ["still_held"]


def test_who_was_told_of_a_hundred_is_told_of_the_next(stage: Stage, chat: Chat) -> None:
    stage.routes(held_by_its_gate("held: 1h"))
    for n in range(held.MOST):
        stage.aml.add_run(f"r{n}", experiment=EXPERIMENT, metrics={"accuracy": 0.5})
        stage.deliver(completed(f"r{n}"))
    stage.reconcile(seconds=121)
    for _ in range(20):
        stage.reconcile(minutes=6)
    before = sum(event["data"]["count"] for event in chat.events)
    assert before == held.MOST
    hold(stage, "next")
    stage.reconcile(hours=1)
    stage.reconcile(minutes=1)
    assert sum(event["data"]["count"] for event in chat.events) == before + 1


def test_a_look_after_days_tells_a_few_and_the_next_ones_go_on(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.routes(expecting("within: 5m"))
    stage.reconcile()
    stage.reconcile(days=1)
    assert 0 < len(said(caplog)) <= MOST_AT_ONCE
    for _ in range(30):
        stage.reconcile(minutes=6)
    due = [line.split("due=")[1] for line in said(caplog)]
    assert len(due) == len(set(due))
    one = known(stage.ledger.shared(name_of("register")).value)
    assert one is not None
    assert one.due > stage.clock.now() - timedelta(minutes=20)


def test_who_was_told_and_not_noted_is_told_that_it_came(stage: Stage, chat: Chat) -> None:
    """It had ended in time, and its event comes between two looks of which one was cut."""
    what, due = by(stage, hours=2)
    stage.routes(expecting(what))
    stage.reconcile()
    stage.build(ledger=Cut(stage.ledger, 1))
    until(stage, due + GRACE)
    end(stage, "r1", timedelta(minutes=8))
    stage.reconcile(minutes=6)
    stage.reconcile(minutes=6)
    assert heard(chat) == ["overdue", "came"]


def older_app(stage: Stage, newer: str) -> App:
    """An app whose file looks after its runs alone; the stage has one of the newer file by then."""
    stage.routes(held_by_its_gate("within: 9d"))
    stage.deploy()
    older = stage.app
    stage.reconcile()
    stage.routes(newer)
    stage.deploy()
    return older


def test_one_of_a_newer_file_that_an_older_one_takes_off_the_schedule_is_looked_after(
    stage: Stage, chat: Chat
) -> None:
    """The older one expects nothing of what is held."""
    good = held_by_its_gate("held: 2h")
    older = older_app(stage, good)
    held_for_now(stage)
    newer, stage.app = stage.app, older
    stage.routes(held_by_its_gate("within: 9d"))
    stage.reconcile(seconds=121)
    assert list(stage.ledger.due(stage.clock.now() + timedelta(days=1), 9)) == []
    stage.routes(good)
    stage.app = newer
    stage.reconcile(hours=2)
    stage.reconcile(minutes=1)
    assert heard(chat) == ["still_held"]


def test_an_older_file_that_looks_after_its_runs_forgets_none_that_a_newer_one_has_noted(
    stage: Stage, chat: Chat
) -> None:
    good = held_by_its_gate("within: 9d, held: 2h")
    older = older_app(stage, good)
    hold(stage)
    newer, stage.app = stage.app, older
    stage.routes(held_by_its_gate("within: 9d"))
    stage.reconcile(minutes=61)
    stage.routes(good)
    stage.app = newer
    stage.reconcile(hours=1)
    stage.reconcile(minutes=6)
    assert heard(chat) == ["still_held"]
