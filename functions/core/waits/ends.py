"""What a task is answered whose route answers by the end of the pipeline run that it starts.

docs/adr/0035-what-goes-on-by-an-end.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.terms.words import Ending, State, stands_as

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger
    from functions.core.terms.runs import Key

    Said = tuple[bool, str]


class Ends:
    """Reads how the pipeline run ended that a run has led to on a route."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def of(self, key: Key) -> tuple[bool, Said | None]:
        """Whether the run is known on the route, and what is said of its pipeline run by now.

        What was not started, and will not be by itself, is a no. Raises LedgerUnavailable.
        """
        entry = self._ledger.read(key)
        return entry is not None, _answer(entry.continuation) if entry else None

    def has_begun(self, key: Key) -> bool:
        """Whether a pipeline was started for it. Raises LedgerUnavailable."""
        entry = self._ledger.read(key)
        return entry is not None and entry.continuation.state is State.STARTED


def _answer(c: Continuation) -> Said | None:
    """Whether it succeeded, and why so; None while it goes on."""
    if c.ended:
        run = c.ended.run or c.pipeline_run
        detail = f": {c.ended.detail}" if c.ended.detail else ""
        return c.ended.how is Ending.SUCCEEDED, f"pipeline run {run} {c.ended.how}{detail}"
    may_start = c.state.may_be_open or c.was_passed_over or c.is_doubted
    if c.state is State.STARTED or c.in_doubt or may_start:
        return None
    why = f"{c.reason} {c.detail}".rstrip()
    return False, f"no pipeline was started: {stands_as(c.state, in_doubt=False)}, {why}"
