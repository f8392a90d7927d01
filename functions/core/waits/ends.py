"""What a task is answered whose route answers by the end of the pipeline run that it starts.

docs/adr/0035-what-goes-on-by-an-end.md
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from functions.core.terms.policy import NOT_FINAL_FOR
from functions.core.terms.words import Ending, State, stands_as

if TYPE_CHECKING:
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger
    from functions.core.routes.definition import Route
    from functions.core.terms.runs import RunEvent

    Said = tuple[bool, str]

RETOLD_FOR = NOT_FINAL_FOR  # in which another event of the same end may fit
TOLD_FOR = timedelta(days=1)  # for so long Event Grid tries, and sweeps look
UNTOLD = "the ledger knows of no start: for a day neither an event nor a sweep told of its end"


class Ends:
    """Reads how the pipeline run ended that a run has led to on a route."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def of(
        self, event: RunEvent, route: Route, since: datetime, now: datetime
    ) -> tuple[bool, Said | None]:
        """Whether the run is known on the route, and what is said of its pipeline run by now.

        What was not started, and will not be by itself, is a no; so is what nobody has taken up
        so long after it was over and waited for (`since`). Raises LedgerUnavailable.
        """
        entry = self._ledger.read(event.key(route.name))
        if entry is None:
            return False, (False, UNTOLD) if now - since >= TOLD_FOR else None
        c = entry.continuation
        patience = _patience(c, route)
        if patience and now - max(since, c.updated_at) < patience:
            return True, None
        return True, _answer(c)

    def has_begun(self, event: RunEvent, route: Route) -> bool:
        """Whether a pipeline was started for it. Raises LedgerUnavailable."""
        entry = self._ledger.read(event.key(route.name))
        return entry is not None and entry.continuation.state is State.STARTED


def _answer(c: Continuation) -> Said | None:
    """Whether it succeeded, and why so; None while it goes on."""
    if c.ended:
        run = c.ended.run or c.pipeline_run
        detail = f": {c.ended.detail}" if c.ended.detail else ""
        return c.ended.how is Ending.SUCCEEDED, f"pipeline run {run} {c.ended.how}{detail}"
    if c.state is State.STARTED or c.in_doubt or c.state.may_be_open:
        return None
    why = f"{c.reason} {c.detail}".rstrip()
    return False, f"no pipeline was started: {stands_as(c.state, in_doubt=False)}, {why}"


def _patience(c: Continuation, route: Route) -> timedelta:
    """How long what was skipped may still be started: by an event that tells otherwise, or a sweep.

    No sweep takes up what was passed over by a route that matched the same.
    """
    if c.is_doubted:
        return TOLD_FOR
    if not c.was_passed_over:
        return timedelta(0)
    from functions.core.memory import first_seen  # noqa: PLC0415 - few runs nearly fit

    return RETOLD_FOR if c.was_passed_over_by(first_seen.digest(route)) else TOLD_FOR
