"""The sweep: root runs that ended and that no continuation knows, since their event was lost.

It acts only for routes that the ledger knew before the run ended, so that a first deployment, a
new route or a fresh ledger starts nothing old; and never for routes that need what only an event
can tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core import journal, missed, routing
from functions.core.deadline import ROUND_SECONDS, Deadline, each
from functions.core.errors import Permanent, RoutesUnreadable
from functions.core.policy import SweepMode
from functions.core.ports import Level

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.chronicle import Chronicle, Memory
    from functions.core.horizon import Horizon
    from functions.core.policy import SweepPolicy
    from functions.core.ports import Ports
    from functions.core.relay import Relay
    from functions.core.routes import Route, Routes
    from functions.core.values import RunEvent, Workspace

PRUNING_SECONDS = 30.0  # an hour
PRUNED_AT_ONCE = 50
LISTING = 0.5  # of a workspace's share of the time; what is listed must still be started


class Sweep:
    """Asks each workspace seen or configured what ended, and starts what is missing."""

    def __init__(
        self,
        ports: Ports,
        policy: SweepPolicy,
        *,
        relay: Relay,
        chronicle: Chronicle,
        horizon: Horizon,
    ) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._runs, self._routes = ports.runs, ports.routes
        self._outcomes = ports.outcomes
        self._policy = policy
        self._relay = relay
        self._chronicle = chronicle
        self._horizon = horizon

    def sweep(self) -> None:
        """One sweep over all workspaces, then the pruning. Raises LedgerUnavailable."""
        try:
            self._whole_sweep()
        finally:
            self._outcomes.send()

    def _whole_sweep(self) -> None:
        try:
            routes = self._routes.routes()
        except RoutesUnreadable as error:
            self._log.write(Level.ERROR, {"routes": "unreadable", "detail": error.problems[0]})
        else:
            self._horizon.look(routes)
            if self._policy.mode is not SweepMode.OFF:
                self._sweep(routes, Deadline(self._clock, ROUND_SECONDS))
        self._prune(Deadline(self._clock, PRUNING_SECONDS))

    def _prune(self, deadline: Deadline) -> None:
        now = self._clock.now()
        before = now - self._policy.kept_for
        pruned = _repeated(lambda: self._ledger.prune(before, PRUNED_AT_ONCE), deadline)
        _repeated(lambda: self._ledger.forget(now, PRUNED_AT_ONCE), deadline)
        if pruned:
            self._log.write(Level.INFO, {"pruned": pruned, "before": before})

    def _sweep(self, routes: Routes, whole: Deadline) -> None:
        try:
            memory = self._chronicle.register(routes)
        except Permanent as error:
            return self._log.write(Level.ERROR, {"sweep": "failed", "detail": error.detail})
        since = self._clock.now() - self._policy.kept_for
        workspaces = self._chronicle.workspaces(since, self._policy.workspaces)
        for done, workspace in enumerate(workspaces):
            share = Deadline(self._clock, whole.left / (len(workspaces) - done))
            self._guarded(workspace, routes, memory, share)
        return None

    def _guarded(
        self, workspace: Workspace, routes: Routes, memory: Memory, share: Deadline
    ) -> None:
        try:
            self._visit(workspace, routes, memory, share)
        except Exception as error:  # noqa: BLE001 - one workspace must not cost the others theirs
            why = f"{type(error).__name__}: {error}"
            line = {"sweep": "failed", "workspace": workspace.name, "detail": why}
            self._log.write(Level.ERROR, line)

    def _visit(
        self, workspace: Workspace, routes: Routes, memory: Memory, deadline: Deadline
    ) -> None:
        """One workspace; what the time does not suffice for is left to the next sweep."""
        since = self._clock.now() - self._policy.window
        ended = self._runs.ended(workspace, since, Deadline(self._clock, deadline.left * LISTING))
        looked = lost = 0
        for run in ended.runs:
            if deadline.has_passed:
                break
            event = missed.news(workspace, run, ended.experiment(run))
            looked += 1
            if lacking := self._lacking(event, routes, memory):
                lost += 1
                self._take_up(event, lacking)
        left = len(ended.runs) - looked
        counts = {"ended": len(ended.runs), "missed": lost, "left": left}
        whole = ended.whole and not left
        more = {"complete": "yes" if whole else "no", "ms": round(deadline.elapsed * 1000)}
        line = {"sweep": self._policy.mode, "workspace": workspace.name, **counts, **more}
        self._log.write(Level.INFO if whole and not lost else Level.WARNING, line)

    def _lacking(self, event: RunEvent, routes: Routes, memory: Memory) -> tuple[Route, ...]:
        """The routes to take the run up on; the ledger is asked only if there may be any."""
        wanted = tuple(
            route
            for route in routing.matching(event, routes)
            if not route.needs.only_event and event.time and memory.knew(route.name, event.time)
        )
        if not wanted:
            return ()
        known = self._ledger.of_run(event.workspace.key, event.run)
        for c in known:
            if c.is_open:  # who claimed it may have died before it was on the schedule
                self._ledger.schedule(c)
        return missed.missing(event, wanted, known)

    def _take_up(self, event: RunEvent, routes: tuple[Route, ...]) -> None:
        if self._policy.mode is SweepMode.REPORT:
            return self._log.write(Level.WARNING, journal.missed(event, routes))
        return self._relay.accept(event, each(self._clock), routes)


def _repeated(remove: Callable[[], int], deadline: Deadline) -> int:
    """Call it until there is no more to remove, or no time; returns how many it removed."""
    removed, last = 0, PRUNED_AT_ONCE
    while last == PRUNED_AT_ONCE and not deadline.has_passed:
        last = remove()
        removed += last
    return removed
