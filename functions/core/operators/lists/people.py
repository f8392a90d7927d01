"""What people were told of a continuation, and why not yet, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.operators.stops.stop import moment
from functions.core.terms.words import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from functions.core.kept.continuation import Continuation
    from functions.core.kept.notice import Notice
    from functions.core.ports.ledger import Ledger

_TELLING = frozenset({State.HELD, State.FAILED, "ended"})  # the steps after which people are told


def told(ledger: Ledger, c: Continuation) -> tuple[str, ...]:
    """What became of each notice, in words. Raises LedgerUnavailable.

    No request if there can be none, else two, and one for each channel that waits.
    """
    if not any(step.what in _TELLING for step in c.history):
        return ()
    from functions.core.rounds.notices.noticing import of_key  # noqa: PLC0415 - few are told

    known, waiting = ledger.notices.of(of_key(c.key))
    said = (f"{one.words}, {moment(one.at)}" for one in known)
    return (*said, *_waiting(ledger, waiting))


def _waiting(ledger: Ledger, waiting: Iterable[Notice]) -> Iterator[str]:
    from functions.core.rounds.notices import channels  # noqa: PLC0415 - the same

    for one in waiting:
        if not one.channel:
            yield f"of {one.about}: it waits until a route file that can be read says who is told"
            continue
        standing = channels.standing(ledger.shared(channels.name(one.channel)).value)
        why = f": {standing.why}; again at {moment(standing.held_until)}" if standing.why else ""
        yield f"{one.channel} of {one.about}: it waits{why}"
