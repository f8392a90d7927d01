"""The one way: parse, match, claim, read, decide, ask, start, settle.

A delivery raises only when the ledger cannot take the event; from the claim on, whatever is not
done is the reconciler's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from functions.core.events import parsing
from functions.core.ports.services import Level
from functions.core.reading.ahead import ReadingAhead
from functions.core.reading.collecting import Reading
from functions.core.routes import deciding, near_misses
from functions.core.starts import log_lines
from functions.core.starts.claiming import Claiming
from functions.core.starts.settling import Work
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import (
    LedgerUnavailable,
    NotARunEvent,
    Permanent,
    Retryable,
    RoutesUnreadable,
)
from functions.core.terms.policy import REFUSED_FOR
from functions.core.terms.reasons import Reason
from functions.core.terms.words import Outcome, State
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from functions.core.facts.building import Facts
    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Route
    from functions.core.starts.settling import Settling
    from functions.core.starts.starting import Starter
    from functions.core.terms.policy import Policy
    from functions.core.terms.runs import RunEvent


class Relay:
    """Takes events in and drives their continuations as far as the time allows.

    `look` settles a start that is in doubt, `ended` answers the tasks that wait for the run,
    `probed` raises what is wrong with the app before a probe has arrived, and tells its commit.
    """

    def __init__(
        self,
        ports: Ports,
        policy: Policy,
        settling: Settling,
        starter: Starter,
        look: Callable[[Work], None],
        ended: Callable[[RunEvent, Deadline], None],
        probed: Callable[[], str],
    ) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._ports, self._runs, self._routes = ports, ports.runs, ports.routes
        self._outcomes, self._policy = ports.outcomes, policy
        self.claiming, self._ahead = Claiming(ports, policy), ReadingAhead(ports, policy)
        self._settling, self._starter = settling, starter
        self._look, self._ended, self._probed = look, ended, probed

    def deliver(self, payload: object) -> None:
        """Handle one delivered event; returning acknowledges it.

        Raises LedgerUnavailable when the event could not be recorded, and nothing else; for a
        probe also ImportError, when something cannot be loaded that an event may need.
        """
        try:
            self._deliver(payload)
        finally:
            self._outcomes.send()

    def _deliver(self, payload: object) -> None:
        deadline = Deadline(self._clock, self._policy.delivery_deadline)
        try:
            event = parsing.parse(payload)
        except parsing.Probe as probe:
            return self.claiming.show(probe, self._probed())
        except parsing.NotAnEnd as goes_on:
            return self._log.write(Level.DEBUG, log_lines.refused(goes_on))
        except NotARunEvent as error:
            return self._log.write(Level.WARNING, log_lines.refused(error))
        try:
            return self.accept(event, deadline)
        except RoutesUnreadable as error:
            return self.claiming.keep(event, error)

    def accept(
        self, event: RunEvent, deadline: Deadline, on: Sequence[Route] | None = None
    ) -> None:
        """Claim the event on every route it matches, then work on what this call claimed.

        On routes that it nearly matches it leaves a trace first.
        `on` names the routes that are meant, where not all that match are.
        Raises LedgerUnavailable and RoutesUnreadable, both before anything was started.
        """
        routes = self._routes.routes()
        wanted = deciding.matching(event, routes)
        if on is not None:  # chosen by routes of before: the file may have been changed since
            meant = [(one.name, one.promoted) for one in on]
            wanted = tuple(route for route in wanted if (route.name, route.promoted) in meant)
        completing = deciding.completing(event, routes)
        if on is None:
            self.claiming.pass_over(event, routes)
        if not wanted and not completing:
            why = near_misses.Unmatched(event, routes)
            return self._log.write(Level.DEBUG, log_lines.unwanted(event, why))
        reading = Reading(self._runs, event, deadline, begun=self._ahead.of(event, deadline))
        for entry, route in self.claiming.first(event, wanted, routes.file, reading.begun):
            self._work(Work(entry, deadline), route, reading)
        if completing:
            self._ended(event, deadline)
        return None

    def resume(self, work: Work) -> None:
        """Go on with an open continuation, with today's routes; an asked one is looked up."""
        c = work.entry.continuation
        if c.is_asked:
            return self._guarded(work, self._look)
        try:
            routes = self._routes.routes()
        except RoutesUnreadable as error:
            return self._settling.park(work, Reason.ROUTES_UNREADABLE, error.problems[0])
        is_served = near_misses.is_served(route := near_misses.meant(c, routes), c.key.outcome)
        if not is_served and self.claiming.leaves(work, routes, self._settling):
            return None
        if route is None:
            why = near_misses.lacking(c, routes)
            return self._settling.end(work, deciding.End(State.FAILED, Reason.ROUTE_REMOVED, why))
        return self._work(work, route, Reading(self._runs, c.event, work.deadline))

    def _work(self, work: Work, route: Route, reading: Reading) -> None:
        """Decide and start. What fails after the claim stays open, for the reconciler."""
        self._guarded(work, lambda own: self._decide(own, route, reading))

    def _guarded(self, work: Work, act: Callable[[Work], None]) -> None:
        try:
            act(work)
        except Retryable as error:
            self._unreadable(work, error)
        except Permanent as error:  # the ledger cannot keep the request
            self._settling.end(work, deciding.End(State.FAILED, error.reason, error.detail))
        except RoutesUnreadable as error:
            self._settling.park(work, Reason.ROUTES_UNREADABLE, error.problems[0])
        except LedgerUnavailable as error:
            self._log.write(Level.ERROR, log_lines.unavailable(work.entry.continuation.key, error))
        except Exception as error:  # noqa: BLE001 - the outermost edge of one continuation
            self._unforeseen(work, error)

    def _unforeseen(self, work: Work, error: Exception) -> None:
        """An exception that nobody foresaw: it must cost neither the others nor this one."""
        detail = bounded(f"{type(error).__name__}: {error}")
        try:
            self._settling.conclude(work, deciding.PutOff(Reason.UNFORESEEN, detail, REFUSED_FOR))
        except LedgerUnavailable as lost:
            self._log.write(Level.ERROR, log_lines.unavailable(work.entry.continuation.key, lost))

    def _decide(self, work: Work, route: Route, reading: Reading) -> None:
        c = work.entry.continuation
        needed = deciding.ungated(route) if c.ignore_gate else route
        known = reading.learn(needed, c.key.outcome, self._policy.studio)
        if isinstance(known, deciding.Changed):
            return self._follow(work, reading, known.outcome)
        if c.key.outcome.ends_run and reading.run.id != c.key.run:
            return self._respell(work, route, reading.run.id)
        if not isinstance(known, dict):
            return self._conclude(work, known)
        if route.join or c.key.outcome is Outcome.JOINED:
            if (joint := self._goes_on(work, route, known)) is None:
                return None
            work = joint
        decision = deciding.decide(route, c.key, known, self._policy, ignore_gate=c.ignore_gate)
        if isinstance(decision, deciding.Go) and not route.shadow:
            return self._starter.start(work, route, decision)
        return self._conclude(work, deciding.shown(decision))

    def _conclude(self, work: Work, verdict: deciding.End | deciding.PutOff) -> None:
        if not self.claiming.leaves(work, self._routes.routes(), self._settling, verdict):
            self._settling.conclude(work, verdict)

    def _follow(self, work: Work, reading: Reading, true: Outcome) -> None:
        """The run ended otherwise: this continuation is skipped, the true outcome claimed."""
        truth, routes = msgspec.structs.replace(reading.event, outcome=true), self._routes.routes()
        self.claiming.pass_over(truth, routes)
        for other in deciding.matching(truth, routes):
            if (entry := self.claiming.claim(truth, other, routes.file, read=True)) is not None:
                self._work(Work(entry, work.deadline), other, reading)
        changed = deciding.End(State.SKIPPED, Reason.OUTCOME_CHANGED, f"the run reads as {true}")
        self._settling.end(work, changed)

    def _respell(self, work: Work, route: Route, run: str) -> None:
        """The event spelled the id otherwise than all that read it: there is one start for both."""
        c = work.entry.continuation
        event = msgspec.structs.replace(c.event, run=run)
        if (entry := self.claiming.claim(event, route, c.file)) is not None:
            self._work(Work(entry, work.deadline), route, Reading(self._runs, event, work.deadline))
        told = f"the run is {run}, which is followed"
        self._settling.end(work, deciding.End(State.SKIPPED, Reason.NOT_MATCHED, told))

    def _unreadable(self, work: Work, error: Retryable) -> None:
        """Park; a run that is not found, or too much to read, is given up after three days."""
        if error.reason not in {Reason.RUN_NOT_FOUND, Reason.DEADLINE}:
            return self._starter.park(work, error)
        put_off = deciding.PutOff(error.reason, error.detail, REFUSED_FOR)
        return self._settling.conclude(work, put_off)

    def _goes_on(self, work: Work, route: Route, known: Facts) -> Work | None:
        """The work if what several runs are joined for is decided now."""
        from functions.core.starts.joins.joining import Joining  # noqa: PLC0415 - few routes join

        joining = Joining(self._ports, self._settling, self._conclude)
        return joining.goes_on(work, route, known)
