"""What older versions of the app, sharing the ledger, have left undone is done once an hour."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.core.rounds.following import ends
from functions.core.terms.errors import Lost
from functions.core.terms.words import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.kept.continuation import Continuation
    from functions.core.kept.summary import Summary
    from functions.core.ports.services import Ports
    from functions.core.rounds.following.sequels import Sequels
    from functions.core.routes.definition import Routes
    from functions.core.terms.runs import Key

CATCHES_UP_EVERY = timedelta(hours=1)
CATCHES_UP_WITH = timedelta(days=1)  # of what an older version of the app has started
MOST_KNOWN = 5000


class CatchingUp:
    """Looks through the newest that have ended, in the first round of a process and each hour."""

    def __init__(
        self,
        ports: Ports,
        take_up: Callable[[Continuation, Routes | None], None],
        sequels: Sequels,
    ) -> None:
        self._ledger, self._clock = ports.ledger, ports.clock
        self._take_up = take_up
        self._sequels = sequels
        self._decided: set[Key] = set()
        self._caught_up = float("-inf")

    def catch_up(self, routes: Routes) -> None:
        """Take up what an older version of the app has started, or wrote without its end.

        And what is to go on by an end that it wrote. Two requests, and for each that was found two
        more, of those by whose end something may go on once in the life of a process. What another
        file has claimed, and did not follow, is left where this one has something go on by its end:
        of a day it would, at once. Raises LedgerUnavailable.
        """
        now = self._clock.monotonic()
        if now - self._caught_up < CATCHES_UP_EVERY.total_seconds():
            return
        self._caught_up = now
        known = self._ledger.followed.keys()
        for one in self._ledger.followed.lately(self._clock.now() - CATCHES_UP_WITH):
            if one.state is not State.STARTED or known is None or one.key in known:
                continue
            if one.ended is None and ends.is_wanted(one.key.route, routes):
                self._again(one.key, routes)
            elif one.ended and routes.sequel(one.key.route, one.ended):
                self._go_on(one, routes)

    def _again(self, key: Key, routes: Routes) -> None:
        entry = self._ledger.read(key)
        c = entry.continuation if entry else None
        if c and c.ended:
            self._ledger.followed.show(c)
        elif c and (c.file == routes.file or not _goes_on(key, routes)):
            self._take_up(c, routes)

    def _go_on(self, one: Summary, routes: Routes) -> None:
        """What was claimed by this very route file goes on, where nobody has decided otherwise."""
        if one.key in self._decided:
            return
        entry = self._ledger.read(one.key)
        c = entry.continuation if entry else None
        if entry and c and c.ended and c.then is None and ends.is_own(c, routes):
            changed = self._sequels.decided(c, routes)
            self._sequels.go_on(changed, routes)  # first: nothing else would do it again
            with suppress(Lost):
                self._ledger.write(entry, changed)
        if len(self._decided) < MOST_KNOWN:
            self._decided.add(one.key)


def _goes_on(key: Key, routes: Routes) -> bool:
    """Whether something goes on by its end today."""
    route = routes.named(key.route)
    return route is not None and bool(route.then)
