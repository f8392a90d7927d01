"""Which runs of a route count as those that were awaited, and when each of them ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.terms.errors import Unreadable
from functions.core.terms.reasons import Reason
from functions.core.terms.words import JOIN, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.kept.summary import Summary
    from functions.core.ports.ledger import Ledger
    from functions.core.routes.definition import Route
    from functions.core.routes.joins.join import Join

MOST_RUNS = 1000  # of a route, the newest first
MOST_OF_JOINS = 5000  # the same with what is joined, which is listed as well
NOT_OF_IT = frozenset({Reason.NOT_MATCHED, Reason.NOT_ROOT, Reason.OUTCOME_CHANGED})


def ends(ledger: Ledger, route: Route, since: datetime) -> Iterable[datetime]:
    """When its runs ended, as far as that is believed: not after they were claimed.

    Of a join that is when the last of them was told, and one whose runs have not all ended is
    none: a request for each that is held for that, and for each that lists call working.
    """
    if join := route.join:
        for one in ledger.listed(since - join.within, MOST_OF_JOINS, route.name):
            if _is_whole(ledger, one, join):
                yield one.run_ended_at or one.created_at
        return
    for one in ledger.listed(since, MOST_RUNS, route.name):
        if _reason(ledger, one) not in NOT_OF_IT:
            yield min(one.run_ended_at or one.created_at, one.created_at)


def _is_whole(ledger: Ledger, one: Summary, join: Join) -> bool:
    """Whether it is what several runs are joined for, and nobody is awaited any more."""
    if one.key.outcome is not Outcome.JOINED or one.waits_on.startswith(JOIN):
        return False
    if one.reason not in {Reason.INCOMPLETE, Reason.WORKING}:
        return True
    from functions.core.routes.joins import members  # noqa: PLC0415 - few routes join

    c = _known(ledger, one)
    return c is not None and members.is_whole(join, c.event)


def _reason(ledger: Ledger, one: Summary) -> Reason:
    """What became of it: what was decided just now lists still call working."""
    c = _known(ledger, one) if one.reason is Reason.WORKING else None
    return c.reason if c else one.reason


def _known(ledger: Ledger, one: Summary) -> Continuation | None:
    try:
        entry = ledger.read(one.key)
    except Unreadable:  # as long as another version is at it
        return None
    return entry.continuation if entry else None
