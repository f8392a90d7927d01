"""Who waits for a limit or for the app to go on: in order of claim, and at no cost until then."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from functions import bootstrap
from functions.core.events import parsing
from functions.core.rounds.bounds import MOST_AT_ONCE
from functions.core.rounds.watch import By
from functions.core.starts import steps
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State, line
from local.cloud import TEXT
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT
from tests.flow.limits.test_places import ONE, deliver, started
from tests.flow.limits.test_places import stage as stage  # noqa: PLC0414 - a fixture
from tests.ledger.counted import Counted, counted
from tests.ledger.stores import claimed
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES, completed

if TYPE_CHECKING:
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from tests.stage.azure import Stage

OTHER = """
  - name: other
    match: {experiment: "other-*"}
    start: {pipeline: 7, parameters: {run_id: "{{ run.id }}"}}
"""
DAY = timedelta(days=1)


def counting(stage: Stage) -> Counted:
    rows = counted(stage.ledger)
    stage.build(ledger=rows.ledger)
    return rows


def reads(stage: Stage) -> int:
    return len(stage.aml.server.received("GET", "/runs/get"))


def next_hour(stage: Stage, seconds: float = 5) -> None:
    """Let the next hour be so many seconds old."""
    now = stage.clock.now()
    stage.clock.forward(seconds=3600 + seconds - now.minute * 60 - now.second)


def waiting(stage: Stage, count: int, since: datetime) -> list[str]:
    """So many wait for the limit of `register`, as claimed one second after the other."""
    runs = [f"w{n}" for n in range(count)]

    def parked(n: int, run: str) -> Continuation:
        at, event = since + timedelta(seconds=n), parsing.parse(completed(run))
        c = steps.opened(event.key("register"), event, at, timedelta(0))
        return steps.parked(c, at, Reason.LIMIT, "", at + 9 * DAY, line("register"))

    claimed(stage.read.ledger_file, (parked(n, run) for n, run in enumerate(runs)))
    return runs


# order


def test_who_waits_is_started_before_who_comes_later_in_order_of_claim(stage: Stage) -> None:
    deliver(stage, "first", "a", "b", "c")
    for hour in range(6):
        next_hour(stage)
        deliver(stage, f"later-{hour}")  # the hour has begun, and no round was yet
        stage.reconcile(seconds=55)
    assert started(stage) == ["first", "a", "b", "c", "later-0", "later-1", "later-2"]


def test_places_that_nobody_waits_for_are_taken_by_who_comes(stage: Stage) -> None:
    stage.routes(ONE.replace("1/h", "3/h"))
    deliver(stage, "a", "b", "c", "waits")
    next_hour(stage)
    stage.reconcile()
    deliver(stage, "d", "e", "f")
    assert started(stage) == ["a", "b", "c", "waits", "d", "e"]
    assert stage.only("f").reason is Reason.LIMIT


def test_many_who_come_first_in_a_window_start_nothing_before_who_waits(stage: Stage) -> None:
    stage.routes(ONE.replace("1/h", "3/h"))
    deliver(stage, "a", "b", "c", "waits")
    next_hour(stage)
    stage.app.watch.ended(By.TIMER)  # just before
    deliver(stage, "d", "e", "f")
    assert started(stage) == ["a", "b", "c"]
    stage.reconcile(seconds=60)
    assert sorted(started(stage)[3:]) == ["d", "e", "waits"]


def test_who_lines_up_while_another_looks_is_overtaken_within_one_round_only(stage: Stage) -> None:
    """The row is open although somebody waits: no round has seen that yet."""
    stage.routes(ONE.replace("1/h", "3/h"))
    rows, runs = counting(stage), list[str]()

    def lines_up(kind: str, *given: object) -> None:
        if kind == "replace" and "limit" in str(given[0]) and not runs:
            runs.extend(waiting(stage, 1, stage.clock.now()))  # between the look and the place

    deliver(stage, "a")
    rows.before = lines_up
    deliver(stage, "b")
    stage.aml.add_run("w0", experiment=EXPERIMENT)
    stage.reconcile()
    deliver(stage, "c")
    assert started(stage) == ["a", "b", "w0"]


class Meanwhile(Wrapped):
    """AML, which while it is asked for one run sees another run end."""

    def __init__(self, stage: Stage, run: str, other: str) -> None:
        super().__init__(stage.ports.runs)
        self._app, self._run, self._other = bootstrap.App(stage.read, stage.ports), run, other

    def read(self, workspace: Any, run: str, deadline: Any) -> Any:
        if run == self._run:
            self._app.relay.deliver(completed(self._other))
        return self.real.read(workspace, run, deadline)


def test_who_is_called_has_its_place_before_anybody_else_can_take_it(stage: Stage) -> None:
    deliver(stage, "first", "waits")
    stage.aml.add_run("later", experiment=EXPERIMENT)
    next_hour(stage)
    stage.build(runs=Meanwhile(stage, "waits", "later"))
    stage.reconcile()
    assert started(stage) == ["first", "waits"]
    assert stage.only("later").reason is Reason.LIMIT


def test_who_is_called_and_not_started_leaves_its_place_to_the_next(stage: Stage) -> None:
    deliver(stage, "first", "a", "b")
    next_hour(stage)
    stage.aml.server.faults.add(Fault(path="*/runs/get", status=503, times=2))
    stage.reconcile()
    assert stage.only("a").reason is Reason.RUN_UNREADABLE
    stage.reconcile(seconds=5)
    assert started(stage) == ["first", "b"]


def test_who_comes_while_more_wait_than_are_called_at_once_lines_up(stage: Stage) -> None:
    """The round has not come to all of them yet, and the row was open."""
    stage.routes(ONE.replace("1/h", "500/h"))
    deliver(stage, "first")
    row = stage.ledger.shared(stage.only("first").slot)
    stage.ledger.share(row, {**row.value, "closed": False})
    waiting(stage, MOST_AT_ONCE + 5, stage.clock.now())
    stage.reconcile()
    deliver(stage, "later")
    assert stage.only("later").reason is Reason.LIMIT


def test_who_is_replayed_goes_to_the_end_of_the_line(stage: Stage) -> None:
    stage.routes(ONE.replace("name: register", "name: register\n    when: run.params.ok == '1'"))
    stage.aml.add_run("old", experiment=EXPERIMENT, params={"ok": "0"})
    stage.deliver(completed("old"))
    for run in ("a", "b"):
        stage.aml.add_run(run, experiment=EXPERIMENT, params={"ok": "1"})
        stage.deliver(completed(run))
    assert stage.only("old").state is State.HELD
    assert stage.only("b").reason is Reason.LIMIT
    replayed = steps.step(
        stage.only("old"), stage.clock.now(), "replayed", state=State.OPEN, ignore_gate=True
    )
    entry = stage.ledger.read(replayed.key)
    assert entry
    stage.ledger.schedule(stage.ledger.write(entry, replayed).continuation)
    stage.reconcile(minutes=3)
    for _ in range(3):
        next_hour(stage)
        stage.reconcile()
    assert started(stage) == ["a", "b", "old"]


# cost


def test_a_backlog_behind_a_limit_is_not_read_again(stage: Stage) -> None:
    deliver(stage, *(f"r{n}" for n in range(40)))
    before, rows = reads(stage), counting(stage)
    stage.reconcile(minutes=1)
    rows.spent()
    for _ in range(5):
        next_hour(stage)
        for _ in range(10):
            stage.reconcile(minutes=1)
    assert started(stage) == [f"r{n}" for n in range(6)]
    assert reads(stage) - before == 5
    assert rows.rows["open"] <= 50 * (40 + 2) + 5 * 45  # what is counted each round, and five calls
    assert rows.calls["get"] <= 50 + 5 * 15 + 3 * 40  # the limit's row; starts; every two hours


def test_a_full_limit_costs_one_request_a_round(stage: Stage) -> None:
    deliver(stage, "a")
    stage.devops.finish(stage.devops.runs[0].id)
    rows = counting(stage)
    for minutes in (3, 5, 1):
        stage.reconcile(minutes=minutes)
    assert stage.only("a").ended
    rows.spent()
    stage.reconcile(minutes=1)
    idle = rows.spent()
    deliver(stage, "b")
    stage.reconcile(minutes=1)
    rows.spent()
    stage.reconcile(minutes=1)
    assert rows.spent() == idle + 1


def test_nine_thousand_behind_one_limit_hold_back_nobody_else(stage: Stage) -> None:
    stage.routes(ONE + OTHER)
    stage.deploy()
    stage.devops.add_pipeline("contoso", "mlops", 7, "other", parameters={"run_id": TEXT})
    deliver(stage, "first")
    now = stage.clock.now()
    waiting(stage, 9000, now - 2 * DAY)
    event = parsing.parse(completed("late", experimentName="other-x"))
    stage.aml.add_run("late", experiment="other-x")
    stage.ledger.claim(steps.opened(event.key("other"), event, now, timedelta(0)))
    rows = counting(stage)
    stage.reconcile(minutes=3)
    assert started(stage) == ["first", "late"]
    assert reads(stage) == 2
    assert rows.calls["get"] < 20
    stage.aml.add_run("w0", experiment=EXPERIMENT)
    next_hour(stage)
    stage.reconcile()
    assert started(stage) == ["first", "late", "w0"]


def test_a_paused_app_reads_no_run_again_and_goes_on_in_order_of_claim(stage: Stage) -> None:
    stage.routes(ROUTES)
    stage.deploy(PAUSED="1")
    runs = [f"r{n}" for n in range(8)]
    deliver(stage, *runs)
    before = reads(stage)
    for _ in range(24):
        stage.reconcile(minutes=31)
    assert (reads(stage), stage.only("r0").reason) == (before, Reason.PAUSED)
    stage.deploy(PAUSED="0")
    stage.reconcile(seconds=1)
    assert sorted(started(stage)) == runs


def test_who_waits_is_looked_after_now_and_then_and_not_read_from_aml(stage: Stage) -> None:
    deliver(stage, "first")
    waiting(stage, 5, stage.clock.now())
    stage.use_up("register", "%Y-%m-%dT%H", hours=1)
    before, rows = reads(stage), counting(stage)
    stage.clock.forward(days=9, minutes=1)
    for _ in range(2):
        stage.use_up("register", "%Y-%m-%dT%H", hours=1)
        stage.reconcile(minutes=1)
    # once which workspaces, files and rounds are known; and a look at what the first has started
    assert rows.calls["get"] <= 5 + 10 + 3 + 1
    assert (reads(stage), len(started(stage))) == (before, 1)
