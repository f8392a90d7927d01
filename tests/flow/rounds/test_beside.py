"""The timers have stopped: what is parked goes on beside the next delivery, once, and in time."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions import threads
from functions.core.events import parsing
from functions.core.kept.letter import Letter
from functions.core.rounds import bounds, noted, watch
from functions.core.rounds.bounds import MOST_BESIDE
from functions.core.terms import deadline
from functions.core.terms.errors import LedgerUnavailable
from functions.core.terms.reasons import Reason
from tests.flow.asking import EXPERIMENT
from tests.stage.azure import ONLY, Stage, completed

if TYPE_CHECKING:
    from pathlib import Path

    from functions.bootstrap import App
    from local.cloud import Cloud

EVERY_HOUR = "0 0 * * * *"


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path) -> Stage:
    return Stage(cloud, tmp_path)


def parked(stage: Stage, *runs: str) -> None:
    """Runs whose pipelines may start now, if anybody looks after them."""
    stage.deploy(PAUSED="1")
    for run in runs:
        stage.aml.add_run(run, experiment=EXPERIMENT)
        stage.deliver(completed(run))
    assert stage.posts() == 0
    stage.deploy(PAUSED="0")


def unwanted(run: str = "other") -> dict[str, Any]:
    return completed(run, experimentName="churn")


def rounds(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines of rounds beside deliveries."""
    return [line for line in caplog.messages if line.startswith("round=")]


class Port:
    """A port of which one method does something else first."""

    def __init__(self, real: Any, **other: Any) -> None:
        self._real, self._other = real, other

    def __getattr__(self, name: str) -> Any:
        before, found = self._other.get(name), getattr(self._real, name)
        if before is None:
            return found

        def call(*given: Any, **named: Any) -> Any:
            before(*given)
            return found(*given, **named)

        return call


# a round beside a delivery


