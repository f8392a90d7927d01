"""What only the ledger in Table storage promises: few requests, lost answers, its layout."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from azure.core.exceptions import ServiceResponseError

from functions.adapters.tables.rows import TableLedger
from functions.core.kept.continuation import Step
from functions.core.terms.errors import LedgerUnavailable, Lost
from functions.core.terms.words import State
from tests.flow.ledger.test_odd_answers import Odd
from tests.ledger import samples
from tests.ledger.calls import EVERY
from tests.ledger.samples import NOON, WORKSPACE, followed, key, letter, opened, started
from tests.ledger.stores import TableStore, Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.rest import HttpRequest, HttpResponse

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Entry

HOUR = timedelta(hours=1)
LATER = NOON + HOUR
LOST_ANSWER = ServiceResponseError("the connection was reset")


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def ledger(table_store: TableStore, wire: Wire) -> TableLedger:
    """A ledger whose table exists, nothing counted yet."""
    table_store.table().create_table()
    return TableLedger(table_store.table(transport=wire), sleep=lambda _: None)


def ended(ledger: TableLedger, c: Continuation) -> Entry:
    return ledger.write(ledger.claim(c).entry, started(c))


def sent_by(wire: Wire, call: Callable[[], object]) -> list[str]:
    wire.sent.clear()
    call()
    return wire.sent


class Forgetful(Wire):
    """An SDK that keeps for itself what it does not know of the options of a call."""

    def send(self, request: HttpRequest, **options: Any) -> HttpResponse:
        options.pop("whole", None)
        return super().send(request, **options)


@pytest.mark.parametrize("write", ["claim", "share"])
def test_a_row_of_which_the_sdk_would_send_its_keys_alone_is_not_sent(
    table_store: TableStore, ledger: TableLedger, write: str
) -> None:
    forgetful = TableLedger(table_store.table(transport=Forgetful()))
    if write == "claim":
        with pytest.raises(TypeError, match="did not hand over the row"):
            forgetful.claim(opened())
    else:
        was = ledger.share(ledger.shared("visits"), {"seen": 1})
        with pytest.raises(TypeError, match="did not hand over the row"):
            forgetful.share(was, {"seen": 2})
        assert ledger.shared("visits").value == {"seen": 1}
    assert ledger.read(opened().key) is None


# requests


def test_a_fresh_claim_takes_two_requests(ledger: TableLedger, wire: Wire) -> None:
    assert sent_by(wire, lambda: ledger.claim(opened())) == ["POST", "PUT"]


def test_a_write_takes_one_request(ledger: TableLedger, wire: Wire) -> None:
    entry = ledger.claim(opened()).entry
    assert sent_by(wire, lambda: ledger.write(entry, started(opened()))) == ["PUT"]


def test_a_claim_of_what_has_ended_takes_two_requests(ledger: TableLedger, wire: Wire) -> None:
    ended(ledger, opened())
    assert sent_by(wire, lambda: ledger.claim(opened())) == ["POST", "GET"]


def test_a_claim_of_what_is_open_takes_three_requests(ledger: TableLedger, wire: Wire) -> None:
    ledger.claim(opened())
    assert sent_by(wire, lambda: ledger.claim(opened())) == ["POST", "GET", "PUT"]


def test_other_calls_take_as_few_requests(ledger: TableLedger, wire: Wire) -> None:
    entry = ended(ledger, opened())
    row = ledger.share(ledger.shared("x"), {})
    expected: list[tuple[list[str], Callable[[], object]]] = [
        (["GET"], lambda: ledger.read(key())),
        (["PUT"], lambda: ledger.schedule(opened())),
        (["GET"], lambda: ledger.due(LATER, 100)),
        (["GET"], lambda: ledger.waiting_on("x", 100)),
        (["GET"], lambda: ledger.of_run(WORKSPACE.id.lower(), "run-1")),
        (["GET", "GET", "PUT", "DELETE"], lambda: ledger.retire(entry.continuation.key)),
        (["GET", "GET"], lambda: ledger.recent(NOON, 100)),  # schedule, what has ended
        (["GET", "GET"], lambda: ledger.listed(NOON, 100)),  # the same
        (["POST"], lambda: ledger.keep(letter("e-1"))),
        (["GET"], lambda: ledger.letters(100)),
        (["DELETE"], lambda: ledger.discard("e-1")),
        (["GET"], lambda: ledger.shared("x")),
        (["PUT"], lambda: ledger.share(row, {})),
    ]
    for requests, call in expected:
        assert sent_by(wire, call) == requests


def test_who_takes_a_place_is_asked_without_what_the_row_holds(
    ledger: TableLedger, wire: Wire
) -> None:
    for job in "abc":
        ledger.waits.enroll(samples.wait(job))
    wire.urls.clear()
    assert len(ledger.waits.taken(9)) == 3
    (url,) = wire.urls
    assert "$select=name,organization" in url


def test_every_query_names_one_partition(ledger: TableLedger, wire: Wire) -> None:
    ledger.retire(ended(ledger, opened()).continuation.key)
    for call in EVERY.values():
        with suppress(Lost):
            call(ledger)
    queries = [url for url in wire.urls if "$filter=" in url]
    assert len(queries) >= 6
    assert all("$filter=PartitionKey eq '" in url for url in queries)
    assert not any(" or " in url for url in queries)


def test_many_days_are_listed_by_as_few_requests(ledger: TableLedger, wire: Wire) -> None:
    for days in (0, 100, 200):
        c = opened(f"run-{days}", at=NOON - timedelta(days=days))
        ledger.retire(ended(ledger, c).continuation.key)
    requests = sent_by(wire, lambda: ledger.recent(NOON - timedelta(days=150), 100))
    assert requests == ["GET"] * 2


def test_a_missing_table_is_created_by_the_first_write_and_not_by_reading(
    table_store: TableStore, wire: Wire
) -> None:
    ledger = TableLedger(table_store.table(transport=wire))
    assert ledger.read(key()) is None
    assert list(ledger.due(LATER, 10)) == []
    assert sent_by(wire, lambda: ledger.claim(opened())) == ["POST", "POST", "POST", "PUT"]
    assert sent_by(wire, lambda: ledger.claim(opened("run-2"))) == ["POST", "PUT"]


@pytest.fixture
def flapping(table_store: TableStore) -> tuple[TableLedger, Odd]:
    """A ledger with an open continuation, whose table is not found at times."""
    wire = Odd(404, "TableNotFound", done=False)
    ledger = TableLedger(table_store.table(transport=wire), sleep=lambda _: None)
    ledger.claim(opened())
    return ledger, wire


def test_a_table_that_was_there_is_not_empty_because_it_is_not_found(
    flapping: tuple[TableLedger, Odd],
) -> None:
    ledger, wire = flapping
    for times in (1, 2):
        wire.odd(0, times)
        assert ledger.read(key()) is not None
        wire.odd(0, times)
        assert list(ledger.due(LATER, 9)) == [key()]
    for read in (lambda: ledger.read(key()), lambda: ledger.due(LATER, 9)):
        wire.odd(0, 3)
        with pytest.raises(LedgerUnavailable, match="404 TableNotFound"):
            read()


@pytest.mark.parametrize("times", [1, 3])
def test_what_is_open_stays_scheduled_though_the_table_is_not_found_for_a_moment(
    flapping: tuple[TableLedger, Odd], times: int
) -> None:
    """As a round does with what is not there: the schedule was read, and the truth was not."""
    ledger, wire = flapping
    wire.odd(1, times)
    with suppress(LedgerUnavailable):
        ledger.retire(key())
    wire.odd(0, 0)
    assert list(ledger.due(LATER, 9)) == [key()]


def test_the_longest_waiting_are_found_beyond_the_first_page(
    table_store: TableStore, ledger: TableLedger, wire: Wire
) -> None:
    ledger.schedule(opened())
    (like,) = table_store.table().list_entities()
    for start in range(0, 1100, 100):
        batch = [
            ("create", {**like, "RowKey": f"row-{n:04d}", "run": f"run-{n:04d}"})
            for n in range(start, start + 100)
        ]
        table_store.table().submit_transaction(batch)
    oldest = opened("zz", due_at=NOON - HOUR)
    ledger.schedule(oldest)
    wire.sent.clear()
    assert ledger.due(LATER, 3)[0] == oldest.key
    assert wire.sent == ["GET", "GET"]


# writes whose answer is lost


def test_a_claim_whose_answer_was_lost_is_fresh(ledger: TableLedger, wire: Wire) -> None:
    wire.losing = [LOST_ANSWER]
    claim = ledger.claim(opened())
    assert claim.fresh
    assert ledger.read(key()) == claim.entry
    assert ledger.write(claim.entry, started(opened())) == ledger.read(key())


def test_a_claim_that_another_made_is_not_fresh_though_an_answer_was_lost(
    table_store: TableStore, ledger: TableLedger, wire: Wire
) -> None:
    table_store.ledger().claim(opened(at=LATER))
    wire.losing = [LOST_ANSWER]
    claim = ledger.claim(opened())
    assert not claim.fresh
    assert claim.entry.continuation == opened(at=LATER)


def test_a_write_whose_answer_was_lost_has_succeeded(ledger: TableLedger, wire: Wire) -> None:
    entry = ledger.claim(opened()).entry
    wire.losing = [LOST_ANSWER]
    written = ledger.write(entry, started(opened()))
    assert ledger.read(key()) == written
    assert ledger.write(written, started(opened(), 8)) == ledger.read(key())


def test_a_write_whose_answer_was_lost_is_lost_if_another_wrote_since(
    table_store: TableStore, ledger: TableLedger, wire: Wire
) -> None:
    other = table_store.ledger()
    entry = ledger.claim(opened()).entry

    def overwrite() -> None:
        found = other.read(key())
        assert found is not None
        other.write(found, opened(detail="other"))

    wire.losing = [LOST_ANSWER]
    wire.first["PUT"] = lambda: wire.first.update(PUT=overwrite)
    with pytest.raises(Lost):
        ledger.write(entry, started(opened()))


def test_a_shared_row_whose_answer_was_lost_is_written(ledger: TableLedger, wire: Wire) -> None:
    missing = ledger.shared("x")
    wire.losing = [LOST_ANSWER]
    row = ledger.share(missing, {"n": 1})
    assert ledger.shared("x") == row
    wire.losing = [LOST_ANSWER]
    assert ledger.share(row, {"n": 2}) == ledger.shared("x")


def test_what_was_moved_is_moved_though_the_answer_was_lost(
    ledger: TableLedger, wire: Wire
) -> None:
    ledger.followed.follow(one := followed())
    later = followed(minutes=1)
    wire.losing = [LOST_ANSWER]
    sent = sent_by(wire, lambda: ledger.followed.move(one, later))
    assert sent == ["POST", "POST", "GET"]
    assert ledger.followed.due(LATER, 9) == [later]


def test_a_move_takes_one_request(ledger: TableLedger, wire: Wire) -> None:
    ledger.followed.follow(one := followed())
    later = followed(minutes=1)
    assert sent_by(wire, lambda: ledger.followed.move(one, later)) == ["POST"]
    assert sent_by(wire, lambda: ledger.followed.move(later, later)) == ["PUT"]


# retiring beside a replay


@pytest.mark.parametrize("moment", ["PUT", "DELETE"])
def test_a_replay_while_it_is_retired_stays_scheduled(
    table_store: TableStore, ledger: TableLedger, wire: Wire, moment: str
) -> None:
    entry, other = ended(ledger, opened()), table_store.ledger()

    def replay() -> None:
        other.schedule(other.write(entry, opened(detail="replayed")).continuation)

    wire.first[moment] = replay
    ledger.retire(entry.continuation.key)
    assert list(ledger.due(LATER, 10)) == [key()]
    assert ledger.recent(NOON, 10) == [opened(detail="replayed")]


# layout


def test_rows_stand_where_the_design_says(table_store: TableStore, ledger: TableLedger) -> None:
    ledger.retire(ended(ledger, opened()).continuation.key)
    ledger.claim(opened("run-2", route="a/b c", waits_on="contoso", reason="paused"))
    ledger.keep(letter("e-1"))
    ledger.share(ledger.shared("limit/x"), {})
    rows = {(e["PartitionKey"], e["RowKey"]): dict(e) for e in table_store.table().list_entities()}
    first, second = key().run_hash, key("run-2").run_hash
    waiting = rows["open", f"{second}_Completed_a_2fb_20c"]
    assert waiting["due_at"] == "2026-03-14T12:02:00.000000Z"
    assert (waiting["reason"], waiting["waits_on"]) == ("paused", "contoso")
    assert (waiting["route"], waiting["run"]) == ("a/b c", "run-2")
    truth = rows[first[:2], f"{first}_Completed_register"]
    assert (truth["state"], truth["run"], truth["pipeline_run"]) == ("started", "run-1", "7")
    assert truth["workspace"] == WORKSPACE.id.lower()
    assert truth["created_at"] == "2026-03-14T12:00:00.000000Z"
    assert {part for part, _ in rows} == {
        first[:2], second[:2], "open", "ended", "inbox", "shared",
    }  # fmt: skip
    assert ("inbox", "e-1") in rows
    assert ("shared", "limit_2fx") in rows
    assert {type(value) for row in rows.values() for value in row.values()} == {str}


def test_listed_rows_sort_newest_first_by_key(table_store: TableStore, ledger: TableLedger) -> None:
    for n in range(3):
        c = opened(f"run-{n}", at=NOON + timedelta(microseconds=n))
        ledger.retire(ended(ledger, c).continuation.key)
    listed = table_store.table().query_entities("PartitionKey eq 'ended'")
    assert [row["run"] for row in listed] == ["run-2", "run-1", "run-0"]


def test_the_largest_row_there_can_be_is_accepted(ledger: TableLedger) -> None:
    tags = {f"tag-{n}": "é😀" * 400 for n in range(40)}
    c = opened(
        event=samples.event(subject="😀" * 4000, tags=tags, properties=tags),
        request=samples.request("é" * 30_000),
        url="😀" * 16_000,
        history=tuple(Step(NOON, "what", '"' * 200) for _ in range(40)),
    )
    assert ledger.claim(c).fresh
    found = ledger.read(key())
    assert found is not None
    assert found.continuation.request == c.request
    assert found.continuation.history == c.history


def test_a_started_row_is_due_when_to_look_again_and_says_so(
    table_store: TableStore, ledger: TableLedger
) -> None:
    c = msgspec.structs.replace(started(opened()), recheck_at=LATER)
    assert c.state is State.STARTED
    ledger.schedule(c)
    (row,) = table_store.table().list_entities()
    assert row["due_at"] == "2026-03-14T13:00:00.000000Z"
    assert re.fullmatch(r"[0-9a-f]{64}_Completed_register", row["RowKey"])


def test_letters_are_asked_for_no_more_at_a_time_than_are_wanted(
    ledger: TableLedger, wire: Wire
) -> None:
    for n in range(5):
        ledger.keep(letter(f"e-{n}"))
    wire.urls.clear()
    assert len(ledger.letters(2)) == 2
    (url,) = wire.urls
    assert "$top=2" in url


def test_looking_whether_anybody_waits_is_one_request(ledger: TableLedger, wire: Wire) -> None:
    for n in range(5):
        ledger.claim(opened(f"r{n}", waits_on="limit/register"))
    wire.sent.clear()
    wire.urls.clear()
    assert ledger.is_awaited("limit/register", key("r0"))
    assert wire.sent == ["GET"]
    assert "$top=2" in wire.urls[0]
