"""Lost answers where the app's clock is wrong: by how much, its event and its claim may show."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from functions.core.events import parsing
from functions.core.starts import steps
from functions.core.starts.whose import queued, queued_since
from functions.core.terms.policy import Policy
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT
from tests.flow.following.after import CHAIN, DEPLOY, asked, sequel, set_up
from tests.flow.following.ends import started
from tests.stage.azure import completed, now

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from tests.stage.azure import Stage

RUNS = "*/_apis/pipelines/42/runs"
HOUR = timedelta(hours=1)


def lose(stage: Stage, path: str = RUNS) -> None:
    """Have the next request taken, and its answer lost."""
    stage.devops.server.faults.add(Fault("POST", path, drop="after"))


def sent(stage: Stage) -> None:
    """A run ends now, by Azure's clock, and its event comes at once."""
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver({**completed("r1"), "eventTime": now().isoformat()})


def in_doubt(stage: Stage) -> None:
    lose(stage)
    sent(stage)
    assert stage.only("r1").reason is Reason.IN_DOUBT


def looked(stage: Stage) -> None:
    """All looks that there are before it would be sent again, and that."""
    for minutes in (1, 11, 11):
        stage.reconcile(minutes=minutes)


def found(stage: Stage) -> bool:
    c = stage.only("r1")
    return (c.state, c.reason, stage.posts()) == (State.STARTED, Reason.FOUND, 1)


@pytest.mark.parametrize("minutes", [6, 50, 3 * 60, 20 * 60])
def test_what_was_asked_for_by_a_clock_that_is_ahead_is_found(stage: Stage, minutes: int) -> None:
    stage.clock.forward(minutes=minutes)
    in_doubt(stage)
    looked(stage)
    assert found(stage)


def test_so_it_is_where_the_clock_is_put_right_before_the_look(stage: Stage) -> None:
    stage.clock.forward(hours=3)
    in_doubt(stage)
    stage.clock.forward(hours=-3)
    for hours in (0.1, 3, 0.2, 0.2):
        stage.reconcile(hours=hours)
    assert found(stage)


@pytest.mark.parametrize("hours", [3, 20])
def test_what_was_asked_for_by_a_clock_that_is_behind_is_found(stage: Stage, hours: int) -> None:
    stage.clock.forward(hours=-hours)
    in_doubt(stage)
    looked(stage)
    assert found(stage)


def test_a_clock_may_be_an_hour_ahead_by_then_for_what_had_waited(stage: Stage) -> None:
    """Claimed by a clock that is right, and asked for much later by one that is not."""
    stage.deploy(PAUSED="1")
    sent(stage)
    stage.clock.forward(hours=40)
    stage.devops.clock_skew = timedelta(hours=40, minutes=-55).total_seconds()
    stage.deploy(PAUSED="0")
    lose(stage)
    for minutes in (0, 1, 11, 11):
        stage.reconcile(minutes=minutes)
    assert found(stage)


def test_what_goes_on_by_an_end_that_a_clock_ahead_has_told_is_found(stage: Stage) -> None:
    """Nobody knows how a pipeline run has ended that is gone: when is by the app's own clock."""
    set_up(stage, CHAIN.replace("      succeeded:\n", "      lost:\n", 1))
    (build,) = started(stage)
    stage.devops.destroy(build)
    lose(stage, f"*/_apis/pipelines/{DEPLOY}/runs")
    while not stage.devops.runs:
        stage.clock.forward(minutes=10)
        stage.devops.clock_skew = (stage.clock.moved - timedelta(minutes=20)).total_seconds()
        stage.reconcile()
        assert stage.clock.moved < timedelta(hours=3)
    looked(stage)
    assert asked(stage) == [DEPLOY]
    assert sequel(stage, "register.lost").reason is Reason.FOUND


def opened(**told: Any) -> Continuation:
    """One that was claimed at noon, and asked for so much later."""
    noon = datetime.fromisoformat("2026-11-30T12:00:00+00:00")
    event = parsing.parse({**completed("r1"), **told})
    return steps.opened(event.key("register"), event, noon, Policy().lease)


def since(**told: Any) -> str:
    return f"{queued_since(opened(**told)):%d %H:%M}"


@pytest.mark.parametrize(
    ("time", "begins"),
    [
        (
            "2026-11-30T11:59:00Z",
            "30 11:54",
        ),  # it came at once
        ("2026-11-30T09:00:00Z", "30 08:55"),
        ("2026-11-21T18:41:00Z", "29 11:55"),  # a dead letter
        ("2026-11-30T12:30:00Z", "30 11:55"),
        ("9999-12-31T23:59:00Z", "30 11:55"),
        ("", "30 10:55"),
    ],
)
def test_a_look_begins_where_its_event_was_sent_and_goes_back_a_day_at_most(
    time: str, begins: str
) -> None:
    assert since(eventTime=time) == begins


def test_what_waited_for_weeks_is_not_sought_since_then() -> None:
    c = opened(eventTime="2026-11-30T11:59:00Z")
    late = replace(c, asked_at=c.created_at + timedelta(days=14))
    assert late.asked_at is not None
    assert queued_since(late) == late.asked_at - HOUR - timedelta(minutes=5)


@pytest.mark.parametrize(
    ("time", "ends"),
    [
        ("2026-11-30T11:00:00Z", "30 13:05"),
        ("2026-11-30T14:00:00Z", "30 15:05"),
        ("9999-12-31T23:59:00Z", "01 13:05"),
    ],
)
def test_a_look_ends_an_hour_after_the_last_request_by_the_clock_of_its_event(
    time: str, ends: str
) -> None:
    assert f"{queued(opened(eventTime=time), Policy())[1]:%d %H:%M}" == ends
