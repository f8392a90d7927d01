"""`queue: latest`: of those that wait only the one whose run ended last is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.kept.summary import EVER
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.conftest import PAT
from tests.flow.limits.groups import (
    BOTH,
    GROUP,
    LATEST,
    failed,
    finish,
    rounds,
    started,
    trained,
)
from tests.soak.team import AFTER_ALL
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.routes(LATEST)
    stage.deploy()
    return stage


def limited(starts: int) -> str:
    """The same with so many starts an hour."""
    return LATEST.replace("concurrency:", f"limit: {starts}/h\n    concurrency:")


def superseded(stage: Stage) -> dict[str, str]:
    """Who is not to go, and what is said of it."""
    listed = stage.ledger.listed(EVER, 999)
    gone = (one for one in listed if one.reason is Reason.SUPERSEDED)
    return {one.key.run: one.detail for one in gone if one.state is State.SKIPPED}


def test_the_older_ones_end_as_superseded_and_say_by_which(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for n, run in enumerate("abcd"):
        trained(stage, run, at=f"2026-11-21T18:4{n}:00Z")
    rounds(stage)
    told = "register/d/Completed ended later, and waits for the same place"
    assert superseded(stage) == {"b": told, "c": told}
    assert "continuation=skipped route=register run=b" in caplog.text
    finish(stage, "a")
    rounds(stage)
    assert started(stage) == ["a", "d"]


def test_it_is_the_runs_end_that_counts_and_not_when_its_event_came(stage: Stage) -> None:
    trained(stage, "a")
    trained(stage, "new", at="2026-11-21T20:00:00Z")
    trained(stage, "old", at="2026-11-21T19:00:00Z")
    rounds(stage)
    assert [*superseded(stage)] == ["old"]
    finish(stage, "a")
    rounds(stage)
    assert started(stage) == ["a", "new"]


def test_one_that_waits_alone_is_started_and_who_was_started_is_left_alone(stage: Stage) -> None:
    trained(stage, "a", at="2026-11-21T20:00:00Z")
    trained(stage, "b", at="2026-11-21T19:00:00Z")
    finish(stage, "a")
    rounds(stage)
    assert (started(stage), superseded(stage)) == (["a", "b"], {})


def test_an_end_that_is_still_to_come_is_not_believed(stage: Stage) -> None:
    """Whoever ends a run says when that was, and the sweep has only that."""
    trained(stage, "a")
    trained(stage, "odd", at="2099-01-01T00:00:00Z")
    stage.clock.forward(minutes=6)
    trained(stage, "new", at=stage.clock.now().isoformat())
    rounds(stage)
    assert [*superseded(stage)] == ["odd"]
    finish(stage, "a")
    rounds(stage)
    assert started(stage) == ["a", "new"]


def test_what_another_route_starts_is_something_else(stage: Stage) -> None:
    stage.routes(BOTH.replace(GROUP, f"{GROUP[:-1]}, queue: latest}}"))
    trained(stage, "a", "b")
    failed(stage, "c")
    rounds(stage)
    assert superseded(stage) == {}
    trained(stage, "d", at="2026-11-21T20:00:00Z")
    rounds(stage)
    assert [*superseded(stage)] == ["b"]


def test_of_more_than_a_round_reads_none_is_started_before_the_latest_is_known(
    stage: Stage,
) -> None:
    trained(stage, "a")
    runs = [f"r{n:03}" for n in range(120)]
    for n, run in enumerate(runs):
        trained(stage, run, at=f"2026-11-22T{n // 60:02}:{n % 60:02}:00Z")
    trained(stage, "last", at="2026-11-21T23:00:00Z")  # came last, and is the oldest
    finish(stage, "a")
    rounds(stage, 4)
    assert started(stage) == ["a", runs[-1]]
    assert len(superseded(stage)) == 120
    assert stage.ledger.backlog(AFTER_ALL).awaited == frozenset()


def test_of_those_that_wait_for_the_limit_of_their_route_only_the_latest_is_started(
    stage: Stage,
) -> None:
    """Each has found a place in its group, and no start left in its limit."""
    stage.mid_hour()
    stage.routes(limited(2))
    stage.use_up("register", "%Y-%m-%dT%H")
    trained(stage, "old", "older", at="2026-11-21T19:00:00Z")
    trained(stage, "new", at="2026-11-21T20:00:00Z")
    trained(stage, "other", model="another", at="2026-11-21T18:30:00Z")
    assert {stage.only(run).reason for run in ("old", "new", "other")} == {Reason.LIMIT}
    rounds(stage)
    assert superseded(stage) == {}
    stage.reconcile(hours=1)
    rounds(stage)
    told = "register/new/Completed ended later, and waits for the same place"
    assert superseded(stage) == {"old": told, "older": told}
    assert sorted(started(stage)) == ["new", "other"]


def test_of_more_that_wait_for_a_limit_than_a_round_reads_the_latest_is_started(
    stage: Stage,
) -> None:
    stage.mid_hour()
    stage.routes(limited(1))
    stage.use_up("register", "%Y-%m-%dT%H")
    runs = [f"r{n:03}" for n in range(120)]
    for n, run in enumerate(runs):
        trained(stage, run, at=f"2026-11-22T{n // 60:02}:{n % 60:02}:00Z")
    stage.reconcile(hours=1)
    rounds(stage, 3)
    assert (started(stage), len(superseded(stage))) == ([runs[-1]], 119)


def test_nobody_gives_way_to_one_that_the_route_does_not_follow_any_more(stage: Stage) -> None:
    stage.routes(LATEST.replace("defect-*", "*", 1))
    for n, run in enumerate("ab"):
        trained(stage, run, at=f"2026-11-21T18:4{n}:00Z")
    stage.aml.add_run("stray", experiment="other", tags={"model": "defects"})
    event = completed("stray", experimentName="other", runTags={"model": "defects"})
    stage.deliver({**event, "eventTime": "2026-11-21T19:00:00Z"})
    stage.routes(LATEST)
    rounds(stage)
    assert superseded(stage) == {}
    for run in "ab":
        finish(stage, run)
        rounds(stage)
    assert (started(stage), stage.only("stray").state) == (["a", "b"], State.FAILED)


def test_it_is_superseded_once_though_two_processes_see_it(stage: Stage) -> None:
    trained(stage, "a", "b")
    trained(stage, "c", at="2026-11-21T20:00:00Z")
    first = stage.app
    stage.build()
    stage.clock.forward(seconds=61)
    for app in (first, stage.app, first):
        app.reconciler.reconcile()
    (c,) = stage.of_run("b").values()
    assert [step.what for step in c.history].count("skipped") == 1


def hold(stage: Stage, by: str) -> None:
    """From now on nothing is started."""
    if by == "a pause":
        stage.deploy(PAUSED="1")
    else:
        stage.devops.refuse(PAT)


def let_go(stage: Stage, by: str) -> None:
    """What waited for that goes on, with the next round."""
    if by == "a pause":
        stage.deploy(PAUSED="0")
    else:
        stage.devops.accept(PAT)
        stage.clock.forward(minutes=15)
    stage.reconcile(seconds=1)


@pytest.mark.parametrize("by", ["a pause", "a refused secret"])
def test_of_those_that_are_let_go_together_only_the_latest_is_started(
    stage: Stage, by: str
) -> None:
    hold(stage, by)
    for n, run in enumerate("abc"):
        trained(stage, run, at=f"2026-11-21T18:4{n}:00Z")
    trained(stage, "other", model="another", at="2026-11-21T18:30:00Z")
    let_go(stage, by)
    rounds(stage)
    assert sorted(started(stage)) == ["c", "other"]
    assert sorted(superseded(stage)) == ["a", "b"]


@pytest.mark.parametrize("by", ["a pause", "a refused secret"])
def test_who_comes_when_they_are_let_go_is_one_of_them(stage: Stage, by: str) -> None:
    """Else the latest of those would be started after it, once that has ended."""
    hold(stage, by)
    trained(stage, "a", at="2026-11-21T18:41:00Z")
    trained(stage, "b", at="2026-11-21T18:42:00Z")
    let_go(stage, by)
    trained(stage, "new", at="2026-11-21T18:43:00Z")
    rounds(stage)
    assert started(stage) == ["new"]
    finish(stage, "new")
    rounds(stage)
    assert (started(stage), sorted(superseded(stage))) == (["new"], ["a", "b"])


def test_a_start_that_a_limit_leaves_is_that_of_the_latest_of_those_that_are_let_go(
    stage: Stage,
) -> None:
    stage.mid_hour()
    stage.routes(limited(1))
    hold(stage, "a pause")
    for n, run in enumerate("abc"):
        trained(stage, run, at=f"2026-11-21T18:4{n}:00Z")
    let_go(stage, "a pause")
    rounds(stage)
    assert started(stage) == ["c"]


def test_who_was_held_alone_is_started_a_round_later(stage: Stage) -> None:
    hold(stage, "a pause")
    trained(stage, "a")
    let_go(stage, "a pause")
    assert stage.only("a").detail == "of those that wait in the group defects the latest goes"
    rounds(stage, 1)
    assert started(stage) == ["a"]


@pytest.mark.parametrize("by", ["a pause", "a refused secret"])
def test_nor_is_one_of_those_that_a_round_had_room_for_before_the_latest(
    stage: Stage, by: str
) -> None:
    """A hundred are let go in a round, in order of claim, and the others in the next."""
    hold(stage, by)
    runs = [f"r{n:03}" for n in range(120)]
    for n, run in enumerate(runs):
        trained(stage, run, at=f"2026-11-21T{16 + n // 60}:{n % 60:02}:00Z")
    let_go(stage, by)
    rounds(stage, 5)
    assert (started(stage), len(superseded(stage))) == ([runs[-1]], 119)


@pytest.mark.parametrize("line", ["group", "limit"])
def test_nor_who_was_in_line_before_the_pause(stage: Stage, line: str) -> None:
    """Its turn comes with the round that lets those go which came meanwhile."""
    stage.mid_hour()
    if line == "limit":
        stage.routes(limited(1))
    trained(stage, "a", at="2026-11-21T18:41:00Z")
    if line == "limit":
        finish(stage, "a")
    trained(stage, "b", at="2026-11-21T18:42:00Z")
    assert stage.only("b").reason == {"group": "concurrency", "limit": "limit"}[line]
    hold(stage, "a pause")
    if line == "group":
        finish(stage, "a")
    trained(stage, "c", at="2026-11-21T18:43:00Z")
    stage.clock.forward(hours=1)
    let_go(stage, "a pause")
    rounds(stage)
    assert (started(stage), list(superseded(stage))) == (["a", "c"], ["b"])


def test_nor_who_was_in_line_before_the_secret_was_refused(stage: Stage) -> None:
    trained(stage, "a", at="2026-11-21T18:41:00Z")
    trained(stage, "b", at="2026-11-21T18:42:00Z")
    finish(stage, "a")
    hold(stage, "a refused secret")
    trained(stage, "other", model="another")
    trained(stage, "c", at="2026-11-21T18:43:00Z")
    assert stage.only("c").reason is Reason.CREDENTIAL_REFUSED
    let_go(stage, "a refused secret")
    rounds(stage)
    assert (sorted(started(stage)), list(superseded(stage))) == (["a", "c", "other"], ["b"])


def test_an_account_that_lets_some_go_in_every_round_keeps_nobody_in_line(stage: Stage) -> None:
    """It may be asked to slow down again and again."""
    trained(stage, "a")
    trained(stage, "b", at="2026-11-21T18:42:00Z")
    finish(stage, "a")
    for n in range(30):
        hold(stage, "a refused secret")
        trained(stage, f"r{n}", model=f"m{n}")
        let_go(stage, "a refused secret")
    assert "b" in started(stage)
