"""Who waits for a group is called by any round, whatever else waits, and keeps no round busy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from functions.core.ledger import records
from functions.core.ledger.places import MOST_SORTED, OPEN
from functions.core.limits.admission import Admission
from functions.core.ports.ledger import Place
from functions.core.rounds import bounds
from functions.core.rounds.watch import By
from functions.core.terms.deadline import Deadline
from functions.core.terms.pipelines import Sender
from functions.core.terms.reasons import Reason
from tests.conftest import PAT
from tests.flow.limits.groups import (
    TEAMS,
    failed,
    finish,
    one_at_a_time,  # noqa: F401 - the fixture
    rounds,
    started,
    trained,
)
from tests.flow.rounds.test_parts import OF, in_parts
from tests.ledger.counted import counted
from tests.saying.refusals import says
from tests.saying.wrapped import Wrapped

if TYPE_CHECKING:
    from tests.stage.azure import Stage


def test_a_secret_that_is_refused_holds_nobody_back_who_has_another(stage: Stage) -> None:
    stage.routes(TEAMS)
    stage.cloud.vault.put("theirs", PAT)
    stage.deploy()
    trained(stage, "a", "b")
    failed(stage, "c")
    failed(stage, "d", model="cracks")
    finish(stage, "a")
    secret = stage.read.policy.secret
    sender = Sender("contoso", secret)
    version = stage.ports.credentials.read(sender, Deadline(stage.clock, 9)).version
    Admission(stage.ports, stage.read.policy).block(
        Admission.account("contoso", secret), secret, version, "401"
    )
    stage.deploy()
    rounds(stage)
    assert started(stage) == ["a", "d", "c"]
    failed(stage, "e")  # who comes new lines up behind it, and is called as well
    finish(stage, "c")
    rounds(stage)
    assert stage.only("b").reason is Reason.CONCURRENCY
    assert started(stage) == ["a", "d", "c", "e"]
    finish(stage, "e")
    rounds(stage, 15)
    assert started(stage) == ["a", "d", "c", "e", "b"]


def test_a_round_from_outside_calls_too(stage: Stage) -> None:
    """Each is a process of its own, as where the host's timers have stopped."""
    trained(stage, "a", "b")
    finish(stage, "a")
    stage.deploy()
    stage.clock.forward(minutes=3)
    stage.app.reconciler.round(bounds.whole(stage.clock), By.OPERATOR)
    assert started(stage) == ["a", "b"]


def test_a_process_that_counted_long_ago_does_not_believe_that_nobody_waits(stage: Stage) -> None:
    stage.reconcile()
    other = stage.app
    stage.build()
    trained(stage, "a", "b")
    finish(stage, "a")
    stage.clock.forward(minutes=30)
    other.reconciler.reconcile()
    assert started(stage) == ["a", "b"]


def test_a_line_of_thousands_hides_no_group(stage: Stage) -> None:
    trained(stage, "a", "b")
    waits = stage.only("b")
    another = replace(waits, waits_on="limit/other", key=replace(waits.key, route="other"))
    rows, row = counted(stage.ledger).real, records.schedule_row(another)
    for n in range(MOST_SORTED + 1):  # before it in the schedule, and more than are counted
        rows.put(Place(OPEN, f"0000_{n}"), row)
    finish(stage, "a")
    rounds(stage)
    assert started(stage) == ["a", "b"]


class Slow(Wrapped):
    """A ledger in which it takes half a minute to list a line."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.ledger)
        self._clock = stage.clock

    def waiting_on(self, *given: Any) -> Any:
        self._clock.forward(seconds=30)
        return self.real.waiting_on(*given)


def test_many_groups_leave_time_for_what_is_due_and_are_asked_in_turn(stage: Stage) -> None:
    names = [f"model-{n}" for n in range(9)]
    for name in names:
        trained(stage, f"{name}-first", f"{name}-next", model=name)
    for build in stage.devops.runs:
        stage.devops.finish(build.id, "succeeded")
    while not all(stage.only(f"{name}-first").ended for name in names):
        stage.reconcile(seconds=61)
    stage.devops.server.faults.add(says(429))
    trained(stage, "due", model="another")
    stage.clock.forward(hours=1)
    stage.build(ledger=Slow(stage))
    stage.reconcile()
    assert "due" in started(stage)
    assert len(started(stage)) < 2 * len(names)
    rounds(stage, 3)
    assert len(started(stage)) == 2 * len(names) + 1


def test_an_instance_that_works_parts_off_leaves_who_waits_to_be_called(stage: Stage) -> None:
    trained(stage, "a", "b")
    stage.reconcile(minutes=1)
    in_parts(stage)
    stage.clock.forward(hours=2)
    asked = len(stage.aml.server.requests)
    for text in stage.app.reconciler.parts.messages(OF):
        stage.app.reconciler.parts.work(text)
    waits = stage.only("b")
    assert (waits.attempts, len(stage.aml.server.requests)) == (0, asked)
    assert stage.ledger.waiting_on(waits.waits_on, 9) == [waits.key]
    assert stage.app.reconciler.parts.messages(OF) == []
