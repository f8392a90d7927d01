"""What a start asks for is begun before its row is scheduled, and costs nothing that it did not."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.arm.jobs import Job
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT, asked, calls, route
from tests.saying.wrapped import Wrapped
from tests.soak.team import AFTER_ALL
from tests.stage.azure import completed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.stage.azure import Stage

NAMED = {"name": "{{ model.name }}", "version": "{{ model.version }}"}
GATED = "when: run.metrics.accuracy > 0.5"
PLAIN = ["model-versions/search", "runs/get"]
BELOW = ["runs/get", "model-versions/search", "runs/search", "model-versions/search"]
LEARNT = 3  # runs of a kind in a row
LATER = 2**42  # ms: long after any test


class Held(Wrapped):
    """A ledger that schedules no row, or AML that reads no run, before something has happened."""

    reached: Callable[[], bool] = bool

    def claim(self, new: Any, first: Iterable[Callable[[], None]]) -> Any:
        return self.real.claim(new, [*first, lambda: until(self.reached)])

    def read(self, *given: Any) -> Any:
        until(self.reached)
        return self.real.read(*given)


def until(reached: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if reached():
            return
        threading.Event().wait(0.002)
    raise AssertionError("it never came to that")


@pytest.fixture(autouse=True)
def its_route(stage: Stage) -> None:
    route(stage, GATED, "model: defects", **NAMED)


def plain(stage: Stage, run: str, **more: Any) -> None:
    stage.aml.add_run(run, metrics={"accuracy": 0.9}, experiment=EXPERIMENT, **more)
    stage.aml.add_model_version("defects", 3, run)


def job(stage: Stage, run: str, steps: int = 1) -> None:
    """A pipeline job whose metric and model are on its first step."""
    stage.aml.add_run(run, experiment=EXPERIMENT)
    stage.cloud.arm.add_job(WORKSPACE, Job(run))
    for n in range(steps):
        metrics = {} if n else {"accuracy": 0.9}
        stage.aml.add_run(f"{run}-{n}", parent=run, experiment=EXPERIMENT, metrics=metrics)
    stage.aml.add_model_version("defects", 3, f"{run}-0")


def delivered(stage: Stage, run: str) -> list[str]:
    """The MLflow calls that this delivery made."""
    stage.aml.server.requests.clear()
    stage.deliver(completed(run))
    return calls(stage)


def jobs_of(stage: Stage) -> int:
    return sum("/jobs/" in asked.path for asked in stage.cloud.arm.server.requests)


def test_run_model_and_secret_are_asked_for_before_the_row_is_scheduled(stage: Stage) -> None:
    plain(stage, "r1")

    def all_asked() -> bool:
        return sorted(calls(stage)) == PLAIN and bool(stage.cloud.vault.server.requests)

    held = Held(stage.ledger)
    held.reached = all_asked
    stage.build(ledger=held)
    stage.deliver(completed("r1"))
    assert asked(stage) == {"name": "defects", "version": "3"}
    assert sorted(calls(stage)) == PLAIN


class Died(BaseException):
    """Nothing of a process runs on after this."""


class Between(Wrapped):
    """A ledger in which something happens once, between the first row of a claim and the second."""

    def __init__(self, real: Any, happens: Callable[[], None]) -> None:
        super().__init__(real)
        self._left = [happens]

    def claim(self, new: Any, first: Iterable[Callable[[], None]] = ()) -> Any:
        return self.real.claim(new, [*first, self._happen])

    def _happen(self) -> None:
        if self._left:
            self._left.pop()()


def fails(_: Stage) -> None:
    raise RuntimeError("can't start new thread")


def dies(_: Stage) -> None:
    raise Died


def is_slow(stage: Stage) -> None:
    stage.clock.forward(seconds=25)


def comes_to_another(stage: Stage) -> None:
    stage.deploy()
    stage.deliver(completed("r1"))


def is_suspended_while_another_goes_on(stage: Stage) -> None:
    stage.deploy()
    stage.deliver(completed("r1"))
    for minutes in (3, 3, 5):
        stage.reconcile(minutes=minutes)


@pytest.mark.parametrize(
    "happens", [fails, dies, is_slow, comes_to_another, is_suspended_while_another_goes_on]
)
def test_whatever_happens_between_the_two_rows_a_run_is_started_once(
    stage: Stage, happens: Callable[[Stage], None]
) -> None:
    plain(stage, "r1")
    stage.build(ledger=Between(stage.ledger, lambda: happens(stage)))
    with suppress(Died, RuntimeError):
        stage.deliver(completed("r1"))
    stage.deploy()
    stage.deliver(completed("r1"))  # as Event Grid does with what was not answered
    for minutes in (3, 3, 12):
        stage.reconcile(minutes=minutes)
    assert (len(stage.devops.runs), stage.only("r1").state) == (1, State.STARTED)
    assert stage.ledger.backlog(AFTER_ALL).open == 0


def test_a_duplicate_asks_for_nothing(stage: Stage) -> None:
    plain(stage, "r1")
    stage.deliver(completed("r1"))
    stage.deploy()
    stage.cloud.vault.server.requests.clear()
    assert delivered(stage, "r1") == []
    assert stage.cloud.vault.server.requests == []


def test_what_is_needed_no_more_is_not_waited_for(stage: Stage) -> None:
    """The run reads Failed while the search for its model hangs."""
    stage.aml.add_run("r1", status="Failed", experiment=EXPERIMENT)
    stage.aml.server.faults.add(Fault(path="*/model-versions/search", hang=True))
    stage.deliver(completed("r1"))
    assert stage.only("r1").reason is Reason.OUTCOME_CHANGED
    assert not stage.devops.runs


def test_what_failed_is_told_only_where_it_is_asked_for(stage: Stage) -> None:
    """Both reads fail; the first in order is the reason, as ever."""
    for path in ("*/runs/get", "*/model-versions/search"):
        stage.aml.server.faults.add(Fault(path=path, status=403, times=9, body='{"message": "no"}'))
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.OPEN, Reason.RUN_UNREADABLE)
    assert row.detail.startswith("run r1: answered 403")


def test_a_secret_that_cannot_be_read_holds_up_no_gate_that_says_no(stage: Stage) -> None:
    stage.aml.add_run("r1", metrics={"accuracy": 0.4}, experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 3, "r1")
    stage.cloud.vault.server.faults.add(Fault(path="/secrets/*", hang=True))
    stage.deliver(completed("r1"))
    assert (stage.only("r1").state, stage.only("r1").reason) == (State.HELD, Reason.GATE)


def test_what_was_read_before_the_run_s_end_is_read_again(stage: Stage) -> None:
    """The event came early: what lies beside the run may have changed until its end."""
    plain(stage, "r1", start_time=1, end_time=LATER)
    held = Held(stage.ledger)
    held.reached = lambda: "model-versions/search" in calls(stage)
    stage.build(ledger=held)
    assert sorted(delivered(stage, "r1")) == ["model-versions/search", *PLAIN]
    assert asked(stage) == {"name": "defects", "version": "3"}


def test_what_the_last_jobs_needed_is_begun_with_the_next_and_costs_no_more(stage: Stage) -> None:
    held = Held(stage.ports.runs)
    held.reached = lambda: True
    stage.build(runs=held)
    for n in range(LEARNT + 1):
        job(stage, f"j{n}")
    told = [sorted(delivered(stage, f"j{n}")) for n in range(LEARNT)]
    before = jobs_of(stage)
    held.reached = lambda: "runs/search" in calls(stage) and jobs_of(stage) > before
    told.append(sorted(delivered(stage, f"j{LEARNT}")))
    assert told == [sorted(BELOW)] * (LEARNT + 1)
    assert jobs_of(stage) == before + 1 == LEARNT + 1
    assert len(stage.devops.runs) == LEARNT + 1


def test_a_run_that_needs_less_ends_the_habit(stage: Stage) -> None:
    held = Held(stage.ports.runs)
    held.reached = lambda: True
    stage.build(runs=held)
    for n in range(LEARNT):
        job(stage, f"j{n}")
        stage.deliver(completed(f"j{n}"))
    plain(stage, "p0")
    plain(stage, "p1")
    held.reached = lambda: "runs/search" in calls(stage)
    assert sorted(delivered(stage, "p0")) == sorted([*PLAIN, "runs/search"])
    held.reached = lambda: True
    assert sorted(delivered(stage, "p1")) == PLAIN
