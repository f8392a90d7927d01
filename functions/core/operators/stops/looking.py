"""Looks for all that stops: in the ledger's small rows, in the settings, in the route file.

What only another process saw, such as a route file that it cannot read, is in the row of the
rounds; what waits is counted where it lies.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from functions.core.ledger.records import MOST_NAMED
from functions.core.operators.stops import credentials, timers
from functions.core.operators.stops.stop import (
    Kind,
    Stop,
    events,
    many,
    moment,
    since,
    waited,
)
from functions.core.rounds import noted
from functions.core.terms.errors import RoutesUnreadable
from functions.core.terms.reasons import Reason
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from functions.core.kept.summary import Listed
    from functions.core.operators.stops.stop import Known
    from functions.core.ports.ledger import Inbox, Ledger
    from functions.core.ports.services import RouteSource
    from functions.core.rounds.noted import Last
    from functions.core.routes.definition import Routes
    from functions.core.terms.deadline import Clock

LATELY = timedelta(hours=1)
UNCLAIMED = timedelta(minutes=10)  # within which a round takes an event out of the inbox
MOST_SETTINGS = 5
_CHECK = "mend it (bin/relay check says all that is wrong)"
_DEPLOY, _READ_AGAIN = ", then: sh infra/hooks/deploy.sh code", "; it is read again by itself"
_UNCLAIMED = "look for letter=, ledger= and routes=unreadable in the app's log"
_ALONE = "if it lasts: is the storage account in reach, and may the app's identity use it?"
_NEWER = "deploy the version that wrote it; ledger=unreadable in the app's log names each"
_SETTING = "mend it in the app's settings: until then the default is in force"


class Stops:
    """Looks for them. `routes`: the file of this process, where that is one of the app's."""

    def __init__(
        self, ledger: Ledger, clock: Clock, known: Known, routes: RouteSource | None = None
    ) -> None:
        self._ledger, self._clock, self._known = ledger, clock, known
        self._source = routes

    def read(self) -> tuple[Last, Inbox]:
        """What it looks at whatever is open: a request for the rounds, and those of the inbox.

        Raises LedgerUnavailable.
        """
        return noted.recall(self._ledger), self._ledger.inbox()

    def look(
        self,
        listed: Listed,
        ends: Mapping[str, datetime | None] | None = None,
        noting: tuple[Last, Inbox] | None = None,
    ) -> list[Stop]:
        """The gravest first. `listed`: all that is open; `ends`: as of `credentials.end`.

        One request for each account that is waited for or used, four at most, one without `ends`,
        and those of `read` where that was not done. Raises LedgerUnavailable.
        """
        now, (last, inbox) = self._clock.now(), noting or self.read()
        opened = listed.only(lambda one: one.is_open)
        routes, problems = self._routes()
        ends = credentials.end(self._ledger) if ends is None else ends
        found = [
            *self._of_routes(problems, last, inbox, now),
            *credentials.left_alone(self._ledger, self._known, opened, routes, now),
            *credentials.unusable(self._known, opened, ends, now),
            *timers.silent(last, self._known, now),
            *self._paused(last, opened),
            *self._of_ledger(last, now),
            *(Stop(Kind.SETTING, f"{what}.", _SETTING) for what in self._complaints()),
        ]
        return sorted(found, key=lambda stop: stop.place)

    def _routes(self) -> tuple[Routes | None, Sequence[str]]:
        """The routes of this process, or what is wrong with its file."""
        try:
            return (self._source.routes() if self._source else None), ()
        except RoutesUnreadable as error:
            return None, [bounded(what, noted.LONGEST) for what in error.problems]

    def _of_routes(
        self, problems: Sequence[str], last: Last, inbox: Inbox, now: datetime
    ) -> Iterator[Stop]:
        whose = "The route file"
        if not problems and last.ended and now - last.ended < UNCLAIMED:
            problems = last.saw.problems
            whose = "The route file of another instance" if self._source else "The app's route file"
        if problems:
            says = f"{whose} cannot be read, so no event is looked at."
            more, do = (events(inbox), *problems[: noted.MOST_PROBLEMS]), _CHECK
            do += _DEPLOY if self._known.deployed else _READ_AGAIN
            began = last.unreadable or inbox.oldest
            yield Stop(Kind.ROUTES, says, do, began, inbox.letters, more, not inbox.whole)
        elif inbox.oldest and now - inbox.oldest > UNCLAIMED:
            told, count = events(inbox), inbox.letters
            yield Stop(Kind.INBOX, told, _UNCLAIMED, inbox.oldest, count, (), not inbox.whole)

    def _paused(self, last: Last, opened: Listed) -> Iterator[Stop]:
        if self._known.policy.paused:
            waiting = opened.only(lambda one: one.reason is Reason.PAUSED)
            says = f"Paused{since(last.paused)}: nothing is started while PAUSED=1."
            do = "set PAUSED=0 to let it start"
            yield waited(Kind.PAUSED, says, do, waiting, last.paused)

    def _of_ledger(self, last: Last, now: datetime) -> Iterator[Stop]:
        if (failed := last.saw.failed) and now - failed.at < LATELY:
            says = f"A round ended at {moment(failed.at)}, for the ledger was not in reach."
            yield Stop(Kind.LEDGER, says, _ALONE, failed.at, more=(f"{failed.detail}.",))
        if rows := sorted(self._ledger.unreadable):
            least = "At least " if len(rows) == MOST_NAMED else ""
            says = f"{least}{many(len(rows), 'row')} of the ledger cannot be read by this version."
            yield Stop(Kind.LEDGER, says, _NEWER, more=(f"{bounded(rows[0], noted.LONGEST)}.",))

    def _complaints(self) -> list[str]:
        told = list(self._known.complaints)
        more = len(told) - MOST_SETTINGS
        return told[:MOST_SETTINGS] + [f"and {many(more, 'other setting')}"] * (more > 0)
