"""A place in a limit is for what was started: what was not gives it back, whatever breaks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from functions import threads
from functions.adapters.clock import SystemClock
from functions.core.events import parsing
from functions.core.limits.admission import Admission
from functions.core.limits.places_taken import TRIES
from functions.core.limits.windows import Limits
from functions.core.ports.ledger import Entry
from functions.core.routes.definition import Limit, Route
from functions.core.starts import steps
from functions.core.terms.errors import LedgerUnavailable, Lost, Unreadable
from functions.core.terms.policy import Policy
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State, line
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT
from tests.flow.starts.test_parking import Slow
from tests.ledger.counted import counted
from tests.saying.refusals import WRONG, says
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES, Stage, completed

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from local.cloud import Cloud

ONE = ROUTES.replace("name: register", "name: register\n    limit: 1/h")
ROUTE = Route(name="register", limit=Limit(4, "h"))


class Killed(BaseException):
    """Not caught by anything, as a killed process is not."""


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.routes(ONE)
    stage.deploy()
    stage.mid_hour()
    return stage


def deliver(stage: Stage, *runs: str) -> None:
    for run in runs:
        stage.aml.add_run(run, experiment=EXPERIMENT)
        stage.deliver(completed(run))


def started(stage: Stage) -> list[str]:
    return [run for _, run in stage.started()]


def taken(stage: Stage) -> int:
    window = f"{stage.clock.now():%Y-%m-%dT%H}"
    return int(stage.ledger.shared(f"limit/register/{window}").value["taken"])


# given back


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (says(400, WRONG), Reason.REJECTED),
        (says(403), Reason.REFUSED),
        (says(404), Reason.REFUSED),
        (says(400, "GitHub reported the error: rate limit"), Reason.UNAVAILABLE),
    ],
)
def test_what_azure_devops_refused_leaves_its_place_to_the_next(
    stage: Stage, fault: Fault, reason: Reason
) -> None:
    stage.devops.server.faults.add(fault)
    deliver(stage, "a", "b", "c")
    assert (stage.only("a").reason, stage.only("a").slot) == (reason, "")
    assert started(stage) == ["b"]
    assert stage.only("c").reason is Reason.LIMIT


def test_who_gave_its_place_back_lines_up_where_its_claim_belongs(stage: Stage) -> None:
    stage.routes(ONE.replace("1/h", "1/d"))
    stage.mid_day()
    stage.devops.server.faults.add(says(403))
    deliver(stage, "a", "b", "c", "d")
    stage.reconcile(minutes=31)  # it is tried again, and the day's place is taken
    for _ in range(3):
        stage.reconcile(days=1)
    assert started(stage) == ["b", "a", "c", "d"]


def test_an_ask_that_was_late_gives_its_place_back(stage: Stage) -> None:
    stage.build(ledger=Slow(stage, stage.ledger, "write", 6))
    deliver(stage, "a")
    assert (stage.only("a").reason, taken(stage)) == (Reason.LATE, 0)


def test_a_secret_that_was_refused_costs_no_place_and_one_that_was_renewed_one(
    stage: Stage,
) -> None:
    stage.devops.server.faults.add(says(401, times=2))
    deliver(stage, "a")
    assert (stage.only("a").reason, taken(stage)) == (Reason.CREDENTIAL_REFUSED, 0)
    stage.devops.server.faults.add(says(401))
    stage.reconcile(minutes=16)
    assert (started(stage), taken(stage)) == (["a"], 1)


def test_what_may_have_been_started_keeps_its_place(stage: Stage) -> None:
    stage.devops.server.faults.add(Fault("POST", "*/42/runs", drop="after"))
    deliver(stage, "a", "b")
    assert [stage.only(run).reason for run in "ab"] == [Reason.IN_DOUBT, Reason.LIMIT]
    stage.reconcile(seconds=31)
    assert (started(stage), taken(stage)) == (["a"], 1)


def test_what_an_earlier_version_parked_with_its_place_gives_it_back(stage: Stage) -> None:
    """It counted without names, so that nobody can tell whose place that was: it stays taken."""
    deliver(stage, "a")
    slot = stage.only("a").slot
    row = stage.ledger.shared(slot)
    stage.ledger.share(row, {"taken": 1, "until": row.value["until"]})
    Limits(stage.ledger, stage.clock).give_back(stage.only("a"))
    assert taken(stage) == 1


# crashes


class Deadly(Wrapped):
    """A ledger that dies at the n-th call of a method, before or after it was carried out."""

    def __init__(
        self, real: Any, method: str, nth: int, *, after: bool, error: Any = Killed
    ) -> None:
        super().__init__(real)
        self._left, self._method, self._after, self._error = nth, method, after, error

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.real, name)

        def deadly(*given: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise self._error
            answer = found(*given, **named)
            if self._left == 0:
                raise self._error
            return answer

        return deadly if name == self._method else found


def killed(stage: Stage, run: str, method: str, nth: int, *, after: bool) -> None:
    """Deliver the run to a process that dies at that call."""
    stage.build(ledger=Deadly(stage.ledger, method, nth, after=after))
    stage.aml.add_run(run, experiment=EXPERIMENT)
    with pytest.raises(Killed):
        stage.deliver(completed(run))
    stage.build()


@pytest.mark.parametrize(("method", "nth", "after"), [("share", 1, True), ("write", 1, False)])
def test_who_died_with_a_place_and_before_the_ask_finds_its_place_again(
    stage: Stage, method: str, nth: int, *, after: bool
) -> None:
    killed(stage, "a", method, nth, after=after)
    deliver(stage, "b")
    assert (started(stage), taken(stage)) == ([], 1)
    stage.reconcile(seconds=121)
    assert (started(stage), taken(stage)) == (["a"], 1)
    assert stage.only("b").reason is Reason.LIMIT


def test_a_crash_before_a_place_is_given_back_wastes_it_and_exceeds_nothing(stage: Stage) -> None:
    stage.devops.server.faults.add(says(400, WRONG))
    killed(stage, "a", "share", 2, after=False)
    assert (stage.only("a").state, taken(stage)) == (State.FAILED, 1)
    deliver(stage, "b")
    assert started(stage) == []
    stage.reconcile(hours=1)
    assert started(stage) == ["b"]


def test_a_ledger_that_fails_when_a_place_is_given_back_costs_that_place_only(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.devops.server.faults.add(says(400, WRONG))
    error = LedgerUnavailable("gone")
    stage.build(ledger=Deadly(stage.ledger, "share", 2, after=False, error=error))
    deliver(stage, "a")
    assert stage.only("a").state is State.FAILED
    assert any(m.startswith("limit=limit/register/") for m in caplog.messages)


def test_who_died_between_waiting_and_saying_so_is_in_the_line_after_its_lease(
    stage: Stage,
) -> None:
    deliver(stage, "first")
    killed(stage, "a", "schedule", 1, after=False)
    deliver(stage, "b")
    stage.reconcile(seconds=121)
    assert next(iter(stage.ledger.waiting_on("limit/register", 9))).run == "a"
    stage.reconcile(hours=1)
    assert started(stage) == ["first", "a"]


@pytest.mark.parametrize(
    ("method", "nth", "after"),
    [
        *[("write", 1, False), ("write", 1, True), ("schedule", 1, False), ("schedule", 1, True)],
        *[("share", 1, False), ("share", 1, True), ("share", 2, False), ("share", 2, True)],
        *[("write", 2, False)],
    ],
)
def test_who_is_called_and_dies_anywhere_is_started_once_and_no_limit_is_exceeded(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, method: str, nth: int, *, after: bool
) -> None:
    monkeypatch.setattr(threads, "RESUMED_AT_ONCE", 1)  # two at once may lose the n-th call
    deliver(stage, "first", "a", "b")
    now = stage.clock.now()
    stage.clock.forward(seconds=3605 - now.minute * 60 - now.second)
    stage.build(ledger=Deadly(stage.ledger, method, nth, after=after))
    with pytest.raises(Killed):
        stage.reconcile()
    stage.build()
    for posts in (2, 3):
        for _ in range(6):
            stage.reconcile(minutes=3)
        assert (len(started(stage)), taken(stage)) == (posts, 1)
        stage.clock.forward(hours=1)
    assert sorted(started(stage)) == ["a", "b", "first"]


# together


def test_two_reconcilers_that_call_at_once_start_each_once(cloud: Cloud, tmp_path: Path) -> None:
    stages = [Stage(cloud, tmp_path) for _ in range(3)]
    for stage in stages:
        stage.routes(ONE.replace("1/h", "4/h"))
        stage.mid_hour()
    runs = [f"r{n}" for n in range(12)]
    deliver(stages[0], *runs)
    for _ in range(2):
        for stage in stages:
            stage.clock.forward(hours=1)
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda stage: stage.reconcile(), stages))
    assert sorted(started(stages[0])) == sorted(runs)


def test_a_burst_exceeds_no_limit(stage: Stage) -> None:
    class Hasty(SystemClock):
        def now(self) -> datetime:
            return stage.clock.now()  # mid-hour: each hour has places of its own

        def sleep(self, seconds: float) -> None:
            super().sleep(seconds / 100)

    ports = stage.ports._replace(clock=Hasty())

    def one(n: int) -> bool:
        return isinstance(Limits(ports.ledger, ports.clock).take(entry(stage, n), ROUTE), Entry)

    with ThreadPoolExecutor(24) as pool:
        assert sum(pool.map(one, range(24))) <= 4


def entry(stage: Stage, n: int) -> Entry:
    event = parsing.parse(completed(f"r{n}"))
    c = steps.opened(event.key("register"), event, stage.clock.now(), Policy().lease)
    return Entry(c, "v")


class Overtaken(Wrapped):
    """A ledger in which another is always faster."""

    def share(self, *given: Any) -> Any:
        del given
        raise Lost("another")


class Patient(SystemClock):
    """A clock that notes how long it was to wait."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def test_who_is_overtaken_again_and_again_pauses_each_time_longer_and_then_waits_in_line(
    stage: Stage,
) -> None:
    pauses = []
    for n in range(40):
        clock, rows = Patient(), counted(stage.ledger)
        ports = stage.ports._replace(ledger=Overtaken(rows.ledger), clock=clock)
        assert not isinstance(Limits(ports.ledger, ports.clock).take(entry(stage, n), ROUTE), Entry)
        assert (rows.spent(), len(clock.slept)) == (TRIES, TRIES)
        pauses.append(clock.slept)
    assert len({tuple(p) for p in pauses}) == 40
    means = [sum(p[n] for p in pauses) / 40 for n in range(TRIES)]
    assert 0.2 < means[0] < 0.8
    assert means[0] < means[1] < means[2]
    assert max(max(p) for p in pauses) <= 4


