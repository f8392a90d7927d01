"""The timers: when the last round and the last sweep ended, and what else stops everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.configuration import overseen
from functions.core.operators.stops import timers
from functions.core.operators.stops.stop import Kind
from functions.core.rounds import noted
from functions.core.terms.errors import LedgerUnavailable
from relay.doctor.findings import ok, warning
from relay.printing import at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from functions.core.rounds.noted import Last
    from relay.doctor.case import Case
    from relay.doctor.findings import Finding

# What another check says, who looks for itself.
TOLD = frozenset(
    {
        *(Kind.PAUSED, Kind.SETTING, Kind.RECONCILER, Kind.SWEEP),
        *(Kind.EXPIRED, Kind.EXPIRING),
    }
)


def going_on(case: Case) -> Iterator[Finding]:
    """Whether the last round of each timer ended in time."""
    try:
        last = noted.recall(case.ports.ledger)
    except LedgerUnavailable:
        yield warning("not checked", "see what is said of the ledger")
        return
    silent = {s.kind: s for s in timers.silent(last, overseen.known(case.settings), _now(case))}
    for kind, good in ((Kind.RECONCILER, _rounds(last)), (Kind.SWEEP, _sweeps(last))):
        stop = silent.get(kind)
        yield warning(stop.says, stop.do) if stop else ok(good)


def stopping(case: Case) -> Iterator[Finding]:
    """What the ledger tells of all that stops, as the last round left it. Raises LedgerUnavailable.

    It is never a failure: what was mended a moment ago is told until the next round.
    """
    listed = case.ports.ledger.listed(_now(case), 1)
    found = overseen.stops(case.settings, case.ports).look(listed)
    stops = [warning(stop.says, stop.do) for stop in found if stop.kind not in TOLD]
    yield from stops or [ok("the ledger knows of nothing else")]


def _now(case: Case) -> datetime:
    return case.clock.now()


def _rounds(last: Last) -> str:
    if last.ended is None:
        return "no round is known of yet"
    if not last.by:
        return f"no round ended yet; they are waited for since {at(last.ended)}"
    return f"the last round ended at {at(last.ended)}"


def _sweeps(last: Last) -> str:
    return f"the last sweep ended at {at(last.swept)}" if last.swept else "no sweep has ended yet"
