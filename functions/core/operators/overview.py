"""What an operator sees: all that is open, the newest of the rest, and one of them in full."""

from __future__ import annotations

from collections import Counter
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from functions.core.facts import building
from functions.core.kept.summary import EVER, Listed, Summary
from functions.core.operators import summaries, typed_keys
from functions.core.operators.explaining import Explained, explained
from functions.core.operators.lists import commands, holders, people
from functions.core.operators.lists.groups import Group, groups
from functions.core.operators.stops import credentials
from functions.core.operators.stops.stop import OF_INBOX, Stop
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.kept.tasks import Wait
    from functions.core.operators.lists.commands import Command
    from functions.core.operators.lists.wanted import Wanted
    from functions.core.operators.stops.looking import Stops
    from functions.core.ports.services import Ports
    from functions.core.terms.policy import Policy

MOST_ENDED = 1000  # those claimed last; the open ones are all listed
MOST_WAITS = 5000
MOST_READ = 30  # of those at work; what more there is may have ended some minutes ago

T = TypeVar("T")


class Begin(Protocol):
    """Begins a call beside others, in a thread that logs nothing."""

    def __call__(self, call: Callable[[], T], /) -> Callable[[], T]:
        """What waits for its end, once, and gives or raises what it did."""


class Seen(NamedTuple):
    """The list: what passed the filters, the open ones first; `among` are all that there are.

    `wants` is what wants a person, and `counts`, `open_since` and `latency` (the median, in
    seconds) are of all, whatever the filters. `ends` tells when each secret ends, None where
    nobody knows. `waits` are the tasks that wait, those first that were put off most often.
    `stops` is what stops everything, or much of it.
    """

    at: datetime
    wanted: Wanted
    listed: Sequence[Summary]
    among: Listed
    ends: Mapping[str, datetime | None]
    paused: bool
    waits: Sequence[Wait] = ()
    wants: Sequence[Group] = ()
    stops: Sequence[Stop] = ()

    @property
    def whole(self) -> bool:
        """Whether no more is open than is listed."""
        return self.among.whole

    @property
    def counts(self) -> dict[State, int]:
        """How many there are of each state."""
        found = Counter(one.state for one in self.among)
        return {state: found[state] for state in State}

    @property
    def in_doubt(self) -> int:
        """Of how many nobody knows whether their pipelines were started."""
        return sum(one.in_doubt for one in self.among)

    @property
    def in_inbox(self) -> int:
        """How many events wait in the inbox of which no route could be told, as far as counted."""
        return max((stop.waits or 0 for stop in self._of_inbox), default=0)

    @property
    def inbox_is_at_least(self) -> bool:
        """Whether more may wait in the inbox."""
        return any(stop.waits_is_at_least for stop in self._of_inbox)

    @property
    def _of_inbox(self) -> list[Stop]:
        return [stop for stop in self.stops if stop.kind in OF_INBOX]

    @property
    def open_since(self) -> datetime | None:
        """Since when the oldest is open."""
        return min((one.created_at for one in self.among if one.is_open), default=None)

    @property
    def latency(self) -> float | None:
        """The median of the seconds from a run's end to the start."""
        known = [one.latency for one in self.among if one.latency is not None]
        return median(known) if known else None


class Whole(NamedTuple):
    """One continuation with what is to be said of it.

    `parameters` and `variables` are what was sent, or would be; `gate` is what the gate asks, and
    `saw` the facts that it saw; `before` tells who goes on in the group that it waits for, and
    `people` who was told of it.
    """

    at: datetime
    continuation: Continuation
    name: str
    told: Explained
    studio: str
    gate: str
    saw: str
    command: Command
    parameters: Mapping[str, str]
    variables: Mapping[str, str]
    branch: str
    before: Sequence[str]
    people: Sequence[str] = ()


class Overview:
    """Reads the ledger, and nothing else. Every method raises LedgerUnavailable.

    `app` is the app's own resource id, empty where it is not known. `begin` begins a call beside
    others; what comes back waits for its end.
    """

    def __init__(self, ports: Ports, policy: Policy, stops: Stops, app: str, begin: Begin) -> None:
        self._ledger, self._clock = ports.ledger, ports.clock
        self._policy, self._stops, self._app = policy, stops, app
        self._begin = begin

    def look(self, wanted: Wanted) -> Seen:
        """The list: the requests of `Ledger.listed`, one for each that is at work, and two.

        One more for each further thousand tasks that wait, and those of `Stops.look`. Those that
        need nothing of each other are made at once.
        """
        now, begin = self._clock.now(), self._begin
        listing = begin(partial(self._ledger.listed, EVER, MOST_ENDED))
        waiting = begin(partial(self._waits, wanted))
        ending = begin(partial(credentials.end, self._ledger))
        noting, every = begin(self._stops.read), listing()
        among = Listed(self._as_they_stand(every, now), whole=every.whole)
        wants, ends = groups(among, now, self._app), ending()
        paused, waits = self._policy.paused, waiting()  # stops tell what it could not read
        stops = self._stops.look(among, ends, noting())
        listed = wanted.sorted(wanted.fitting(among, now))
        return Seen(now, wanted, listed, among, ends, paused, waits, wants, stops)

    def one(self, text: str) -> Whole:
        """The continuation that a KEY names; raises what `typed_keys.resolve` raises."""
        c, now = typed_keys.resolve(self._ledger, text), self._clock.now()
        (name,) = typed_keys.whole([c])
        body = (c.request.shown if c.request else None) or {}
        given = "inputs" if "inputs" in body else "templateParameters"
        sources = body.get("resources", {}).get("repositories", {}).get("self", {})
        return Whole(
            at=now,
            continuation=c,
            name=name,
            told=explained(c, now, self._policy),
            studio=building.page_url(self._policy.studio, c.event.workspace.id, c.key),
            gate=c.gate_asked.when,
            saw=c.gate_asked.saw,
            command=commands.of_one(Summary.of(c), name, self._app),
            parameters={n: str(v) for n, v in body.get(given, {}).items()},
            variables={n: str(v["value"]) for n, v in body.get("variables", {}).items()},
            branch=str(sources.get("refName") or body.get("ref", "")),
            before=holders.before(self._ledger, self._clock, c),
            people=people.told(self._ledger, c),
        )

    def _as_they_stand(self, listed: Listed, now: datetime) -> Iterator[Summary]:
        """What is at work may have ended since it was scheduled: the newest of it are read."""
        read = partial(summaries.as_it_stands, self._ledger)
        at_work = listed.only(
            lambda one: one.is_open and (one.reason is Reason.WORKING or one.due_at <= now)
        )
        reading = {one.key: self._begin(partial(read, one)) for one in at_work[:MOST_READ]}
        for one in listed:
            stands = reading[one.key]() if one.key in reading else one
            if stands:
                yield stands

    def _waits(self, wanted: Wanted) -> list[Wait]:
        every = (entry.wait for entry in self._ledger.waits.waiting(MOST_WAITS))
        found = filter(wanted.takes_wait, every)
        return sorted(found, key=lambda wait: (-wait.attempts, wait.due_at))
