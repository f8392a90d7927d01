"""Events that Event Grid gave up become letters in the inbox, which the reconciler matches.

A dead letter is the event as it was, in the subscription's schema, with the reason beside it.
https://learn.microsoft.com/azure/event-grid/manage-event-delivery
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from functions.core.events import parsing, payloads
from functions.core.kept.letter import Letter
from functions.core.kept.summary import EVER
from functions.core.memory import visits
from functions.core.operators.decisions import standing
from functions.core.terms.errors import NotARunEvent, Permanent
from functions.core.texts.bounds import bounded
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from functions.core.ports.ledger import Ledger
    from functions.core.terms.deadline import Clock
    from functions.core.terms.runs import RunEvent

UNTIL_CLAIMED = timedelta(days=1)  # how long a letter may lie in the inbox before it is claimed


class Fate(StrEnum):
    """What became of a dead letter."""

    KEPT = "kept"  # in the inbox
    KNOWN = "known before"  # the same, and what is known of it is not started again
    SKIPPED = "skipped"  # no news that a run ended: nothing would follow from it
    REFUSED = "refused"  # it cannot be told what it says, or whether its pipeline was started
    LEFT = "left"  # it is older than what is asked for


class Sorted(NamedTuple):
    """One event, what became of it, and why."""

    event: str
    fate: Fate
    why: str


class DeadLetters:
    """Puts dead letters into the inbox. `kept_for`: how long the ledger remembers what ended.

    What is older than `since` is left: a container keeps for long what was seen to in its time, and
    a route of today, which was not there then, would start it.
    `dry`: none is put there, and it is only told what would become of each.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        kept_for: timedelta,
        since: datetime = EVER,
        *,
        dry: bool = False,
    ) -> None:
        self._ledger = ledger
        self._dry = dry
        self._clock = clock
        self._kept_for, self._since = kept_for, since
        self._pruned: datetime | None = None
        self._looked = False

    def take(self, document: object) -> Iterator[Sorted]:
        """Take what one file holds: an array of events, or one. Raises LedgerUnavailable."""
        for payload in document if isinstance(document, list) else [document]:
            yield self._take(payload)

    def _take(self, payload: object) -> Sorted:
        told = payloads.folded(payload)
        try:
            event = parsing.parse(told)
        except NotARunEvent as error:
            fate = Fate.REFUSED if isinstance(error, parsing.Unread) else Fate.SKIPPED
            name = error.event_id or "an event without id"
            return Sorted(name, fate, " ".join(filter(None, (str(error), error.event_type))))
        name = f"{event.run} {event.outcome}"
        if parsing.is_child(event):
            return Sorted(name, Fate.SKIPPED, "a child run")
        # Event Grid says beside it when it took the event, in either schema's spelling
        at = event.time or parse_time(told.get("publishtime"))
        if at and at < self._since:
            return Sorted(name, Fate.LEFT, f"of {at:%Y-%m-%d}")
        if why := self._too_old(at):
            return Sorted(name, Fate.REFUSED, why)
        return self._keep(name, replace(event, time=at))  # by which the inbox knows its age

    def _too_old(self, at: datetime | None) -> str:
        """Why it cannot be told whether its pipeline was started; "" where the ledger knows."""
        if at is None:
            return "it does not say when it happened"
        if at <= self._clock.now() - self._kept_for + UNTIL_CLAIMED:
            what = f"the ledger remembers {self._kept_for.days} days"
        elif (pruned := self._forgotten()) and at < pruned:
            what = f"the ledger has forgotten what ended before {pruned:%Y-%m-%d %H:%M}"
        else:
            return ""
        return f"of {at:%Y-%m-%d}: {what}, so it may have been started"

    def _forgotten(self) -> datetime | None:
        """What ended before then was pruned, under whichever retention; read once."""
        if not self._looked:
            self._pruned, self._looked = visits.recall(self._ledger).pruned, True
        return self._pruned

    def _keep(self, name: str, event: RunEvent) -> Sorted:
        try:
            if not self._dry:
                self._ledger.keep(Letter.of(event, self._clock.now()))
        except Permanent as error:
            return Sorted(name, Fate.REFUSED, error.detail)
        if known := self._known(event):
            return Sorted(name, Fate.KNOWN, known)
        return Sorted(name, Fate.KEPT, "the reconciler takes it up")

    def _known(self, event: RunEvent) -> str:
        """What the ledger already has of it, "" where that is nothing."""
        found = self._ledger.of_run(event.workspace.key, event.run)
        known = [c for c in found if c.key.outcome is event.outcome]
        return bounded("; ".join(f"{c.key.route} is {standing(c)}" for c in known))
