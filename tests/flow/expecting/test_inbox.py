"""What lies in the inbox when a time passes is none that did not come."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.core.rounds import bounds
from functions.core.rounds.watch import By
from tests.flow.asking import EXPERIMENT
from tests.flow.expecting.test_overdue import by, end, expecting, heard, said, until
from tests.stage.azure import changed

if TYPE_CHECKING:
    from local.chat.front import Chat
    from tests.stage.azure import Stage

BEFORE = timedelta(minutes=20)


@pytest.fixture(autouse=True)
def _lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def take_out(stage: Stage, letters: int) -> None:
    """A round that takes so many events out of the inbox, of a thousand after an outage."""
    stage.clock.forward(minutes=1)
    few = bounds.whole(stage.clock)._replace(resumed=letters)
    stage.app.reconciler.round(few, By.TIMER)


def failed(stage: Stage, run: str) -> None:
    """One of another route ends."""
    stage.aml.add_run(run, experiment=EXPERIMENT, status="Failed")
    stage.deliver(changed(run, "Failed"))


def behind_others(stage: Stage, run: str) -> None:
    """It ends while the routes cannot be read, and two events are taken out before its own."""
    end(stage, run)
    (own,) = stage.ledger.letters(9)
    for n in range(50):
        if sum(letter.id < own.id for letter in stage.ledger.letters(99)) == 2:
            return
        failed(stage, f"other{n}")
    raise AssertionError("its letter is the first of all")


def unreadable_for_hours(stage: Stage, *, comes: bool) -> None:
    """By when it is mended a run should have come, and did or did not."""
    what, due = by(stage, hours=2)
    good = expecting(what)
    stage.routes(good)
    stage.reconcile()
    until(stage, due - BEFORE)
    stage.routes("version: 7")
    if comes:
        behind_others(stage, "r1")
    else:
        failed(stage, "other1")
        failed(stage, "other2")
    until(stage, due + timedelta(hours=1))
    stage.routes(good)


def test_one_that_came_in_time_is_not_missed_while_its_event_lies_there(
    stage: Stage, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    unreadable_for_hours(stage, comes=True)
    take_out(stage, 1)
    assert stage.of_run("r1") == {}
    for _ in range(len(stage.ledger.letters(99)) + 1):
        take_out(stage, 1)
    assert stage.ledger.letters(1) == []
    assert (heard(chat), said(caplog)) == ([], [])


def test_one_that_did_not_come_is_missed_once_all_of_it_was_looked_at(
    stage: Stage, chat: Chat
) -> None:
    unreadable_for_hours(stage, comes=False)
    take_out(stage, 1)
    for _ in range(4):
        take_out(stage, 1)
    stage.reconcile(minutes=1)
    assert heard(chat) == ["overdue"]
