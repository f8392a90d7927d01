"""Rows of a store that count what is asked of them, and can be made to fail at a chosen request."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from functions.core.ledger.rowledger import RowLedger
from tests.saying.wrapped import Wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from functions.core.ports.ledger import Stored

PAGE = 1000


class Counted(Wrapped):
    """`calls`: requests by kind; a listing is one per thousand rows. `rows`: listed, by partition.

    `before`: called with the kind and what is given, before each request.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        super().__init__(make())
        self._make = make
        self.calls: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()
        self.before: Callable[..., object] = lambda *_: None

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.real, name)

        def counted(*given: Any, **named: Any) -> Any:
            self.calls[name] += 1
            self.before(name, *given)
            found = real(*given, **named)
            return self._found(given[0], found) if name == "find" else found

        return counted

    def _found(self, partition: str, found: Iterator[Stored]) -> Iterator[Stored]:
        for n, row in enumerate(found):
            self.rows[partition] += 1
            self.calls["find"] += bool(n and n % PAGE == 0)
            yield row

    @property
    def ledger(self) -> RowLedger:
        """A ledger over these rows."""
        return RowLedger(self._anew)

    def _anew(self) -> Any:
        """For each call of the ledger, since a call has a time of its own."""
        self.real = self._make()
        return self

    def spent(self) -> int:
        """All requests so far, which are then forgotten."""
        spent = self.calls.total()
        self.calls.clear()
        self.rows.clear()
        return spent


def counted(ledger: Any) -> Counted:
    """Those of this ledger."""
    return Counted(ledger._rows)  # noqa: SLF001 - what it asks of its store
