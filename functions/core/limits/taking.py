"""What a start takes before it asks: a place in its group, and one in its route's limit."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING

from functions.core.limits.places_taken import Full
from functions.core.limits.windows import Limits
from functions.core.ports.ledger import Entry
from functions.core.terms.reasons import Reason
from functions.core.terms.words import GROUP

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from functions.core.limits.groups import Groups
    from functions.core.ports.ledger import Ledger
    from functions.core.routes.definition import Concurrency, Route
    from functions.core.terms.deadline import Clock

DIGITS = 12
# Many wait for these at once, and are let go at once, whichever of their runs ended last.
TOGETHER = frozenset({Reason.PAUSED, Reason.CREDENTIAL_REFUSED, Reason.THROTTLED})


def names_another(c: Continuation, route: Route) -> bool:
    """Whether its route names its group otherwise than when this one lined up."""
    wants = route.concurrency
    return bool(wants and c.group_by and c.group_by != _digest(wants))


def _digest(wants: Concurrency) -> str:
    """Stands for the text that names its group."""
    return hashlib.sha256(wants.group.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]


class Taking:
    """Takes places, or tells what there is to wait for."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self.limits = Limits(ledger, clock)

    @cached_property
    def groups(self) -> Groups:
        """The places in groups."""
        from functions.core.limits.groups import Groups  # noqa: PLC0415 - few routes have one

        return Groups(self._ledger, self._clock)

    def place(self, entry: Entry, route: Route, group: str) -> Entry | Full:
        """Take what a start needs, `group` being the row of its group, if it has one.

        The group's place comes first: who then waits for the limit needs it no more, and it is
        another's; a limit's place would have to be given back. Who was called for the one has that.
        """
        if not (route.concurrency and group):
            return self.limits.take(entry, route)
        place = self._both(entry, route, route.concurrency, group)
        if isinstance(place, Entry):
            return place
        wants = group if place.line != group else ""
        return place._replace(wants=wants, group_by=_digest(route.concurrency))

    def _both(self, entry: Entry, route: Route, wants: Concurrency, group: str) -> Entry | Full:
        c = entry.continuation
        if wants.latest and (names_another(c, route) or c.reason in TOGETHER):
            return self._lined_up(wants, group)
        found = self.groups.take(entry, group, wants.at_most, waited=bool(c.slot))
        if not isinstance(found, Entry):
            return found
        return self.limits.take(found, route, waited=c.group == group)

    def _lined_up(self, wants: Concurrency, group: str) -> Full:
        """No place: it is compared with others first, and who comes meanwhile is one of these."""
        self.groups.places.close(self._ledger.shared(group), self.groups.lot(group, wants.at_most))
        said = f"of those that wait in the group {group.removeprefix(GROUP)} the latest goes"
        return Full(Reason.CONCURRENCY, said, group)

    def is_asked_anew(self, c: Continuation, route: Route, line: str) -> bool:
        """Whether one that is called from a line takes no place: which is its is to be seen."""
        latest = route.concurrency is not None and route.concurrency.latest
        return names_another(c, route) and (line.startswith(GROUP) or latest)

    def called(self, entry: Entry, route: Route, line: str) -> Entry | Full:
        """Take the place that one in this line is called for, before all others."""
        if not line.startswith(GROUP):
            return self.limits.take(entry, route, called=True)
        if route.concurrency is None:
            return entry
        return self.groups.take(entry, line, route.concurrency.at_most, called=True)