def test_who_found_no_place_for_the_crowd_is_started_by_a_round(stage: Stage) -> None:
    stage.build(ledger=Overtaken(stage.ledger), clock=Patient())
    deliver(stage, "a")
    assert (stage.only("a").reason, started(stage)) == (Reason.LIMIT, [])
    stage.build()
    stage.reconcile(seconds=1)
    assert started(stage) == ["a"]


# what changes while somebody waits


def test_a_limit_that_is_raised_is_so_for_who_waits(stage: Stage) -> None:
    deliver(stage, *(f"r{n}" for n in range(6)))
    stage.routes(ONE.replace("1/h", "4/h"))
    stage.deploy()
    stage.reconcile(minutes=1)
    assert sorted(started(stage)) == ["r0", "r1", "r2", "r3"]


def test_a_limit_that_is_gone_lets_all_go(stage: Stage) -> None:
    deliver(stage, *(f"r{n}" for n in range(6)))
    stage.reconcile()  # its file was met
    stage.routes(ROUTES)
    stage.deploy()
    for _ in range(2):
        stage.reconcile(minutes=1)
    assert sorted(started(stage)) == [f"r{n}" for n in range(6)]


def test_a_route_that_is_gone_is_told_to_who_waits_for_its_limit(stage: Stage) -> None:
    deliver(stage, "a", "b")
    stage.routes("version: 1\nroutes: [{name: wait, complete: true}]")
    stage.deploy()
    for _ in range(2):
        stage.reconcile(minutes=1)
    assert stage.only("b").reason is Reason.ROUTE_REMOVED


