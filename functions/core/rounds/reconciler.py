"""The reconciler: drives every open continuation to an end, a bounded number each round."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.limits.lines import Lines
from functions.core.limits.turns import in_turn
from functions.core.ports.services import Level
from functions.core.rounds.inbox import Inbox
from functions.core.rounds.resuming import Resuming, Round
from functions.core.terms.deadline import LAST_SECONDS, ROUND_SECONDS, Deadline, each
from functions.core.terms.errors import LedgerUnavailable, Retryable, RoutesUnreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from functions.core.limits.admission import Admission
    from functions.core.memory.known_since import KnownSince
    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Routes
    from functions.core.starts.doubt import Doubt
    from functions.core.starts.handling import Relay
    from functions.core.terms.policy import Policy
    from functions.core.terms.runs import Key
    from functions.core.waits.registering import Waits

    ForEach = Callable[[Callable[[Key], None], Iterable[Key]], None]

MOST_AT_ONCE = 100  # resumed in a round: after an outage not all start within a minute
MOST_LOOKED_AT = 1000  # continuations read in a round; most have ended, and leave the schedule
MOST_LISTED = 10_000  # of these that are due, some of every route's
LETTERS_SECONDS = 60.0  # of a round's, for the inbox


class Reconciler:
    """One round: the inbox, what is released or called, continuations that are due."""

    def __init__(  # noqa: PLR0913 - it has something of everybody's to resume
        self,
        ports: Ports,
        policy: Policy,
        *,
        relay: Relay,
        doubt: Doubt,
        admission: Admission,
        known_since: KnownSince,
        waits: Waits,
        for_each: ForEach,
    ) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._credentials, self._routes = ports.credentials, ports.routes
        self._outcomes = ports.outcomes
        self._policy = policy
        self._admission = admission
        self._known_since = known_since
        self._waits = waits
        self._inbox = Inbox(ports, relay)
        self._for_each = for_each
        self._lines = Lines(ports, policy, admission)
        self._resuming = Resuming(ports, policy, relay, doubt, admission, known_since, self._lines)
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
        released = {key: name for name in accounts for key in self._released(name)}
        released |= self._lines.called(routes, MOST_AT_ONCE)
        due = self._ledger.due(self._clock.now(), MOST_LISTED)
        keys = in_turn(dict.fromkeys([*released, *due]), lambda key: key.route)
        turns, keys = iter(range(MOST_AT_ONCE)), keys[:MOST_LOOKED_AT]
        this = Round(whole, turns, routes, released)
        self._for_each(lambda key: self._resuming.resume(key, this), keys)
        self._waits.look(LAST_SECONDS - whole.elapsed)
        self._known_since.keep(routes)
        self._tell(len(keys), MOST_AT_ONCE - len(list(turns)), whole)

    def _tell(self, looked_at: int, resumed: int, whole: Deadline) -> None:
        """The line that shows that the reconciler lives, and what is open."""
        for why in sorted({*self._ledger.unreadable} - self._told):
            self._log.write(Level.ERROR, {"ledger": "unreadable", "detail": why})
            self._told.add(why)
        log = self._ledger.backlog()
        self._lines.note(log)
        oldest = log.oldest and round((self._clock.now() - log.oldest).total_seconds())
        line = {"reconciler": "done", "resumed": resumed, "looked_at": looked_at}
        line |= {"open": log.open, "oldest_s": oldest}
        cut = None if log.whole else 1
        ms = round(whole.elapsed * 1000)
        self._log.write(Level.INFO, {**line, "open_is_at_least": cut, "ms": ms})

    def _accounts(self, routes: Routes) -> list[str]:
        starts = (route.start for route in routes.routes)
        return sorted({self._admission.account_of(s) for s in starts if s})

    def _released(self, name: str) -> Sequence[Key]:
        """What waited for this account, if it may be used again."""
        try:
            if not self._ledger.is_awaited(name):
                return []
            if self._admission.blocked(name) and not self._has_changed(name):
                return []
            return self._ledger.waiting_on(name, MOST_AT_ONCE)
        except LedgerUnavailable as error:
            self._log.write(Level.ERROR, {"account": name, "detail": error})
            return []

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
