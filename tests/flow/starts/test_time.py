"""What is done, and what is left to the reconciler, when a delivery's time runs short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT, calls, route
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES, MovableClock, completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage


class Slow(Wrapped):
    """A port whose reads take so many seconds."""

    def __init__(self, real: Any, clock: MovableClock, seconds: float) -> None:
        super().__init__(real)
        self._clock = clock
        self._seconds = seconds

    def read(self, *args: Any, **options: Any) -> Any:
        self._clock.forward(seconds=self._seconds)
        return self.real.read(*args, **options)


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    return stage


@pytest.mark.parametrize("port", ["runs", "credentials"])
@pytest.mark.parametrize(("seconds", "posts"), [(14, 1), (16, 0), (25, 0)])
def test_a_post_begins_only_while_event_grid_waits_for_its_answer(
    stage: Stage, port: str, seconds: float, posts: int
) -> None:
    stage.build(**{port: Slow(getattr(stage.ports, port), stage.clock, seconds)})
    stage.deliver(completed("r1"))
    assert stage.posts() == posts


@pytest.mark.parametrize("port", ["runs", "credentials"])
def test_what_was_too_late_is_started_by_the_next_round(stage: Stage, port: str) -> None:
    stage.build(**{port: Slow(getattr(stage.ports, port), stage.clock, 16)})
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason, row.asked_at) == (State.OPEN, Reason.DEADLINE, None)
    stage.build()
    stage.reconcile()
    assert stage.started() == [(42, "r1")]


class Late(Slow):
    """The same, and what is read comes first."""

    def read(self, *args: Any, **options: Any) -> Any:
        found = self.real.read(*args, **options)
        self._clock.forward(seconds=self._seconds)
        return found


def test_what_is_too_late_in_every_round_is_tried_ever_less_and_held_after_three_days(
    stage: Stage,
) -> None:
    stage.build(credentials=Late(stage.ports.credentials, stage.clock, 31))
    stage.deliver(completed("r1"))
    stage.reconcile()
    before = len(calls(stage))
    for _ in range(60):
        stage.reconcile(minutes=1)
    assert len(calls(stage)) - before < 10
    for _ in range(5):
        stage.reconcile(hours=15)
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.HELD, Reason.DEADLINE, 0)


class SlowToAsk(Slow):
    """The ledger, whose asks take so long."""

    def write(self, entry: Any, changed: Any) -> Any:
        written = self.real.write(entry, changed)
        if changed.asked_at:
            self._clock.forward(seconds=self._seconds)
        return written


def test_what_the_ledger_is_too_slow_for_is_tried_ever_less_and_held_after_three_days(
    stage: Stage,
) -> None:
    """Also where the secret is what takes too long at times."""
    slow = SlowToAsk(stage.ports.ledger, stage.clock, 6)
    stage.build(ledger=slow)
    stage.deliver(completed("r1"))
    before = len(calls(stage))
    for _ in range(60):
        stage.reconcile(minutes=1)
    assert len(calls(stage)) - before < 10
    stage.build(credentials=Late(stage.ports.credentials, stage.clock, 31))
    stage.reconcile(hours=40)
    assert (stage.only("r1").state, stage.only("r1").reason) == (State.OPEN, Reason.DEADLINE)
    stage.build(ledger=slow)
    stage.reconcile(hours=30)
    assert (stage.only("r1").state, stage.only("r1").reason) == (State.OPEN, Reason.LATE)
    stage.reconcile(hours=2)
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.HELD, Reason.LATE, 0)


def test_what_is_asked_in_time_and_has_none_left_does_not_blame_the_ledger(stage: Stage) -> None:
    stage.build(
        ledger=SlowToAsk(stage.ports.ledger, stage.clock, 4),
        credentials=Slow(stage.ports.credentials, stage.clock, 13),
    )
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert row.reason is Reason.DEADLINE
    assert row.detail.endswith(" s were used up before the POST")


def test_a_run_that_is_nowhere_for_three_days_is_held_though_aml_was_away_meanwhile(
    stage: Stage,
) -> None:
    gone = Fault(path="*/runs/get", status=404, times=10**6, body='{"message": "no such run"}')
    away = Fault(path="*/runs/get", status=503, times=10**6)
    stage.aml.server.faults.add(gone)
    stage.deliver(completed("r1"))
    for hours in range(0, 75, 15):
        faults = stage.aml.server.faults
        faults.clear()
        faults.add(away if hours == 30 else gone)
        stage.reconcile(hours=15)
        assert stage.only("r1").state is (State.OPEN if hours < 60 else State.HELD)
    assert stage.only("r1").reason is Reason.RUN_NOT_FOUND


class ReadsOnce(Wrapped):
    """The runs, but reading the root takes so long that no time is left."""

    def __init__(self, real: Any, clock: MovableClock) -> None:
        super().__init__(real)
        self._clock = clock

    def read(self, *args: Any) -> Any:
        found = self.real.read(*args)
        self._clock.forward(seconds=21)
        return found


def test_without_time_left_nothing_more_is_read(stage: Stage) -> None:
    route(stage, accuracy="{{ run.metrics.accuracy }}")
    stage.aml.add_run("step", parent="r1", metrics={"accuracy": 0.9}, experiment=EXPERIMENT)
    stage.build(runs=ReadsOnce(stage.ports.runs, stage.clock))
    stage.deliver(completed("r1"))
    assert stage.only("r1").reason is Reason.DEADLINE
    assert calls(stage) == ["runs/get"]
    stage.build()
    stage.reconcile(minutes=1)
    assert stage.started() == [(42, "r1")]


@pytest.mark.parametrize(
    ("service", "reason"),
    [("vault", Reason.SECRET_UNREADABLE), ("identity", Reason.RUN_UNREADABLE)],
)
def test_a_retry_after_is_not_slept_through_within_the_delivery(
    stage: Stage, service: str, reason: Reason
) -> None:
    """The next try would succeed. Two ask for a token at once, and either may be the first."""
    times = {"vault": 1, "identity": 2}[service]
    throttled = Fault(status=429, headers={"Retry-After": "1"}, times=times)
    getattr(stage.cloud, service).server.faults.add(throttled)
    stage.deliver(completed("r1"))
    assert (stage.only("r1").reason, stage.posts()) == (reason, 0)


class Suspended(Wrapped):
    """The pipelines, before whose POST the machine stands still for an hour, and its clock not.

    Its monotonic clock does not count that time: https://man7.org/linux/man-pages/man2/clock_gettime.2.html
    """

    def __init__(self, real: Any, clock: MovableClock) -> None:
        super().__init__(real)
        self._clock = clock

    def start(self, request: Any, credential: Any, deadline: Any) -> Any:
        stands, clock = self._clock.monotonic(), self._clock
        clock.forward(hours=1)
        clock.monotonic = lambda: stands  # type: ignore[method-assign]
        return self.real.start(request, credential, deadline)


def test_a_machine_that_was_suspended_after_the_mark_sends_nothing(stage: Stage) -> None:
    """Others have looked for its POST meanwhile, in vain, and have sent another."""
    stage.build(pipelines=Suspended(stage.ports.pipelines, stage.clock))
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.reason, row.asked_at, stage.posts()) == (Reason.NOT_SENT, None, 0)
    stage.clock = MovableClock()
    stage.deploy()
    stage.reconcile(hours=2)
    assert stage.started() == [(42, "r1")]


class Asleep(Wrapped):
    """The ledger, at whose shared rows the machine is suspended for two hours, once."""

    def __init__(self, real: Any, clock: MovableClock) -> None:
        super().__init__(real)
        self._clock, self._left = clock, 1

    def share(self, row: Any, value: Any) -> Any:
        written, clock = self.real.share(row, value), self._clock
        if self._left:
            self._left, stands = 0, clock.monotonic()
            clock.forward(hours=2)
            clock.monotonic = lambda: stands  # type: ignore[method-assign]
        return written


def test_a_machine_that_was_suspended_before_the_mark_decides_anew(stage: Stage) -> None:
    """Its place is one of the limit of an hour that is over."""
    stage.routes(ROUTES.replace("name: register", "name: register\n    limit: 1/h"))
    stage.mid_hour()
    stage.build(ledger=Asleep(stage.ports.ledger, stage.clock))
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason, row.asked_at, stage.posts()) == (
        *(State.OPEN, Reason.LATE),
        *(None, 0),
    )
    stage.build()
    stage.reconcile(seconds=1)
    stage.aml.add_run("r2", experiment=EXPERIMENT)
    stage.deliver(completed("r2"))
    assert stage.started() == [(42, "r1")]
    assert stage.only("r2").reason is Reason.LIMIT
