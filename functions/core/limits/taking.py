"""What a start takes before it asks: a place in its group, and one in its route's limit."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from functions.core.limits.windows import Limits
from functions.core.ports.ledger import Entry
from functions.core.terms.words import GROUP

if TYPE_CHECKING:
    from functions.core.limits.groups import Groups
    from functions.core.limits.places_taken import Full
    from functions.core.ports.ledger import Ledger
    from functions.core.routes.definition import Route
    from functions.core.terms.deadline import Clock


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
        c = entry.continuation
        found = self.groups.take(entry, group, route.concurrency.at_most, waited=bool(c.slot))
        if not isinstance(found, Entry):
            return found
        place = self.limits.take(found, route, waited=c.group == group)
        return place if isinstance(place, Entry) else place._replace(wants=group)

    def called(self, entry: Entry, route: Route, line: str) -> Entry | Full:
        """Take the place that one in this line is called for, before all others."""
        if not line.startswith(GROUP):
            return self.limits.take(entry, route, called=True)
        if route.concurrency is None:
            return entry
        return self.groups.take(entry, line, route.concurrency.at_most, called=True)
