"""The sweep's visit to one workspace: what ended, what of it is missing, and how far it came."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from functions.core.memory import missed, reached, visits
from functions.core.memory.reached import Looked
from functions.core.memory.remembered import Visit
from functions.core.memory.visits import ASKED_AGAIN, GONE_FOR
from functions.core.ports.services import Level
from functions.core.rounds import inbox
from functions.core.routes import near_misses
from functions.core.starts import log_lines
from functions.core.terms.deadline import Deadline, Since, each
from functions.core.terms.errors import LedgerUnavailable, NoWorkspace, in_words
from functions.core.terms.policy import SweepMode

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.core.memory.knowledge import Memory
    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Route, Routes
    from functions.core.starts.handling import Relay
    from functions.core.terms.policy import SweepPolicy
    from functions.core.terms.runs import Ended, RunEvent, Workspace

LISTING = 0.5  # of a workspace's share of the time; what is listed must still be started


class _Work(NamedTuple):
    """What a visit goes by, and the moment it began; `undecided` is asked where a run is new."""

    workspace: Workspace
    routes: Routes
    memory: Memory
    visit: Visit
    now: datetime
    undecided: Callable[[], frozenset[str]]
    forgotten: set[str]  # runs that may have been started: nobody can tell any more


class Visiting:
    """Visits workspaces; one that fails does not cost the others their turn."""

    def __init__(self, ports: Ports, policy: SweepPolicy, relay: Relay) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._ports, self._runs = ports, ports.runs
        self._policy = policy
        self._relay = relay

    def visit(
        self, workspace: Workspace, routes: Routes, memory: Memory, share: Deadline
    ) -> Visit | None:
        """What is to be remembered of it from now on; None: nothing new."""
        known, now = memory.visits.of(workspace.key), self._clock.now()
        if known is None or not self._is_asked(workspace, known, now):
            return None
        if not known.was_not_there:
            left = self._promotions(workspace, routes, memory, share)
            known = known._replace(promotions=left)
        undecided = cache(partial(inbox.undecided, self._ledger))
        work = _Work(workspace, routes, memory, known, now, undecided, set())
        try:
            return self._visit(work, share)
        except NoWorkspace as error:
            return self._gone(work, error)
        except Exception as error:  # noqa: BLE001 - one workspace must not cost the others theirs
            self._tell_failed(workspace, error)
            return None if known == memory.visits.of(workspace.key) else known

    def _promotions(
        self, workspace: Workspace, routes: Routes, memory: Memory, share: Deadline
    ) -> str:
        """The route that the next sweep begins with, where there was no time for all."""
        if not (about := [route for route in routes.routes if route.promoted]):
            return ""
        from functions.core.rounds.promoting.looking import Promoting  # noqa: PLC0415 - few files do

        deadline = Deadline(self._clock, share.left * LISTING)
        visit = memory.visits.of(workspace.key)
        promoting = Promoting(self._ports, self._policy, self._relay)
        first = visit.promotions if visit else ""
        return promoting.look(workspace, about, memory, deadline, first)

    def _is_asked(self, workspace: Workspace, known: Visit, now: datetime) -> bool:
        """One that is gone for good only if it is named, once a day."""
        if known.dropped is None:
            return True
        named = any(workspace.key == one.key for one in self._policy.workspaces)
        return named and now - known.dropped >= ASKED_AGAIN

    def _gone(self, work: _Work, error: NoWorkspace) -> Visit:
        visit, now = work.visit, work.now
        gone = visit.gone or now
        lasts = now - gone >= GONE_FOR
        if not visit.dropped:
            line = {"sweep": "dropped" if lasts else "failed", "workspace": work.workspace.name}
            self._log.write(Level.ERROR, {**line, "gone_since": gone, "detail": error.detail})
        return visit._replace(gone=gone, dropped=now if lasts else None)

    def _visit(self, work: _Work, deadline: Deadline) -> Visit:
        """What the time does not suffice for is left to the next sweep."""
        since = visits.back_to(work.visit, self._policy, work.now)
        children = any(
            route.children and near_misses.is_swept(route) for route in work.routes.routes
        )
        ended = self._runs.ended(
            work.workspace,
            since,
            Deadline(self._clock, deadline.left * LISTING),
            first=work.visit.next,
            children=children,
            reach=reached.reach(work.visit),
        )
        ended = missed.believed(ended, work.now)
        if work.visit.was_not_there:  # what it has may have come from elsewhere, or be another's
            work = work._replace(visit=Visit(work.now, there=work.now))
            ended = replace(ended, runs=())
        looked = self._look(work, ended, deadline)
        self._tell(work, ended, looked, since, deadline)
        return reached.came(work.visit, work.now, ended, looked)

    def _look(self, work: _Work, ended: Ended, deadline: Deadline) -> Looked:
        """What was looked at before comes last.

        It is looked at again since it may have been shown late, or not been scheduled.
        """
        looked = Looked()
        turns = reached.in_turn(work.visit, ended, missed.timed(ended.runs, work.now))
        for done, (at, run) in enumerate(turns):
            if deadline.has_passed:
                return reached.cut(work.visit, ended, turns, looked, done)
            event = missed.news(work.workspace, run, ended.experiment(run))
            was = self._handled(work, event, at)
            looked = Looked(looked.runs + (was is not None), looked.missing + bool(was))
        return looked

    def _handled(self, work: _Work, event: RunEvent, at: datetime) -> bool | None:
        """Whether it was missing; None: a bug, which must not cost the other runs theirs."""
        try:
            if lacking := self._lacking(work, event, at):
                self._take_up(event, lacking)
        except LedgerUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - the outermost edge of one run
            self._tell_failed(work.workspace, error, run=event.run)
            return None
        return bool(lacking)

    def _tell_failed(self, workspace: Workspace, error: Exception, **what: str) -> None:
        line = {"sweep": "failed", "workspace": workspace.name, **what}
        self._log.write(Level.ERROR, {**line, "detail": in_words(error)})

    def _lacking(self, work: _Work, event: RunEvent, at: datetime) -> tuple[Route, ...]:
        """The routes to take the run up on; the ledger is asked only if there may be any.

        What an event in the inbox tells of is left to that: a tag may have been set since.
        """
        wanted = missed.wanted(event, at, work.routes, work.memory)
        decides = self._policy.mode is SweepMode.START and (
            reached.is_new(work.visit, at) or at != event.time
        )
        near = missed.nearly_wanted(event, at, work.routes, work.memory) if decides else ()
        forgotten = missed.forgotten(event, at, work.routes, work.memory)
        if not (wanted or near or forgotten):
            return ()
        since, known = Since(self._clock), self._ledger.of_run(event.workspace.key, event.run)
        for c in known:
            if c.is_open:  # who claimed it may have died before it was on the schedule
                self._ledger.schedule(c, since)
        if missed.missing(event, forgotten, known):
            work.forgotten.add(event.run)
        near = tuple(one for one in near if missed.missing(event, one[:1], known))
        lacking = missed.missing(event, wanted, known)
        if (near or lacking) and event.key("").hash in work.undecided():
            return ()
        for route, why in near:
            self._relay.claiming.leave(event, route, why)
        return lacking

    def _take_up(self, event: RunEvent, routes: tuple[Route, ...]) -> None:
        if self._policy.mode is SweepMode.REPORT:
            return self._log.write(Level.WARNING, log_lines.missed(event, routes))
        return self._relay.accept(event, each(self._clock), routes)

    def _tell(
        self, work: _Work, ended: Ended, looked: Looked, since: datetime, deadline: Deadline
    ) -> None:
        left = len(ended.runs) - looked.runs
        name = {"workspace": work.workspace.name}
        counts = {"ended": len(ended.runs), "missed": looked.missing, "left": left}
        behind = reached.is_behind(work.visit, ended) or bool(work.visit.lacks)
        whole = ended.whole and not (left or behind or work.forgotten)
        lacking = [*ended.lacking, *(["pages"] if behind else [])]
        if work.forgotten:
            lacking.append(f"what is known of {len(work.forgotten)} runs")
        about_runs = (r for r in work.routes.routes if r.start and r.is_about_runs)
        unswept = [route.name for route in about_runs if not near_misses.is_swept(route)]
        more = {
            "complete": "yes" if whole else "no",
            "lacking": ", ".join(lacking) or None,
            "back_to": ended.down,
            "untimed": missed.named(ended.untimed),
            "unswept": missed.named(unswept),
            "ms": round(deadline.elapsed * 1000),
        }
        level = Level.INFO if whole and not looked.missing else Level.WARNING
        self._log.write(level, {"sweep": self._policy.mode, **name, **counts, **more})
        if (seen := work.visit.seen) and seen < since:
            why = "nobody looked at what ended then: see `coverage`, or a longer SWEEP_HOURS"
            gap = {"sweep": "gap", **name, "after": seen, "before": since, "detail": why}
            self._log.write(Level.WARNING, gap)
