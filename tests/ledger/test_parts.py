"""The schedule in parts: every row is in exactly one of them, however many there are."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.configuration import declared
from functions.core.ledger.places import MOST_SORTED, OPEN
from functions.core.ledger.records import schedule_row
from functions.core.ports.ledger import PAGE
from functions.core.terms.part import MOST_PARTS, Part, parts
from tests.ledger.counted import counted
from tests.ledger.samples import LEASE, NOON, opened
from tests.ledger.stores import Wire

if TYPE_CHECKING:
    from functions.core.ports.ledger import Ledger
    from tests.ledger.stores import SqliteStore, Store, TableStore

LATER = NOON + LEASE
RUNS = [f"run-{n}" for n in range(60)]


@pytest.fixture
def ledger(store: Store) -> Ledger:
    ledger = store.ledger()
    for run in RUNS:
        ledger.schedule(opened(run))
    return ledger


def due(ledger: Ledger, part: Part) -> list[str]:
    return [key.run for key in ledger.due(LATER, 1000, part)]


def test_every_row_is_in_exactly_one_part_however_many_there_are(ledger: Ledger) -> None:
    for of in (1, 3, 16):
        found = [run for part in parts(of) for run in due(ledger, part)]
        assert sorted(found) == sorted(RUNS), of
        assert {part for part in parts(of) if due(ledger, part)} == {*ledger.parts_due(LATER, of)}


def test_a_part_is_looked_through_where_only_it_has_something_due(ledger: Ledger) -> None:
    late = opened("run-late", due_at=NOON)
    ledger.schedule(late)
    (only,) = ledger.parts_due(NOON, 16)
    assert due(ledger, only)[0] == "run-late"  # who waits longest goes first
    assert [key.run for key in ledger.due(NOON, 9, only)] == ["run-late"]
    ledger.put_off(late.key, NOON + timedelta(days=1))
    assert ledger.parts_due(NOON, 16) == []


def test_the_keys_of_parts_meet_and_leave_nothing_out() -> None:
    for of in range(1, MOST_PARTS + 1):
        every = parts(of)
        begins, ends = zip(*(part.keys for part in every), strict=True)
        assert (begins[0], ends[-1]) == ("", "")
        assert begins[1:] == ends[:-1]
        for part in every:
            places = [part.place(turn) for turn in range(0, 0x10000, 0x1111)]
            assert min(places) >= part.keys[0]
            assert not part.keys[1] or max(places) < part.keys[1]
            assert len(set(places)) == len(places)  # each turn begins elsewhere


def test_as_many_parts_may_be_set_as_a_message_can_name() -> None:
    assert declared.MOST_PARTS == MOST_PARTS


def test_a_look_at_all_parts_is_one_request_each_and_one_part_one(table_store: TableStore) -> None:
    wire = Wire()
    ledger = type(table_store.ledger())(table_store.table(transport=wire))
    for run in RUNS:
        ledger.schedule(opened(run))
    wire.sent.clear()
    assert len(ledger.parts_due(LATER, 8)) == 8
    assert wire.sent == ["GET"] * 8
    assert ledger.parts_due(NOON, 8) == []
    assert wire.sent == ["GET"] * 16
    wire.sent.clear()
    assert due(ledger, Part(3, 8))
    assert wire.sent == ["GET"]
    assert "RowKey ge '6000' and RowKey lt '8000'" in wire.urls[-1]


def test_a_part_with_more_than_are_listed_shows_others_each_minute(
    sqlite_store: SqliteStore,
) -> None:
    rows, many = counted(sqlite_store.ledger()), range(MOST_SORTED + 1000)
    rows.ledger.schedule(opened())  # so that there is a file
    filled = [
        (OPEN, f"{0x8000 + 5 * n:04x}_row", "v", json.dumps(schedule_row(opened(f"run-{n}"))))
        for n in many
    ]
    with closing(sqlite3.connect(sqlite_store.path)) as file, file:
        file.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?)", filled)
    seen: set[str] = set()
    for minute in range(5):
        rows.spent()
        at = LATER + timedelta(minutes=minute)
        seen |= {key.run for key in rows.ledger.due(at, 2 * MOST_SORTED, Part(1, 2))}
        assert 0 < rows.spent() <= 2 * MOST_SORTED / PAGE
    assert seen - {"run-1"} == {f"run-{n}" for n in many} - {"run-1"}
