"""What the ledger knew when a run ended. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from functions.core.visits import Remembered

ROUTE_LATER = "the route came later"  # as it is matched now
WORKSPACE_UNHEARD = "no event of this workspace ever came, nor is it in SWEEP_WORKSPACES"
WORKSPACE_LATER = "the workspace came later"
FORGOTTEN = "the ledger has forgotten what ended then: it may have been started"


class Memory(NamedTuple):
    """When the ledger was born, since when it knows routes and workspaces, what it has forgotten.

    `before`: what earlier versions knew, where this one has written nothing yet. Who has just
    come to know a workspace has it among the `visits`.
    """

    born: datetime | None
    routes: Mapping[str, datetime]
    visits: Remembered
    before: Mapping[str, datetime] = {}

    def knew(self, route: str, workspace: str, at: datetime) -> bool:
        """Whether ledger, route and workspace (by its key) were all known before that moment."""
        return not self.kept_out(route, workspace, at)

    def kept_out(self, route: str, workspace: str, at: datetime) -> str:
        """Why the sweep leaves alone what ended at that moment; "" where it does not."""
        since = self.routes.get(route)
        if since is None or self.born is None or max(since, self.born) >= at:
            return ROUTE_LATER
        heard = self.heard(workspace)
        if heard is None or heard >= at:
            return WORKSPACE_LATER if heard else WORKSPACE_UNHEARD
        pruned = self.visits.pruned
        return FORGOTTEN if pruned and pruned >= at else ""

    def heard(self, workspace: str) -> datetime | None:
        """When the workspace was first heard of; None: never."""
        visit = self.visits.of(workspace)
        return visit.since if visit else self.before.get(workspace)
