"""Rows that this version cannot read: left as they are, passed over in lists, and named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from functions.core.errors import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

MOST_NAMED = 100

T = TypeVar("T")


class Found(Protocol):
    """A row as a ledger found it."""

    @property
    def name(self) -> str:
        """Where it is, for people."""

    @property
    def columns(self) -> Mapping[str, str]:
        """What it says."""


class PassedOver(dict[str, str]):
    """Why rows were passed over, by their names; the latest hundred."""

    def readable(
        self, rows: Iterable[Found], read: Callable[[Mapping[str, str]], T]
    ) -> Iterator[T]:
        """What can be read of these rows; one that cannot is no obstacle to the others."""
        for row in rows:
            try:
                value = read(row.columns)
            except Unreadable as error:
                self[row.name] = str(error)
                for name in list(self)[:-MOST_NAMED]:
                    self.pop(name, None)
            else:
                yield value
