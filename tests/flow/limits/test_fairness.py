"""One route, one organization or a full inbox leaves room for what else is due in a round."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.events import parsing
from functions.core.kept.letter import Letter
from functions.core.ledger.places import INBOX, MOST_SORTED
from functions.core.rounds.bounds import MOST_AT_ONCE
from functions.core.rounds.watch import By
from functions.core.starts import steps
from functions.core.terms.errors import LedgerUnavailable, Retryable
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Key
from functions.core.terms.words import Outcome, State
from local.cloud import TEXT, WORKSPACE
from local.serving.faults import Fault
from tests.ledger.counted import counted
from tests.ledger.stores import claimed
from tests.saying.refusals import says
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES, completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

OTHERS = """
  - name: other
    match: {experiment: "other-*"}
    start: {organization: fabrikam, pipeline: 7, parameters: {run_id: "{{ run.id }}"}}
"""
MANY = MOST_AT_ONCE + 20
FEW = 5


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.routes(ROUTES + OTHERS)
    stage.deploy()
    stage.devops.add_pipeline("fabrikam", "mlops", 7, "other", parameters={"run_id": TEXT})
    return stage


def delivered(stage: Stage, count: int, of: str) -> None:
    for n in range(count):
        stage.aml.add_run(f"{of}{n}", experiment=f"{of}-x")
        stage.deliver(completed(f"{of}{n}", experimentName=f"{of}-x"))


def others_wait(stage: Stage) -> None:
    """So many of the other organization are due a minute from now, later than all before."""
    stage.aml.server.faults.add(Fault(path="*/runs/get", status=500, times=2 * FEW))
    delivered(stage, FEW, "other")
    assert [stage.only(f"other{n}").reason for n in range(FEW)] == [Reason.RUN_UNREADABLE] * FEW


def others_started(stage: Stage) -> int:
    return sum(stage.only(f"other{n}").state is State.STARTED for n in range(FEW))


def test_a_throttled_organization_leaves_a_round_to_the_others(stage: Stage) -> None:
    stage.devops.throttle(1, retry_after=40)
    delivered(stage, MANY, "defect")
    assert stage.only(f"defect{MANY - 1}").reason is Reason.THROTTLED
    others_wait(stage)
    slow = says(429, path="/contoso/*", after="600", times=MANY)
    stage.devops.server.faults.add(slow)
    stage.reconcile(seconds=90)
    assert others_started(stage) == FEW


def test_what_waits_for_a_throttled_organization_is_not_read_again_in_vain(stage: Stage) -> None:
    stage.devops.throttle(1, retry_after=40)
    delivered(stage, MANY, "defect")
    reads = len(stage.aml.server.requests)
    stage.devops.throttle(1, retry_after=600)
    stage.reconcile(seconds=60)
    assert len(stage.aml.server.requests) - reads < MOST_AT_ONCE / 2
    stage.reconcile(minutes=11)
    stage.reconcile(minutes=2)
    assert len(stage.started()) == MANY


def test_a_full_limit_leaves_a_round_to_other_routes(stage: Stage) -> None:
    limited = ROUTES.replace("name: register", "name: register\n    limit: 1/h")
    stage.routes(limited + OTHERS)
    stage.deploy()
    stage.mid_hour()
    delivered(stage, MANY, "defect")
    stage.clock.forward(minutes=31)  # these are due now
    stage.app.watch.ended(By.TIMER)  # just before
    others_wait(stage)
    stage.reconcile(minutes=2)
    assert others_started(stage) == FEW


def fail(stage: Stage, many: int) -> None:
    """So many of one route are due, and fail whenever they are tried."""
    now = stage.clock.now()
    stage.build(runs=Only(stage.ports.runs, "defect"))
    told = (completed(f"defect{n}", experimentName="defect-x") for n in range(many))
    events = (parsing.parse(event) for event in told)
    new = (steps.opened(e.key("register"), e, now, timedelta(0)) for e in events)
    claimed(stage.read.ledger_file, new)


def last(n: int) -> str:
    """A run that comes after nearly all others in the schedule."""
    keys = (Key(WORKSPACE.lower(), f"other{m}", Outcome.COMPLETED, "other") for m in count(n))
    return next(key.run for key in keys if key.run_hash > "fc")


def test_thousands_of_one_route_that_fail_again_and_again_do_not_hide_another_route(
    stage: Stage,
) -> None:
    """They come due again faster than a round can try them."""
    fail(stage, MOST_SORTED + 1500)
    for n in range(3):
        run = last(1000 * n)
        stage.aml.add_run(run, experiment="other-x")
        event = parsing.parse(completed(run, experimentName="other-x"))
        new = steps.opened(event.key("other"), event, stage.clock.now(), timedelta(0))
        stage.ledger.claim(new)
    for _ in range(5):
        stage.reconcile(minutes=1)
    assert len(stage.started()) == 3


class Only(Wrapped):
    """AML, which answers nothing about runs whose names begin so."""

    def __init__(self, real: Any, names: str) -> None:
        super().__init__(real)
        self._names = names

    def read(self, workspace: Any, run: str, deadline: Any) -> Any:
        if run.startswith(self._names):
            raise Retryable(Reason.RUN_UNREADABLE, "no answer")
        return self.real.read(workspace, run, deadline)


class SlowRuns(Wrapped):
    """AML, which takes so long for each run of the inbox that these alone could fill a round."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.ports.runs)
        self._clock = stage.clock

    def read(self, workspace: Any, run: str, deadline: Any) -> Any:
        if run.startswith("defect"):
            self._clock.forward(seconds=15)
        return self.real.read(workspace, run, deadline)


