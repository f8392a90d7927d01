"""What an operator can do about continuations: it is written down, the reconciler acts on it."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from functions.core.kept.summary import Summary
from functions.core.limits import renewals
from functions.core.operators import decisions, summaries
from functions.core.operators.decisions import Answer
from functions.core.starts.whose import adoption, queued_since
from functions.core.terms.errors import Lost, Unreadable
from functions.core.terms.policy import OTHERS_BEFORE
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger
    from functions.core.terms.deadline import Clock
    from functions.core.terms.pipelines import PipelineRun
    from functions.core.terms.runs import Key

    Change = Callable[..., Continuation | Answer]
    Meant = Callable[[Summary], Continuation | None]
    Each = Callable[[Meant, Sequence[Summary]], Iterator[Continuation | None]]

LONGEST_NAME = 100
LONGEST_OPEN = timedelta(days=30)  # how long before its end a listed one may have been claimed
MOST_LISTED = 10_000
MOST_LOOKED_AT = 30_000  # of what has ended
MOST_OTHERS = 1000
SINCE = "it has come to this since it was looked for"


class Replaying:
    """Writes to the ledger what an operator decides, and who it was; `dry`: it writes nothing.

    What is found due, or named as started, is scheduled again: asking twice repairs what broke in
    between. What the app has started stays as it is: nothing that its route says by now is done.
    `those`: which are meant, where no KEY names each; what has come to another end meanwhile is
    none of them. Every method raises LedgerUnavailable.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        who: str,
        those: Wanted | None = None,
        *,
        dry: bool = False,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._who = bounded(who, LONGEST_NAME)
        self._those, self._dry = those, dry

    def replay(self, key: Key, *, ignore_gate: bool = False) -> Answer:
        """Open it again if it is held or failed, and never asked; try at once what is parked."""
        return self._put(key, partial(self._again, ignore_gate=ignore_gate))

    def _again(
        self, c: Continuation, now: datetime, *, who: str, ignore_gate: bool
    ) -> Continuation | Answer:
        """Of many the last is written minutes after it was found, and rounds go on meanwhile."""
        is_meant = self._those is None or self._those.fits(Summary.of(c))
        if c.state in decisions.REPLAYABLE and not is_meant:
            return Answer(f"{decisions.standing(c)}; {SINCE}", done=False)
        return decisions.again(c, now, who=who, ignore_gate=ignore_gate)

    def ask_anew(self, key: Key, *, ignore_gate: bool = False) -> Answer:
        """Start what is in doubt once more: the operator knows that nothing was queued."""
        return self._put(key, partial(decisions.anew, ignore_gate=ignore_gate))

    def name(self, key: Key, run: PipelineRun) -> Answer:
        """Settle what is in doubt with the pipeline run that the operator found.

        So what was named before is corrected.
        """
        entry = self._ledger.read(key)
        if entry and (other := self._owner(entry.continuation, run.id)):
            what = f"pipeline run {run.id} was started for {other.key.text}; not changed"
            return Answer(what, done=False)
        return self._put(key, partial(decisions.named, run=run))

    def _owner(self, c: Continuation, run: int) -> Continuation | None:
        """Another continuation that this pipeline run was started for, or that is adopting it."""
        if c.asked_at is None or c.request is None:
            return None
        adopts = self._ledger.shared(adoption(c.organization, run)).value.get("by")
        since = queued_since(c) - OTHERS_BEFORE
        for other in self._others(since, run):
            is_its = run in other.pipeline_runs or (other.is_asked and other.key.hash == adopts)
            if is_its and other.organization == c.organization and other.key != c.key:
                return other
        return None

    def _others(self, since: datetime, run: int) -> Iterator[Continuation]:
        """The newest as they stand; of the others those that have this pipeline run, by the lists.

        Ten requests more, of which nobody waits for any but an operator.
        """
        yield from self._ledger.recent(since, MOST_OTHERS)
        listed = self._ledger.listed(since, MOST_LISTED)
        for key in [one.key for one in listed if one.pipeline_run == run]:
            with suppress(Unreadable):
                entry = self._ledger.read(key)
                yield from [entry.continuation] if entry else []

    def _put(self, key: Key, change: Change) -> Answer:
        while True:
            entry = self._ledger.read(key)
            if entry is None:
                return Answer("not in the ledger any more", done=False)
            made = change(entry.continuation, self._clock.now(), who=self._who)
            if isinstance(made, Answer):
                if made.done and not self._dry and _is_operators(entry.continuation):
                    self._hold(entry.continuation)
                    self._ledger.schedule(entry.continuation)
                return made
            if self._dry:
                return Answer(f"would be {decisions.said(entry.continuation, made)}", done=True)
            try:
                self._ledger.write(entry, made)
            except Lost:
                continue  # another operator or a process was first: judge again what it wrote
            self._release(entry.continuation, made)
            return Answer(decisions.said(entry.continuation, made), done=True)

    def _release(self, before: Continuation, made: Continuation) -> None:
        """Schedule it; the account that it waits for is tried once more, though it was refused.

        Its place in a limit is another's, once an operator says that nothing was queued for it.
        """
        if before.slot and not made.slot:
            from functions.core.limits.windows import Limits  # noqa: PLC0415 - few routes have one

            Limits(self._ledger, self._clock).give_back(before, any_attempt=True)
        if made.is_open and made.reason is Reason.CREDENTIAL_REFUSED and made.waits_on:
            renewals.lift(self._ledger, made.waits_on, self._clock.now())
        self._hold(made)
        self._ledger.schedule(made)

    def _hold(self, c: Continuation) -> None:
        """Its place in a group, which the end of a wrong pipeline run may have freed."""
        if c.group and c.state is State.STARTED and not c.ended:
            from functions.core.limits.groups import Groups  # noqa: PLC0415 - few are in one

            Groups(self._ledger, self._clock).hold(c)


