"""Rows of one table: a thin shell over the SDK that bounds time and translates its errors.

Retrying happens here and not in the SDK's policy, which would obey any Retry-After, repeat for
longer than a delivery lasts, and not repeat an insert whose answer was lost.
https://learn.microsoft.com/rest/api/storageservices/table-service-error-codes
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.data.tables import TableEntity, UpdateMode

from functions.adapters.tables.budget import PAUSES, Budget
from functions.adapters.tables.layout import Place
from functions.core.errors import LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from azure.data.tables import TableClient

    from functions.core.records import Columns

PAGE = 1000  # the most entities that one answer holds

_PASSING = {408, 429, 500, 502, 503, 504}
_THERE = {"EntityAlreadyExists"}
_GONE = {"ResourceNotFound", "EntityNotFound", "TableNotFound"}
_STALE = {"UpdateConditionNotSatisfied", "ConditionNotMet"}
_SDK_ERRORS = (AzureError, ValueError, OSError)  # ValueError: a table name the service refused

T = TypeVar("T")


class Stored(NamedTuple):
    """A row as read, and the version that a write can insist on."""

    place: Place
    columns: Columns
    version: str

    @property
    def name(self) -> str:
        """The place, for people."""
        return "/".join(self.place)


class _Refused(LedgerUnavailable):
    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code

    def unless(self, codes: set[str]) -> None:
        """Raise it again, unless its code is one of these."""
        if self.code not in codes:
            raise self


class Rows:
    """Insert, put, replace, get, drop and find; all raise LedgerUnavailable and nothing else."""

    def __init__(
        self,
        table: TableClient,
        monotonic: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._table = table
        self._monotonic = monotonic
        self._sleep = sleep

    def budget(self) -> Budget:
        """The time for one call of the ledger."""
        return Budget(self._monotonic)

    def insert(self, place: Place, columns: Columns, budget: Budget) -> str | None:
        """The new row's version; None if a row is there."""
        call, entity = self._table.create_entity, _entity(place, columns)
        try:
            answer = self._make(budget, call, entity, response_preference="return-no-content")
        except _Refused as refused:
            refused.unless(_THERE)
            return None
        return str(answer["etag"])

    def put(self, place: Place, columns: Columns, budget: Budget) -> None:
        """Write the row whatever is there."""
        upsert = self._table.upsert_entity
        self._make(budget, upsert, _entity(place, columns), mode=UpdateMode.REPLACE)

    def replace(self, place: Place, columns: Columns, version: str, budget: Budget) -> str | None:
        """The row's next version; None if it has another version than this, or is gone."""
        only = {"etag": version, "match_condition": MatchConditions.IfNotModified}
        call, entity = self._table.update_entity, _entity(place, columns)
        try:
            answer = self._send(budget, call, entity, mode=UpdateMode.REPLACE, **only)
        except _Refused as refused:
            refused.unless(_STALE | _GONE)
            return None
        return str(answer["etag"])

    def get(self, place: Place, budget: Budget) -> Stored | None:
        """The row, None where there is none."""
        try:
            return _stored(self._send(budget, self._table.get_entity, *place))
        except _Refused as refused:
            refused.unless(_GONE)
            return None

    def drop(self, place: Place, budget: Budget, version: str | None = None) -> None:
        """Remove the row, if it is there and has this version."""
        only = {"etag": version, "match_condition": MatchConditions.IfNotModified}
        try:
            self._send(budget, self._table.delete_entity, *place, **(only if version else {}))
        except _Refused as refused:
            refused.unless(_STALE | _GONE)

    def find(
        self, condition: str, budget: Budget, page: int = PAGE, **values: str
    ) -> Iterator[Stored]:
        """Rows in the order of their keys; a page at a time, as they are taken.

        A page may be empty and yet not the last.
        https://learn.microsoft.com/rest/api/storageservices/query-timeout-and-pagination
        """
        token: Any = None
        while True:
            try:
                rows, token = self._send(budget, self._page, condition, values, page, token)
            except _Refused as refused:
                refused.unless(_GONE)
                return
            yield from map(_stored, rows)
            if not token:
                return

    def between(self, partition: str, begin: str, end: str, page: int = PAGE) -> Iterator[Stored]:
        """Rows of a partition from the key `begin` up to, and without, the key `end`."""
        condition = "PartitionKey eq @part and RowKey ge @begin and RowKey lt @end"
        return self.find(condition, self.budget(), page, part=partition, begin=begin, end=end)

    def _page(
        self, condition: str, values: dict[str, str], page: int, token: object, **options: object
    ) -> tuple[list[TableEntity], object]:
        found = self._table.query_entities(
            condition,
            parameters=values,
            results_per_page=max(1, min(page, PAGE)),
            **options,  # type: ignore[arg-type] # those of a budget
        )
        pages: Any = found.by_page(token)  # type: ignore[arg-type] # a mapping, not text
        return list(next(pages)), pages.continuation_token

    def _make(self, budget: Budget, call: Callable[..., T], *args: object, **options: object) -> T:
        """Send; if the table is missing, create it and send again."""
        try:
            return self._send(budget, call, *args, **options)
        except _Refused as refused:
            if refused.code != "TableNotFound":
                raise
        try:
            self._send(budget, self._table.create_table)
        except _Refused as refused:
            refused.unless({"TableAlreadyExists"})
        return self._send(budget, call, *args, **options)

    def _send(self, budget: Budget, call: Callable[..., T], *args: object, **options: object) -> T:
        """Every request passes here, and every error of the SDK ends here."""
        pauses = iter(PAUSES)
        while True:
            try:
                return call(*args, **options, **budget.options())
            except _SDK_ERRORS as error:
                pause = next(pauses, budget.left)
                if pause >= budget.left or not _is_passing(error):
                    raise self._translated(error) from None  # its text may hold a signed URL
            self._sleep(pause)

    def _translated(self, error: Exception) -> LedgerUnavailable:
        where = f"table {self._table.table_name} at {urlsplit(self._table.url).hostname}"
        status = getattr(error, "status_code", None)
        if not isinstance(error, HttpResponseError) or status is None:
            return LedgerUnavailable(f"{where}: {type(error).__name__}")
        code = _code(error)
        return _Refused(f"{where}: {status} {code}".rstrip(), code)


def _entity(place: Place, columns: Columns) -> dict[str, str]:
    return {"PartitionKey": place.partition, "RowKey": place.row, **columns}


def _stored(entity: TableEntity) -> Stored:
    place = Place(str(entity["PartitionKey"]), str(entity["RowKey"]))
    columns = {name: value for name, value in entity.items() if isinstance(value, str)}
    return Stored(place, columns, str(entity.metadata["etag"]))


def _is_passing(error: Exception) -> bool:
    status = getattr(error, "status_code", None)
    if status is not None:
        return status in _PASSING
    return isinstance(error, AzureError | OSError) and not isinstance(
        error, ClientAuthenticationError
    )


def _code(error: HttpResponseError) -> str:
    """The service's word for what is wrong. After an insert the SDK leaves it in the message."""
    known = getattr(error, "error_code", None)
    found = re.search(r'"code":\s*"([A-Za-z]{1,60})"', str(error))
    said = getattr(known, "value", known) or (found[1] if found else "")
    return re.sub(r"[^A-Za-z]", "", str(said))[:60]