def test_a_row_that_cannot_be_read_does_not_stand_before_the_others(stage: Stage) -> None:
    deliver(stage, "first", "a", "b")

    class Blind(Wrapped):
        def read(self, key: Any) -> Any:
            if key.run == "a":
                raise Unreadable("row register/a/Completed cannot be read")
            return self.real.read(key)

    stage.build(ledger=Blind(stage.ledger))
    stage.clock.forward(hours=1)
    for _ in range(2):
        stage.reconcile(minutes=1)
    assert started(stage) == ["first", "b"]


def test_what_another_version_left_in_a_line_does_not_stand_before_the_others(
    stage: Stage,
) -> None:
    """It is not ours to touch, and its row in the schedule says still that it waits."""
    deliver(stage, "first", "a", "b")

    class Newer(Wrapped):
        def read(self, key: Any) -> Any:
            entry = self.real.read(key)
            if key.run != "a":
                return entry
            changed = msgspec.structs.replace(entry.continuation, state=State("approving"))
            return entry._replace(continuation=changed)

    stage.build(ledger=Newer(stage.ledger))
    stage.clock.forward(hours=1)
    for _ in range(3):
        stage.reconcile(minutes=1)
    assert started(stage) == ["first", "b"]
    stage.build()  # which stands for: the version that knows the state
    stage.reconcile(hours=1)
    assert started(stage) == ["first", "b", "a"]


def test_who_waits_for_something_else_by_now_does_not_stand_before_the_others(
    stage: Stage,
) -> None:
    deliver(stage, "first", "a", "b")
    behind = stage.ledger.read(stage.only("a").key)
    assert behind
    name = Admission.account("contoso", "another-pat")
    other = msgspec.structs.replace(behind.continuation, waits_on=name)
    stage.ledger.write(behind, other)  # and the schedule does not know
    stage.clock.forward(hours=1)
    stage.deploy()
    Admission(stage.ports, Policy()).slow_down(name, 3000)
    for _ in range(2):
        stage.reconcile(minutes=1)
    assert started(stage) == ["first", "b"]


def test_who_an_earlier_version_parked_lines_up_when_it_is_due(stage: Stage) -> None:
    deliver(stage, "first", "a", "b")
    found = stage.ledger.read(stage.only("a").key)
    assert found
    old = msgspec.structs.replace(
        found.continuation, waits_on="", due_at=stage.clock.now() + Policy().lease
    )
    stage.ledger.schedule(stage.ledger.write(found, old).continuation)
    stage.reconcile(minutes=3)
    assert [key.run for key in stage.ledger.waiting_on(line("register"), 9)] == ["a", "b"]
