"""Who is the first to know of a run's end on a route: claims, and the traces of near misses."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from functions.core.events import parsing
from functions.core.kept.letter import Letter
from functions.core.ports.services import Level
from functions.core.routes import near_misses
from functions.core.routes.deciding import End
from functions.core.starts import log_lines, steps
from functions.core.terms.deadline import Since
from functions.core.terms.errors import Lost, Permanent, Unreadable
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import SWEPT
from functions.core.terms.words import State

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Entry, Ledger
    from functions.core.ports.services import Ports
    from functions.core.reading.ahead import Begun
    from functions.core.routes.deciding import PutOff
    from functions.core.routes.definition import Route, Routes
    from functions.core.starts.settling import Settling, Work
    from functions.core.terms.errors import RoutesUnreadable
    from functions.core.terms.policy import Policy
    from functions.core.terms.runs import RunEvent

PROBE = "probe"  # the shared row that shows the last probe
MOST_TOLD, MOST_READ = 2, 4  # claims of one that reads otherwise, by events and by who has read it
MOST_WAYS = 20  # that are told of a trace


class Claiming:
    """Writes what an event is about to the ledger, before anything else is done about it."""

    def __init__(self, ports: Ports, policy: Policy) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._outcomes = ports.outcomes
        self._policy = policy

    def first(
        self, event: RunEvent, wanted: Iterable[Route], file: str, begun: Begun | None
    ) -> list[tuple[Entry, Route]]:
        """Claim it on all of these routes; the entries where this call was the first.

        Raises LedgerUnavailable.
        """
        claimed = [(self.claim(event, route, file, begun), route) for route in wanted]
        return [(entry, route) for entry, route in claimed if entry is not None]

    def claim(
        self,
        event: RunEvent,
        route: Route,
        file: str,
        begun: Begun | None = None,
        *,
        read: bool = False,
    ) -> Entry | None:
        """The entry if this call was the first; None if the continuation was known.

        `file` stands for the route file; `read`: the run itself was read to have ended so. What
        `begun` says is begun before the row is scheduled.
        """
        key, since = event.key(route.name), Since(self._clock)
        new = steps.opened(key, event, since.at, self._policy.lease, file)
        try:
            entry, fresh = self._ledger.claim(new, begun.calls(route) if begun else ())
        except Unreadable as error:  # written by a newer version: known, and not ours to touch
            self._log.write(Level.ERROR, {"ledger": "unreadable", "detail": error})
            return None
        except Permanent as error:  # no row can hold it, however often it is delivered
            told = log_lines.unwanted(event, error.detail)
            self._log.write(Level.ERROR, {**told, "route": route.name})
            return None
        if fresh:
            return entry
        if entry.continuation.is_open and since.is_long:
            self._ledger.schedule(entry.continuation, since)
        if self._may_take_over(entry.continuation, event, route, read=read):
            return self._take_over(entry, event, file)
        known = log_lines.unwanted(event, f"known: {entry.continuation.state}")
        self._log.write(Level.DEBUG, {**known, "route": route.name})
        return None

    def pass_over(self, event: RunEvent, routes: Routes) -> None:
        """Leave a trace on each route that the run nearly fits, so that no sweep takes it later.

        Two requests for each, none where there are no such. Raises LedgerUnavailable.
        """
        for route, why in near_misses.matching(event, routes):
            self.leave(event, route, why)

    def leave(self, event: RunEvent, route: Route, why: str) -> None:
        """Leave a trace on one route, or say in it that this did, too. Raises LedgerUnavailable."""
        by = _match(route)
        trace = steps.passed_over(event.key(route.name), event, self._clock.now(), why, by)
        while True:
            try:
                entry, fresh = self._ledger.record(trace)
                if fresh:
                    self._log.write(log_lines.level(trace), log_lines.outcome(trace, 0))
                    self._outcomes.note(trace)
                elif (c := entry.continuation).was_passed_over and not c.was_passed_over_by(by):
                    more = (*c.passed_by, by)[-MOST_WAYS:]
                    self._ledger.write(entry, msgspec.structs.replace(c, passed_by=more))
            except Unreadable as error:
                return self._log.write(Level.ERROR, {"ledger": "unreadable", "detail": error})
            except Lost:
                continue
            return None

    def show(self, probe: parsing.Probe, commit: str) -> None:
        """Let the ledger and the log show that the probe arrived, at an app that is whole."""
        from functions.core.ports import shared  # noqa: PLC0415 - for probes, not for events

        at = self._clock.now().isoformat()
        arrived = {"id": probe.event_id, "at": at, "commit": commit}
        shared.change(self._ledger, PROBE, lambda _: arrived)
        self._log.write(Level.INFO, {"event": "probe", "id": probe.event_id})

    def keep(self, event: RunEvent, error: RoutesUnreadable) -> None:
        """Without routes, a root run's event goes to the inbox until they can be read.

        Raises LedgerUnavailable.
        """
        self._log.write(Level.ERROR, {"routes": "unreadable", "detail": error.problems[0]})
        level, why = Level.WARNING, "kept in the inbox until the routes can be read"
        if parsing.is_child(event):
            why = "a child run, and no routes to match it with"
        else:
            try:
                self._ledger.keep(Letter.of(event, self._clock.now()))
            except Permanent as large:  # no row can hold it, however often it is delivered
                level, why = Level.ERROR, large.detail
        self._log.write(level, log_lines.unwanted(event, why))

    def leaves(
        self, work: Work, routes: Routes, settling: Settling, verdict: End | PutOff | None = None
    ) -> bool:
        """Whether it is left to a newer file, which may start it: for a day, and parked for that.

        That is asked of what these routes do not start; or of one whose `verdict` is that it is
        skipped, which is for good, unless their own file has claimed it.
        """
        c, skips = work.entry.continuation, isinstance(verdict, End)
        if verdict and (routes.is_own(c.file) or verdict[0] is not State.SKIPPED):
            return False
        from functions.core.memory import file_order  # noqa: PLC0415 - where versions differ

        why = file_order.left(self._ledger, c, routes, self._clock.now(), skips=skips)
        gone_for = file_order.GONE_FOR
        return bool(why) and settling.wait(work, Reason.ROUTE_REMOVED, why, gone_for)

    def _may_take_over(self, c: Continuation, event: RunEvent, route: Route, *, read: bool) -> bool:
        """Whether it starts after all, now that the run does fit.

        What was passed over was so for the sweep only, and for a route that matched the same, as
        that of another version did that was told of it. What was skipped since the run read
        otherwise is read once more when an event tells so once more, and when the sweep, or who
        follows another outcome, has read so. Each has its bound: it may read in turns for ever.
        """
        swept = event.type == SWEPT
        if not c.is_doubted:
            return c.was_passed_over and not (swept and c.was_passed_over_by(_match(route)))
        return c.claims(swept=swept) < (1 if swept else MOST_READ if read else MOST_TOLD)

    def _take_over(self, entry: Entry, event: RunEvent, file: str) -> Entry | None:
        now, was = self._clock.now(), entry.continuation
        new = steps.opened(was.key, event, now, self._policy.lease, file)
        at = now if was.was_passed_over else was.created_at  # by which it is listed already
        history = (*was.history, *new.history)
        changed = msgspec.structs.replace(new, history=history, created_at=at)
        try:
            taken = self._ledger.write(entry, changed)
        except Lost:
            return None
        self._ledger.schedule(changed)
        return taken


def _match(route: Route) -> str:
    from functions.core.memory import first_seen  # noqa: PLC0415 - where a run nearly fits

    return first_seen.digest(route)


def taken_back(ledger: Ledger, c: Continuation) -> str:
    """Why the end by which it was claimed is none any more; "" while it is. One request."""
    from functions.core.kept import after  # noqa: PLC0415 - few routes go on by an end

    try:
        entry = ledger.read(key) if (key := after.before(c)) else None
    except Unreadable:  # a newer version's
        return ""
    return after.taken_back(c, entry.continuation) if entry else ""


def taken(ledger: Ledger, c: Continuation, now: datetime) -> None:
    """Let its row say that the service took it, if it did: also where another wrote it meanwhile.

    One request where it took it, and one more where another had written: it is not asked again.
    """
    while Reason.ANSWERED in c.since and (entry := ledger.read(c.key)):
        was = entry.continuation
        if not was.is_asked or Reason.ANSWERED in was.since:
            return
        with suppress(Lost):
            ledger.write(entry, steps.answered(was, now, Reason.ANSWERED))
            return
