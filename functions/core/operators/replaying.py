"""What an operator can do about a continuation: it is written down, the reconciler acts on it.

held | failed ──► open, due now            replay; nothing of the last attempt is left
in doubt ───────► started                  the operator names the pipeline run
in doubt ───────► open, due now            the operator knows that nothing was queued
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from functions.core.kept.continuation import REPLAYED
from functions.core.starts.steps import started, step
from functions.core.terms.errors import Lost
from functions.core.terms.policy import CLOCK_SKEW, OTHERS_BEFORE, RECHECK
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger
    from functions.core.terms.deadline import Clock
    from functions.core.terms.pipelines import PipelineRun
    from functions.core.terms.runs import Key

    Change = Callable[..., Continuation | "Answer"]

LONGEST_NAME = 100
LONGEST_OPEN = timedelta(days=30)  # how long before its end a listed one may have been claimed
MOST_LISTED = 10_000
MOST_OTHERS = 1000
REPLAYABLE = frozenset({State.HELD, State.FAILED})


class Answer(NamedTuple):
    """What became of a request to replay. `done`: it is, or will be, as the operator wants it."""

    what: str
    done: bool


class Replaying:
    """Writes to the ledger what an operator decides, and who it was.

    What is found open or started is scheduled again: asking twice repairs what broke in between.
    Every method raises LedgerUnavailable.
    """

    def __init__(self, ledger: Ledger, clock: Clock, who: str) -> None:
        self._ledger = ledger
        self._clock = clock
        self._who = bounded(who, LONGEST_NAME)

    def replay(self, key: Key, *, ignore_gate: bool = False) -> Answer:
        """Open it again if it is held or failed, and never asked."""
        return self._put(key, partial(_again_from_start, ignore_gate=ignore_gate))

    def ask_anew(self, key: Key, *, ignore_gate: bool = False) -> Answer:
        """Start what is in doubt once more: the operator knows that nothing was queued."""
        return self._put(key, partial(_asked_anew, ignore_gate=ignore_gate))

    def name(self, key: Key, run: PipelineRun) -> Answer:
        """Settle what is in doubt with the pipeline run that the operator found."""
        entry = self._ledger.read(key)
        if entry and (other := self._owner(entry.continuation, run.id)):
            what = f"pipeline run {run.id} was started for {other.key.text}: not changed"
            return Answer(what, done=False)
        return self._put(key, partial(_named, run=run))

    def _owner(self, c: Continuation, run: int) -> Continuation | None:
        """Another continuation that this pipeline run was started for."""
        if c.asked_at is None or c.request is None:
            return None
        since = c.asked_at - CLOCK_SKEW - OTHERS_BEFORE
        for other in self._ledger.recent(since, MOST_OTHERS):
            same = other.organization == c.organization
            if same and other.key != c.key and run in other.pipeline_runs:
                return other
        return None

    def _put(self, key: Key, change: Change) -> Answer:
        while True:
            entry = self._ledger.read(key)
            if entry is None:
                return Answer("not in the ledger any more", done=False)
            made = change(entry.continuation, self._clock.now(), who=self._who)
            if isinstance(made, Answer):
                if made.done:
                    self._ledger.schedule(entry.continuation)
                return made
            try:
                self._ledger.write(entry, made)
            except Lost:
                continue  # another operator or a process was first: judge again what it wrote
            self._ledger.schedule(made)
            return Answer(_done(made), done=True)


def ended(ledger: Ledger, states: frozenset[State], since: datetime) -> Sequence[Continuation]:
    """Continuations that came to one of these ends since then, oldest first."""
    found = ledger.recent(since - LONGEST_OPEN, MOST_LISTED)
    return [c for c in reversed(found) if c.state in states and c.updated_at >= since]


def standing(c: Continuation) -> str:
    """Where it stands, in words."""
    if c.state is State.STARTED:
        return f"started: pipeline run {c.pipeline_run} {c.url}".rstrip()
    why = ": ".join(filter(None, (c.reason, c.detail)))
    if c.is_open:
        return f"open: {why}; due {c.due_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{c.state}: {why}"


def _again_from_start(
    c: Continuation, now: datetime, *, who: str, ignore_gate: bool
) -> Continuation | Answer:
    if c.is_open or c.state is State.STARTED:
        return Answer(standing(c), done=True)
    if c.state not in REPLAYABLE:
        return Answer(f"{standing(c)}; only what is held or failed is replayed", done=False)
    if not c.key.outcome.is_known:
        what = f"{standing(c)}; it is about {c.key.outcome}, which another version of the app knows"
        return Answer(what, done=False)
    if c.is_doubtful:
        where = c.request.where if c.request else "run"
        what = (
            f"{standing(c)}; pipeline {where} was asked for at {c.asked_at:%Y-%m-%d %H:%M}"
            " UTC and may have been queued: look for it, then say --as-started BUILD_ID, or --again"
            " if it is not there"
        )
        return Answer(what, done=False)
    return _opened(c, now, who=who, ignore_gate=ignore_gate)


def _opened(c: Continuation, now: datetime, *, who: str, ignore_gate: bool) -> Continuation:
    how = f"by {who}, ignoring the gate" if ignore_gate else f"by {who}"
    return step(
        c,
        now,
        REPLAYED,
        how,
        state=State.OPEN,
        reason=Reason.WORKING,
        detail=f"replayed {how}",
        due_at=now,
        attempts=0,
        since={},
        waits_on="",
        request=None,
        ignore_gate=ignore_gate,
        file="",  # the route may be back
    )


def _asked_anew(
    c: Continuation, now: datetime, *, who: str, ignore_gate: bool
) -> Continuation | Answer:
    if (refused := _not_in_doubt(c)) is not None:
        return refused
    sought_until = (c.sent_at or c.asked_at or now) + RECHECK
    if c.is_open and now < sought_until:
        what = f"it is still being looked for; --again is taken from {sought_until:%H:%M} UTC on"
        return Answer(f"{standing(c)}; {what}", done=False)
    told = f"again, by {who}: the request of {c.asked_at:%Y-%m-%dT%H:%M:%SZ} counts as not queued"
    cleared = {"asked_at": None, "sent_at": None, "absent_at": None, "sends": 0, "slot": ""}
    unasked = step(c, now, REPLAYED, told, **cleared)
    return _opened(unasked, now, who=who, ignore_gate=ignore_gate)


def _named(c: Continuation, now: datetime, *, who: str, run: PipelineRun) -> Continuation | Answer:
    if c.pipeline_run == run.id and c.state.is_known:
        return Answer(standing(c), done=True)
    if (refused := _not_in_doubt(c)) is not None:
        return refused
    told = step(c, now, REPLAYED, f"as started, by {who}: pipeline run {run.id}")
    return started(told, now, run, Reason.FOUND, RECHECK)


def _not_in_doubt(c: Continuation) -> Answer | None:
    if c.is_doubtful and c.state.is_known and c.key.outcome.is_known:
        return None
    return Answer(f"{standing(c)}; it is not in doubt, so nothing was changed", done=False)


def _done(c: Continuation) -> str:
    return standing(c) if c.state is State.STARTED else "replayed: the reconciler takes it up"
