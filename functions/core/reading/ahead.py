"""What a start will ask for, begun beside the claim's second row as soon as the first stands.

insert ─┬─ schedule ─┬─ decide ── ask ── POST ── settle
        ├─ the run ──┤
        ├─ its model ┤   all of these are reads: what is not needed after all is not waited for,
        ├─ children ─┤   and what failed is told only where it would have been asked for
        └─ secret ───┘

What is sure to be asked for is begun: the run, the versions of its model, a secret that is not
cached. What lies below the root, only its answers tell: there the last runs of the kind tell it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from functions.core.terms.runs import Ahead, ModelSought

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Route
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.policy import Policy
    from functions.core.terms.runs import Run, RunEvent

    Kind = tuple[str, str, str]

IN_A_ROW = 3  # runs that needed the same, so that the next one is taken to
MOST_KINDS = 1000


class Needed(NamedTuple):
    """What a run was read for below its root.

    `siblings`: the experiment in which its children were looked for, "" if they were not; `model`:
    whether one was, that the root did not have.
    """

    siblings: str = ""
    model: bool = False


class ReadingAhead:
    """Begins reads, and remembers what the last runs of each kind were read for.

    A kind is a route, an experiment and a run type. A run that turns out otherwise than those
    before it has cost the reads that were begun in vain, and ends the habit.
    """

    def __init__(self, ports: Ports, policy: Policy) -> None:
        self.runs, self.credentials, self.clock = ports.runs, ports.credentials, ports.clock
        self.policy = policy
        self._seen: dict[Kind, tuple[Needed, int]] = {}

    def of(self, event: RunEvent, deadline: Deadline) -> Begun:
        """The reads of an event, none of which is begun yet."""
        return Begun(self, event, deadline)

    def usual(self, route: Route, event: RunEvent) -> Needed:
        """What the last runs of the kind all needed."""
        needed, times = self._seen.get(_kind(route, event), (Needed(), 0))
        return needed if times >= IN_A_ROW else Needed()

    def note(self, route: Route, event: RunEvent, needed: Needed) -> None:
        """Another run of the kind needed this."""
        kind = _kind(route, event)
        before, times = self._seen.pop(kind, (needed, 0))
        self._seen[kind] = (needed, times + 1 if before == needed else 1)
        if len(self._seen) > MOST_KINDS:  # the one that was seen least lately
            self._seen.pop(next(iter(self._seen)), None)


class Begun:
    """The reads that one event has begun. Raises nothing."""

    def __init__(self, ahead: ReadingAhead, event: RunEvent, deadline: Deadline) -> None:
        self._ahead, self._event, self._deadline = ahead, event, deadline
        self._at: datetime | None = None

    def calls(self, route: Route) -> list[Callable[[], None]]:
        """What begins the reads of a route, for whoever was the first to claim the event on it.

        Calls of ports, since no package of the core calls one that is drawn above it. Nobody waits
        for what the sweep has found.
        """
        found: list[Callable[[], None]] = []
        if not self._event.was_sent:
            return found
        if route.start and not route.shadow and not self._ahead.policy.paused:
            sender = self._ahead.policy.sender(route.start.organization, route.start.secret)
            found.append(partial(self._ahead.credentials.begin, sender, self._deadline))
        if self._event.outcome.ends_run:
            self._at = self._at or self._ahead.clock.now()
            asked = self._event.workspace, self._event.run, self._first(route), self._deadline
            found.append(partial(self._ahead.runs.begin, *asked))
        return found

    def _first(self, route: Route) -> Ahead:
        usual = self._ahead.usual(route, self._event)
        model = sought(route) if route.needs.model else None
        return Ahead(itself=True, siblings=usual.siblings, model=model, job=usual.model)

    def is_read(self, run: Run) -> None:
        """The run was read: what was begun before its end, by our clock, is read again.

        The event may have come before the run's end, and what lies below it may have changed.
        """
        if self._at and (run.end_time is None or run.end_time > self._at):
            self._ahead.runs.drop(self._deadline)

    def holds(self, route: Route, run: Run) -> None:
        """Begin with a run below that has the metrics, where the root has no model usually."""
        is_below = run.id != self._event.run
        if self._at and is_below and self._ahead.usual(route, self._event).model:
            self._begin(run.id, Ahead(model=sought(route)))

    def asked(self, route: Route, runs: Iterable[Run]) -> None:
        """Each of these runs is about to be asked for its model."""
        if self._at:
            for run in runs:
                self._begin(run.id, Ahead(model=sought(route)))

    def needed(self, route: Route, what: Needed) -> None:
        """The run was read for this."""
        if self._at:
            self._ahead.note(route, self._event, what)

    def _begin(self, run: str, ahead: Ahead) -> None:
        self._ahead.runs.begin(self._event.workspace, run, ahead, self._deadline)


def sought(route: Route) -> ModelSought:
    """What a route wants to know of a model."""
    return ModelSought(route.needs.model, route.model or "")


def _kind(route: Route, event: RunEvent) -> Kind:
    return route.name, event.experiment, event.run_type
