"""Every promise of the port `Ledger`, kept by each of its adapters."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from functions.core.kept.continuation import REPLAYED, Step
from functions.core.kept.letter import Letter
from functions.core.kept.tasks import WaitState
from functions.core.ledger import places
from functions.core.ledger.records import time_text
from functions.core.ledger.rowschedule import key_of
from functions.core.ports.ledger import Entry, Shared
from functions.core.starts import steps
from functions.core.terms.errors import LedgerUnavailable, Lost, Permanent, Unreadable
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Key
from functions.core.terms.words import Outcome, State
from functions.core.texts.times import LEFT_OUT
from tests.ledger import samples
from tests.ledger.counted import counted
from tests.ledger.samples import HOSTILE, LEASE, NOON, WORKSPACE, key, letter, opened, started

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger
    from tests.ledger.stores import Store

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LATER = NOON + HOUR

T = TypeVar("T")


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return store.ledger()


def race(ledgers: list[Ledger], call: Callable[[Ledger, int], T]) -> list[T]:
    """The call made 40 times by 8 threads, each time with the next of the ledgers."""
    with ThreadPoolExecutor(8) as pool:
        turns = [ledgers[n % len(ledgers)] for n in range(40)]
        return list(pool.map(call, turns, range(40)))


def wrote(ledger: Ledger, entry: Entry, changed: Continuation) -> bool:
    try:
        ledger.write(entry, changed)
    except Lost:
        return False
    return True


def ended(ledger: Ledger, c: Continuation, *, retired: bool = True) -> Entry:
    entry = ledger.write(ledger.claim(c).entry, started(c))
    if retired:
        ledger.retire(entry.continuation.key)
    return entry


# claim


def test_the_first_claim_is_fresh_and_reads_back(ledger: Ledger) -> None:
    claim = ledger.claim(opened())
    assert claim.fresh
    assert ledger.read(key()) == claim.entry == Entry(opened(), claim.entry.version)


def test_a_second_claim_is_told_what_the_first_one_wrote(ledger: Ledger) -> None:
    first = ledger.claim(opened())
    second = ledger.claim(opened(at=LATER))
    assert not second.fresh
    assert second.entry == first.entry


def test_of_forty_callers_exactly_one_claims(store: Store) -> None:
    ledgers = [store.ledger(), store.ledger()]
    claims = race(ledgers, lambda ledger, n: ledger.claim(opened(at=NOON + n * HOUR)))
    assert sum(claim.fresh for claim in claims) == 1
    (fresh,) = (claim for claim in claims if claim.fresh)
    assert {claim.entry.continuation.created_at for claim in claims} == {
        fresh.entry.continuation.created_at
    }


def test_the_same_run_is_claimed_once_per_route_and_outcome(ledger: Ledger) -> None:
    each = [opened(), opened(route="other"), opened(outcome=Outcome.FAILED), opened(run="run-2")]
    assert all(ledger.claim(c).fresh for c in each)


def test_keys_that_differ_in_case_only_are_different(ledger: Ledger) -> None:
    assert ledger.claim(opened(run="Run-1")).fresh
    assert ledger.claim(opened(run="run-1")).fresh
    assert ledger.claim(opened(run="run-1", route="Register")).fresh


def test_a_claim_is_scheduled_for_the_end_of_its_lease(ledger: Ledger) -> None:
    ledger.claim(opened())
    assert list(ledger.due(NOON + LEASE - timedelta(microseconds=1), 10)) == []
    assert list(ledger.due(NOON + LEASE, 10)) == [key()]


def test_a_claim_whose_caller_died_before_scheduling_is_scheduled_by_the_next(
    store: Store,
) -> None:
    ledger = store.ledger()
    ledger.claim(opened())
    store.remove(places.scheduled(key()))
    assert list(ledger.due(LATER, 10)) == []
    assert not ledger.claim(opened()).fresh
    assert list(ledger.due(LATER, 10)) == [key()]


def test_a_claim_of_what_has_ended_schedules_nothing(ledger: Ledger) -> None:
    ended(ledger, opened())
    assert ledger.claim(opened()).entry.continuation.state is State.STARTED
    assert list(ledger.due(NOON + 400 * DAY, 10)) == []


def test_what_was_never_claimed_reads_as_nothing(ledger: Ledger) -> None:
    assert ledger.read(key()) is None
    assert ledger.of_run(key().workspace, "run-1") == []
    assert ledger.recent(NOON, 10) == []
    assert ledger.letters(10) == []
    assert list(ledger.due(LATER, 10)) == []
    assert list(ledger.waiting_on("x", 10)) == []


# write


def test_a_write_replaces_the_row_and_gives_the_next_version(ledger: Ledger) -> None:
    claimed = ledger.claim(opened()).entry
    written = ledger.write(claimed, started(opened()))
    assert written.version != claimed.version
    assert ledger.read(key()) == written == Entry(started(opened()), written.version)
    assert ledger.write(written, started(opened(), 8)) == ledger.read(key())


def test_a_write_clears_what_the_new_value_no_longer_has(ledger: Ledger) -> None:
    asked = opened(asked_at=NOON, request=samples.request(), detail="x", waits_on="y")
    entry = ledger.claim(asked).entry
    ledger.write(entry, opened())
    found = ledger.read(key())
    assert found is not None
    assert found.continuation == opened()


def test_a_write_with_a_version_that_has_passed_is_lost(ledger: Ledger) -> None:
    claimed = ledger.claim(opened()).entry
    ledger.write(claimed, started(opened()))
    with pytest.raises(Lost):
        ledger.write(claimed, opened(detail="late"))
    found = ledger.read(key())
    assert found is not None
    assert found.continuation == started(opened())


def test_a_write_of_what_was_never_claimed_is_lost(ledger: Ledger) -> None:
    other = ledger.claim(opened(run="other")).entry
    with pytest.raises(Lost):
        ledger.write(other, opened())
    assert ledger.read(key()) is None


def test_of_forty_writers_with_one_version_exactly_one_writes(store: Store) -> None:
    ledgers = [store.ledger(), store.ledger()]
    entry = ledgers[0].claim(opened()).entry
    outcomes = race(ledgers, lambda ledger, n: wrote(ledger, entry, started(opened(), n)))
    assert outcomes.count(True) == 1
    found = ledgers[1].read(key())
    assert found is not None
    assert found.continuation.pipeline_run == outcomes.index(True)


def test_a_request_too_large_to_keep_is_refused_and_nothing_is_written(ledger: Ledger) -> None:
    entry = ledger.claim(opened()).entry
    with pytest.raises(Permanent) as refused:
        ledger.write(entry, opened(request=samples.request("é" * 64_001)))
    assert refused.value.reason is Reason.TOO_LARGE
    assert ledger.read(key()) == entry


def test_a_request_as_large_as_allowed_is_kept_byte_for_byte(ledger: Ledger) -> None:
    asked = opened(request=samples.request('"' * 29_990 + "\\u0000\n缺"), asked_at=NOON)
    ledger.claim(asked)
    found = ledger.read(key())
    assert found is not None
    assert found.continuation.request == asked.request


def test_a_claim_too_large_to_keep_is_refused_and_nothing_is_written(ledger: Ledger) -> None:
    with pytest.raises(Permanent) as refused:
        ledger.claim(opened(waits_on="x" * 64_001))
    assert refused.value.reason is Reason.TOO_LARGE
    assert ledger.read(key()) is None


def test_of_many_tags_whole_ones_are_kept_the_short_ones_first(ledger: Ledger) -> None:
    tags = {"log": "é" * 11_000, "notes": "x" * 5000, "stage": "production", "more": "y" * 6900}
    new = opened()
    ledger.claim(msgspec.structs.replace(new, event=samples.event(tags=tags, properties=tags)))
    found = ledger.read(key())
    assert found is not None
    kept = tags | {"log": LEFT_OUT}
    assert found.continuation.event.tags == kept
    assert found.continuation.event.properties == kept


def test_an_event_that_does_not_tell_its_tags_is_not_one_without_tags(ledger: Ledger) -> None:
    for run, tags in (("silent", None), ("none", {})):
        ledger.claim(msgspec.structs.replace(opened(run), event=samples.event(run=run, tags=tags)))
        found = ledger.read(key(run))
        assert found is not None
        assert found.continuation.event.tags == tags


# round trip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(c=samples.continuations)
def test_every_field_comes_back_as_it_was(ledger: Ledger, c: Continuation) -> None:
    entry = ledger.claim(c).entry
    ledger.write(entry, c)
    found = ledger.read(c.key)
    assert found is not None
    assert found.continuation == c
    assert c in ledger.of_run(c.key.workspace, c.key.run)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_is_too_strange_for_any_part_of_the_ledger(ledger: Ledger, text: str) -> None:
    c = opened(run=text, route=text, waits_on=text, detail=text, url=text)
    assert ledger.claim(c).fresh
    assert not ledger.claim(c).fresh
    assert [*ledger.due(LATER, 10)] == [*ledger.waiting_on(text, 10)] == [c.key]
    assert ledger.of_run(c.key.workspace, text) == ledger.recent(NOON, 10) == [c]
    ledger.keep(letter(text))
    assert ledger.letters(10) == [letter(text)]
    ledger.discard(text)
    assert ledger.letters(10) == []
    row = ledger.share(Shared(text, {}, None), {"text": text})
    assert ledger.shared(text) == row == Shared(text, {"text": text}, row.version)
    ended = ledger.write(ledger.claim(c).entry, started(c)).continuation
    ledger.retire(ended.key)
    assert ledger.recent(NOON, 10) == [ended]
    assert [*ledger.due(LATER, 10)] == []


def test_tags_that_are_no_unicode_text_are_kept(ledger: Ledger) -> None:
    c = opened(event=samples.event(tags={"\ud800": "\udfff \ufffe \x80 \x00"}))
    ledger.claim(c)
    assert ledger.of_run(WORKSPACE.id.lower(), "run-1") == [c]


def test_long_routes_that_begin_alike_stay_apart(ledger: Ledger) -> None:
    routes = ["r" * 400 + "a", "r" * 400 + "b"]
    assert all(ledger.claim(opened(route=route)).fresh for route in routes)
    assert [c.key.route for c in ledger.of_run(key().workspace, "run-1")] == routes


# schedule


def test_the_longest_waiting_are_due_first(ledger: Ledger) -> None:
    for n in (3, 1, 4, 2):
        ledger.claim(opened(f"run-{n}", at=NOON + n * HOUR))
    due = ledger.due(NOON + 3 * HOUR + LEASE, 10)
    assert [k.run for k in due] == ["run-1", "run-2", "run-3"]
    assert [k.run for k in ledger.due(NOON + DAY, 2)] == ["run-1", "run-2"]


def test_what_is_due_can_be_read_from_any_place_of_the_schedule(ledger: Any) -> None:
    for n in range(20):
        ledger.schedule(opened(f"run-{n}", due_at=NOON if n % 2 else LATER))
    rows, due = ledger._rows(), ("open", "", time_text(NOON), "due_at")  # noqa: SLF001 - its store
    keys = [places.scheduled(key_of(stored.row)).key for stored in rows.find(*due)]
    assert len(keys) == 10
    for n, begin in enumerate(keys):
        found = [key_of(stored.row) for stored in rows.find(*due, within=(begin, ""))]
        assert [places.scheduled(key).key for key in found] == keys[n:]


def test_times_with_and_without_fractions_sort_as_times_do(ledger: Ledger) -> None:
    for microseconds in (1, 100_000, 0, 999_999):
        at = NOON.replace(microsecond=microseconds)
        ledger.schedule(opened(f"{microseconds}", due_at=at))
    assert [k.run for k in ledger.due(LATER, 10)] == ["0", "1", "100000", "999999"]


def test_what_is_scheduled_again_is_due_at_the_new_time_only(ledger: Ledger) -> None:
    ledger.claim(opened())
    ledger.schedule(opened(due_at=LATER))
    assert list(ledger.due(LATER - timedelta(seconds=1), 10)) == []
    assert list(ledger.due(LATER, 10)) == [key()]


def test_a_write_alone_does_not_change_the_schedule(ledger: Ledger) -> None:
    entry = ledger.claim(opened()).entry
    ledger.write(entry, opened(due_at=LATER))
    assert list(ledger.due(NOON + LEASE, 10)) == [key()]


def test_a_started_continuation_is_due_when_to_look_again(ledger: Ledger) -> None:
    ledger.schedule(msgspec.structs.replace(started(opened()), recheck_at=LATER))
    assert list(ledger.due(LATER - timedelta(seconds=1), 10)) == []
    assert list(ledger.due(LATER, 10)) == [key()]


def test_what_waits_on_a_shared_row_is_found_by_its_name(ledger: Ledger) -> None:
    for run, name in (("a", "contoso"), ("b", "fabrikam"), ("c", "contoso"), ("d", "")):
        ledger.schedule(opened(run, waits_on=name))
    assert sorted(k.run for k in ledger.waiting_on("contoso", 10)) == ["a", "c"]
    assert len(ledger.waiting_on("contoso", 1)) == 1
    assert list(ledger.waiting_on("con", 10)) == []
    ledger.schedule(opened("a"))
    assert [k.run for k in ledger.waiting_on("contoso", 10)] == ["c"]


def test_who_waits_comes_in_the_order_of_claim_whatever_is_due_first(ledger: Ledger) -> None:
    for run, hours in (("b", 2), ("c", 3), ("a", 1)):
        due = LATER - hours * HOUR
        ledger.schedule(opened(run, at=NOON + hours * HOUR, due_at=due, waits_on="paused"))
    assert [k.run for k in ledger.waiting_on("paused", 2)] == ["a", "b"]
    replayed = opened("a", at=NOON + HOUR, waits_on="paused", history=(Step(NOON + DAY, REPLAYED),))
    ledger.schedule(replayed)
    assert [k.run for k in ledger.waiting_on("paused", 9)] == ["b", "c", "a"]


def test_it_is_told_whether_another_waits(ledger: Ledger) -> None:
    assert not ledger.is_awaited("paused", key("a"))
    ledger.schedule(opened("a", waits_on="paused"))
    assert not ledger.is_awaited("paused", key("a"))
    assert ledger.is_awaited("paused", key("b"))
    ledger.schedule(opened("b", waits_on="paused"))
    assert ledger.is_awaited("paused", key("a"))


def test_what_is_waited_for_is_told_by_how_it_begins(ledger: Ledger) -> None:
    names = ("group/a", "group/Prüfung ~1", "limit/group", "groupies", "")
    for n, name in enumerate((*names, *names)):
        ledger.schedule(opened(f"run-{n}", waits_on=name))
    assert {*ledger.awaited("group/")} == {"group/a", "group/Prüfung ~1"}
    assert {*ledger.awaited("paused")} == set()


def test_a_key_too_long_for_a_column_is_found_in_a_line(ledger: Ledger) -> None:
    run = "r" * 20_000
    ledger.schedule(opened(run, waits_on="paused"))
    assert [k.run for k in ledger.waiting_on("paused", 2)] == [run]


def test_what_is_put_off_waits_no_more_where_that_is_wanted(ledger: Ledger) -> None:
    ledger.claim(opened(waits_on="paused"))
    ledger.put_off(key(), NOON + DAY)
    assert list(ledger.waiting_on("paused", 9)) == [key()]
    ledger.put_off(key(), NOON + DAY, waits=False)
    assert list(ledger.waiting_on("paused", 9)) == []
    assert list(ledger.due(NOON + DAY, 9)) == [key()]


# retire


def test_what_is_retired_is_no_longer_due_and_stays_listed(ledger: Ledger) -> None:
    entry = ended(ledger, opened())
    assert list(ledger.due(NOON + DAY, 10)) == []
    assert ledger.recent(NOON, 10) == [entry.continuation]
    assert ledger.read(key()) == entry


def test_retiring_twice_changes_nothing(ledger: Ledger) -> None:
    entry = ended(ledger, opened())
    ledger.retire(entry.continuation.key)
    assert ledger.recent(NOON, 10) == [entry.continuation]
    assert list(ledger.due(NOON + DAY, 10)) == []


def test_what_was_replayed_since_it_ended_stays_scheduled(ledger: Ledger) -> None:
    entry = ended(ledger, opened(), retired=False)
    again = opened(detail="replayed", due_at=LATER)
    ledger.write(entry, again)
    ledger.schedule(again)
    ledger.retire(entry.continuation.key)
    assert list(ledger.due(LATER, 10)) == [key()]
    assert ledger.recent(NOON, 10) == [again]


def test_what_is_replayed_after_retiring_appears_open_and_once(ledger: Ledger) -> None:
    entry = ended(ledger, opened())
    again = opened(detail="replayed")
    entry = ledger.write(entry, again)
    ledger.schedule(again)
    assert ledger.recent(NOON, 10) == [again]
    last = ledger.write(entry, started(again, 99)).continuation
    ledger.retire(last.key)
    assert ledger.recent(NOON, 10) == [last]


def test_who_stood_still_while_it_was_replayed_and_started_lists_it_as_started(
    store: Store,
) -> None:
    other, rows = store.ledger(), counted(store.ledger())
    entry = other.write(other.claim(opened()).entry, opened(state=State.FAILED))
    frozen: list[str] = []

    def others_go_on(kind: str, *_: object) -> None:
        if kind == "put" and not frozen:
            frozen.append(kind)
            again = other.write(entry, opened(detail="replayed"))
            other.schedule(again.continuation)
            other.write(again, started(opened()))
            other.retire(key())

    rows.before = others_go_on
    rows.ledger.retire(key())
    assert frozen == ["put"]
    assert other.recent(NOON, 10) == [started(opened())]
    assert [one.state for one in other.listed(NOON, 10)] == [State.STARTED]
    assert list(other.due(NOON + DAY, 10)) == []


@pytest.mark.parametrize("state", [State.STARTED, State.FAILED])
def test_what_came_to_another_end_than_is_known_stays_scheduled(
    ledger: Ledger, state: State
) -> None:
    entry = ended(ledger, opened(), retired=False)
    again = ledger.write(entry, opened(detail="replayed"))
    ledger.schedule(again.continuation)
    last = ledger.write(again, opened(state=state))
    ledger.retire(key(), entry.version)
    assert list(ledger.due(LATER, 10)) == [key()]
    ledger.retire(key(), last.version)
    assert list(ledger.due(LATER, 10)) == []
    assert [one.state for one in ledger.listed(NOON, 10)] == [state]


def test_what_is_scheduled_and_gone_leaves_the_schedule(store: Store) -> None:
    ledger = store.ledger()
    ledger.claim(opened())
    ledger.claim(opened("other"))
    store.remove(places.continuation(key()))
    ledger.retire(key())
    assert list(ledger.due(LATER, 10)) == [key("other")]
    assert ledger.recent(NOON, 10) == [opened("other")]


# lists


def test_the_continuations_of_a_run_are_all_found_and_no_others(ledger: Ledger) -> None:
    mine = [
        opened(),
        opened(route="a/b", at=LATER),
        opened(outcome=Outcome.FAILED, at=LATER + HOUR),
    ]
    for c in (*mine, opened("run-10"), opened("run-")):
        ledger.claim(c)
    ended(ledger, mine[0])
    assert ledger.of_run(WORKSPACE.id.lower(), "run-1") == [started(mine[0]), *mine[1:]]
    assert ledger.of_run("elsewhere", "run-1") == []


def test_recent_ones_come_newest_first_across_days(ledger: Ledger) -> None:
    for n, days in enumerate((0, 3, 1, 2, 1)):
        ended(ledger, opened(f"run-{n}", at=NOON + days * DAY + n * HOUR))
    assert [c.key.run for c in ledger.recent(NOON, 10)] == [
        "run-1", "run-3", "run-4", "run-2", "run-0",
    ]  # fmt: skip
    assert [c.key.run for c in ledger.recent(NOON, 2)] == ["run-1", "run-3"]


def test_recent_ones_were_claimed_since_then_to_the_microsecond(ledger: Ledger) -> None:
    for n in range(3):
        ended(ledger, opened(f"run-{n}", at=NOON + timedelta(microseconds=n)))
    found = ledger.recent(NOON + timedelta(microseconds=1), 10)
    assert [c.key.run for c in found] == ["run-2", "run-1"]


def test_open_ones_are_listed_however_old_and_as_they_are_now(ledger: Ledger) -> None:
    entry = ledger.claim(opened("old", at=NOON - 300 * DAY)).entry
    now = msgspec.structs.replace(entry.continuation, detail="parked since")
    ledger.write(entry, now)
    ended(ledger, opened("gone", at=NOON - 300 * DAY))
    ended(ledger, opened("new"), retired=False)
    assert ledger.recent(NOON, 10) == [started(opened("new")), now]


def test_open_ones_come_before_ended_ones_when_not_all_fit(ledger: Ledger) -> None:
    ledger.claim(opened("open", at=NOON))
    for n in range(1, 4):
        ended(ledger, opened(f"run-{n}", at=NOON + n * HOUR))
    assert [c.key.run for c in ledger.recent(NOON, 2)] == ["run-3", "open"]


# inbox


def test_a_letter_kept_twice_is_one_letter_as_it_was_first(ledger: Ledger) -> None:
    ledger.keep(letter("e-1"))
    ledger.keep(letter("e-1", LATER))
    assert ledger.letters(10) == [letter("e-1")]


def test_letters_come_oldest_first(ledger: Ledger) -> None:
    for n in (2, 3, 1):
        ledger.keep(letter(f"e-{n}", NOON + n * HOUR))
    assert [kept.id for kept in ledger.letters(10)] == ["e-1", "e-2", "e-3"]
    assert [kept.id for kept in ledger.letters(2)] == ["e-1", "e-2"]


def test_letters_are_read_some_at_a_time(ledger: Ledger) -> None:
    names = ["a", "a b", "a-b", "a.b", "ab", "b", "B"]
    for name in names:
        ledger.keep(letter(name))
    seen, after = [], ""
    while found := ledger.letters(2, after):
        assert len(found) <= 2
        seen += [kept.id for kept in found]
        after = max(seen, key=places.safe)
    assert sorted(seen) == sorted(names)


def test_a_discarded_letter_is_gone_and_discarding_it_again_is_no_error(ledger: Ledger) -> None:
    ledger.keep(letter("e-1"))
    ledger.keep(letter("e-2"))
    ledger.discard("e-1")
    ledger.discard("e-1")
    assert [kept.id for kept in ledger.letters(10)] == ["e-2"]


# shared rows


def test_a_shared_row_that_does_not_exist_is_empty(ledger: Ledger) -> None:
    assert ledger.shared("contoso") == Shared("contoso", {}, None)


def test_a_shared_row_is_written_and_read_by_name(ledger: Ledger) -> None:
    row = ledger.share(ledger.shared("contoso"), {"blocked": True, "why": "缺陷\n"})
    assert row.version is not None
    assert ledger.shared("contoso") == row
    assert ledger.share(row, {}) == ledger.shared("contoso")
    assert ledger.shared("contoso").value == {}
    assert ledger.shared("fabrikam").version is None


def test_a_shared_row_that_another_wrote_first_is_lost(ledger: Ledger) -> None:
    missing = ledger.shared("contoso")
    row = ledger.share(missing, {"n": 1})
    with pytest.raises(Lost):
        ledger.share(missing, {"n": 2})
    ledger.share(row, {"n": 3})
    with pytest.raises(Lost):
        ledger.share(row, {"n": 4})
    assert ledger.shared("contoso").value == {"n": 3}


def test_forty_callers_who_count_in_a_shared_row_count_to_forty(store: Store) -> None:
    def count(ledger: Ledger, _: int) -> None:
        while True:
            row = ledger.shared("slots")
            try:
                ledger.share(row, {"taken": row.value.get("taken", 0) + 1})
            except Lost:
                continue
            return

    race([store.ledger(), store.ledger()], count)
    assert store.ledger().shared("slots").value == {"taken": 40}


# other versions of the product


def test_a_row_with_columns_of_a_newer_version_can_be_read(store: Store) -> None:
    ledger = store.ledger()
    ledger.claim(opened())
    store.change(key(), "colour", "blue")
    found = ledger.read(key())
    assert found is not None
    assert found.continuation == opened()


def test_a_reason_of_a_newer_version_is_kept_as_detail(store: Store) -> None:
    ledger = store.ledger()
    ledger.claim(opened(detail="3 of 4"))
    store.change(key(), "reason", "sunspots")
    found = ledger.read(key())
    assert found is not None
    assert found.continuation == opened(detail="sunspots: 3 of 4")


def test_a_state_of_a_newer_version_can_be_read_and_is_left_alone(store: Store) -> None:
    ledger = store.ledger()
    claimed = ledger.claim(opened(detail="3 of 4")).entry
    store.change(key(), "state", "levitating")
    found = ledger.read(key())
    assert found is not None
    c = found.continuation
    assert (c.state, c.detail, c.state.is_known, c.is_open) == (
        "levitating",
        "3 of 4",
        False,
        False,
    )
    assert [c.state for c in ledger.recent(LATER, 10)] == ["levitating"]
    assert ledger.of_run(key().workspace, key().run) == [c]
    assert ledger.claim(opened()) == (found, False)
    ledger.retire(key())
    assert ledger.prune(LATER + 1000 * DAY, 10) == 0
    for write in (lambda: ledger.write(found, c), lambda: ledger.schedule(c)):
        with pytest.raises(Unreadable):
            write()
    assert ledger.read(key()) == found
    assert ledger.due(LATER, 10) == [key()]
    assert claimed.version


def test_a_row_that_cannot_be_read_is_no_obstacle_to_the_others(store: Store) -> None:
    ledger = store.ledger()
    ledger.claim(opened("bad"))
    ledger.claim(opened("good"))
    store.change(key("bad"), "due_at", "levitating")
    assert [c.key.run for c in ledger.recent(NOON, 10)] == ["good"]
    assert ledger.of_run(key().workspace, "bad") == []
    assert {k.run for k in ledger.due(LATER, 10)} == {"bad", "good"}
    (why,) = ledger.unreadable
    assert "register/bad/Completed" in why
    assert "due_at" in why


@pytest.mark.parametrize(("column", "text"), [("event", "{"), ("due_at", "soon"), ("event", "[]")])
def test_a_row_that_cannot_be_read_is_neither_claimed_nor_changed(
    store: Store, column: str, text: str
) -> None:
    ledger = store.ledger()
    entry = ledger.claim(opened()).entry
    store.change(key(), column, text)
    with pytest.raises(Unreadable):
        ledger.read(key())
    with pytest.raises(Unreadable):
        ledger.claim(opened())
    with pytest.raises(Unreadable):
        ledger.read(key())
    assert isinstance(Unreadable(), LedgerUnavailable)
    assert entry.version


# pruning


def test_what_ended_before_a_day_is_pruned_the_oldest_first(store: Store) -> None:
    ledger = store.ledger()
    for days in (5, 4, 3, 0):
        ended(ledger, opened(f"run-{days}", at=NOON - days * DAY, updated_at=NOON - days * DAY))
    assert ledger.prune(NOON - 3 * DAY, 1) == 1
    assert [c.key.run for c in ledger.recent(NOON - 9 * DAY, 10)] == ["run-0", "run-3", "run-4"]
    assert ledger.prune(NOON, 10) == 2
    assert ledger.prune(NOON, 10) == 0
    assert ledger.read(key("run-5")) is None
    assert [c.key.run for c in ledger.recent(NOON - 9 * DAY, 10)] == ["run-0"]


def test_what_is_open_or_was_replayed_is_not_pruned(store: Store) -> None:
    ledger = store.ledger()
    old = NOON - 5 * DAY
    ledger.claim(opened("open", at=old))
    replayed = ended(ledger, opened("replayed", at=old))
    entry = ledger.write(replayed, opened("replayed", at=old))
    ledger.schedule(entry.continuation)
    assert ledger.prune(NOON, 10) == 0
    assert {c.key.run for c in ledger.recent(NOON, 10)} == {"open", "replayed"}


def test_a_key_from_text_is_the_key_of_the_row(ledger: Ledger) -> None:
    ledger.claim(opened())
    same = Key(WORKSPACE.id.lower(), "run-1", Outcome("Completed"), "register")
    assert ledger.read(same) is not None


# backlog, put_off, forget


def test_the_backlog_counts_what_is_open_and_knows_the_oldest(ledger: Ledger) -> None:
    assert ledger.backlog(NOON)[:4] == (0, None, True, frozenset())
    for n in range(3):
        ledger.claim(opened(f"run-{n}", at=NOON + n * HOUR))
    ended(ledger, opened("done", at=NOON - HOUR))
    assert ledger.backlog(NOON + DAY)[:4] == (3, NOON, True, frozenset())
    assert ledger.backlog(NOON + DAY, [key("run-0")])[:4] == (2, NOON + HOUR, True, frozenset())


def test_the_backlog_leaves_out_what_a_process_is_at_work_on(ledger: Ledger) -> None:
    ledger.claim(opened("at-work", at=NOON - DAY))
    parked = opened("parked", reason=Reason.LIMIT)
    ledger.claim(parked)
    before = min(parked.due_at, opened("at-work", at=NOON - DAY).due_at) - DAY
    assert ledger.backlog(before)[:4] == (1, NOON, True, frozenset())


def test_the_inbox_is_counted_and_knows_its_oldest(ledger: Ledger) -> None:
    assert ledger.inbox() == (0, None, True)
    for n in (2, 1):
        ledger.keep(Letter.of(opened(f"run-{n}").event, NOON + n * HOUR))
    assert ledger.inbox() == (2, NOON + HOUR, True)


def test_the_places_of_those_that_wait_are_told_by_task_and_organization(ledger: Ledger) -> None:
    book = ledger.waits
    for job, url in (("a", "https://Contoso.visualstudio.com"), ("b", "https://nobody")):
        book.enroll(samples.wait(job, url))
    entry, _ = book.enroll(samples.wait("c"))
    assert sorted(book.taken(9)) == [
        ("plan.a.id", "https://dev.azure.com/contoso"),
        ("plan.b.id", ""),
        ("plan.c.id", "https://dev.azure.com/contoso"),
    ]
    assert len(book.taken(2)) == 2
    book.change(entry, samples.wait("c", state=WaitState.COMPLETED, until=LATER))
    assert [one.task for one in sorted(book.taken(9))] == ["plan.a.id", "plan.b.id"]


def test_the_backlog_names_what_is_waited_for(ledger: Ledger) -> None:
    for run, name in (("a", "limit/a_b.c"), ("b", "paused"), ("c", "limit/a_b.c"), ("d", "")):
        ledger.claim(opened(run, waits_on=name))
    assert ledger.backlog(NOON).awaited == {"limit/a_b.c", "paused"}


def test_a_replayed_continuation_counts_as_open_since_then(ledger: Ledger) -> None:
    entry = ledger.claim(opened()).entry
    again = Step(LATER, REPLAYED)
    ledger.schedule(msgspec.structs.replace(entry.continuation, history=(again,)))
    assert ledger.backlog(NOON + DAY).oldest == LATER


def test_what_is_put_off_is_due_later(ledger: Ledger) -> None:
    ledger.claim(opened())
    ledger.put_off(key(), NOON + DAY)
    assert ledger.due(NOON + HOUR, 10) == []
    assert ledger.due(NOON + DAY, 10) == [key()]


def test_what_is_not_scheduled_cannot_be_put_off(ledger: Ledger) -> None:
    ledger.put_off(key(), NOON)
    assert ledger.due(LATER, 10) == []


def test_shared_rows_are_forgotten_once_their_time_is_over(ledger: Ledger) -> None:
    for n in range(5):
        row = Shared(f"limit/{n}", {}, None)
        ledger.share(row, {"until": (NOON + n * HOUR).isoformat()})
    ledger.share(Shared("for ever", {}, None), {"kept": 1})
    assert ledger.forget(NOON + 3 * HOUR, 2) == 2
    assert ledger.forget(NOON + 3 * HOUR, 9) == 2
    assert ledger.forget(NOON + 3 * HOUR, 9) == 0
    left = [n for n in range(5) if ledger.shared(f"limit/{n}").value]
    assert (left, ledger.shared("for ever").value) == ([4], {"kept": 1})


def passed_over(run: str = "run-1", at: datetime = NOON) -> Continuation:
    return steps.passed_over(key(run), samples.event(run=run), at, "no such tag")


def test_a_trace_is_recorded_once_and_no_list_has_it(ledger: Ledger) -> None:
    assert ledger.record(passed_over()).fresh
    again = ledger.record(passed_over(at=LATER))
    assert (again.fresh, again.entry.continuation) == (False, passed_over())
    assert list(ledger.of_run(key().workspace, "run-1")) == [passed_over()]
    assert (list(ledger.listed(NOON - DAY, 9)), list(ledger.due(LATER, 9))) == ([], [])


def test_a_trace_does_not_replace_what_was_claimed(ledger: Ledger) -> None:
    claimed = ledger.claim(opened()).entry.continuation
    assert ledger.record(passed_over(at=LATER)).entry.continuation == claimed


def test_a_trace_is_pruned_by_its_age_also_if_who_wrote_it_died(store: Store) -> None:
    ledger = store.ledger()
    ledger.record(passed_over("old"))
    store.remove(places.passed(passed_over("old")))
    ledger.record(passed_over("old", at=LATER))
    ledger.record(passed_over("new", at=NOON + DAY))
    assert ledger.prune(NOON + HOUR, 9) == 1
    assert ledger.read(key("old")) is None
    assert ledger.read(key("new")) is not None


def test_pruning_traces_leaves_what_was_claimed_since(ledger: Ledger) -> None:
    trace = ledger.record(passed_over()).entry
    ledger.write(trace, opened(at=LATER))
    assert ledger.prune(LATER, 9) == 1
    assert ledger.read(key()) is not None


def test_who_puts_off_what_another_scheduled_meanwhile_leaves_it_as_that_one_has_it(
    store: Store,
) -> None:
    other, rows, frozen = store.ledger(), counted(store.ledger()), list[str]()
    other.claim(opened())

    def scheduled(kind: str, *_: object) -> None:
        if kind in {"put", "replace"} and not frozen:
            frozen.append(kind)
            other.schedule(opened(due_at=NOON + HOUR))

    rows.before = scheduled
    rows.ledger.put_off(key(), NOON + 9 * DAY)
    assert len(frozen) == 1
    assert other.due(NOON + HOUR, 9) == [key()]


def test_the_backlog_names_what_a_clock_that_was_ahead_has_written(ledger: Ledger) -> None:
    for run, at in (("a", NOON), ("b/ c", NOON + 9 * DAY), ("c", NOON + HOUR)):
        ledger.claim(opened(run, at=at))
    assert ledger.backlog(NOON).ahead == {key("b/ c")}
    assert ledger.backlog(NOON + 9 * DAY).ahead == frozenset()
