"""The places a ledger keeps its rows in, opened as another process would, and damaged by hand."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote_plus

from azure.core.exceptions import ServiceResponseTimeoutError
from azure.core.pipeline.transport import RequestsTransport
from azure.data.tables import UpdateMode

from functions.adapters.sqlite import SCHEMA, SqliteLedger
from functions.adapters.tables.opening import TableTransport, keys, open_table, whole
from functions.adapters.tables.rows import TableLedger
from functions.core.ledger import places, records
from tests.stage.azurite import connection_string

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from azure.core.rest import HttpRequest, HttpResponse
    from azure.data.tables import TableClient

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger, Place
    from functions.core.terms.runs import Key


class Store(Protocol):
    def ledger(self) -> Ledger: ...

    def remove(self, place: Place) -> None: ...

    def change(self, key: Key, name: str, text: str) -> None: ...


class TableStore:
    """A table of its own in Azurite."""

    def __init__(self, port: int, name: str) -> None:
        self._where = connection_string(port)
        self._name = name

    def table(self, **options: Any) -> TableClient:
        return open_table(self._name, connection_string=self._where, **options)

    def ledger(self) -> TableLedger:
        return TableLedger(self.table())

    def remove(self, place: Place) -> None:
        self.table().delete_entity(*place)

    def change(self, key: Key, name: str, text: str) -> None:
        place = places.continuation(key)
        how = {
            "mode": UpdateMode.REPLACE,
            **whole(changed(self.table().get_entity(*place), name, text)),
        }
        self.table().update_entity(keys(place), **how)


class SqliteStore:
    """A file of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def ledger(self) -> SqliteLedger:
        return SqliteLedger(self.path)

    def remove(self, place: Place) -> None:
        self._run("DELETE FROM ledger WHERE partition = ? AND key = ?", *place)

    def change(self, key: Key, name: str, text: str) -> None:
        ((columns,),) = self._run(
            "SELECT columns FROM ledger WHERE key = ? AND partition <> 'open'",
            places.continuation(key).key,
        )
        update = "UPDATE ledger SET columns = ? WHERE partition = ? AND key = ?"
        row = changed(json.loads(columns), name, text)
        self._run(update, json.dumps(row), *places.continuation(key))

    def _run(self, sql: str, *values: str) -> list[Any]:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            cursor = connection.execute(sql, values)
            assert cursor.rowcount
            return cursor.fetchall()


def changed(row: Any, name: str, text: str) -> Any:
    """The row with another text in a column, and in the field of that name."""
    more = {**json.loads(row["more"]), name: text}
    return {**row, "more": json.dumps(more), name: text}


class Wire(TableTransport):
    """The app's own transport: it notes what leaves, and does to answers what it is told to.

    `first` is called before the next request of a method leaves; `losing` holds errors that
    take the place of the next answers, after the service has done its work.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []
        self.urls: list[str] = []
        self.first: dict[str, Callable[[], object]] = {}
        self.losing: list[Exception] = []
        self._instead: Silence | None = None

    def becomes(self, silence: Silence) -> None:
        """From now on nobody answers."""
        self._instead = silence

    def send(self, request: HttpRequest, **options: Any) -> HttpResponse:
        self.sent.append(request.method)
        self.urls.append(unquote_plus(request.url))
        self.first.pop(request.method, lambda: None)()
        if self._instead:
            return self._instead.send(request, **options)
        answer: HttpResponse = super().send(request, **options)
        if self.losing:
            raise self.losing.pop(0)
        return answer


class Far(Wire):
    """A service that is so far away that each answer takes long, on a clock of its own."""

    def __init__(self, each: float) -> None:
        super().__init__()
        self.seconds, self._each = 0.0, each

    def send(self, request: HttpRequest, **options: Any) -> HttpResponse:
        self.seconds += self._each
        if options["read_timeout"] < self._each:
            raise ServiceResponseTimeoutError(f"no answer yet from {request.url}")
        return super().send(request, **options)


class Silence(RequestsTransport):  # type: ignore[misc] # the SDK exports it lazily
    """A service that takes connections and never answers, on a clock that runs as one waits."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self.attempts = 0
        self.asked = ""

    def send(self, request: HttpRequest, **options: Any) -> HttpResponse:
        self.attempts += 1
        self.asked = request.url
        self.wait(options["connection_timeout"] + options["read_timeout"])
        raise ServiceResponseTimeoutError(f"no answer from {request.url}")

    def wait(self, seconds: float) -> None:
        self.seconds += seconds


def claimed(ledger: Path | None, everyone: Iterable[Continuation]) -> None:
    """As if each had been claimed in the ledger that is this file, all in one write."""
    _filled(
        ledger,
        (
            found
            for c in everyone
            for found in (
                (places.continuation(c.key), records.continuation_row(c)),
                (places.scheduled(c.key), records.schedule_row(c)),
            )
        ),
    )


def started(ledger: Path | None, everyone: Iterable[Continuation]) -> None:
    """As if each had been started and left the schedule, all in one write."""
    rows = ((c, records.continuation_row(c)) for c in everyone)
    _filled(
        ledger,
        (
            (place, row)
            for c, row in rows
            for place in (places.continuation(c.key), places.ended(c))
        ),
    )


def _filled(ledger: Path | None, found: Iterable[tuple[Place, Mapping[str, Any]]]) -> None:
    assert ledger
    rows = [(*place, "v1", json.dumps(row)) for place, row in found]
    with closing(sqlite3.connect(ledger)) as file, file:
        file.execute(SCHEMA)
        file.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?)", rows)
