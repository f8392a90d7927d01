"""Lists of continuations: few requests, and only what a list shows."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from functions.core.kept.continuation import Step
from functions.core.kept.summary import Summary
from functions.core.ledger import records
from functions.core.terms.words import State
from tests.ledger import samples
from tests.ledger.samples import LEASE, NOON, key, opened, started

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger
    from tests.ledger.stores import Store

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return store.ledger()


def ended(ledger: Ledger, c: Continuation) -> Continuation:
    ledger.write(ledger.claim(c).entry, c)
    ledger.retire(c.key)
    return c


def test_nothing_is_listed_before_anything_was_claimed(ledger: Ledger) -> None:
    assert list(ledger.listed(NOON, 10)) == []


def test_an_open_one_is_listed_as_it_was_scheduled(ledger: Ledger) -> None:
    parked = opened(detail="401", attempts=3, event=samples.event(experiment="churn"))
    ledger.schedule(parked)
    (found,) = ledger.listed(NOON, 10)
    assert found == Summary.of(parked)
    assert (found.detail, found.attempts, found.experiment) == ("401", 3, "churn")


def test_a_started_one_is_listed_with_its_pipeline_run_and_latency(ledger: Ledger) -> None:
    step = Step(NOON + timedelta(seconds=41), "started")
    c = started(opened(history=(step,), url="https://dev.azure.com/x"), 77)
    ended(ledger, c)
    (found,) = ledger.listed(NOON, 10)
    assert found == Summary.of(c)
    assert (found.pipeline_run, found.url, found.latency) == (77, "https://dev.azure.com/x", 41)


def test_all_open_ones_are_listed_and_the_newest_of_the_others(ledger: Ledger) -> None:
    for n in range(4):
        ledger.claim(opened(f"open-{n}", at=NOON - 300 * DAY + n * HOUR))
        ended(ledger, started(opened(f"ended-{n}", at=NOON + n * HOUR)))
    found = [one.key.run for one in ledger.listed(NOON, 2)]
    assert found == ["ended-3", "ended-2", "open-3", "open-2", "open-1", "open-0"]
    later = [one.key.run for one in ledger.listed(NOON + 3 * HOUR, 9)]
    assert later == ["ended-3", "open-3", "open-2", "open-1", "open-0"]


def test_what_was_replayed_is_listed_once_and_open(ledger: Ledger) -> None:
    held = msgspec.structs.replace(opened(), state=State.HELD)
    ended(ledger, held)
    again = opened(updated_at=NOON + HOUR)
    entry = ledger.read(key())
    assert entry is not None
    ledger.write(entry, again)
    ledger.schedule(again)
    assert list(ledger.listed(NOON, 10)) == [Summary.of(again)]


def test_what_ended_while_it_left_the_schedule_is_listed_once_and_ended(
    ledger: Ledger,
) -> None:
    c = started(opened(updated_at=NOON + HOUR))
    ended(ledger, c)
    ledger.schedule(opened())  # as a process that died between the two left it
    assert list(ledger.listed(NOON, 10)) == [Summary.of(c)]


def test_more_than_a_page_of_them_is_listed(ledger: Ledger) -> None:
    for n in range(1100):
        ledger.schedule(opened(f"run-{n:04d}", at=NOON + n * HOUR))
    found = ledger.listed(NOON, 10)
    assert [one.key.run for one in found] == [f"run-{n:04d}" for n in reversed(range(1100))]


def test_a_schedule_that_an_earlier_version_wrote_is_listed_as_open() -> None:
    names = {"route", "run", "outcome", "workspace", "due_at", "created_at", "reason"}
    row = records.schedule_row(opened())
    old = {name: text for name, text in row.items() if name in names}
    found = records.listed_of(old)
    assert (found.key, found.state, found.due_at) == (key(), State.OPEN, NOON + LEASE)


def test_a_reason_of_a_later_version_is_listed_as_detail() -> None:
    row = {**records.schedule_row(opened()), "reason": "eclipse", "detail": "sun"}
    assert records.listed_of(row).detail == "eclipse: sun"


@given(samples.continuations)
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=50)
def test_every_continuation_can_be_listed(c: Continuation) -> None:
    for row in (records.schedule_row(c), records.continuation_row(c)):
        found = records.listed_of(row)
        assert (found.state, found.reason, found.attempts) == (c.state, c.reason, c.attempts)
        assert found.pipeline_run == (c.pipeline_run or None)


def test_those_of_one_route_are_listed_whatever_others_have(ledger: Ledger) -> None:
    ended(ledger, started(opened("r1")))
    ended(ledger, started(opened("r2", "register-all")))
    ledger.claim(opened("r3"))
    ledger.claim(opened("r4", "other"))
    runs = [one.key.run for one in ledger.listed(NOON - DAY, 10, "register")]
    assert sorted(runs) == ["r1", "r3"]
    assert [one.key.run for one in ledger.listed(NOON + DAY, 10, "register")] == ["r3"]
    assert list(ledger.listed(NOON - DAY, 10, "nobody")) == []
