"""Parts of a round: each is worked off by whoever gets its message, on its own instance.

A message is only a hint that something in a part is due. One that is lost, doubled or late costs
time: what it was about stays due, and the timer's next look puts it again. That nothing is started
twice is kept by the lease of each continuation and the mark before its POST, as between two rounds.

    part/3/16   {"at": TIME, "lease": TIME, "until": TIME}

`at` is that of the last message that was worked off: whoever gets it again, or an older one, has
nothing to do. Until `lease` somebody is at work, and who comes meanwhile leaves it to him.
docs/adr/0032-rounds-in-parts.md
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from functions.core.limits.turns import in_turn
from functions.core.ports.services import Level
from functions.core.rounds.bounds import MOST_AT_ONCE, MOST_LISTED, MOST_LOOKED_AT, Round
from functions.core.rounds.parts import message
from functions.core.rounds.parts.message import Asked
from functions.core.terms.deadline import Deadline, each
from functions.core.terms.errors import Lost, RoutesUnreadable, in_words
from functions.core.texts.bounds import bounded
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Shared
    from functions.core.ports.services import Ports
    from functions.core.rounds.resuming import Resuming
    from functions.core.routes.definition import Routes
    from functions.core.terms.runs import Key

PART_SECONDS = 50.0  # in which something may begin: the next minute's message goes on
LEASE = timedelta(seconds=PART_SECONDS + 70)  # what began last may take a minute more
KEPT_FOR = timedelta(hours=1)
LEFT_TO_PARTS = timedelta(minutes=3)  # what is due for longer the timer's round takes up itself


class Parts:
    """Says which parts have work, and works one off."""

    def __init__(
        self,
        ports: Ports,
        resuming: Resuming,
        follow: Callable[[Continuation, Routes | None], None],
        for_each: Callable[[Callable[[Key], None], Iterable[Key]], None],
    ) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._routes, self._outcomes = ports.routes, ports.outcomes
        self._resuming = resuming
        self._follow = follow
        self._for_each = for_each

    def messages(self, of: int) -> list[str]:
        """One for each part in which something is due. Raises LedgerUnavailable."""
        now = self._clock.now()
        return [message.written(Asked(p, now)) for p in self._ledger.parts_due(now, of)]

    def work(self, text: str) -> None:
        """Work a part off. Raises nothing: a message that failed is put again by the timer.

        Else the host would deliver it five times more, and then keep it for good.
        https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue-trigger#poison-messages
        """
        asked = message.read(text)
        if asked is None:
            return self._log.write(Level.ERROR, {"part": "unknown", "detail": bounded(text, 200)})
        try:
            self._work(asked)
        except Exception as error:  # noqa: BLE001 - the outermost edge of one message
            self._log.write(
                Level.ERROR, {"part": "failed", **_named(asked), "detail": in_words(error)}
            )
        finally:
            self._outcomes.send()

    def _work(self, asked: Asked) -> None:
        row = self._begun(asked)
        if row is None:
            return self._log.write(Level.DEBUG, {"part": "left", **_named(asked)})
        try:
            self._round(asked)
        finally:
            self._write(row, asked, self._clock.now())

    def _begun(self, asked: Asked) -> Shared | None:
        """The part's row once it is ours; None: it is another's, or was worked off since."""
        row, now = self._ledger.shared(_name(asked)), self._clock.now()
        last, lease = (parse_time(row.value.get(name)) for name in ("at", "lease"))
        latest = now + 2 * LEASE  # what is still to come after that a wrong clock wrote
        if (last and asked.at <= last < latest) or (lease and now < lease < latest):
            return None
        return self._write(row, asked, now + LEASE)

    def _write(self, row: Shared, asked: Asked, lease: datetime) -> Shared | None:
        """None if another was faster: what he writes counts."""
        until = self._clock.now() + KEPT_FOR
        told = {"at": asked.at, "lease": lease, "until": until}
        try:
            return self._ledger.share(row, {name: at.isoformat() for name, at in told.items()})
        except Lost:
            return None

    def _round(self, asked: Asked) -> None:
        began = Deadline(self._clock, PART_SECONDS)
        due = self._ledger.due(self._clock.now(), MOST_LISTED, asked.part)
        keys = in_turn(due, lambda key: key.route)[:MOST_LOOKED_AT]
        turns, routes = iter(range(MOST_AT_ONCE)), self._known_routes()
        this = Round(began, turns, partial(each, self._clock), routes, {}, self._follow)
        self._for_each(lambda key: self._resuming.resume(key, this), keys)
        did = {"due": len(due), "looked_at": len(keys), "resumed": MOST_AT_ONCE - len(list(turns))}
        line = {"part": "done", **_named(asked), **did, "ms": round(began.elapsed * 1000)}
        self._log.write(Level.INFO, line)

    def _known_routes(self) -> Routes | None:
        """None while they cannot be read, which the timer's round tells."""
        try:
            return self._routes.routes()
        except RoutesUnreadable:
            return None


def _name(asked: Asked) -> str:
    return f"part/{asked.part.number}/{asked.part.of}"


def _named(asked: Asked) -> dict[str, int]:
    return {"number": asked.part.number, "of": asked.part.of}