def _is_operators(c: Continuation) -> bool:
    """Whether what an operator wrote last may not be on the schedule."""
    return c.is_open or decisions.was_named(c)


def _one_by_one(meant: Meant, those: Sequence[Summary]) -> Iterator[Continuation | None]:
    return map(meant, those)


class Wanted(NamedTuple):
    """Which continuations are meant: those that came to one of these ends `since` then.

    What is open is meant whenever it was claimed, if it is parked.
    """

    states: frozenset[State]
    since: datetime
    route: str | None = None
    experiment: str | None = None
    reasons: frozenset[Reason] = frozenset()

    def fits(self, one: Summary) -> bool:
        """Whether it is one of them, as it is shown or as it stands."""
        parked = one.is_open and one.reason is not Reason.WORKING
        written = one.updated_at or one.created_at
        is_due = one.state in self.states and (parked if one.is_open else written >= self.since)
        is_named = not self.reasons or one.reason in self.reasons
        return is_due and is_named and summaries.fits(one, self.route, self.experiment)


class Found(NamedTuple):
    """Those that are meant, the oldest first; `whole`: all that there are were looked at."""

    those: Sequence[Continuation]
    whole: bool


def wanted(ledger: Ledger, those: Wanted, each: Each = _one_by_one) -> Found:
    """Those of the ledger.

    A list is behind: what it shows as open may have ended, and so each is read, by `each` of them
    several at once. What was replayed by who died at it stands as open and is shown as it was.
    What has ended otherwise than it is shown is not meant.
    """
    listed = ledger.listed(those.since - LONGEST_OPEN, MOST_LOOKED_AT)
    ended = sum(not one.is_open for one in listed)

    def meant(one: Summary) -> Continuation | None:
        with suppress(Unreadable):
            entry = ledger.read(one.key)
            c = entry.continuation if entry else None
            if c and (those.fits(Summary.of(c)) or (c.is_open and those.fits(one))):
                return c
        return None

    may_be = [one for one in reversed(listed) if one.is_open or those.fits(one)]
    found = [c for c in each(meant, may_be) if c]
    return Found(found, listed.whole and ended < MOST_LOOKED_AT)
