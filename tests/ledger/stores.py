"""The places a ledger keeps its rows in, opened as another process would, and damaged by hand."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote_plus

from azure.core.exceptions import ServiceResponseTimeoutError
from azure.core.pipeline.transport import RequestsTransport
from azure.data.tables import UpdateMode

from functions.adapters.sqlite import SqliteLedger
from functions.adapters.tables import TableLedger, layout, open_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from azure.core.rest import HttpRequest, HttpResponse
    from azure.data.tables import TableClient

    from functions.core.ports import Ledger
    from functions.core.values import Key

ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = (  # the one that every installation of Azurite has
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


def connection_string(port: int) -> str:
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
        f"TableEndpoint=http://127.0.0.1:{port}/{ACCOUNT};"
    )


class Store(Protocol):
    def ledger(self) -> Ledger: ...

    def unschedule(self, key: Key) -> None: ...

    def change(self, key: Key, column: str, text: str) -> None: ...


class TableStore:
    """A table of its own in Azurite."""

    def __init__(self, port: int, name: str) -> None:
        self._where = connection_string(port)
        self._name = name

    def table(self, **options: Any) -> TableClient:
        return open_table(self._name, connection_string=self._where, **options)

    def ledger(self) -> TableLedger:
        return TableLedger(self.table())

    def unschedule(self, key: Key) -> None:
        self.table().delete_entity(*layout.open_row(key))

    def change(self, key: Key, column: str, text: str) -> None:
        part, row = layout.continuation(key)
        changed = {"PartitionKey": part, "RowKey": row, column: text}
        self.table().update_entity(changed, mode=UpdateMode.MERGE)


class SqliteStore:
    """A file of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def ledger(self) -> SqliteLedger:
        return SqliteLedger(self.path)

    def unschedule(self, key: Key) -> None:
        self._run("DELETE FROM schedule WHERE json_extract(columns, '$.run') = ?", key.run)

    def change(self, key: Key, column: str, text: str) -> None:
        update = (
            "UPDATE continuation SET columns = json_set(columns, ?, ?)"
            " WHERE json_extract(columns, '$.run') = ?"
        )
        self._run(update, f"$.{column}", text, key.run)

    def _run(self, sql: str, *values: str) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            assert connection.execute(sql, values).rowcount


class Wire(RequestsTransport):  # type: ignore[misc] # the SDK exports it lazily
    """The SDK's own transport: it notes what leaves, and does to answers what it is told to.

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