def test_without_a_round_for_ten_minutes_the_next_delivery_moves_on_what_is_parked(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.reconcile()
    parked(stage, "r1")
    stage.clock.forward(minutes=11)
    stage.deliver(unwanted())
    assert stage.started() == [(42, "r1")]
    (line,) = rounds(caplog)
    assert line.startswith("round=done by=delivery resumed=1 looked_at=1 ")


def test_while_rounds_go_on_no_delivery_does_one(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.reconcile()
    parked(stage, "r1")
    stage.clock.forward(minutes=9)
    stage.deliver(unwanted())
    assert stage.posts() == 0
    assert rounds(caplog) == []


def test_an_inbox_that_is_longer_than_one_round_takes_goes_on_within_minutes(stage: Stage) -> None:
    stage.reconcile()
    runs = [f"r{n}" for n in range(MOST_BESIDE + 4)]
    for run in runs:
        stage.aml.add_run(run, experiment=EXPERIMENT)
        stage.ledger.keep(Letter.of(parsing.parse(completed(run)), stage.clock.now()))
    stage.clock.forward(minutes=11)
    stage.deliver(unwanted())
    assert 0 < len(stage.started()) <= MOST_BESIDE
    for _ in range(6):  # in less than the ten minutes that follow a whole round
        stage.clock.forward(seconds=80)
        stage.deliver(unwanted())
    assert sorted(run for _, run in stage.started()) == sorted(runs)


@pytest.mark.parametrize("told", ["ended", "begun"])
def test_a_round_that_a_wrong_clock_noted_for_next_year_silences_nobody(
    stage: Stage, told: str
) -> None:
    stage.reconcile()
    parked(stage, "r1")
    row, year = stage.ledger.shared(watch.ROUNDS), timedelta(days=365)
    stage.ledger.share(row, {**row.value, told: (stage.clock.now() + year).isoformat()})
    stage.clock.forward(minutes=11)
    stage.deliver(unwanted())
    assert stage.started() == [(42, "r1")]


def test_its_own_event_comes_first(stage: Stage) -> None:
    stage.reconcile()
    parked(stage, "r1")
    stage.clock.forward(minutes=11)
    stage.aml.add_run("r2", experiment=EXPERIMENT)
    stage.deliver(completed("r2"))
    assert stage.started() == [(42, "r2"), (42, "r1")]


def test_a_paused_app_starts_nothing_beside_a_delivery_either(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.reconcile()
    parked(stage, "r1")
    stage.deploy(PAUSED="1")
    stage.clock.forward(hours=3)
    stage.deliver(unwanted())
    assert len(rounds(caplog)) == 1
    assert stage.posts() == 0
    assert stage.only("r1").reason is Reason.PAUSED


# who does it, and when


def test_the_first_delivery_of_a_first_deployment_begins_to_wait_for_a_round(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    parked(stage, "r1")  # whose delivery was the first one there ever was
    stage.clock.forward(minutes=9)
    stage.deliver(unwanted())
    assert rounds(caplog) == []
    stage.deploy()
    stage.clock.forward(minutes=1)
    stage.deliver(unwanted())
    assert stage.started() == [(42, "r1")]


def test_of_a_schedule_that_is_rare_three_rounds_must_be_missed(stage: Stage) -> None:
    stage.mid_hour()
    stage.deploy(RECONCILE_SCHEDULE=EVERY_HOUR)
    stage.reconcile()
    parked(stage, "r1")
    stage.clock.forward(hours=2)
    stage.deliver(unwanted())
    assert stage.posts() == 0
    stage.clock.forward(hours=1)
    stage.deliver(unwanted())
    assert stage.started() == [(42, "r1")]


def test_of_two_instances_one_does_it_and_the_other_goes_on_where_that_one_died(
    stage: Stage,
) -> None:
    stage.reconcile()
    stage.clock.forward(minutes=11)
    one, other = instance(stage), instance(stage)
    assert one.watch.takes()
    assert not other.watch.takes()
    stage.clock.forward(minutes=6)
    assert other.watch.takes()


def test_of_two_instances_that_saw_it_at_once_one_does_it(stage: Stage) -> None:
    stage.reconcile()
    stage.clock.forward(minutes=11)
    second = instance(stage)
    took: list[bool] = []
    ledger = Port(stage.ledger, share=lambda *_: took.append(second.watch.takes()))
    stage.build(ledger=ledger)
    assert not stage.app.watch.takes()
    assert took == [True]


def instance(stage: Stage) -> App:
    stage.build()
    return stage.app


def test_what_it_leaves_the_next_delivery_goes_on_with_a_minute_later(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.reconcile()
    parked(stage, *(f"r{n}" for n in range(MOST_BESIDE + 4)))
    stage.clock.forward(minutes=11)
    stage.deliver(unwanted())
    assert stage.posts() == MOST_BESIDE
    stage.deliver(unwanted())
    assert stage.posts() == MOST_BESIDE
    stage.clock.forward(minutes=1, seconds=1)
    stage.deliver(unwanted())
    assert stage.posts() == MOST_BESIDE + 4
    assert len(rounds(caplog)) == 2


def test_after_a_whole_one_there_is_none_for_ten_minutes(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.reconcile()
    stage.deploy()
    for minutes, so_far in ((11, 1), (9, 1), (2, 2)):
        stage.clock.forward(minutes=minutes)
        stage.deliver(unwanted())
        assert len(rounds(caplog)) == so_far


def test_an_older_version_that_is_rolled_back_to_and_writes_nothing_costs_one_round_afterwards(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.reconcile()
    parked(stage, "r1")
    before = stage.ledger.shared(watch.ROUNDS)
    stage.reconcile(days=2)
    now = stage.ledger.shared(watch.ROUNDS)
    stage.ledger.share(now, before.value)  # as if that round had been an older version's
    stage.deploy()
    stage.deliver(unwanted())
    stage.deliver(unwanted())
    assert len(rounds(caplog)) == 1
    assert stage.started() == [(42, "r1")]


# what it may cost the delivery


def test_the_row_is_looked_at_once_in_five_minutes(stage: Stage) -> None:
    stage.reconcile()
    read: list[str] = []
    stage.build(ledger=Port(stage.ledger, shared=read.append))
    for _ in range(5):
        stage.deliver(unwanted())
    assert read == [watch.ROUNDS]
    stage.clock.forward(minutes=5)
    stage.deliver(unwanted())
    assert read == [watch.ROUNDS] * 2


def test_a_process_whose_own_timer_fires_does_not_look(stage: Stage) -> None:
    read: list[str] = []
    stage.build(ledger=Port(stage.ledger, shared=read.append))
    stage.reconcile()
    read.clear()
    stage.clock.forward(minutes=9)
    stage.deliver(unwanted())
    assert watch.ROUNDS not in read


def test_a_delivery_whose_own_event_took_long_does_none(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.reconcile()
    parked(stage, "r1")
    stage.aml.add_run("r2", experiment=EXPERIMENT)
    slow = Port(stage.ports.runs, read=lambda *_: stage.clock.forward(seconds=7))
    stage.build(runs=slow)
    stage.clock.forward(minutes=11)
    stage.deliver(completed("r2"))
    assert stage.started() == [(42, "r2")]
    assert rounds(caplog) == []


@pytest.mark.parametrize("used", [0.0, 1.0, 5.9])
def test_whatever_is_begun_beside_a_delivery_has_its_answer_before_event_grid_gives_up(
    stage: Stage, used: float
) -> None:
    left = deadline.beside(stage.clock, used)
    most = bounds.beside(stage.clock, left)
    assert most.begins.left < left.left  # a run can still be read before the POST
    stage.clock.forward(seconds=left.left - 0.1)
    assert left.allows_post
    latest = used + left.elapsed + left.for_answer
    assert latest < deadline.EVENT_GRID_WAITS - deadline.UNUSED
    stage.clock.forward(seconds=0.2)
    assert not left.allows_post


def test_what_is_read_too_long_is_left_to_others_before_anything_is_sent(stage: Stage) -> None:
    stage.reconcile()
    parked(stage, "r1")
    stage.build(runs=Port(stage.ports.runs, read=lambda *_: stage.clock.forward(seconds=11)))
    stage.clock.forward(minutes=11)
    stage.deliver(unwanted())
    assert stage.posts() == 0
    assert stage.only("r1").reason is Reason.DEADLINE
    stage.build()
    stage.reconcile(minutes=2)
    assert stage.started() == [(42, "r1")]


def test_what_fails_beside_it_changes_no_answer(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: object) -> None:
        raise LedgerUnavailable("away")

    stage.reconcile()
    parked(stage, "r1")
    stage.clock.forward(minutes=11)
    stage.aml.add_run("r2", experiment=EXPERIMENT)
    stage.build(ledger=Port(stage.ledger, due=away))
    stage.deliver(completed("r2"))
    assert stage.started()[0] == (42, "r2")
    assert rounds(caplog) == ['round=failed by=delivery detail="LedgerUnavailable: away"']


def test_a_row_that_cannot_be_read_changes_no_answer(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    def away(name: str) -> None:
        if name == watch.ROUNDS:
            raise LedgerUnavailable("away")

    stage.build(ledger=Port(stage.ledger, shared=away))
    stage.deliver(unwanted())
    assert rounds(caplog) == ['round=failed by=delivery detail="LedgerUnavailable: away"']


def test_an_event_that_is_not_taken_is_refused_and_no_round_is_done(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: object) -> None:
        raise LedgerUnavailable("away")

    stage.reconcile()
    stage.clock.forward(minutes=11)
    stage.build(ledger=Port(stage.ledger, claim=away))
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    with pytest.raises(LedgerUnavailable):
        stage.deliver(completed("r1"))
    assert rounds(caplog) == []


def test_what_hangs_is_not_waited_for() -> None:
    goes_on, ended = threading.Event(), threading.Event()

    def hang() -> None:
        goes_on.wait(60)
        ended.set()

    threads.within(0.01, hang)
    assert not ended.is_set()
    goes_on.set()
    assert ended.wait(60)


# what a round notes


def test_a_round_says_in_the_ledger_when_it_ended_and_a_delivery_does_not_pass_for_the_timer(
    stage: Stage,
) -> None:
    stage.reconcile()
    timer = stage.clock.now()
    stage.deploy()
    stage.clock.forward(minutes=11)
    stage.deliver(unwanted())
    last = noted.recall(stage.ledger)
    assert last.by == "delivery"
    assert last.ended
    assert last.timer
    assert stage.clock.now() - last.ended < timedelta(minutes=1)
    assert abs(timer - last.timer) < timedelta(minutes=1)


def test_a_round_whose_end_cannot_be_noted_is_no_failed_one(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    def away(row: Any, *_: object) -> None:
        if row.name == watch.ROUNDS:
            raise LedgerUnavailable("away")

    stage.build(ledger=Port(stage.ledger, share=away))
    stage.reconcile()
    assert any(line.startswith("reconciler=done") for line in caplog.messages)
    assert 'rounds="not noted" detail=away' in caplog.messages


def test_a_delivery_does_not_say_which_routes_there_are(stage: Stage) -> None:
    """An instance of an older version may outlive the others by more than ten minutes."""
    stage.reconcile()
    known = stage.ledger.shared("chronicle/routes").value
    stage.routes(ONLY)
    stage.clock.forward(minutes=11)
    stage.deliver(unwanted())
    assert noted.recall(stage.ledger).by == "delivery"
    assert stage.ledger.shared("chronicle/routes").value == known
