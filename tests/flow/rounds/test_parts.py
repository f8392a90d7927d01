"""Rounds in parts: a message that is lost, doubled or late costs time, and starts nothing twice."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from functions.core.rounds.parts import working
from functions.core.rounds.parts.message import read
from functions.core.terms.errors import LedgerUnavailable
from functions.core.terms.words import State
from tests.flow.asking import EXPERIMENT
from tests.ledger.counted import counted
from tests.saying.wrapped import Wrapped
from tests.stage.azure import completed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stage.azure import Stage

OF = 4
RUNS = [f"r{n}" for n in range(8)]


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


def in_parts(stage: Stage, **ports: Any) -> None:
    """A process of an app whose schedule has so many parts."""
    stage.read = replace(stage.read, policy=replace(stage.read.policy, parts=OF))
    stage.build(**ports)


@pytest.fixture
def parked(stage: Stage) -> Stage:
    """Runs whose pipelines may start now, if anybody looks after them."""
    stage.deploy(PAUSED="1")
    for run in RUNS:
        stage.aml.add_run(run, experiment=EXPERIMENT)
        stage.deliver(completed(run))
    stage.deploy(PAUSED="0")
    for run in RUNS:  # as somebody does who wants them tried at once
        c = replace(stage.only(run), waits_on="", due_at=stage.clock.now())
        entry = stage.ledger.read(c.key)
        assert entry
        stage.ledger.write(entry, c)
        stage.ledger.schedule(c)
    in_parts(stage)
    return stage


def messages(stage: Stage) -> list[str]:
    return stage.app.reconciler.parts.messages(OF)


def work(stage: Stage, *texts: str) -> None:
    for text in texts:
        stage.app.reconciler.parts.work(text)


def once_each(stage: Stage) -> bool:
    return sorted(stage.started()) == sorted((42, run) for run in RUNS)


def part_of(stage: Stage, run: str) -> int:
    return int(stage.only(run).key.run_hash[:4], 16) * OF // 0x10000


def told(caplog: pytest.LogCaptureFixture, what: str) -> list[str]:
    return [line for line in caplog.messages if line.startswith(f"part={what}")]


def test_there_is_a_message_for_each_part_that_has_work_and_each_starts_its_own(
    parked: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    put = messages(parked)
    asked = [json.loads(text) for text in put]
    assert {a["part"] for a in asked} == {part_of(parked, run) for run in RUNS}
    for text, one in zip(put, asked, strict=True):
        before = {run for _, run in parked.started()}
        work(parked, text)
        own = {run for run in RUNS if part_of(parked, run) == one["part"]}
        assert {run for _, run in parked.started()} - before == own
    assert once_each(parked)
    assert len(told(caplog, "done")) == len(put)
    parked.clock.forward(minutes=10)
    work(parked, *messages(parked))  # what has ended leaves the schedule
    assert messages(parked) == []
    assert {parked.only(run).state for run in RUNS} == {State.STARTED}


def test_the_timers_round_leaves_to_parts_what_they_may_still_take_up(parked: Stage) -> None:
    parked.reconcile()
    assert parked.started() == []
    parked.reconcile(minutes=1)
    assert parked.started() == []


def test_where_no_message_is_taken_the_timers_round_takes_it_up_in_the_end(parked: Stage) -> None:
    messages(parked)
    parked.reconcile(seconds=working.LEFT_TO_PARTS.total_seconds() + 1)
    assert once_each(parked)


def test_a_round_by_hand_and_one_beside_a_delivery_leave_nothing_to_parts(parked: Stage) -> None:
    from functions.core.rounds import bounds  # noqa: PLC0415 - for this test
    from functions.core.rounds.watch import By  # noqa: PLC0415 - the same

    parked.app.reconciler.round(bounds.whole(parked.clock), By.OPERATOR)
    assert once_each(parked)


def test_a_message_that_is_lost_is_put_again(parked: Stage) -> None:
    lost, again = messages(parked), messages(parked)
    assert len(lost) == len(again)
    work(parked, *again)
    assert once_each(parked)


def test_a_message_that_comes_twice_costs_one_request(parked: Stage) -> None:
    put = messages(parked)
    work(parked, *put)
    rows = counted(parked.ledger)
    in_parts(parked, ledger=rows.ledger)
    work(parked, *put)
    assert rows.spent() == len(put)
    assert once_each(parked)


def test_a_message_that_is_late_has_nothing_to_do_once_a_later_one_was_worked_off(
    parked: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    late = messages(parked)
    parked.clock.forward(minutes=1)
    work(parked, *messages(parked))
    parked.clock.forward(hours=9)
    caplog.clear()
    work(parked, *late)
    assert (len(told(caplog, "left")), told(caplog, "done")) == (len(late), [])
    assert once_each(parked)


def test_a_late_message_is_worked_off_where_no_other_was(parked: Stage) -> None:
    late = messages(parked)
    parked.clock.forward(hours=9)
    work(parked, *late)
    assert once_each(parked)


@pytest.mark.parametrize(
    "text",
    [
        *("", "no json", "[]", "null", "{}", "3", '"part"', '{"part": 1}'),
        '{"part": 4, "of": 4, "at": "2026-11-30T00:00:00Z"}',
        '{"part": -1, "of": 4, "at": "2026-11-30T00:00:00Z"}',
        '{"part": 0, "of": 65, "at": "2026-11-30T00:00:00Z"}',
        '{"part": true, "of": 4, "at": "2026-11-30T00:00:00Z"}',
        '{"part": 1.0, "of": 4, "at": "2026-11-30T00:00:00Z"}',
        '{"part": 1, "of": 4, "at": "yesterday"}',
        '{"part": 1, "of": 4, "at": null}',
    ],
)
def test_what_is_no_message_is_told_and_does_not_come_again(
    parked: Stage, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    work(parked, text)
    assert read(text) is None
    (line,) = told(caplog, "unknown")
    assert line
    assert parked.started() == []


def test_another_number_of_parts_leaves_no_message_and_no_row_behind(parked: Stage) -> None:
    put = parked.app.reconciler.parts.messages(16)
    work(parked, *put)  # of a version that divided otherwise
    assert once_each(parked)


class Failing(Wrapped):
    """A ledger that fails at every list, as in an outage."""

    def due(self, *_: object) -> Any:
        raise LedgerUnavailable("the table does not answer")


def test_a_message_that_failed_is_no_poison_and_its_part_is_worked_off_by_the_next(
    parked: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    in_parts(parked, ledger=Failing(parked.ledger))
    work(parked, *messages(parked))  # raises nothing, so that the host takes it for done
    assert told(caplog, "failed")
    assert parked.started() == []
    in_parts(parked)
    parked.clock.forward(seconds=1)
    work(parked, *messages(parked))
    assert once_each(parked)


class Killed(BaseException):
    """The process ends here."""


def dying(parked: Stage, at: str, times: int) -> None:
    """Work all parts off in processes that end at the n-th of these requests to the ledger."""
    for text in messages(parked):
        rows = counted(parked.ledger)
        calls = iter(range(times))

        def die(kind: str, *_: object, left: Any = calls) -> None:
            if kind == at and next(left, None) is None:
                raise Killed

        rows.before = die
        in_parts(parked, ledger=rows.ledger)
        with pytest.raises(Killed):
            work(parked, text)


@pytest.mark.parametrize(("at", "times"), [("find", 0), ("replace", 0), ("insert", 0), ("get", 2)])
def test_a_process_that_dies_in_the_middle_leaves_its_part_to_a_later_message(
    parked: Stage, at: str, times: int
) -> None:
    dying(parked, at, times)
    in_parts(parked)
    for _ in range(3):
        parked.clock.forward(seconds=working.LEASE.total_seconds() / 2 + 1)
        work(parked, *messages(parked))
    assert once_each(parked)


def meanwhile(parked: Stage, act: Callable[[], object]) -> None:
    """Have this happen once, in the middle of the first part that is worked off."""
    once = iter([act])

    class Listing(Wrapped):
        def due(self, *given: Any) -> Any:
            found = self.real.due(*given)
            for happens in once:
                happens()
            return found

    in_parts(parked, ledger=Listing(parked.ledger))


def test_a_part_at_work_is_left_to_who_works_at_it(
    parked: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    first, *others = messages(parked)
    parked.clock.forward(seconds=1)
    (again, *_) = messages(parked)
    meanwhile(parked, lambda: work(parked, again))
    work(parked, first)
    assert len(told(caplog, "left")) == 1
    work(parked, *others)
    assert once_each(parked)


def test_the_timers_round_and_a_part_at_once_start_each_once(parked: Stage) -> None:
    put = messages(parked)
    parked.clock.forward(minutes=9)
    meanwhile(parked, parked.app.reconciler.reconcile)
    work(parked, *put)
    assert once_each(parked)


@pytest.mark.parametrize("what", ["lease", "at"])
def test_what_a_wrong_clock_wrote_holds_nobody_for_ever(parked: Stage, what: str) -> None:
    put = messages(parked)
    for text in put:
        asked = read(text)
        assert asked
        row = parked.ledger.shared(f"part/{asked.part.number}/{OF}")
        a_year = (parked.clock.now() + timedelta(days=365)).isoformat()
        parked.ledger.share(row, {what: a_year, "until": a_year})
    work(parked, *put)
    assert once_each(parked)


def test_a_part_costs_three_requests_and_its_list(stage: Stage) -> None:
    in_parts(stage)
    rows = counted(stage.ledger)
    in_parts(stage, ledger=rows.ledger)
    at = stage.clock.now().isoformat()
    work(stage, json.dumps({"part": 1, "of": OF, "at": at}))
    assert rows.spent() == 4
