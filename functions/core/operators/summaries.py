"""What every list of continuations does: read again what may have moved, and filter by names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.kept.summary import Summary
from functions.core.routes import filters
from functions.core.terms.errors import Unreadable
from functions.core.texts.bounds import visible

if TYPE_CHECKING:
    from functions.core.ports.ledger import Ledger


def as_it_stands(ledger: Ledger, one: Summary) -> Summary | None:
    """The same as its row has it: a list shows what is open as it was parked last.

    None where the row is gone; what cannot be read stays as it was listed.
    """
    try:
        entry = ledger.read(one.key)
    except Unreadable:
        return one
    return Summary.of(entry.continuation) if entry else None


def fits(one: Summary, route: str | None, experiment: str | None) -> bool:
    """Whether route and experiment fit these patterns, as they are shown; None: any does."""
    return filters.fits(route, one.key.route) and filters.fits(
        experiment and visible(experiment), visible(one.experiment)
    )
