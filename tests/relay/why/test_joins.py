"""What goes on by runs that are still to come says so, wherever an operator looks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from functions.core.terms.words import State
from functions.web.detail import detail
from tests.flow.joins.several import A, B, C, joining, joint, set_up, trained
from tests.flow.joins.test_joins_changed import APART

if TYPE_CHECKING:
    from tests.relay.conftest import Desk

KEY = "compare/b7/Joined"


@pytest.fixture(name="desk")
def with_two_of_three(desk: Desk) -> Desk:
    set_up(desk.stage)
    trained(desk.stage, "r1", A)
    trained(desk.stage, "r2", B)
    return desk


def said(desk: Desk) -> str:
    """The same on the page and in the terminal."""
    page = re.sub(r"<[^>]+>", " ", str(detail(desk.stage.app.overview.one(KEY))))
    (line,) = (line for line in desk.type("show", KEY).out.splitlines() if " next " in line)
    told = line.split("next", 1)[1].strip()
    assert told in page
    return told


def test_one_that_waits_goes_on_when_the_last_has_ended(desk: Desk) -> None:
    due = f"{joint(desk.stage).due_at:%Y-%m-%d %H:%M:%S} UTC"
    told = f"once the last run has ended it goes on; it is decided without that at {due}"
    assert said(desk) == told


def test_one_that_is_held_still_goes_on_by_itself(desk: Desk) -> None:
    desk.stage.reconcile(hours=13)
    told = "it goes on by itself once another run has ended well for each that failed or lacks"
    assert said(desk) == told


def test_one_that_nobody_can_join_any_more_does_not(desk: Desk) -> None:
    trained(desk.stage, "r3", C)
    desk.stage.reconcile(seconds=1)
    assert "goes on by itself" not in said(desk)


@pytest.mark.parametrize("batch", ["b9", "b: 7", "of/several\\u0041", "x" * 90])
def test_why_of_a_member_tells_what_became_of_all_of_them(desk: Desk, batch: str) -> None:
    """What is started for it is started: only the run that stands for all of them has it."""
    stage = desk.stage
    trained(stage, "s1", A, batch=batch)
    waits = desk.type("why", "s1")
    assert (waits.code, "1 of 3; waits for train-b, train-c" in waits.out) == (6, True)
    trained(stage, "s2", B, batch=batch)
    trained(stage, "s3", C, batch=batch)
    stage.reconcile(seconds=1)
    started = desk.type("why", "s1")
    assert (started.code, f"pipeline run {stage.devops.runs[-1].id}" in started.out) == (0, True)


def test_one_whose_route_joins_nothing_any_more_is_not_said_to_go_on(desk: Desk) -> None:
    stage = desk.stage
    stage.routes(APART)
    stage.reconcile(hours=13)
    assert joint(stage).detail.startswith("the route joins no runs any more")
    shown = desk.type("show", KEY).out
    assert "goes on by itself" not in shown
    assert f"do       with those that are there: bin/relay replay {KEY} --ignore-gate" in shown


def test_one_that_failed_for_good_is_not_said_to_go_on(desk: Desk) -> None:
    """It takes no run any more, and a replay alone decides it in the same way."""
    stage = desk.stage
    stage.routes(joining(if_one_fails="fail"))
    stage.reconcile(hours=13)
    assert joint(stage).state is State.FAILED
    shown = desk.type("show", KEY).out
    assert "goes on by itself" not in shown
    assert f"do       with those that are there: bin/relay replay {KEY} --ignore-gate" in shown
    page = desk.seen(key=KEY)
    assert "goes on by itself" not in page
    assert "with those that are there" in page
    again = desk.type("replay", KEY)
    assert "fails again for who failed or is missing; --ignore-gate goes on" in again.out
    stage.reconcile(seconds=1)
    assert joint(stage).state is State.FAILED
