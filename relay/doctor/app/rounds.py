"""The rounds: when the last one ended, and whether the app's timer still does them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.configuration import occurrences
from functions.core.rounds import watch
from functions.core.terms.errors import LedgerUnavailable
from relay.doctor.findings import ok, warning
from relay.printing import at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from functions.core.rounds.watch import Last
    from relay.doctor.case import Case
    from relay.doctor.findings import Finding

DO = (
    "restart the app, see docs/operations.md (reconciler-silent); meanwhile bin/relay "
    "reconcile does a round"
)


def going_on(case: Case) -> Iterator[Finding]:
    """Whether the timer's last round ended in time."""
    try:
        last = watch.recall(case.ports.ledger)
    except LedgerUnavailable:
        yield warning("not checked", "see what is said of the ledger")
        return
    by_timer = last.timer or (None if last.by else last.ended)
    if last.ended is None:
        yield ok("no round is known of yet")
    elif by_timer is None or _is_missed(case, by_timer):
        yield warning(_said(last), DO)
    elif not last.by:
        yield ok(f"no round ended yet; they are waited for since {at(last.ended)}")
    else:
        yield ok(f"the last round ended at {at(last.ended)}")


def _is_missed(case: Case, ended: datetime) -> bool:
    now = case.clock.now()
    silent = now - ended >= watch.Patience().silence
    return silent and now >= occurrences.missed(case.settings.schedules["reconcile"], ended)


def _said(last: Last) -> str:
    """The timer does none: since when, and who did the last one."""
    timer = (
        f"the timer's last round ended at {at(last.timer)}" if last.timer else "the timer did none"
    )
    if not last.by or last.ended is None:
        return f"no round ended since {at(last.ended)}" if last.ended else timer
    if last.by == watch.By.TIMER:
        return timer
    return f"{timer}; the last one, by {whose(last.by)}, at {at(last.ended)}"


def whose(by: str) -> str:
    """Who did a round, in words."""
    return {"delivery": "a delivery", "operator": "an operator"}.get(by, by)
