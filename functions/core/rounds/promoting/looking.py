"""Looks into the registries for what was promoted, since nothing else tells it.

What is new is first written down as owed, with the time that its key tells, then claimed, then no
longer owed: whoever dies in between leaves it to the next sweep, which claims the same keys.
docs/adr/0040-promotion.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from functions.core.memory import first_seen
from functions.core.memory.remembered import named as visited
from functions.core.ports.services import Level
from functions.core.rounds.promoting import remembered
from functions.core.rounds.promoting.remembered import Promoted
from functions.core.routes import filters
from functions.core.routes.definition import Routes
from functions.core.starts import log_lines
from functions.core.terms.deadline import each
from functions.core.terms.errors import Lost, NoWorkspace, Retryable, in_words
from functions.core.terms.policy import SweepMode
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from functions.core.memory.knowledge import Memory
    from functions.core.ports.ledger import Shared
    from functions.core.ports.services import Ports
    from functions.core.rounds.promoting.remembered import Known
    from functions.core.routes.definition import Route
    from functions.core.starts.handling import Relay
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.policy import SweepPolicy
    from functions.core.terms.runs import Workspace
    from functions.core.terms.standing import Promotion

AT_ONCE = 20  # are owed at a time: so many names fit into the row


class _Work(NamedTuple):
    """One route and workspace, and what is promoted there; `line` begins what is logged of it.

    `as_it_is`: since when the route is known as it is.
    """

    workspace: Workspace
    route: Route
    promotion: Promotion
    deadline: Deadline
    as_it_is: datetime

    @property
    def line(self) -> dict[str, object]:
        return {"sweep": "promotions", "workspace": self.workspace.name, "route": self.route.name}


class Promoting:
    """Looks at the workspaces for the routes that are about promotions."""

    def __init__(self, ports: Ports, policy: SweepPolicy, relay: Relay) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._runs = ports.runs
        self._policy = policy
        self._relay = relay

    def look(
        self,
        workspace: Workspace,
        routes: Iterable[Route],
        memory: Memory,
        deadline: Deadline,
        first: str = "",
    ) -> str:
        """Take up what is new in a workspace; no request for routes on anything else.

        The route of the name `first` comes first. Returns the one that the next sweep is to begin
        with, where there was no time for all.
        """
        turns = list(self._owed(workspace, routes, memory, deadline))
        at = next((n for n, (work, _) in enumerate(turns) if work.route.name == first), 0)
        left = [*turns[at:], *turns[:at]]
        while left and not deadline.has_passed:
            self._guarded(*left.pop(0))
        if not left:
            return ""
        work, _ = left[0]
        why = f"no time was left for {len(left)} routes: the next sweep begins with this one"
        self._log.write(Level.WARNING, {**work.line, "complete": "no", "lacking": why})
        return work.route.name

    def _owed(
        self, workspace: Workspace, routes: Iterable[Route], memory: Memory, deadline: Deadline
    ) -> Iterator[tuple[_Work, datetime]]:
        """The routes that are owed what is promoted in a workspace, and since when."""
        for route in routes:
            promotion, since = route.promoted, memory.owed_since(workspace.key, route.name)
            if promotion and route.start and since:
                as_it_is = memory.routes.routes[route.name]
                work = _Work(workspace, route, promotion, deadline, as_it_is)
                if self._concerns(work):
                    yield work, since

    def _concerns(self, work: _Work) -> bool:
        any_one = Promoted("m", "1", self._clock.now())
        event = remembered.event(work.workspace, any_one, "v")
        return event is not None and filters.misfit(event, work.route) is None

    def _guarded(self, work: _Work, since: datetime) -> None:
        """What goes wrong with one route costs neither the others nor the runs."""
        try:
            self._look_at(work, since)
        except (Lost, NoWorkspace):  # another sweep looked just now; the visit tells who is gone
            pass
        except Retryable as error:
            lacking = {"complete": "no", "lacking": error.detail}
            self._log.write(Level.WARNING, {**work.line, **lacking})
        except Exception as error:  # noqa: BLE001 - the outermost edge of one route
            told = {"sweep": "failed", "detail": in_words(error)}
            self._log.write(Level.ERROR, {**work.line, **told})

    def _look_at(self, work: _Work, since: datetime) -> None:
        """The row is read before the registry, so that what it says is never the newer of both."""
        place = f"promotions/{visited(work.workspace.key)}/{work.route.name}"
        row = self._ledger.shared(place)
        last = self._known(work.route, row, since)
        if last is not None:
            row = self._keep(row, last)
            if self._policy.mode is SweepMode.START:
                self._claim(work, last.owed)
        shown = self._runs.promoted(work.workspace, work.promotion, work.deadline)
        seen, now = shown.versions, self._clock.now()
        if remembered.count(remembered.told(seen)) > remembered.MOST:
            most = f"more than {remembered.MOST} versions are promoted"
            line = {"complete": "no", "lacking": f"{most}: name fewer models with `model`"}
            return self._log.write(Level.WARNING, {**work.line, **line})
        if last is None and shown.lacking:  # what it lacks would be news to the next look
            raise Retryable(Reason.RUN_UNREADABLE, shown.lacking)
        if last is None:
            before = self._known(work.route, row, work.as_it_is)
            self._report(work, before.owed if before else (), "")  # the sweep was off since
            first = remembered.first(seen, now, since, first_seen.digest(work.route))
            self._keep(row, first)
            there = remembered.count(first.has)
            return self._log.write(Level.INFO, {**work.line, "first": "yes", "there": there})
        return self._take_up(work, row, last, remembered.news(last, seen), shown.lacking)

    def _known(self, route: Route, row: Shared, since: datetime) -> Known | None:
        """What the row says, if it is about this route as it is; kept for long enough, and so said.

        Raises Lost where another one has its name by now: this process has an older file.
        """
        last, says = remembered.known(row.value, since), first_seen.digest(route)
        if last is None or last.says in {"", says}:
            return last and remembered.lasting(last, says, self._clock.now())
        if route.name not in first_seen.recall(self._ledger, Routes((route,))).routes:
            raise Lost(f"{row.name} is about another route of that name")
        return None

    def _take_up(
        self, work: _Work, row: Shared, last: Known, news: remembered.News, lacking: str
    ) -> None:
        """So many at a time; what there is no time for is new to the next sweep as well.

        One is taken up in any case: else a registry that is slow each time would start nothing.
        """
        left, now = news.new, self._clock.now()
        if self._policy.mode is SweepMode.REPORT:
            found = [*last.owed, *(Promoted(*one, now) for one in left)]
            return self._report(work, found, lacking)
        while left and (left is news.new or not work.deadline.has_passed):
            most = 1 if work.deadline.has_passed else AT_ONCE  # a reading may take all the time
            some, left = left[:most], left[most:]
            last = remembered.owing(last, some, now)
            row = self._keep(row, last)
            self._claim(work, last.owed)
        has = last.has if left else news.has
        self._keep(row, remembered.settled(last, has))
        counts = {"promoted": len(news.new) - len(left), "left": len(left)}
        is_whole = not left and not lacking
        told = {"complete": "yes" if is_whole else "no", "lacking": lacking or None}
        level = Level.INFO if is_whole else Level.WARNING
        return self._log.write(level, {**work.line, **counts, **told})

    def _report(self, work: _Work, found: Iterable[Promoted], lacking: str) -> None:
        if lacking:
            line = {"complete": "no", "lacking": lacking}
            self._log.write(Level.WARNING, {**work.line, **line})
        for one in found:
            if event := remembered.event(work.workspace, one, work.promotion.value):
                self._log.write(Level.WARNING, log_lines.missed(event, (work.route,)))

    def _claim(self, work: _Work, owed: Iterable[Promoted]) -> None:
        for one in owed:
            event = remembered.event(work.workspace, one, work.promotion.value)
            if event is not None:
                self._relay.accept(event, each(self._clock), (work.route,))
                continue
            why = "the names of model, version and value are too long for a key"
            line = {"sweep": "failed", "model": one.model, "version": one.version, "detail": why}
            self._log.write(Level.ERROR, {**work.line, **line})

    def _keep(self, row: Shared, what: Known) -> Shared:
        """Write it, unless it is there; raises Lost where another sweep wrote meanwhile."""
        value = remembered.written(what)
        return row if value == row.value else self._ledger.share(row, value)
