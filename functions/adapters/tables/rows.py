"""The ledger in Azure Table storage: rows of one table, in bounded time, by one kind of error.

Retrying happens here and not in the SDK's policy, which would obey any Retry-After, repeat for
longer than a delivery lasts, and not repeat an insert whose answer was lost.
https://learn.microsoft.com/rest/api/storageservices/table-service-error-codes
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from math import inf
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

from azure.data.tables import UpdateMode

from functions.adapters.entra_tokens import waiting
from functions.adapters.tables.errors import (
    GONE,
    NO_TABLE,
    SDK_ERRORS,
    STALE,
    code_of,
    is_passing,
    translated,
    version_of,
)
from functions.adapters.tables.opening import keys, only, signed, text_columns, whole
from functions.core.ledger.rowledger import RowLedger
from functions.core.ports.ledger import PAGE, Stored
from functions.core.terms.errors import LedgerUnavailable, Lost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from azure.data.tables import TableClient

    from functions.core.ports.ledger import Place, Row

    _Told = Mapping[str, object]

USUAL = (12.0, 5.0)  # seconds for all requests of a call, and to wait for the next bytes
# Where no event waits: a look through a partition is answered after five seconds, as far as it came
# https://learn.microsoft.com/rest/api/storageservices/query-timeout-and-pagination
PATIENT = (120.0, 30.0)
PAUSES = (0.2, 0.8)  # seconds before the second and the third attempt

T = TypeVar("T")


class TableLedger(RowLedger):
    """The port `Ledger` over one table, which is created when first written to."""

    def __init__(
        self,
        table: TableClient,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        usual: tuple[float, float] = USUAL,
    ) -> None:
        seen = Event()

        def rows(lasts: float, reading: float) -> _Rows:
            return _Rows(table, monotonic, sleep, monotonic() + lasts, reading, seen)

        super().__init__(partial(rows, *usual), partial(rows, *PATIENT))


@dataclass(frozen=True)
class _Rows:
    """The port `Rows`: each request is tried three times, all together take as long as they may.

    Each row carries a `writer` id: a write that is refused reads the row once, and finds its own
    if it had succeeded and only the answer was lost. A table that was `seen` is there later, too.
    """

    table: TableClient
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    ends: float
    reading: float
    seen: Event

    def insert(self, place: Place, row: Row) -> tuple[Stored, bool]:
        entity, create = signed(place, row), self.table.create_entity
        how = {"response_preference": "return-no-content", **whole(entity)}
        if answer := self._send(create, keys(place), but={"EntityAlreadyExists"}, **how):
            return Stored(row, version_of(answer, self.table)), True
        if (found := self.get(place)) is None:
            raise LedgerUnavailable(f"{place.key} was there and is gone")
        return found, found.row.get("writer") == entity["writer"]

    def put(self, place: Place, row: Row) -> None:
        how = {"mode": UpdateMode.REPLACE, **whole(signed(place, row))}
        version_of(self._send(self.table.upsert_entity, keys(place), **how), self.table)

    def replace(self, place: Place, row: Row, version: str) -> str:
        entity = signed(place, row)
        how = {"mode": UpdateMode.REPLACE, **only(version), **whole(entity)}
        if answer := self._send(self.table.update_entity, keys(place), but=STALE, **how):
            return version_of(answer, self.table)
        return self._own(place, entity).version

    def get(self, place: Place) -> Stored | None:
        found = self._send(self._row, *place, but=GONE)
        return _stored(found) if found else None

    def move(self, place: Place, to: Place, row: Row) -> None:
        entity = signed(to, row)
        both = [("delete", keys(place)), ("upsert", entity, {"mode": UpdateMode.REPLACE})]
        if answer := self._send(self.table.submit_transaction, both, but=STALE):
            version_of(answer[-1], self.table)
        else:
            self._own(to, entity)

    def drop(self, place: Place, version: str | None = None) -> None:
        self._send(self.table.delete_entity, *place, but=STALE, **only(version))

    def find(
        self,
        partition: str,
        low: str = "",
        high: str = "~",
        column: str = "key",
        only: Sequence[str] = (),
        page: int = PAGE,
        within: tuple[str, str] = ("", ""),
    ) -> Iterator[Stored]:
        """One request per page, sent as they are taken. A page may be empty.

        https://learn.microsoft.com/rest/api/storageservices/query-timeout-and-pagination
        """
        column = "RowKey" if column == "key" else column
        query = f"PartitionKey eq @part and {column} ge @low and {column} le @high"
        given = {"part": partition, "low": low, "high": high}
        asked: dict[str, Any] = {"query_filter": query, "parameters": given}
        for name, holds, bound in zip(("begin", "end"), ("ge", "lt"), within, strict=True):
            if bound:
                asked["query_filter"] += f" and RowKey {holds} @{name}"
                given[name] = bound
        asked |= {"select": [*only]} if only else {}
        asked |= {"results_per_page": page} if page < PAGE else {}
        answer = self._send(self._page, asked, None, but=GONE)
        while answer:
            rows, token = answer
            yield from map(_stored, rows)
            answer = self._send(self._page, asked, token, but=GONE) if token else None

    def _own(self, place: Place, entity: Row) -> Stored:
        found = self.get(place)
        if found is None or found.row.get("writer") != entity["writer"]:
            raise Lost(f"{place.key} was written by another")
        return found

    def _page(
        self,
        asked: dict[str, Any],
        token: object,
        **options: Any,  # noqa: ANN401 - the SDK's
    ) -> tuple[list[_Told], object]:
        rows: list[_Told] = []
        found: Any = self.table.query_entities(**asked, rows=rows, **options)
        pages = found.by_page(token)
        next(pages)
        return rows, pages.continuation_token

    def _row(self, *place: str, **options: Any) -> _Told:  # noqa: ANN401 - the SDK's
        rows: list[_Told] = []
        self.table.get_entity(*place, rows=rows, **options)
        (row,) = rows
        return row

    def _send(
        self, call: Callable[..., T], *args: object, but: set[str] | None = None, **options: object
    ) -> T | None:
        """Every request passes here, and every error of the SDK ends here.

        None if the service refused it with one of the codes `but`. A missing table is created,
        unless that is one of them: then one that was seen is waited for.
        """
        pauses, allowed = iter(PAUSES), but or ()
        while True:
            try:
                return self._sent(call, *args, **options)
            except SDK_ERRORS as error:
                code, pause = code_of(error), next(pauses, inf)
                if code in allowed and not (code == NO_TABLE and self.seen.is_set()):
                    return None
                if pause >= self._left or not (code == NO_TABLE or is_passing(error)):
                    raise translated(error, code, self.table) from None  # it may hold a signed URL
            if code == NO_TABLE and code not in allowed:
                self._send(self.table.create_table, but={"TableAlreadyExists"})
            else:
                self.sleep(pause)

    def _sent(self, call: Callable[..., T], *args: object, **options: object) -> T:
        """Once. What it brings is the table's own answer; a delete takes any 404 for done."""
        with waiting(self._left):
            answer = call(*args, **options, **self._bounds())
        if answer:
            self.seen.set()
        return answer

    @property
    def _left(self) -> float:
        """Seconds; never zero, which the transport reads as unlimited."""
        return max(0.05, self.ends - self.monotonic())

    def _bounds(self) -> dict[str, float]:
        half = self._left / 2
        return {"connection_timeout": min(3.0, half), "read_timeout": min(self.reading, half)}


def _stored(told: _Told) -> Stored:
    return Stored(text_columns(told), str(told.get("odata.etag")))  # a projection may come without
