"""What only the ledger in a file promises: several processes at once, and its errors."""

from __future__ import annotations

import gc
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from functions.adapters.sqlite import SqliteLedger
from functions.core.terms.errors import LedgerUnavailable
from tests.ledger.calls import EVERY, READING, WRITING
from tests.ledger.samples import NOON, key, opened, started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.ledger.stores import SqliteStore

ROOT = Path(__file__).resolve().parents[2]
CLAIM_AND_COUNT = """
import sys
from pathlib import Path
from functions.adapters.sqlite import SqliteLedger
from functions.core.terms.errors import Lost
from tests.ledger.samples import opened

def count(ledger):
    while True:
        row = ledger.shared("count")
        try:
            return ledger.share(row, {"n": row.value.get("n", 0) + 1})
        except Lost:
            pass

ledger = SqliteLedger(Path(sys.argv[1]))
sys.stdin.readline()  # all at once
for n in range(25):
    print(n if ledger.claim(opened(f"run-{n}")).fresh else "")
    count(ledger)
"""
HOLD_A_TRANSACTION = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("DELETE FROM ledger")
print("held", flush=True)
sys.stdin.readline()
"""


def process(program: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def test_of_several_processes_that_start_at_once_exactly_one_claims_each(
    sqlite_store: SqliteStore,
) -> None:
    several = [process(CLAIM_AND_COUNT, sqlite_store.path) for _ in range(4)]
    for one in several:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    claimed = [line for one in several for line in one.communicate(timeout=60)[0].split()]
    assert [one.returncode for one in several] == [0, 0, 0, 0]
    assert sorted(map(int, claimed)) == list(range(25))
    assert sqlite_store.ledger().shared("count").value == {"n": 100}


def test_a_process_killed_within_a_transaction_changed_nothing(sqlite_store: SqliteStore) -> None:
    ledger = sqlite_store.ledger()
    entry = ledger.claim(opened()).entry
    with process(HOLD_A_TRANSACTION, sqlite_store.path) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.send_signal(signal.SIGKILL)
    assert ledger.read(key()) == entry
    assert ledger.write(entry, started(opened())) == ledger.read(key())


def test_what_one_process_wrote_the_next_one_finds(sqlite_store: SqliteStore) -> None:
    entry = sqlite_store.ledger().claim(opened()).entry
    assert sqlite_store.ledger().read(key()) == entry


def test_nothing_is_opened_until_it_is_used(sqlite_store: SqliteStore) -> None:
    ledger = sqlite_store.ledger()
    assert not sqlite_store.path.exists()
    assert ledger.read(key()) is None
    assert sqlite_store.path.exists()


def test_a_folder_that_is_missing_is_made(tmp_path: Path) -> None:
    assert SqliteLedger(tmp_path / "a" / "b" / "ledger.db").claim(opened()).fresh


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc to count open files in")
def test_threads_that_are_gone_leave_no_file_open(sqlite_store: SqliteStore) -> None:
    def files() -> int:
        gc.collect()
        opened = (os.path.realpath(link) for link in Path("/proc/self/fd").iterdir())
        return sum(name.startswith(str(sqlite_store.path)) for name in opened)

    ledger = sqlite_store.ledger()
    ledger.claim(opened())
    before = files()
    for _ in range(20):
        thread = Thread(target=ledger.read, args=[key()])
        thread.start()
        thread.join()
    assert files() == before


def test_who_is_reading_keeps_nobody_from_writing(sqlite_store: SqliteStore) -> None:
    ledger = SqliteLedger(sqlite_store.path, patience=0.01)
    entry = ledger.claim(opened()).entry
    with closing(sqlite3.connect(sqlite_store.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM ledger").fetchone()
        assert ledger.write(entry, started(opened())) == ledger.read(key())


def test_a_file_that_was_replaced_is_everybodys_ledger(sqlite_store: SqliteStore) -> None:
    """Who has the old one open would claim there what another claims in the new one."""
    ledger = sqlite_store.ledger()
    ledger.claim(opened())
    for file in sqlite_store.path.parent.glob(f"{sqlite_store.path.name}*"):
        file.unlink()
    assert sqlite_store.ledger().claim(opened("other")).fresh
    assert not ledger.claim(opened("other")).fresh
    assert ledger.read(key()) is None


# a ledger that cannot be used


@pytest.fixture
def locked(sqlite_store: SqliteStore) -> Iterator[SqliteLedger]:
    ledger = SqliteLedger(sqlite_store.path, patience=0.01)
    ledger.claim(opened("other"))
    ledger.write(ledger.claim(opened()).entry, started(opened()))
    old = opened("old", at=NOON - timedelta(days=1))
    ledger.write(ledger.claim(old).entry, started(old))
    ledger.retire(old.key)
    with closing(sqlite3.connect(sqlite_store.path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield ledger


@pytest.mark.parametrize("call", WRITING.values(), ids=WRITING)
def test_a_file_that_another_holds_is_unavailable_for_writing(
    locked: SqliteLedger, call: Callable[[SqliteLedger], object]
) -> None:
    with pytest.raises(LedgerUnavailable, match="database is locked"):
        call(locked)


@pytest.mark.parametrize("call", READING.values(), ids=READING)
def test_a_file_that_another_holds_can_be_read(
    locked: SqliteLedger, call: Callable[[SqliteLedger], object]
) -> None:
    call(locked)
    assert locked.recent(NOON, 10) == [started(opened()), opened("other")]


@pytest.mark.parametrize("call", EVERY.values(), ids=EVERY)
def test_a_file_that_is_no_database_is_unavailable(
    tmp_path: Path, call: Callable[[SqliteLedger], object]
) -> None:
    path = tmp_path / "ledger.db"
    path.write_text("not a database, and long enough to be taken for one " * 40)
    with pytest.raises(LedgerUnavailable, match=r"ledger\.db: DatabaseError"):
        call(SqliteLedger(path))


@pytest.mark.parametrize("call", EVERY.values(), ids=EVERY)
def test_a_folder_that_cannot_be_made_is_unavailable(
    tmp_path: Path, call: Callable[[SqliteLedger], object]
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerUnavailable, match=r"ledger\.db: NotADirectoryError|FileExistsError"):
        call(SqliteLedger(tmp_path / "file" / "ledger.db"))


def test_a_full_disk_is_unavailable_and_what_was_there_stays(sqlite_store: SqliteStore) -> None:
    ledger = sqlite_store.ledger()
    entry = ledger.claim(opened()).entry
    one, execute = sqlite3.Cursor.fetchone, ledger._rows()._executed  # type: ignore[attr-defined] # noqa: SLF001
    (pages,) = execute("PRAGMA page_count", (), one)  # no test can fill a disk
    execute(f"PRAGMA max_page_count = {pages}", (), one)
    large = (opened(f"run-{n}", detail="x" * 400) for n in range(200))
    with pytest.raises(LedgerUnavailable, match="full"):
        list(map(ledger.claim, large))
    assert ledger.read(key()) == entry
