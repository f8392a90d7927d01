"""What an operator sees: all that is open, the newest of the rest, and one of them in full."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from functions.core.facts import building
from functions.core.kept.summary import EVER
from functions.core.operators import summaries, typed_keys
from functions.core.operators.explaining import Explained, explained
from functions.core.operators.replaying import REPLAYABLE
from functions.core.rounds.expiry import HORIZON
from functions.core.terms.errors import RelayError
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from functions.core.texts.bounds import bounded, visible
from functions.core.texts.times import parse_span, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.kept.summary import Summary
    from functions.core.kept.tasks import Wait
    from functions.core.ports.services import Ports
    from functions.core.terms.policy import Policy

MOST_ENDED = 1000  # the newest; the open ones are all listed
MOST_WAITS = 5000
MOST_READ = 30  # of those at work; what more there is may have ended some minutes ago
LONGEST_ASKED = 200


class NotAsked(RelayError):
    """A filter that cannot be meant; `field` names it."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


class Wanted(Struct, frozen=True, kw_only=True):
    """The filters, as they were given. Route and experiment may hold the wildcards * and ?.

    `since` goes by when one came to where it stands; the command line's by when it was claimed.
    """

    state: str = ""
    route: str = ""
    experiment: str = ""
    q: str = ""
    since: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Wanted:
        """The filters of a query; raises NotAsked."""
        asked = cls(**{n: query.get(n, "").strip()[:LONGEST_ASKED] for n in cls.__struct_fields__})
        if asked.state not in {"", *State}:
            raise NotAsked("state", f"state is one of {', '.join(State)}")
        if asked.since and not parse_span(asked.since):
            raise NotAsked("since", "since is a length of time such as 30m, 24h or 7d")
        return asked

    @property
    def given(self) -> dict[str, str]:
        """The filters that there are."""
        pairs = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return {name: value for name, value in pairs if value}

    def begins(self, now: datetime) -> datetime:
        """Since when."""
        span = parse_span(self.since)
        return now - span if span else EVER

    def takes(self, one: Summary, begins: datetime) -> bool:
        """Whether it passes every filter. The search looks into all that the list shows."""
        shown = (*one.key.text.split("/", 2), one.workspace, one.experiment)
        told = " ".join((*shown, one.state, one.reason, one.detail, f"#{one.pipeline_run or ''}"))
        return (
            self.state in {"", one.state}
            and one.at >= begins
            and summaries.fits(one, self.route or None, self.experiment or None)
            and visible(self.q).casefold() in visible(told).casefold()
        )

    def takes_wait(self, wait: Wait) -> bool:
        """Whether a waiting task, which is open and of no one route or experiment, passes them."""
        told = " ".join((*wait.runs, wait.workspace.name, wait.task.id, wait.why))
        of_others = self.route or self.experiment or self.since or self.state not in {"", "open"}
        return not of_others and self.q.casefold() in told.casefold()


class Seen(NamedTuple):
    """The list: what passed the filters, the open ones first; `among` how many there are.

    `ends` tells when each secret ends, None where nobody knows. `waits` are the tasks that wait,
    those first that were put off most often.
    """

    at: datetime
    wanted: Wanted
    listed: Sequence[Summary]
    among: Sequence[Summary]
    ends: Mapping[str, datetime | None]
    paused: bool
    waits: Sequence[Wait] = ()


class Whole(NamedTuple):
    """One continuation with what is to be said of it.

    `parameters` and `variables` are what was sent, or would be; `gate` the facts that the gate saw.
    """

    at: datetime
    continuation: Continuation
    name: str
    told: Explained
    studio: str
    gate: str
    command: str
    parameters: Mapping[str, str]
    variables: Mapping[str, str]
    branch: str


class Overview:
    """Reads the ledger, and nothing else. Every method raises LedgerUnavailable."""

    def __init__(self, ports: Ports, policy: Policy) -> None:
        self._ledger, self._clock = ports.ledger, ports.clock
        self._policy = policy

    def look(self, wanted: Wanted) -> Seen:
        """The list: the requests of `Ledger.listed`, one for each that is at work, and two.

        One more for each further thousand tasks that wait.
        """
        now = self._clock.now()
        begins = wanted.begins(now)
        among = list(self._as_they_stand(now))
        found = [one for one in among if wanted.takes(one, begins)]
        ordered = sorted(found, key=lambda one: not one.state.may_be_open)
        paused, waits = self._policy.paused, self._waits(wanted)
        return Seen(now, wanted, ordered, among, self._ends(), paused, waits)

    def one(self, text: str) -> Whole:
        """The continuation that a KEY names; raises what `typed_keys.resolve` raises."""
        c, now = typed_keys.resolve(self._ledger, text), self._clock.now()
        (name,) = typed_keys.whole([c])
        body = (c.request.shown if c.request else None) or {}
        sources = body.get("resources", {}).get("repositories", {}).get("self", {})
        return Whole(
            at=now,
            continuation=c,
            name=name,
            told=explained(c, now, self._policy.used_secret),
            studio=building.studio_url(self._policy.studio, c.event.workspace.id, c.key.run),
            gate=c.gate_saw,
            command=_command(c, name),
            parameters={n: str(v) for n, v in body.get("templateParameters", {}).items()},
            variables={n: str(v["value"]) for n, v in body.get("variables", {}).items()},
            branch=str(sources.get("refName", "")),
        )

    def _as_they_stand(self, now: datetime) -> Iterator[Summary]:
        """What is at work may have ended since it was scheduled: the newest of it are read."""
        left = MOST_READ
        for one in self._ledger.listed(EVER, MOST_ENDED):
            at_work = one.is_open and (one.reason is Reason.WORKING or one.due_at <= now)
            if not at_work or not left:
                yield one
                continue
            left -= 1
            if read := summaries.as_it_stands(self._ledger, one):
                yield read

    def _waits(self, wanted: Wanted) -> list[Wait]:
        every = (entry.wait for entry in self._ledger.waits.waiting(MOST_WAITS))
        found = filter(wanted.takes_wait, every)
        return sorted(found, key=lambda wait: (-wait.attempts, wait.due_at))

    def _ends(self) -> dict[str, datetime | None]:
        ends = self._ledger.shared(HORIZON).value.get("ends", {})
        return {bounded(name, 127): parse_time(at) for name, at in sorted(ends.items())}


def _command(c: Continuation, name: str) -> str:
    """What replays it; empty for what cannot be replayed."""
    replay = f"bin/relay replay {shlex.quote(visible(name))}"
    if c.is_anothers or not c.key.outcome.is_known:
        return ""
    if c.is_doubtful:
        return f"{replay} --as-started BUILD_ID"
    return replay if c.state in REPLAYABLE else ""
