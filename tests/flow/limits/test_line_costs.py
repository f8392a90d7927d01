"""What waits in thousands is not listed each round, nor called while nothing can be sent."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from functions.core.events import parsing
from functions.core.ledger.places import OPEN
from functions.core.limits.admission import Admission
from functions.core.starts import steps
from functions.core.terms.policy import Policy
from functions.core.terms.reasons import Reason
from tests.flow.asking import EXPERIMENT
from tests.flow.limits.test_lines import counting, next_hour, reads, waiting
from tests.flow.limits.test_places import deliver, started
from tests.flow.limits.test_places import stage as stage  # noqa: PLC0414 - a fixture
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

ACCOUNT = Admission.account("contoso", "azure-devops-pat")


def parked(stage: Stage, many: int) -> None:
    """So many wait for an account that is left alone for an hour."""
    now = stage.clock.now()
    later = now + timedelta(hours=1)
    Admission(stage.ports, Policy()).slow_down(ACCOUNT, 3600)
    for n in range(many):
        event = parsing.parse(completed(f"p{n}"))
        c = steps.opened(event.key("register"), event, now, timedelta(0))
        stage.ledger.claim(steps.parked(c, now, Reason.THROTTLED, "", later, ACCOUNT))


def test_who_waits_for_an_account_that_is_left_alone_is_not_listed_each_round(
    stage: Stage,
) -> None:
    parked(stage, 1500)
    rows = counting(stage)
    stage.reconcile(seconds=1)
    rows.spent()
    stage.reconcile(minutes=1)
    assert rows.rows[OPEN] <= 1500 + 5  # what is counted as open, and one that waits


def test_a_line_of_many_costs_next_to_nothing_in_the_hours_in_which_few_of_it_may_go(
    stage: Stage,
) -> None:
    deliver(stage, "first")
    stage.devops.finish(stage.devops.runs[0].id)
    many, days = 300, 8
    waiting(stage, many, stage.clock.now() - timedelta(days=days))
    rows = counting(stage)
    stage.use_up("register", "%Y-%m-%dT%H", hours=1)
    stage.clock.forward(days=9)  # whenever each was to be looked after, it is now
    for _ in range(3):
        stage.use_up("register", "%Y-%m-%dT%H", hours=1)
        stage.reconcile(minutes=1)
    before = reads(stage)
    rows.spent()
    spent = looked = 0
    for _ in range(28):  # two weeks, half a day at a time
        stage.clock.forward(hours=12)
        stage.use_up("register", "%Y-%m-%dT%H", hours=1)
        stage.reconcile()
        looked += rows.calls["put"]
        spent += rows.spent()
    assert many <= looked <= 1.4 * many + 30  # each once in two weeks, some twice
    assert spent <= 2 * looked + 28 * 15
    assert reads(stage) == before


def test_a_line_is_not_called_while_its_account_is_left_alone(stage: Stage) -> None:
    deliver(stage, "first")
    waiting(stage, 20, stage.clock.now())
    for n in range(20):
        stage.aml.add_run(f"w{n}", experiment=EXPERIMENT)
    next_hour(stage)
    Admission(stage.ports, Policy()).slow_down(ACCOUNT, 1800)
    before = reads(stage)
    for _ in range(5):
        stage.reconcile(minutes=1)
    assert (reads(stage), started(stage)) == (before, ["first"])
    assert stage.only("w0").reason is Reason.LIMIT
    stage.reconcile(minutes=30)
    assert started(stage) == ["first", "w0"]


def test_what_is_more_than_a_round_counts_is_counted_again_after_ten_minutes(
    stage: Stage,
) -> None:
    waiting(stage, 5200, stage.clock.now() - timedelta(days=1))
    stage.use_up("register", "%Y-%m-%dT%H", hours=1)
    rows = counting(stage)
    stage.reconcile(seconds=1)
    assert rows.rows[OPEN] >= 5000
    rows.spent()
    for _ in range(8):
        stage.reconcile(minutes=1)
        assert rows.rows[OPEN] < 100
        rows.spent()
    stage.reconcile(minutes=3)
    assert rows.rows[OPEN] >= 5000
