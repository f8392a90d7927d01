"""What a route with a join expects is all of its runs: the first of them is not what is awaited."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.core.operators.replaying import Replaying
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.flow.expecting.test_overdue import GRACE, by, heard, until
from tests.flow.joins.several import ROUTES, A, B, C, add, event, joint, key, set_up
from tests.flow.notices.conftest import chat, stage
from tests.flow.notices.people import WEBHOOK, notified

if TYPE_CHECKING:
    from datetime import datetime

    from local.chat.front import Chat
    from tests.stage.azure import Stage

__all__ = ["chat", "stage"]


def awaiting(stage: Stage, within: str = "12h", **later: float) -> datetime:
    """An app that expects one so much later, and when that is."""
    what, due = by(stage, **later)
    routes = ROUTES.replace("    start:", f"    expect: {{{what}}}\n    start:")
    set_up(stage, notified(WEBHOOK, routes.replace("within: 12h", f"within: {within}")))
    stage.reconcile()
    return due


def comes(
    stage: Stage, run: str, experiment: str, status: str = "Completed", batch: str = "b7"
) -> None:
    """A training ends now, and its event comes."""
    add(stage, run, experiment, status, batch)
    told = event(run, experiment, status, batch)
    stage.deliver({**told, "eventTime": stage.clock.now().isoformat()})


def test_a_join_that_lacks_one_run_is_overdue_and_comes_with_its_last(
    stage: Stage, chat: Chat
) -> None:
    due = awaiting(stage, hours=2)
    comes(stage, "r1", A)
    comes(stage, "r2", B)
    until(stage, due + GRACE)
    stage.reconcile(minutes=1)
    assert heard(chat) == ["overdue"]
    comes(stage, "r3", C)
    for _ in range(3):
        stage.reconcile(minutes=6)
    assert heard(chat) == ["overdue", "came"]


@pytest.mark.parametrize("status", ["Completed", "Failed"])
def test_one_whose_runs_have_all_ended_has_come_whatever_became_of_them(
    stage: Stage, chat: Chat, status: str
) -> None:
    due = awaiting(stage, hours=2)
    comes(stage, "r1", A)
    stage.reconcile(hours=1)
    comes(stage, "r2", B, status)
    comes(stage, "r3", C)
    until(stage, due + GRACE)
    stage.reconcile(minutes=1)
    assert "overdue" not in heard(chat)


def test_one_that_is_held_since_a_run_is_missing_has_not_come(stage: Stage, chat: Chat) -> None:
    due = awaiting(stage, within="1h", hours=2)
    comes(stage, "r1", A)
    stage.reconcile(minutes=61)
    assert (joint(stage).state, joint(stage).reason) == (State.HELD, Reason.INCOMPLETE)
    until(stage, due + GRACE)
    stage.reconcile(minutes=1)
    assert sorted(heard(chat)) == ["held", "overdue"]


def test_one_that_was_begun_before_the_time_before_comes_in_time_with_its_last(
    stage: Stage, chat: Chat
) -> None:
    due = awaiting(stage, within="3d", hours=2)
    comes(stage, "r1", A)
    comes(stage, "r2", B)
    for run, experiment in (("s1", A), ("s2", B), ("s3", C)):
        comes(stage, run, experiment, batch="b8")
    until(stage, due + GRACE)
    stage.reconcile(hours=20)
    comes(stage, "r3", C)
    for _ in range(3):
        stage.reconcile(minutes=3)
    until(stage, due + timedelta(days=1) + GRACE)
    stage.reconcile(minutes=1)
    assert heard(chat) == []


def test_a_replay_of_one_that_lacks_a_run_is_none_that_came(stage: Stage, chat: Chat) -> None:
    """It is held again in the round that looks, and lists are behind."""
    due = awaiting(stage, within="1h", hours=2)
    comes(stage, "r1", A)
    stage.reconcile(minutes=61)
    stage.reconcile(seconds=121)
    stage.clock.forward(seconds=(due + GRACE - stage.clock.now()).total_seconds())
    assert Replaying(stage.ledger, stage.clock, "ada").replay(key()).done
    stage.reconcile(seconds=1)
    assert (joint(stage).state, joint(stage).reason) == (State.HELD, Reason.INCOMPLETE)
    for _ in range(3):
        stage.reconcile(minutes=6)
    assert "overdue" in heard(chat)
