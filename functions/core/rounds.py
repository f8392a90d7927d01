"""The reconciler: drives every open continuation to an end, a bounded number each round."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING

from functions.core import journal, steps
from functions.core.deadline import ROUND_SECONDS, Deadline, each
from functions.core.desk import Work
from functions.core.errors import (
    LedgerUnavailable,
    Lost,
    Retryable,
    RoutesUnreadable,
    Unreadable,
)
from functions.core.inbox import Inbox
from functions.core.linking import Links
from functions.core.ports import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from functions.core.admission import Admission
    from functions.core.chronicle import Chronicle
    from functions.core.continuation import Continuation
    from functions.core.doubt import Doubt
    from functions.core.ledger import Entry
    from functions.core.policy import Policy
    from functions.core.ports import Ports
    from functions.core.relay import Relay
    from functions.core.routes import Routes, Start
    from functions.core.values import Key
    from functions.core.waiting import Waits

    ForEach = Callable[[Callable[[Key], None], Iterable[Key]], None]

MOST_AT_ONCE = 100  # resumed in a round: after an outage not all start within a minute
MOST_LOOKED_AT = 1000  # continuations read in a round; most have ended, and leave the schedule
MOST_LISTED = 5000  # of these that are due, some of every route's
LETTERS_SECONDS = 60.0  # of a round's, for the inbox
UNREADABLE_AGAIN = timedelta(hours=1)


class Rounds:
    """One round: the inbox, accounts to release, continuations that are due."""

    def __init__(  # noqa: PLR0913 - it has something of everybody's to resume
        self,
        ports: Ports,
        policy: Policy,
        *,
        relay: Relay,
        doubt: Doubt,
        admission: Admission,
        chronicle: Chronicle,
        waits: Waits,
        for_each: ForEach,
    ) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._credentials, self._routes = ports.credentials, ports.routes
        self._outcomes = ports.outcomes
        self._policy = policy
        self._relay = relay
        self._doubt = doubt
        self._admission = admission
        self._chronicle = chronicle
        self._waits = waits
        self._inbox = Inbox(ports, relay)
        self._for_each = for_each
        self._links = Links(ports, wanted=policy.tag_runs)
        self._told: set[str] = set()

    def reconcile(self) -> None:
        """Resume what is due. Raises LedgerUnavailable if the ledger cannot be listed."""
        try:
            self._reconcile()
        finally:
            self._outcomes.send()

    def _reconcile(self) -> None:
        whole = Deadline(self._clock, ROUND_SECONDS)
        routes, accounts = None, []
        try:
            routes = self._routes.routes()
            accounts = self._accounts(routes)
            self._inbox.open(Deadline(self._clock, LETTERS_SECONDS), MOST_AT_ONCE)
        except RoutesUnreadable as error:
            self._log.write(Level.ERROR, {"routes": "unreadable", "detail": error.problems[0]})
        released = dict.fromkeys(key for name in accounts for key in self._released(name))
        due = dict.fromkeys(self._ledger.due(self._clock.now(), MOST_LISTED))
        keys, turns = _fairly(released | due)[:MOST_LOOKED_AT], iter(range(MOST_AT_ONCE))
        self._for_each(lambda key: self._resume(key, whole, turns, early=key in released), keys)
        self._waits.look()
        self._chronicle.keep(routes)
        self._tell(len(keys), MOST_AT_ONCE - len(list(turns)), whole)

    def _tell(self, looked_at: int, resumed: int, whole: Deadline) -> None:
        """The line that shows that the reconciler lives, and what is open."""
        for why in sorted({*self._ledger.unreadable} - self._told):
            self._log.write(Level.ERROR, {"ledger": "unreadable", "detail": why})
            self._told.add(why)
        log = self._ledger.backlog()
        oldest = log.oldest and round((self._clock.now() - log.oldest).total_seconds())
        line = {"reconciler": "done", "resumed": resumed, "looked_at": looked_at}
        line |= {"open": log.open, "oldest_s": oldest}
        cut = None if log.whole else 1
        ms = round(whole.elapsed * 1000)
        self._log.write(Level.INFO, {**line, "open_is_at_least": cut, "ms": ms})

    def _accounts(self, routes: Routes) -> list[str]:
        starts = (route.start for route in routes.routes)
        return sorted({self._account(s) for s in starts if s})

    def _account(self, start: Start) -> str:
        return self._admission.account(start.organization, start.secret or self._policy.secret)

    def _released(self, name: str) -> Sequence[Key]:
        """What waited for this account, if it may be used again."""
        try:
            waiting = self._ledger.waiting_on(name, MOST_AT_ONCE)
            if waiting and self._admission.blocked(name) and not self._has_changed(name):
                return []
        except LedgerUnavailable as error:
            self._log.write(Level.ERROR, {"account": name, "detail": error})
            return []
        return waiting

    def _has_changed(self, name: str) -> bool:
        """Whether the refused secret has a new version; if so its account is unblocked."""
        secret, refused = self._admission.refused(name)
        if not secret:
            return False
        try:
            version = self._credentials.read(secret, each(self._clock), fresh=True).version
        except Retryable:
            return False
        if version == refused:
            return False
        self._admission.unblock(name)
        self._log.write(Level.INFO, {"unblocked": name, "secret": secret})
        return True

    def _resume(self, key: Key, whole: Deadline, turns: Iterator[int], *, early: bool) -> None:
        if whole.has_passed:
            return  # the next round takes it
        try:
            entry = self._ledger.read(key)
            if entry is None:
                self._ledger.retire(key)  # pruned, or removed by hand
            else:
                self._take_up(entry, turns, early=early)
        except Lost:
            pass  # another reconciler has it
        except Unreadable as error:
            self._ledger.put_off(key, self._clock.now() + UNREADABLE_AGAIN)
            self._log.write(Level.ERROR, {"ledger": "unreadable", "detail": error})
        except LedgerUnavailable as error:
            self._log.write(Level.ERROR, journal.unavailable(key, error))

    def _take_up(self, entry: Entry, turns: Iterator[int], *, early: bool) -> None:
        c, now = entry.continuation, self._clock.now()
        self._chronicle.meet(c.event.workspace.id, c.created_at)
        if not c.state.is_known:  # and its schedule does not tell yet: left as it is
            return None
        if not c.is_open:
            return self._tidy(entry, turns)
        if c.due_at > now and not (early and c.waits_on):
            return self._ledger.schedule(c)
        if c.waits_on and self._left_alone(c.key, c.waits_on):
            return None
        if next(turns, None) is None:
            return None  # the next round takes it
        changed = steps.resumed(c, now, self._policy.lease)
        return self._relay.resume(Work(self._ledger.write(entry, changed), each(self._clock)))

    def _tidy(self, entry: Entry, turns: Iterator[int]) -> None:
        """An ended continuation leaves the schedule, once no second look is owed."""
        c = entry.continuation
        if c.recheck_at is None:
            return self._let_go(c, turns)
        if c.recheck_at > self._clock.now():
            return self._ledger.schedule(c)
        if next(turns, None) is None:
            return None
        return self._doubt.look_again(Work(entry, each(self._clock)))

    def _let_go(self, c: Continuation, turns: Iterator[int]) -> None:
        """Take it off the schedule, with its links if they are wanted, which takes a turn."""
        if self._links.wanted(c):
            request = c.request
            if request and self._left_alone(
                c.key, self._admission.account(request.organization, request.secret)
            ):
                return
            if next(turns, None) is None:
                return
            self._links.write(c, each(self._clock))
        self._ledger.retire(c.key)

    def _left_alone(self, key: Key, account: str) -> bool:
        """Whether nothing is sent by its account just now; if so, it is due when that ends."""
        block = self._admission.blocked(account)
        if block:
            self._ledger.put_off(key, block.until)
        return block is not None


def _fairly(keys: Iterable[Key]) -> list[Key]:
    """Route by route in turn, so that one with very many leaves room for the others."""
    routes: dict[str, list[Key]] = defaultdict(list)
    for key in keys:
        routes[key.route].append(key)
    turns = zip_longest(*routes.values())
    return [key for turn in turns for key in turn if key is not None]
