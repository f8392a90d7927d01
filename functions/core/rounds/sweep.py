"""The sweep: runs that ended and that no continuation knows, since their event was lost.

It acts only where ledger, route and workspace were known before the run ended, so that a first
deployment, another workspace, a new route or a fresh ledger starts nothing old; and never for
routes that need what only an event can tell. docs/adr/0010-the-sweep.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.memory import visits
from functions.core.ports.services import Level
from functions.core.rounds.workspace_sweep import Visiting
from functions.core.terms.deadline import ROUND_SECONDS, Deadline
from functions.core.terms.errors import Permanent, RoutesUnreadable
from functions.core.terms.policy import SweepMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from functions.core.memory.knowledge import Memory
    from functions.core.memory.known_since import KnownSince
    from functions.core.memory.remembered import Remembered, Visit
    from functions.core.ports.services import Ports
    from functions.core.rounds.expiry import Expiry
    from functions.core.rounds.watch import Watch
    from functions.core.routes.definition import Routes
    from functions.core.starts.handling import Relay
    from functions.core.terms.policy import SweepPolicy
    from functions.core.terms.runs import Workspace

PRUNING_SECONDS = 30.0  # an hour at least, and what the sweep leaves of its own
PRUNED_AT_ONCE = 50
ENOUGH_SECONDS = 20.0  # for one workspace; with less it may never come through


class Sweep:
    """Asks each workspace seen or configured what ended, and starts what is missing."""

    def __init__(
        self,
        ports: Ports,
        policy: SweepPolicy,
        watch: Watch,
        relay: Relay,
        *,
        known_since: KnownSince,
        expiry: Expiry,
    ) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._routes, self._outcomes = ports.routes, ports.outcomes
        self._policy = policy
        self._known_since = known_since
        self._expiry = expiry
        self._watch = watch
        self._visiting = Visiting(ports, policy, relay)

    def sweep(self) -> None:
        """One sweep over all workspaces, then the pruning. Raises LedgerUnavailable."""
        try:
            self._whole_sweep()
            self._watch.swept()
        finally:
            self._outcomes.send()

    def _whole_sweep(self) -> None:
        whole = Deadline(self._clock, ROUND_SECONDS + PRUNING_SECONDS)
        try:
            routes = self._routes.routes()
        except RoutesUnreadable as error:
            self._log.write(Level.ERROR, {"routes": "unreadable", "detail": error.problems[0]})
            row = None
        else:
            self._expiry.look(routes)
            row = self._sweep(routes, Deadline(self._clock, ROUND_SECONDS))
        self._prune(row, whole)

    def _prune(self, row: Remembered | None, whole: Deadline) -> None:
        """First write down that this will be forgotten, for whoever might start it again."""
        now = self._clock.now()
        before = now - self._policy.kept_for
        visits.forgets(self._ledger, row or visits.believed(self._ledger, now), before)
        share = Deadline(self._clock, PRUNING_SECONDS / 2)
        _repeated(lambda: self._ledger.forget(now, PRUNED_AT_ONCE), share)
        rest = Deadline(self._clock, max(PRUNING_SECONDS / 2, whole.left))
        pruned = _repeated(lambda: self._ledger.prune(before, PRUNED_AT_ONCE), rest)
        if pruned:
            self._log.write(Level.INFO, {"pruned": pruned, "before": before})

    def _sweep(self, routes: Routes, whole: Deadline) -> Remembered | None:
        """The row of visits as it is afterwards; None where that is not known."""
        if self._policy.mode is SweepMode.OFF:
            return visits.owe_nothing(self._ledger, self._clock.now())
        try:
            since = self._clock.now() - self._policy.kept_for
            workspaces = self._known_since.workspaces(since, self._policy.workspaces)
            memory = self._known_since.register(routes, workspaces)
            turns = visits.in_turn(memory.visits, workspaces)
            visited = dict(self._visits(turns, routes, memory, whole))
            left = turns[len(visited) :]
            self._tell_left(left)
            if memory.visits.others(workspaces):  # one may have been heard of since
                workspaces = self._known_since.workspaces(since, self._policy.workspaces)
                self._tell_gone(len(memory.visits.others(workspaces)))
            came = {key: visit for key, visit in visited.items() if visit}
            return visits.conclude(self._ledger, memory.visits, came, workspaces, left)
        except Permanent as error:
            self._log.write(Level.ERROR, {"sweep": "failed", "detail": error.detail})
            return None

    def _visits(
        self, workspaces: list[Workspace], routes: Routes, memory: Memory, whole: Deadline
    ) -> Iterator[tuple[str, Visit | None]]:
        """Those that the time suffices for, each with its share of it; None: nothing is new."""
        for done, workspace in enumerate(workspaces):
            if whole.has_passed:
                return
            seconds = max(whole.left / (len(workspaces) - done), min(ENOUGH_SECONDS, whole.left))
            share = Deadline(self._clock, seconds)
            yield workspace.key, self._visiting.visit(workspace, routes, memory, share)

    def _tell_gone(self, gone: int) -> None:
        if gone:
            self._log.write(Level.INFO, {"chronicle": "workspaces", "gone": gone})

    def _tell_left(self, left: Sequence[Workspace]) -> None:
        if left:
            why = "no time was left for these workspaces: the next sweep begins with them"
            self._log.write(Level.WARNING, {"sweep": "cut", "left": len(left), "detail": why})


def _repeated(remove: Callable[[], int], deadline: Deadline) -> int:
    """Call it until there is no more to remove, or no time; returns how many it removed."""
    removed, last = 0, PRUNED_AT_ONCE
    while last == PRUNED_AT_ONCE and not deadline.has_passed:
        last = remove()
        removed += last
    return removed
