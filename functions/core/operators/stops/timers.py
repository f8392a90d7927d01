"""The timers: whether the reconciler and the sweep were seen when they should have been."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.operators.stops.stop import Kind, Stop, moment
from functions.core.rounds.watch import By, Patience

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from functions.core.operators.stops.stop import Known
    from functions.core.rounds.noted import Last

_RESTART = "restart the app, see docs/operations.md (reconciler-silent)"
RECONCILE = f"{_RESTART}; meanwhile bin/relay reconcile does a round"


def silent(last: Last, known: Known, now: datetime) -> Iterator[Stop]:
    """Those that have stopped. What is not known of any process yet is not told."""
    if (stopped := reconciler(last, known, now)) is not None:
        yield stopped
    swept = last.swept or last.first
    if swept and now >= known.sweep_missed(swept) + Patience().silence:
        seen = "The last sweep ended at" if last.swept else "No sweep has ended since"
        lost = "runs whose event was lost are not looked for, and nothing old is removed"
        yield Stop(Kind.SWEEP, f"{seen} {moment(swept)}: {lost}.", _RESTART, swept)


def reconciler(last: Last, known: Known, now: datetime) -> Stop | None:
    """Whether the timer of the rounds has stopped, though others may do some."""
    ended = last.by_timer
    if last.ended is None or (ended and not _is_missed(ended, known, now)):
        return None
    return Stop(Kind.RECONCILER, f"{_said(last)}.", RECONCILE, ended)


def _is_missed(ended: datetime, known: Known, now: datetime) -> bool:
    return now - ended >= Patience().silence and now >= known.reconciler_missed(ended)


def _said(last: Last) -> str:
    """Since when the timer does none, and who did the last one."""
    timer = f"The timer's last round ended at {moment(last.timer)}" if last.timer else ""
    if not last.by:
        return f"No round has ended since {moment(last.ended)}"
    if last.by == By.TIMER:
        return timer
    whose = f"the last one, by {by_whom(last.by)}, ended at {moment(last.ended)}"
    return f"{timer or 'The timer has done no round'}; {whose}"


def by_whom(by: str) -> str:
    """Who did a round, in words."""
    return {"delivery": "a delivery", "operator": "an operator"}.get(by, by)
