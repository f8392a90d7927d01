"""Settling, parking and holding: every write that ends a piece of work, and its line in the log.

A write that lost against another writer is dropped: the other one knows more. Only `started`
insists, since a pipeline run exists and must not be forgotten.
"""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from functions.core.ports.services import Level
from functions.core.routes.deciding import End, PutOff
from functions.core.starts import log_lines, steps
from functions.core.terms.deadline import Deadline, Since
from functions.core.terms.errors import LedgerUnavailable, Lost
from functions.core.terms.policy import BY_SETTING, RECHECK
from functions.core.terms.reasons import Reason
from functions.core.terms.words import PAUSED, State

if TYPE_CHECKING:
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Entry
    from functions.core.ports.services import Ports
    from functions.core.terms.pipelines import PipelineRun
    from functions.core.terms.policy import Policy
    from functions.core.terms.runs import Key

MOST_KNOWN = 200  # of those that ended here; a round resumes half as many
_MARK = ("request", "asked_at", "sent_at", "sends", "group")
LONGEST_AFTER = 6 * 3600.0  # seconds; a service that asks for more is asked again anyway


class Work(NamedTuple):
    """One continuation that this process holds, and the time there is for it."""

    entry: Entry
    deadline: Deadline


def looked_after_at(c: Continuation, name: str, now: datetime, policy: Policy) -> datetime:
    """When one that waits in the line of this name is looked after, should nobody call it."""
    waited = now - c.open_since if name != PAUSED else timedelta(0)
    return now + policy.wait_in_line(c.key.text, waited)


