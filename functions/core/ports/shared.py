"""Change a row that all processes share, whoever else is changing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.terms.errors import Lost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.ports.ledger import Ledger, Shared

    Change = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def change(ledger: Ledger, name: str, to: Change, known: Shared | None = None) -> Shared:
    """The row as it is after the change, which is made of what is there, until it sticks.

    What it leaves as it was is not written. It is not read again if it is as it was `known`.
    Raises LedgerUnavailable.
    """
    while True:
        row, known = known or ledger.shared(name), None
        value = to(row.value)
        if value == row.value:
            return row
        try:
            return ledger.share(row, value)
        except Lost:
            continue
