"""The inbox: events that came while no route could be read, and dead letters that were taken up."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from functions.core.ledger.places import safe
from functions.core.memory import file_order, visits
from functions.core.ports.ledger import Inbox as Waiting
from functions.core.ports.services import Level
from functions.core.terms.errors import LedgerUnavailable, RoutesUnreadable, in_words

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.core.kept.letter import Letter
    from functions.core.ports.ledger import Ledger
    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Routes
    from functions.core.starts.handling import Relay
    from functions.core.terms.deadline import Deadline


MOST_UNDECIDED = 10_000


def undecided(ledger: Ledger) -> frozenset[str]:
    """Of what news an event lies in the inbox, by the hashes of its keys.

    Until it is looked at nobody has decided. One request for each thousand, ten at most. Raises
    LedgerUnavailable.
    """
    return frozenset(one.event.key("").hash for one in ledger.letters(MOST_UNDECIDED))


class Opened(NamedTuple):
    """What is left in the inbox, and whether a next round is to go on with it soon."""

    left: Waiting
    more: bool


class Inbox:
    """Hands letters to the relay."""

    def __init__(self, ports: Ports, relay: Relay) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._relay = relay
        self._after = ""

    def open(
        self, routes: Routes, share: Deadline, limit: int, each: Callable[[], Deadline]
    ) -> Opened:
        """Take events out, each in its time, and only after all its routes were claimed.

        It goes through the inbox so many at a time, and begins anew at its end: what cannot be
        taken out, for whatever reason, stays with a line in the log each time, and the others have
        their turn. While a newer file than these `routes` is rolled out they are left to that one:
        what these have no route for would be gone. Two requests more if there are any, and one if
        any are left. Raises LedgerUnavailable and RoutesUnreadable.
        """
        letters, now = self._ledger.letters(limit, self._after), self._clock.now()
        if letters and file_order.gives_way(self._ledger, routes, now):
            return Opened(self._ledger.inbox(), more=False)
        emptied = not self._after and len(letters) < limit
        pruned = visits.believed(self._ledger, now).pruned if letters else None
        for letter in letters:
            if share.has_passed:
                return Opened(self._ledger.inbox(), more=True)
            try:
                self._open(letter, pruned, each())
            except RoutesUnreadable:
                raise
            except LedgerUnavailable as error:
                emptied = False
                self._log.write(Level.ERROR, {"letter": letter.id, "detail": error})
            except Exception as error:  # noqa: BLE001 - the outermost edge of one letter
                emptied = False
                self._unforeseen(letter, error)
        ids = [letter.id for letter in letters]
        self._after = max(ids, key=safe) if len(ids) == limit else ""
        return Opened(Waiting() if emptied else self._ledger.inbox(), more=bool(self._after))

    def _unforeseen(self, letter: Letter, error: Exception) -> None:
        """A bug: the letter is kept for the version that mends it."""
        line = {"letter": letter.id, "run": letter.event.run, "outcome": letter.event.outcome}
        self._log.write(Level.ERROR, {**line, "detail": in_words(error)})

    def _open(self, letter: Letter, pruned: datetime | None, deadline: Deadline) -> None:
        event = letter.event
        if pruned and (event.time or letter.received_at) < pruned:
            why = f"what ended before {pruned:%Y-%m-%d %H:%M} is forgotten: perhaps it was started"
            line = {"letter": "refused", "run": event.run, "outcome": event.outcome, "detail": why}
            self._log.write(Level.ERROR, line)
        else:
            self._relay.accept(event, deadline)
        self._ledger.discard(letter.id)
