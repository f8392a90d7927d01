"""The reconciler: drives what is open to an end, and lets go on who waited for a renewed secret."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from functions.core.limits.admission import accounts_of
from functions.core.limits.lines import Lines
from functions.core.limits.renewals import Renewals
from functions.core.limits.turns import in_turn
from functions.core.ports.ledger import Backlog
from functions.core.ports.services import Level
from functions.core.rounds import bounds
from functions.core.rounds.bounds import COUNTED_AGAIN, MOST_AT_ONCE, MOST_LISTED, Round
from functions.core.rounds.expecting.looking import Expecting
from functions.core.rounds.following.ends import is_own
from functions.core.rounds.following.follower import Follower
from functions.core.rounds.inbox import Inbox
from functions.core.rounds.noted import Done, Failed, Seen, age_of, said
from functions.core.rounds.notices.sending import Sending
from functions.core.rounds.parts.working import LEFT_TO_PARTS, Parts
from functions.core.rounds.resuming import Resuming
from functions.core.rounds.watch import By
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import LedgerUnavailable, RoutesUnreadable
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from functions.core.kept.continuation import Continuation
    from functions.core.limits.admission import Admission
    from functions.core.memory.known_since import KnownSince
    from functions.core.ports.ledger import Inbox as Waiting
    from functions.core.ports.services import Ports
    from functions.core.rounds.bounds import Bounds
    from functions.core.rounds.following.follower import Looked
    from functions.core.rounds.watch import Watch
    from functions.core.routes.definition import Routes
    from functions.core.starts.doubt import Doubt
    from functions.core.starts.handling import Relay
    from functions.core.starts.joins.waking import Waking
    from functions.core.starts.settling import Settling
    from functions.core.terms.policy import Policy
    from functions.core.terms.runs import Key
    from functions.core.waits.registering import Waits

    ForEach = Callable[[Callable[[Key], None], Iterable[Key]], None]


class Reconciler:
    """One round: the inbox, what is released or called, continuations that are due."""

    def __init__(  # noqa: PLR0913 - it has something of everybody's to resume
        self,
        ports: Ports,
        policy: Policy,
        settling: Settling,
        *,
        relay: Relay,
        doubt: Doubt,
        admission: Admission,
        known_since: KnownSince,
        waits: Waits,
        watch: Watch,
        for_each: ForEach,
    ) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._routes, self._outcomes = ports.routes, ports.outcomes
        self._policy = policy
        self._admission = admission
        self._known_since = known_since
        self._waits = waits
        self._watch = watch
        self._inbox = Inbox(ports, relay)
        self._for_each = for_each
        self._expecting = Expecting(ports)
        self._sending = Sending(ports, policy)
        self._ports = ports
        self._waking: Waking | None = None
        self._renewals = Renewals(ports, admission)
        self._lines = Lines(ports, policy, admission)
        self._follower = Follower(ports, policy, admission, for_each, waits.ended)
        self._resuming = Resuming(ports, policy, relay, doubt, admission, known_since, self._lines)
        self.parts = Parts(ports, self._resuming, self._take_up, for_each)
        self._settling = settling
        self._told: set[str] = set()
        self._failed: Failed | None = None
        self._tasks_first = False
        self._backlog, self._counted = Backlog(0, None, whole=True), Deadline(ports.clock, 0)

    def reconcile(self) -> None:
        """Resume what is due. Raises LedgerUnavailable if the ledger cannot be listed."""
        self.round(bounds.whole(self._clock), By.TIMER)

    def beside(self, deadline: Deadline) -> None:
        """The same beside a delivery, as far as its time goes: a next one does the rest."""
        self.round(bounds.beside(self._clock, deadline), By.DELIVERY)

    def round(self, most: Bounds, by: By) -> Done:
        """One round within its bounds. Raises LedgerUnavailable if the ledger cannot be listed."""
        began = Deadline(self._clock, 0)
        try:
            did, waits, seen, followed = self._round(most, by)
            done = self._tell(did, waits, followed, began, by)
            self._note(by, done, seen)
        except LedgerUnavailable as error:
            self._failed = Failed(self._clock.now(), bounded(error))
            raise
        else:
            return done
        finally:
            self._outcomes.send()

    def _round(self, most: Bounds, by: By) -> tuple[tuple[int, int, bool], Waiting, Seen, Looked]:
        """How many were looked at, how many resumed, whether something due is left; the inbox.

        And what it saw that others are to know of, and which ends it saw.
        """
        routes, accounts, problems, more = None, list[str](), tuple[str, ...](), False
        self._settling.ended.clear()
        tasks_left = self._look(most, by) if self._tasks_first and by is By.DELIVERY else None
        try:
            routes = self._routes.routes()
            accounts = accounts_of(routes, self._policy)
            waits, more = self._inbox.open(routes, most.letters, most.resumed, most.each)
        except RoutesUnreadable as error:
            problems, waits = tuple(error.problems), self._ledger.inbox()
            self._log.write(Level.ERROR, {"routes": "unreadable", "detail": error.problems[0]})
        released = self._renewals.released(accounts, most.resumed, most.each)
        called = self._lines.called(routes, most.resumed, most.begins, released)
        released |= called.waited_on
        found = in_turn(dict.fromkeys([*released, *self._due(by)]), lambda key: key.route)
        turns, keys = iter(range(most.resumed)), found[: most.looked_at]
        follow = partial(self._take_up, strictly=by is By.OPERATOR)
        end = self._settling.let_fall
        this = Round(most.begins, turns, most.each, routes, released, follow, end, called.gone)
        looked = self._resuming.every(keys, this, self._for_each, self._settling.ended)
        cut = more or called.cut or most.begins.has_passed or len(keys) < len(found)
        cut |= self._look(most, by) if tasks_left is None else tasks_left
        # others may be of an older version, or have a copy of the file, and are not to say
        # which routes there are
        self._known_since.keep(routes if by is By.TIMER else None)
        followed = self._follower.follow(routes, most, strictly=by is By.OPERATOR)
        if by is not By.OPERATOR:  # whose file may name others, and who may not read their secrets
            self._wake(routes, most.last.left)
            self._expecting.look(routes, most.last.left, waits.oldest if more else None)
            self._sending.send(routes, most.messages, most.last.left)
        unused = len(list(turns))
        did = looked, most.resumed - unused, cut or not unused
        file = routes.file if routes else ""
        return did, waits, Seen(problems, self._policy.paused, self._failed, file), followed

    def _take_up(self, c: Continuation, routes: Routes | None, *, strictly: bool = False) -> None:
        """What is owed to one before the schedule forgets it; `strictly` as the follower has it.

        What the file of another version expects of what that has claimed nobody knows here.
        """
        self._follower.take_up(c, routes)
        is_known = not strictly and (c.file == "" or is_own(c, routes))
        self._expecting.take_up(c, routes if is_known else None)

    def _wake(self, routes: Routes | None, left: float) -> None:
        """Look at the joins that wait, where the route file asks for others than before."""
        if routes and any(route.join for route in routes.routes):
            from functions.core.starts.joins.waking import Waking  # noqa: PLC0415 - few routes join

            self._waking = self._waking or Waking(self._ports)
            self._waking.look(routes, left)

    def _due(self, by: By) -> Sequence[Key]:
        """What is due; for the timer without what is left to parts, as long as they may need."""
        left = self._policy.parts > 1 and by is By.TIMER
        return self._ledger.due(self._clock.now() - LEFT_TO_PARTS * left, MOST_LISTED)

    def _look(self, most: Bounds, by: By) -> bool:
        """Whether waiting tasks are left: where a delivery had no time the next begins here."""
        beside = by is By.DELIVERY
        self._tasks_first = beside and most.last.has_passed
        return self._tasks_first or self._waits.look(most.last.left, most.each if beside else None)

    def _note(self, by: By, done: Done, seen: Seen) -> None:
        """Let all processes know that it ended, unless a next delivery is to go on."""
        if by is By.DELIVERY and done.left:
            return self._watch.was_cut()
        try:
            self._watch.ended(by, seen)
        except LedgerUnavailable as error:
            self._log.write(Level.WARNING, {"rounds": "not noted", "detail": error})

    def _tell(
        self,
        did: tuple[int, int, bool],
        waits: Waiting,
        followed: Looked,
        began: Deadline,
        by: By,
    ) -> Done:
        """The line that shows that the reconciler lives, and what is open."""
        for why in sorted({*self._ledger.unreadable} - self._told):
            self._log.write(Level.ERROR, {"ledger": "unreadable", "detail": why})
            self._told.add(why)
        now, log = self._clock.now(), self._open()
        age, unclaimed = (age_of(since, now) for since in (log.oldest, waits.oldest))
        took = began.elapsed
        done = Done(*did, log.open, age, log.whole, took, waits.letters, unclaimed, followed)
        self._log.write(*said(done, by))
        return done

    def _open(self) -> Backlog:
        """What is open. Of more than can be counted at once it is told as it was minutes ago."""
        if self._counted.has_passed:
            ended = dict([*self._settling.ended])
            self._backlog = self._ledger.backlog(self._clock.now(), ended)
            self._counted = Deadline(self._clock, 0 if self._backlog.whole else COUNTED_AGAIN)
            self._lines.note(self._backlog)
            for key in sorted(self._backlog.ahead)[:MOST_AT_ONCE]:  # a wrong clock put them off
                self._ledger.put_off(key, self._clock.now())
        return self._backlog
