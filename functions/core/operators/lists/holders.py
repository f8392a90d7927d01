"""Who goes on before one that waits for a place in its group, as it is at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.terms.words import GROUP

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger
    from functions.core.terms.deadline import Clock


def group(c: Continuation) -> str:
    """The name of the group that it has a place in or waits for one; "" where it is in none."""
    row = c.waits_on if c.waits_on.startswith(GROUP) else c.group
    return row.removeprefix(GROUP)


def before(ledger: Ledger, clock: Clock, c: Continuation) -> tuple[str, ...]:
    """Each that has a place in the group that it waits for, in words; none where it waits for none.

    A request, and one for each. Raises LedgerUnavailable.
    """
    if not (c.is_open and c.waits_on.startswith(GROUP)):
        return ()
    from functions.core.limits.groups import Groups  # noqa: PLC0415 - few wait so

    return tuple(map(str, Groups(ledger, clock).holders(c.waits_on)))
