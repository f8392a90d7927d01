"""What people are told of, and who: rows that are written before anything else forgets it.

docs/adr/0037-people-are-told.md
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from functions.core.kept.history import stands_since
from functions.core.kept.notice import Notice
from functions.core.memory import file_order
from functions.core.terms.errors import RoutesUnreadable
from functions.core.terms.pipelines import service_told
from functions.core.terms.reasons import Reason
from functions.core.terms.words import Ending, Happening, State
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger
    from functions.core.ports.services import Ports
    from functions.core.routes.channel import Channel
    from functions.core.routes.definition import Routes
    from functions.core.terms.runs import Key

SOON = timedelta(days=14)  # as in infra/queries/credential-expiring.kql
LONGEST_NAME, LONGEST_SAW, LONGEST_URL = 200, 300, 1000
DIGITS = 28


class Noticing:
    """Writes notices. Every method raises LedgerUnavailable."""

    def __init__(self, ports: Ports) -> None:
        self._ledger, self._routes, self._clock = ports.ledger, ports.routes, ports.clock

    def take_up(self, c: Continuation) -> None:
        """Notice what it came to, for all who want to know of that. One request for each of them.

        While the route file cannot be read, or a newer one may say otherwise, it is decided later.
        """
        if about := happened(c):
            self.notice(of_continuation(c, about, self._clock.now()))

    def of_end(self, c: Continuation, routes: Routes) -> None:
        """Notice its end for whom it tells, but for those who are told that it ended badly."""
        badly = happened(c) is Happening.ENDED_BADLY
        also = routes.told_of(c.key.route) if badly else ()
        names = {one.name for one in also if Happening.ENDED_BADLY in one.about}
        one = of_continuation(c, Happening.ENDED, self._clock.now())
        for channel in c.tells:
            if channel not in names:
                self._ledger.notices.keep(replace(one, channel=channel))

    def ends(self, secret: str, ends: datetime, routes: Routes) -> None:
        """Notice that a secret ends soon, and once more that it has; each is told once.

        A request for each who wants to know, and one more until it is told.
        """
        now = self._clock.now()
        if ends - now > SOON:
            return
        at = ends if ends <= now else ends - SOON
        names = {route.name for route in routes.every if route.start}
        telling = (*routes.notify, *(one for name in names for one in routes.told_of(name)))
        one = Notice(
            channel="",
            about=Happening.CREDENTIAL,
            of=of_secret(secret),
            at=at,
            since=now,
            secret=secret,
            ends=ends,
        )
        for notice in addressed(one, telling):
            if not self._ledger.notices.is_told(notice):
                self._ledger.notices.keep(notice)

    def notice(self, one: Notice) -> None:
        """Keep it for each channel that its route names for it."""
        try:
            routes = self._routes.routes()
        except RoutesUnreadable:
            self._ledger.notices.keep(one)
            return
        if is_left(self._ledger, one, routes, self._clock.now()):
            self._ledger.notices.keep(one)
            return
        for notice in addressed(one, routes.told_of(one.route)):
            self._ledger.notices.keep(notice)


def is_left(ledger: Ledger, one: Notice, routes: Routes, now: datetime) -> bool:
    """Whether a newer file, by which it was claimed, is to say who is told: it comes up just now.

    One request, none where it was claimed by this file. Raises LedgerUnavailable.
    """
    return file_order.comes_up(ledger, one.file, one.since, routes, now)


def addressed(one: Notice, channels: Iterable[Channel]) -> list[Notice]:
    """The same for each of these channels that wants to know, once."""
    names = dict.fromkeys(channel.name for channel in channels if one.about in channel.about)
    return [replace(one, channel=name) for name in names]


def happened(c: Continuation) -> Happening | None:
    """What people may want to be told of it, if anything."""
    if c.state is State.STARTED and c.ended:
        return None if c.ended.how is Ending.SUCCEEDED else Happening.ENDED_BADLY
    if c.state is State.HELD:
        return Happening.GATE if c.reason is Reason.GATE else Happening.HELD
    return Happening.FAILED if c.state is State.FAILED else None


def of_continuation(c: Continuation, about: Happening, now: datetime) -> Notice:
    """A notice made now; of values it has those alone that a gate named and said no to."""
    return Notice(
        channel="",
        about=about,
        of=of_key(c.key),
        at=c.ended.at if c.ended else stands_since(c),
        since=now,
        key=c.key,
        workspace=bounded(c.event.workspace.name, LONGEST_NAME),
        experiment=bounded(c.event.experiment, LONGEST_NAME),
        reason=str(c.reason),
        saw=bounded(c.gate_asked.saw, LONGEST_SAW) if about is Happening.GATE else "",
        pipeline_run=c.pipeline_run,
        url=bounded(c.url, LONGEST_URL),
        ended=str(c.ended.how) if c.ended else "",
        service=service_told(c.organization, c.detail, c.url),
        file=c.file,
    )


def of_route(route: str, about: Happening, due: datetime, now: datetime) -> Notice:
    """A notice of what should have ended by then, made now."""
    of = hashlib.sha256(f"route|{route}".encode()).hexdigest()[:DIGITS]
    return Notice(channel="", about=about, of=of, at=due, since=now, awaits=route)


def of_key(key: Key) -> str:
    """What a continuation's notices are about, in hex digits."""
    return f"{key.run_hash}{key.hash}"[-DIGITS:]


def of_secret(name: str) -> str:
    """The same of a secret's."""
    return hashlib.sha256(f"secret|{name}".encode()).hexdigest()[:DIGITS]
