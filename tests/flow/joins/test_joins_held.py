"""A join that is held: who comes meanwhile lets it go on, or leaves all as it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.kept.summary import EVER
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.flow.expecting.test_overdue import heard
from tests.flow.joins.several import (
    ROUTES,
    A,
    B,
    C,
    add,
    event,
    joining,
    joint,
    key,
    sent,
    set_up,
    told,
    trained,
)
from tests.flow.joins.test_joins_breaking import dies_at_a_delivery
from tests.flow.notices.conftest import chat, stage
from tests.flow.notices.people import WEBHOOK, notified

if TYPE_CHECKING:
    from local.chat.front import Chat
    from tests.stage.azure import Stage

__all__ = ["chat", "stage"]
EXPECTING = notified(WEBHOOK, ROUTES.replace("    start:", "    expect: {held: 2h}\n    start:"))


def held(stage: Stage) -> None:
    """One that is held since a member is missing, and of which people were told."""
    set_up(stage, EXPECTING)
    trained(stage, "r1", A)
    trained(stage, "r2", B)
    stage.reconcile(hours=13)
    for _ in range(2):
        stage.reconcile(seconds=121)
    assert joint(stage).state is State.HELD


def test_one_that_its_gate_held_goes_on_once_a_training_that_is_tried_again_ended_well(
    stage: Stage,
) -> None:
    gate = "    when: size(join.failed) == 0\n    start:"
    set_up(stage, joining(if_one_fails="start").replace("    start:", gate))
    trained(stage, "r1", A)
    trained(stage, "r2", B, "Failed")
    trained(stage, "r3", C)
    stage.reconcile(seconds=1)
    assert (joint(stage).state, joint(stage).reason) == (State.HELD, Reason.GATE)
    trained(stage, "r4", B, "Canceled")
    stage.reconcile(seconds=1)
    assert (joint(stage).state, joint(stage).reason) == (State.HELD, Reason.GATE)
    trained(stage, "r5", B)
    stage.reconcile(seconds=1)
    assert sent(stage) == [told(runs=("r1", "r3", "r5"))]


def test_who_comes_too_few_to_let_it_go_on_hides_from_nobody_that_it_is_held(
    stage: Stage, chat: Chat
) -> None:
    held(stage)
    trained(stage, "r3", C, "Failed")
    for _ in range(5):
        stage.reconcile(minutes=36)
    assert heard(chat) == ["held", "still_held"]


def test_of_one_that_is_held_still_nobody_is_told_that_it_goes_on(stage: Stage, chat: Chat) -> None:
    held(stage)
    for _ in range(5):
        stage.reconcile(minutes=36)
    trained(stage, "r3", C, "Failed")
    for _ in range(3):
        stage.reconcile(minutes=6)
    assert joint(stage).state is State.HELD
    assert heard(chat) == ["held", "still_held"]
    trained(stage, "r4", C)
    for _ in range(3):
        stage.reconcile(minutes=6)
    assert sent(stage) == [told(runs=("r1", "r2", "r4"))]
    assert heard(chat) == ["held", "still_held", "goes_on"]


def test_people_are_told_once_that_it_is_held_whoever_comes_meanwhile(
    stage: Stage, chat: Chat
) -> None:
    set_up(stage, EXPECTING)
    trained(stage, "r1", A)
    trained(stage, "r2", B)
    stage.reconcile(hours=13)
    trained(stage, "r3", C, "Failed")
    for _ in range(4):
        stage.reconcile(seconds=121)
    assert heard(chat) == ["held"]


def test_lists_say_of_it_what_its_row_says_whenever_a_process_dies(stage: Stage) -> None:
    held(stage)
    n, dies = 0, True
    while dies:
        run = f"r3.{n}"
        add(stage, run, C, "Failed", f"b7.{n}")
        news = event(run, C, "Failed", f"b7.{n}")
        for of, experiment in enumerate((A, B)):
            trained(stage, f"r{of}.{n}", experiment, batch=f"b7.{n}")
        stage.reconcile(hours=13)
        stage.reconcile(seconds=121)
        dies = dies_at_a_delivery(stage, n, news)
        stage.deliver(news)
        for _ in range(3):
            stage.reconcile(seconds=121)
        listed = [o.detail for o in stage.ledger.listed(EVER, 999) if o.key == key(f"b7.{n}")]
        assert listed == [joint(stage, f"b7.{n}").detail] == [f"3 of 3; failed: {run} Failed"]
        n += 1
    assert n > 6


def test_the_audit_trail_goes_on_with_who_comes_to_one_that_is_held(stage: Stage) -> None:
    held(stage)
    since = stage.clock.now()
    trained(stage, "r3", C, "Failed")
    shelf = int(key().run_hash[:2], 16)
    (changed,) = (c for c in stage.ledger.written(since, shelf) if c.key == key())
    assert (changed.state, changed.history[-1].detail) == (State.HELD, "run r3 Failed")


def test_very_many_who_come_to_one_that_is_held_hide_from_nobody_that_it_is(
    stage: Stage, chat: Chat
) -> None:
    set_up(stage, EXPECTING.replace("[train-a, train-b, train-c]", "50"))
    for n in range(1, 9):
        trained(stage, f"r{n}", A)
    stage.reconcile(hours=13)
    for _ in range(2):
        stage.reconcile(seconds=121)
    for n in range(9, 50):
        trained(stage, f"r{n}", A)
    for _ in range(5):
        stage.reconcile(minutes=36)
    assert heard(chat) == ["held", "still_held"]
    trained(stage, "r50", A)
    for _ in range(3):
        stage.reconcile(minutes=6)
    assert heard(chat) == ["held", "still_held", "goes_on"]


def test_a_gate_that_wants_some_of_them_is_asked_anew_with_each_that_is_repaired(
    stage: Stage,
) -> None:
    gate = "    when: size(join.runs) >= 2\n    start:"
    set_up(stage, joining(if_one_fails="start").replace("    start:", gate))
    trained(stage, "r1", A)
    trained(stage, "r2", B, "Failed")
    trained(stage, "r3", C, "Failed")
    stage.reconcile(seconds=1)
    assert (joint(stage).state, joint(stage).reason) == (State.HELD, Reason.GATE)
    trained(stage, "r4", B)
    stage.reconcile(seconds=1)
    assert sent(stage) == [told(runs=("r1", "r4"), failed=("r3",))]


def test_one_that_is_held_when_the_time_is_over_is_asked_anew_with_the_next_that_comes(
    stage: Stage,
) -> None:
    gate = "    when: size(join.runs) >= 2\n    start:"
    set_up(stage, joining(if_one_fails="start").replace("    start:", gate))
    trained(stage, "r1", A)
    stage.reconcile(hours=13)
    assert (joint(stage).state, joint(stage).reason) == (State.HELD, Reason.GATE)
    trained(stage, "r2", B)
    stage.reconcile(seconds=1)
    assert sent(stage) == [told(runs=("r1", "r2"), missing=1)]


def test_people_are_not_told_that_one_which_failed_for_good_goes_on_by_itself(
    stage: Stage, chat: Chat
) -> None:
    set_up(stage, notified(WEBHOOK, joining(if_one_fails="fail")))
    trained(stage, "r1", A)
    stage.reconcile(hours=13)
    stage.reconcile(seconds=121)
    (event,) = chat.events
    assert event["data"]["about"] == "failed"
    command = "bin/relay replay compare/b7/Joined --ignore-gate"
    assert event["data"]["do"] == f"with those that are there: {command}"