def test_a_full_inbox_leaves_time_for_what_is_due(stage: Stage) -> None:
    others_wait(stage)
    stage.routes("not: routes")
    stage.deploy()
    delivered(stage, 20, "defect")
    stage.routes(ROUTES + OTHERS)
    stage.deploy()
    stage.build(runs=SlowRuns(stage))
    stage.reconcile(seconds=90)
    assert others_started(stage) > 0
    assert stage.ledger.letters(99)


def letters(stage: Stage, count: int) -> None:
    for n in range(count):
        event = parsing.parse(completed(f"r{n}", experimentName="no route wants it"))
        stage.ledger.keep(Letter.of(event, stage.clock.now()))


def test_a_long_inbox_is_not_read_whole_in_each_round(stage: Stage) -> None:
    letters(stage, 450)
    rows = counted(stage.ledger)
    stage.build(ledger=rows.ledger)
    for _ in range(5):
        stage.reconcile(minutes=1)
    counted_left = 350 + 250 + 150 + 50  # how many there are, of what is left after a round
    assert rows.rows[INBOX] <= 450 + 5 + counted_left
    assert stage.ledger.letters(9) == []


class Stuck(Wrapped):
    """A ledger that cannot take these letters out of the inbox."""

    def __init__(self, real: Any, stuck: set[str]) -> None:
        super().__init__(real)
        self._stuck = stuck

    def discard(self, letter_id: str) -> None:
        if letter_id in self._stuck:
            raise LedgerUnavailable("too busy")
        self.real.discard(letter_id)


def test_letters_that_cannot_be_taken_out_leave_the_others_their_turn(stage: Stage) -> None:
    letters(stage, 350)
    first = {letter.id for letter in stage.ledger.letters(MOST_AT_ONCE + 50)}
    stage.build(ledger=Stuck(stage.ledger, first))
    for _ in range(4):
        stage.reconcile(minutes=1)
    assert {letter.id for letter in stage.ledger.letters(999)} == first
    stage.build()
    for _ in range(2):
        stage.reconcile(minutes=1)
    assert stage.ledger.letters(9) == []