class Settling:
    """Writes what became of a continuation, to the ledger and to the log.

    `ended` names the last that ended here, and how: they stand in the schedule until they are due.
    """

    def __init__(self, ports: Ports, policy: Policy) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._outcomes = ports.outcomes
        self._policy = policy
        self.ended: deque[tuple[Key, State]] = deque(maxlen=MOST_KNOWN)

    def park(
        self,
        work: Work,
        reason: Reason,
        detail: str,
        *,
        after: float | None = None,
        until: datetime | None = None,
        waits_on: str = "",
    ) -> None:
        """Leave it open: due `until` then, `after` so many seconds, or after the backoff."""
        c, now = work.entry.continuation, self._clock.now()
        due = until or now + self._wait(c, reason, after)
        self._put(work, steps.parked(c, now, reason, detail, due, waits_on))

    def line_up(self, work: Work, reason: Reason, detail: str, name: str, **group: str) -> None:
        """Leave it open until it is called from the line of this name."""
        c, now = work.entry.continuation, self._clock.now()
        due = looked_after_at(c, name, now, self._policy)
        self._put(work, steps.parked(c, now, reason, detail, due, name, **group))

    def pause(self, work: Work) -> None:
        """Leave it open until the app goes on."""
        self.line_up(work, Reason.PAUSED, BY_SETTING, PAUSED)

    def wait(
        self,
        work: Work,
        reason: Reason,
        detail: str,
        patience: timedelta,
        after: float | None = None,
    ) -> bool:
        """Park while patience lasts, counted from when the reason was first given.

        Returns False, with nothing written, when it is used up.
        """
        c, now = work.entry.continuation, self._clock.now()
        last = c.since.get(reason, now) + patience
        if now >= last:
            return False
        due = min(now + self._wait(c, reason, after), last)
        self._put(work, steps.parked(c, now, reason, detail, due))
        return True

    def conclude(
        self, work: Work, verdict: End | PutOff, after: float | None = None, then: End | None = None
    ) -> None:
        """End it so, or park it while patience lasts.

        Once that is used up it is held for the same reason, or ends as `then` says.
        """
        if isinstance(verdict, PutOff):
            if self.wait(work, *verdict, after):
                return
            verdict = then or End(State.HELD, verdict.reason, verdict.detail)
        self.end(work, verdict)

    def end(self, work: Work, end: End) -> None:
        """Hold, skip or fail it."""
        self.let_fall(work, end)

    def let_fall(self, work: Work, end: End) -> Entry | None:
        """The same; None where another has written something else."""
        return self._put(work, steps.ended(work.entry.continuation, self._clock.now(), *end))

    def started(self, work: Work, run: PipelineRun, reason: Reason) -> None:
        """Record the pipeline run, whatever was written meanwhile; a second one is a duplicate."""
        first = work
        while True:
            c, now = work.entry.continuation, self._clock.now()
            if run.id in c.pipeline_runs:
                return None
            if c.state is State.STARTED:
                changed = steps.duplicated(c, now, run.id)
            else:
                sent = _marked_as(c, first.entry.continuation)
                changed = steps.started(sent, now, run, reason, RECHECK)
            try:
                self._ledger.write(work.entry, changed)
            except LedgerUnavailable as error:
                self._tell_unsettled(c, run, error)
                raise
            except Lost:
                latest = self._latest(c, run)
                if latest is None:  # pruned meanwhile: only the log can still tell
                    return self._tell(changed, work.deadline)
                work = Work(latest, work.deadline)
            else:
                self.tell_started(work, changed)
                if work is not first:  # it may have left the schedule as something else
                    self._ledger.schedule(changed)
                return None

    def _latest(self, c: Continuation, run: PipelineRun) -> Entry | None:
        """What another wrote instead of the pipeline run."""
        try:
            return self._ledger.read(c.key)
        except LedgerUnavailable as error:
            self._tell_unsettled(c, run, error)
            raise

    def tell_started(self, work: Work, c: Continuation) -> None:
        """Say what is new since the work began, and schedule the second look if one is owed."""
        before = work.entry.continuation
        if c.duplicates != before.duplicates:
            self._log.write(Level.ERROR, log_lines.duplicate(c))
        elif c.state != before.state:
            self._tell(c, work.deadline)
        if c.recheck_at:
            self._ledger.schedule(c)

    def _tell_unsettled(self, c: Continuation, run: PipelineRun, error: Exception) -> None:
        """Only the log knows of the pipeline run until it is found again."""
        started = {"unsettled": c.key.route, "run": c.key.run, "outcome": c.key.outcome}
        known = {"pipeline_run": run.id, "url": run.url, "detail": error}
        self._log.write(Level.ERROR, started | known)

    def _put(self, work: Work, changed: Continuation) -> Entry | None:
        since = Since(self._clock)
        try:
            entry = self._ledger.write(work.entry, changed)
        except Lost:
            return None
        if changed.is_open:  # what has ended leaves the schedule with the reconciler's next round
            self._ledger.schedule(changed, since)
        self._tell(changed, work.deadline)
        if work.entry.continuation.slot and not changed.slot:
            self._give_back(work.entry.continuation)
        return entry

    def _give_back(self, before: Continuation) -> None:
        """Its place in the limit; only once the row says that nothing was queued for it."""
        from functions.core.limits.windows import Limits  # noqa: PLC0415 - few routes have one

        try:
            Limits(self._ledger, self._clock).give_back(before)
        except LedgerUnavailable as error:
            self._log.write(Level.WARNING, {"limit": before.slot, "detail": error})

    def _tell(self, c: Continuation, deadline: Deadline) -> None:
        if not c.is_open:
            self.ended.append((c.key, c.state))
        ms = round(deadline.elapsed * 1000)
        self._log.write(log_lines.level(c), log_lines.outcome(c, ms))
        self._outcomes.note(c)

    def _wait(self, c: Continuation, reason: Reason, after: float | None) -> timedelta:
        backoff = self._policy.wait(c.key.text, c.attempts, reason)
        return backoff if after is None else timedelta(seconds=min(max(after, 0.0), LONGEST_AFTER))


def _marked_as(c: Continuation, sent: Continuation) -> Continuation:
    """With the mark of what was sent, if that was taken back before its answer came."""
    mark = {name: getattr(sent, name) for name in _MARK}
    return c if c.asked_at else msgspec.structs.replace(c, **mark)
