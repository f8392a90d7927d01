"""What the ledger knew when a run ended, which keeps the sweep from starting what is old. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from functions.core.events import parsing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from functions.core.memory.first_seen import FirstSeen
    from functions.core.memory.remembered import Remembered
    from functions.core.terms.runs import RunEvent

ROUTE_LATER = "the route came later"  # as it is matched now
WORKSPACE_UNHEARD = "no event of this workspace ever came, nor is it in SWEEP_WORKSPACES"
WORKSPACE_LATER = "the workspace came later"
SWEPT_OFF = "the sweep was off, and nothing is owed"
FORGOTTEN = "the ledger has forgotten what ended then: it may have been started"


class Memory(NamedTuple):
    """Since when the ledger is there and knows routes and workspaces, and what it has forgotten.

    `before`: what earlier versions knew, where this one has written nothing yet. Who has just
    come to know a workspace has it among the `visits`.
    """

    routes: FirstSeen
    visits: Remembered
    before: Mapping[str, datetime] = {}

    @property
    def born(self) -> datetime | None:
        """When the ledger was born; None: not yet."""
        return self.routes.born

    def owed_since(self, workspace: str, route: str) -> datetime | None:
        """Since when a route is owed what changes in a workspace; None: it is not yet."""
        times = (self.born, self.routes.routes.get(route), self.heard(workspace))
        known = [time for time in times if time is not None]
        if len(known) < len(times):
            return None
        return max(*known, *([self.visits.off] if self.visits.off else []))

    def knew(self, event: RunEvent, route: str, at: datetime) -> bool:
        """Whether ledger, route and workspace were all known before that moment."""
        return not self.kept_out(event, route, at)

    def kept_out(self, event: RunEvent, route: str, at: datetime) -> str:
        """Why the sweep leaves alone a run that ended at that moment; "" where it does not.

        A child run counts from when the route has wanted child runs.
        """
        known = self.routes.children if parsing.is_child(event) else self.routes.routes
        since = max(self.routes.routes.get(route) or at, known.get(route) or at)
        if self.born is None or max(since, self.born) >= at:
            return ROUTE_LATER
        heard = self.heard(event.workspace.key)
        if heard is None or heard >= at:
            return WORKSPACE_LATER if heard else WORKSPACE_UNHEARD
        pruned, off = self.visits.pruned, self.visits.off
        if pruned and pruned >= at:
            return FORGOTTEN
        return SWEPT_OFF if off and off >= at else ""

    def heard(self, workspace: str) -> datetime | None:
        """When the workspace was first heard of; None: never."""
        visit = self.visits.of(workspace)
        return visit.since if visit else self.before.get(workspace)
