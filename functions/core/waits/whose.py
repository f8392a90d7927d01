"""By whose route file a waiting task is judged, while one version replaces the other.

docs/adr/0018-which-route-file-is-newer.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.memory import file_order

if TYPE_CHECKING:
    from functions.core.kept.tasks import Wait
    from functions.core.ports.services import Ports
    from functions.core.terms.runs import Run


class Whose:
    """Says what is left to a newer file than that of this process. Raises LedgerUnavailable."""

    def __init__(self, ports: Ports) -> None:
        self._ledger, self._routes, self._clock = ports.ledger, ports.routes, ports.clock

    def is_newer_ones(self, wait: Wait) -> bool:
        """Whether instances of a newer file, by which it was let wait, are coming up just now.

        They may have routes that this one has not, or answer by the end of what a run leads to. No
        request where it was let wait by this very file, else one.
        """
        now = self._clock.now()
        routes, at = self._routes.routes(), wait.created_at
        return file_order.stands_back(self._ledger, wait.file, at, routes, now)

    def is_left(self, wait: Wait, run: Run) -> bool:
        """Whether a newer file than this one may answer for a run that is over; for a day."""
        now, ended = self._clock.now(), run.known_to_last_until or wait.created_at
        if now - max(ended, wait.created_at) >= file_order.GONE_FOR:
            return False
        routes = self._routes.routes()
        return file_order.is_left(self._ledger, wait.file, wait.created_at, routes, now)
