"""Members of a join: each is written into the joint continuation's row, and ends by that.

The row is read after each write, until the member finds itself in it: so whoever was the last, and
whichever process stood still meanwhile, the joint one is scheduled as its row says.
docs/adr/0039-several-runs-are-joined.md
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from functions.core.facts import placeholders
from functions.core.facts.building import unread
from functions.core.facts.unusable import Unusable
from functions.core.kept.continuation import Continuation
from functions.core.memory import file_order
from functions.core.ports.ledger import Entry
from functions.core.ports.services import Level
from functions.core.routes.deciding import End
from functions.core.routes.joins import coming, members
from functions.core.routes.joins.join import waits_on
from functions.core.routes.joins.members import Member
from functions.core.starts.settling import Work
from functions.core.terms.errors import Lost, Retryable, Unreadable
from functions.core.terms.reasons import Reason
from functions.core.terms.words import Outcome, State
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.core.facts.building import Facts
    from functions.core.ports.ledger import Ledger
    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Route
    from functions.core.routes.joins.join import Join
    from functions.core.starts.settling import Settling
    from functions.core.terms.runs import Key

    Conclude = Callable[[Work, End], None]

TRIES = 100  # of a member whose joint one others write to: they are fifty at most
MOST_OPEN = 1000  # joins of a route that wait for others
LONGEST_NAME = 200  # of an experiment that the route does not name
PATIENT_FOR, LOOKS_AGAIN = timedelta(days=1), timedelta(minutes=15)
STANDS_BACK = timedelta(minutes=1)
UNREAD = frozenset(  # of a member that may be one of those that lack: it passes by itself
    {
        *(Reason.WORKING, Reason.DEADLINE, Reason.NOT_FINAL),
        *(Reason.ROUTES_UNREADABLE, Reason.ROUTE_REMOVED, Reason.RUN_UNREADABLE),
    }
)


class Joining:
    """Ends what is a member, and parks what waits; `conclude` ends, or leaves, what is none."""

    def __init__(self, ports: Ports, settling: Settling, conclude: Conclude) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._routes, self._settling = ports.routes, settling
        self._conclude = conclude

    def goes_on(self, work: Work, route: Route, known: Facts) -> Work | None:
        """The work whose start is to be decided now: that of a joint one for which none is awaited.

        Then `known` has its facts as the route wants them today. All else is written, and None.
        Raises LedgerUnavailable, and Retryable for who is to come again.
        """
        c, join = work.entry.continuation, route.join
        if join is None:
            return work if route.after or c.ignore_gate else self._left_over(work)
        if self._is_left(work, route):
            return None
        if c.key.outcome is not Outcome.JOINED:
            self._member(work, route, join, known)
            return None
        found = coming.judged(c, join, self._clock.now())
        if (found is None or isinstance(found, End)) and self._may_come(c, join):
            found = self._clock.now() + LOOKS_AGAIN
        if isinstance(found, End):
            self._settling.end(work, found)
        elif found:
            said, name = members.waiting_for(join, c.event), waits_on(route.name)
            self._settling.park(work, Reason.INCOMPLETE, said, until=found, waits_on=name)
            put_right(self._ledger, c.key, found)
        if found is not None:
            return None
        event = members.told_anew(c.event, join)
        known[members.FACTS] = event.given[members.FACTS]
        goes_on = replace(coming.awaits_nobody(c, self._clock.now()), event=event)
        return Work(Entry(goes_on, work.entry.version), work.deadline)

    def _is_left(self, work: Work, route: Route) -> bool:
        """To a newer file, which may ask for others: by this one it could start without them."""
        c, routes, now = work.entry.continuation, self._routes.routes(), self._clock.now()
        if not file_order.is_newer_ones(self._ledger, c, routes, now):
            return False
        reason, said, name = Reason.ROUTE_REMOVED, "another version may ask for other runs", ""
        if c.key.outcome is Outcome.JOINED:
            reason, said, name = Reason.INCOMPLETE, c.detail, waits_on(route.name)
        self._settling.park(work, reason, said, until=now + STANDS_BACK, waits_on=name)
        return True

    def _may_come(self, c: Continuation, join: Join) -> bool:
        """Whether a run that was told in time is still to be read: it may be one that lacks.

        For a day at most. Where one lacks and the time is over two requests, and one for each that
        is listed as open, else none.
        """
        until, now = c.created_at + join.within, self._clock.now()
        if c.ignore_gate or members.is_whole(join, c.event) or now - until >= PATIENT_FOR:
            return False
        kept = self._ledger.inbox().oldest
        return bool(kept and kept <= until) or any(
            self._is_unread(one.key)
            for one in self._ledger.listed(now, 1, c.key.route)
            if one.is_open and one.key.workspace == c.key.workspace and one.created_at <= until
        )

    def _is_unread(self, key: Key) -> bool:
        """Whether it is a member of some join, as its row has it: lists are behind."""
        if key.outcome is Outcome.JOINED:
            return False
        try:
            entry = self._ledger.read(key)
        except Unreadable:
            return False
        c = entry.continuation if entry else None
        return c is not None and c.is_open and c.reason in UNREAD

    def _left_over(self, work: Work) -> Work | None:
        """Of a route that joins nothing any more: what is not whole waits for a person."""
        if why := members.left_over(work.entry.continuation.event):
            self._settling.end(work, End(State.HELD, Reason.INCOMPLETE, why))
        return None if why else work

    def _member(self, work: Work, route: Route, join: Join, known: Facts) -> None:
        c = work.entry.continuation
        if other := join.is_for_others(c.event.experiment):
            return self._not_joined(work, other)
        try:
            value = placeholders.as_text(placeholders.look_up(join.by, known))
        except placeholders.MissingFact as missing:
            detail = str(missing) + unread(missing.name, known)
            if self._settling.wait(work, Reason.FACTS_MISSING, detail, route.wait_for_facts):
                return None
            return self._not_joined(work, detail)
        except Unusable as wrong:
            return self._settling.end(work, End(State.HELD, wrong.reason, wrong.detail))
        experiment = join.place(c.event.experiment) or bounded(c.event.experiment, LONGEST_NAME)
        found = self._taken_in(c, join, value, Member(c.key.run, str(c.key.outcome), experiment))
        joint = members.key_of(c.key, value).text
        if isinstance(found, str):
            return self._not_joined(work, f"{joint} {found}")
        there = members.counted(join, members.members(found.event))
        said = f"{joint}: {len(there)} of {join.number}"
        return self._settling.end(work, End(State.SKIPPED, Reason.JOINED, said))

    def _not_joined(self, work: Work, why: str) -> None:
        self._conclude(work, End(State.SKIPPED, Reason.NOT_JOINED, why))

    def _taken_in(
        self, c: Continuation, join: Join, value: str, member: Member
    ) -> Continuation | str:
        """The joint one, once it has this member; or why it takes it no more.

        It may have ended before this call put it into the schedule as one that waits: the next
        round is to see that, and not the one when the waiting would have ended.
        """
        key, has_put = members.key_of(c.key, value), False
        for _ in range(TRIES):
            entry = self._ledger.read(key)
            if entry is None:
                has_put |= self._begin(c, join, value)
                continue
            was = entry.continuation
            found = coming.taken_in(was, join, member, self._clock.now())
            to = coming.woken(was, join, self._clock.now())
            changed = found if isinstance(found, Continuation) and found is not was else to
            try:
                if changed is not was:
                    self._ledger.write(entry, changed)
            except Lost:
                continue
            due = was.state is State.HELD or (was.is_open and members.is_whole(join, was.event))
            if changed is not was or due or (has_put and not was.is_open):  # lists say the same
                has_put |= changed.is_open
                self._ledger.schedule(changed)
            if found is was or isinstance(found, str):
                return found
        raise Retryable(Reason.INCOMPLETE, f"others write to {key.text}")

    def _begin(self, c: Continuation, join: Join, value: str) -> bool:
        """Claim a joint one, whoever is first; whether it was put into the schedule by this.

        One listing, and two requests.
        """
        route = c.key.route
        if len(self._ledger.waiting_on(waits_on(route), MOST_OPEN)) >= MOST_OPEN:
            raise Retryable(Reason.INCOMPLETE, f"{MOST_OPEN} joins of {route} wait for others")
        new = coming.opened(c, join, value, self._clock.now())
        claimed = self._ledger.claim(new)
        if claimed.fresh:
            named = {"route": route, "by": value, "run": c.key.run}
            self._log.write(Level.INFO, {"join": "begun", **named, "until": new.due_at})
        return claimed.entry.continuation.is_open


def put_right(ledger: Ledger, key: Key, until: datetime) -> None:
    """Schedule a joint one as its row says, after somebody had it wait until then. A request.

    Between that one's look and its write of the schedule the last of all may have come.
    """
    entry = ledger.read(key)
    if entry and entry.continuation.is_open and entry.continuation.due_at < until:
        ledger.schedule(entry.continuation)
