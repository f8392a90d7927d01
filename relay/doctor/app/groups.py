"""Whether those who wait for a `concurrency` group wait for what passes by itself."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from functions.core.limits.groups import Groups
from functions.core.terms.words import GROUP, State
from functions.core.texts.phrases import counted
from relay.doctor.findings import ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.limits.groups import Holder
    from relay.doctor.case import Case
    from relay.doctor.findings import Finding

MOST_GROUPS = 200  # looked at: a request, and one for each that has a place
MOST_TOLD = 5


def going_on(case: Case) -> Iterator[Finding]:
    """Nobody waits for what only a person can end. Raises LedgerUnavailable."""
    ledger = case.ports.ledger
    names = sorted(ledger.awaited(GROUP))
    groups = Groups(ledger, case.clock)
    held = ((name, one) for name in names[:MOST_GROUPS] for one in groups.holders(name))
    stuck = [(name.removeprefix(GROUP), one) for name, one in held if _wants_somebody(one)]
    for name, one in islice(stuck, MOST_TOLD):
        yield warning(
            f"the group {name} is waited for, and {one} has a place in it until somebody decides",
            f"look for its pipeline run, then bin/relay replay --as-started BUILD_ID {one.key.text}"
            f", or bin/relay replay --again {one.key.text} if there is none",
        )
    if not stuck:
        some = f"the first {MOST_GROUPS} of " if len(names) > MOST_GROUPS else ""
        yield ok(f"{some}{counted(len(names), 'group')} waited for, by nobody in vain")


def _wants_somebody(one: Holder) -> bool:
    """What was held or failed in doubt keeps its place, since its pipeline run may go on."""
    c = one.continuation
    return c is not None and c.in_doubt and c.state is not State.OPEN
