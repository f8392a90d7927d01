"""The real app in a host whose timers have stopped, or end in the middle of their work."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import requests

from functions.core.rounds import noted, watch
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.stage.azure import completed
from tests.stage.hosted import Hosted

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stage.azure import Stage

EACH_SECOND = {"RECONCILE_SCHEDULE": "* * * * * *"}
SHORT = {"CLAIM_LEASE_SECONDS": "1", "RETRY_FIRST_SECONDS": "0.1", "IN_DOUBT_GRACE_SECONDS": "1"}
RUNS = ("r1", "r2", "r3")


def unwanted() -> dict[str, object]:
    return completed("other", experimentName="churn")


def parked(stage: Stage, *runs: str) -> None:
    stage.deploy(PAUSED="1")
    for run in runs:
        stage.aml.add_run(run, experiment="defect-detection")
        stage.deliver(completed(run))
    stage.deploy(PAUSED="0")


def until(reached: Callable[[], bool]) -> None:
    for _ in range(6000):
        if reached():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to that")


def test_with_its_timers_stopped_the_next_delivery_moves_on_what_is_parked(stage: Stage) -> None:
    parked(stage, "r1")
    stage.app.watch.ended(watch.By.TIMER)
    an_hour_ago = (stage.clock.now() - timedelta(hours=1)).isoformat()
    row = stage.ledger.shared(watch.ROUNDS)
    stage.ledger.share(row, {**row.value, "ended": an_hour_ago, "timer": an_hour_ago})
    host = Hosted({**stage.environ, **EACH_SECOND, "LOCAL_TIMERS_STOPPED": "1"}, timers=True)
    try:
        assert host.deliver("on_run_completed", unwanted()).status_code == 202
        assert stage.started() == [(42, "r1")]
    finally:
        log = host.stop()
    assert "round=done by=delivery resumed=1" in log
    assert "reconciler=done" not in log


def test_while_its_timers_fire_no_delivery_does_a_round(stage: Stage) -> None:
    host = Hosted({**stage.environ, **EACH_SECOND}, timers=True)
    try:
        until(lambda: noted.recall(stage.ledger).by == "timer")
        for _ in range(3):
            assert host.deliver("on_run_completed", unwanted()).status_code == 202
    finally:
        log = host.stop()
    assert "reconciler=done" in log
    assert "round=" not in log


def test_a_round_that_is_ended_in_the_middle_leaves_everything_to_the_next(stage: Stage) -> None:
    parked(stage, *RUNS)
    stage.environ |= SHORT
    first, hangs = Hosted(stage.environ), Fault(path="*/runs/get", hang=True, times=2)
    stage.aml.server.faults.add(hangs)

    def fire() -> None:
        with suppress(requests.RequestException, KeyError):
            first.fire("reconcile")

    firing = threading.Thread(target=fire)
    firing.start()
    until(lambda: len(stage.devops.runs) == 1)
    first.process.kill()
    first.ended()
    firing.join()
    assert noted.recall(stage.ledger).by != "timer"  # as nobody would think that it ended
    stage.aml.server.faults.clear()
    next_one = Hosted(stage.environ)
    try:
        for _ in range(30):
            next_one.fire("reconcile")
            if {stage.only(run).state for run in RUNS} == {State.STARTED}:
                break
            time.sleep(0.2)  # a lease ends
    finally:
        next_one.stop()
    assert sorted(stage.started()) == [(42, run) for run in RUNS]
