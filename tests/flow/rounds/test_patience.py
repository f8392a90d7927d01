"""How long something is waited for, and that waiting for one thing stops nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from functions.core.starts import steps
from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.conftest import PAT
from tests.flow.asking import EXPERIMENT, route
from tests.saying.wrapped import Wrapped
from tests.stage.azure import completed

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from tests.stage.azure import MovableClock, Stage

ALWAYS = 10**6


def test_patience_counts_only_while_the_same_reason_lasts(stage: Stage) -> None:
    stage.aml.add_run("r1", status="Running", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    stage.aml.server.faults.add(Fault(path="*/runs/get", status=503, times=ALWAYS))
    for _ in range(15):
        stage.reconcile(minutes=1)
    assert stage.only("r1").reason is Reason.RUN_UNREADABLE
    stage.aml.server.faults.clear()
    stage.reconcile(minutes=30)
    assert (stage.only("r1").state, stage.only("r1").reason) == (State.OPEN, Reason.NOT_FINAL)
    stage.reconcile(minutes=9)
    assert stage.only("r1").state is State.OPEN
    stage.reconcile(minutes=2)
    assert (stage.only("r1").state, stage.only("r1").reason) == (State.HELD, Reason.NOT_FINAL)


class SlowSearch(Wrapped):
    """The runs, but every search for a model takes two seconds and finds none."""

    def __init__(self, real: Any, clock: MovableClock) -> None:
        super().__init__(real)
        self._clock = clock

    def model(self, *args: Any) -> None:
        if args[-1].has_passed:
            raise Retryable(Reason.DEADLINE, "no time was left to read the run", 0)
        self._clock.forward(seconds=2)


def test_what_takes_longer_than_a_round_is_held_after_three_days(stage: Stage) -> None:
    route(stage, version="{{ model.version }}")
    stage.build(runs=SlowSearch(stage.ports.runs, stage.clock))
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    for number in range(19):
        stage.aml.add_run(f"c{number}", parent="r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    stage.reconcile(hours=71)
    assert (stage.only("r1").state, stage.only("r1").reason) == (State.OPEN, Reason.DEADLINE)
    stage.reconcile(hours=2)
    assert (stage.only("r1").state, stage.only("r1").reason) == (State.HELD, Reason.DEADLINE)


@pytest.fixture
def resent(stage: Stage) -> Stage:
    """A run whose first POST was lost and whose second was answered: a second look is owed."""
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    lost = Fault(method="POST", path="*/_apis/pipelines/42/runs", drop="before")
    stage.devops.server.faults.add(lost)
    stage.deliver(completed("r1"))
    stage.reconcile(seconds=31)
    stage.reconcile(minutes=11)
    assert (stage.only("r1").state, stage.only("r1").sends) == (State.STARTED, 2)
    return stage


def blind(stage: Stage, status: int = 404, times: int = ALWAYS) -> Fault:
    """Let every look-up fail."""
    fault = Fault(method="GET", path="*/build/builds", status=status, times=times)
    stage.devops.server.faults.add(fault)
    return fault


def last(c: Continuation) -> str:
    return c.history[-1].what


def test_a_second_look_that_failed_is_taken_later(resent: Stage) -> None:
    blind(resent, times=1)
    resent.reconcile(minutes=61)
    assert last(resent.only("r1")) == "looking again later"
    resent.reconcile(minutes=30)
    assert last(resent.only("r1")) == "looked again"
    assert resent.only("r1").recheck_at is None


@pytest.mark.parametrize("status", [403, 404, 429])
def test_a_second_look_that_keeps_failing_is_put_off_longer_and_longer(
    resent: Stage, status: int
) -> None:
    fault = blind(resent, status)
    resent.clock.forward(minutes=61)
    for _ in range(120):
        resent.reconcile(minutes=1)
    assert 2 < ALWAYS - fault.times < 10


def test_a_second_look_that_keeps_failing_is_given_up_after_a_day(resent: Stage) -> None:
    blind(resent)
    for _ in range(23):
        resent.reconcile(hours=1)
    assert resent.only("r1").recheck_at is not None
    for _ in range(2):
        resent.reconcile(hours=1)
    row = resent.only("r1")
    assert (row.state, row.recheck_at, last(row)) == (
        State.STARTED,
        None,
        "second look given up",
    )
    resent.reconcile(minutes=1)
    assert list(resent.ledger.due(resent.clock.now() + timedelta(days=9), 10)) == []


def test_a_second_look_does_not_use_a_credential_that_is_refused(resent: Stage) -> None:
    resent.clock.forward(minutes=60)
    resent.devops.refuse(PAT)
    resent.aml.add_run("r2", experiment=EXPERIMENT)
    resent.deliver(completed("r2"))
    assert resent.only("r2").reason is Reason.CREDENTIAL_REFUSED
    resent.devops.server.requests.clear()
    resent.reconcile(minutes=2)
    assert last(resent.only("r1")) == "looking again later"
    assert resent.devops.server.requests == []


def owe_second_looks(stage: Stage, number: int) -> None:
    """So many more continuations as the one that was asked for twice."""
    row = stage.only("r1")
    for count in range(number):
        key = msgspec.structs.replace(row.key, run=f"old{count}")
        new = steps.opened(key, row.event, row.created_at, timedelta(0))
        other = msgspec.structs.replace(row, key=key)
        stage.ledger.write(stage.ledger.claim(new).entry, other)
        stage.ledger.schedule(other)


def test_second_looks_that_fail_do_not_keep_others_waiting(resent: Stage) -> None:
    owe_second_looks(resent, 110)
    blind(resent)
    resent.clock.forward(minutes=62)
    resent.aml.server.faults.add(Fault(path="*/runs/get", status=503, times=2))
    resent.aml.add_run("fresh", experiment=EXPERIMENT)
    resent.deliver(completed("fresh"))
    for _ in range(5):
        resent.reconcile(minutes=1)
    assert resent.only("fresh").state is State.STARTED
