"""What goes on by runs that are still to come says so, wherever an operator looks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from functions.web.detail import detail
from tests.flow.joins.several import A, B, C, joint, set_up, trained

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
