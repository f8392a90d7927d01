"""Look before asking again: what became of a POST whose answer never came.

asked ──► look ──► found         started
           ├─────► incomplete    look again after the backoff
           └─────► absent ──► look after the grace ──► absent ──► the stored request again,
                                                                  at most twice, then held
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core import continuation as steps
from functions.core.errors import Retryable
from functions.core.policy import CLOCK_SKEW, MOST_SENDS, POST_TAKES
from functions.core.ports import Entry
from functions.core.reasons import Reason
from functions.core.routing import End
from functions.core.values import State

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from functions.core.desk import Desk
    from functions.core.policy import Policy
    from functions.core.ports import Clock, Credentials, Ledger, Pipelines
    from functions.core.starting import Starter, Work
    from functions.core.values import PipelineRequest, PipelineRun


class Doubt:
    """Settles continuations that were asked and never answered."""

    def __init__(
        self,
        ledger: Ledger,
        credentials: Credentials,
        pipelines: Pipelines,
        clock: Clock,
        policy: Policy,
        *,
        desk: Desk,
        starter: Starter,
    ) -> None:
        self._ledger = ledger
        self._credentials = credentials
        self._pipelines = pipelines
        self._clock = clock
        self._policy = policy
        self._desk = desk
        self._starter = starter

    def look(self, work: Work) -> None:
        """Look for the stored request's pipeline run, and do what the answer allows."""
        request = work.entry.continuation.request
        if request is None or not request.distinct:
            return self._starter.in_doubt(work, "the answer to the request never came", None)
        began = self._clock.now()
        found = self._find(work, request)
        if found:
            return self._adopt(work, found)
        return None if found is None else self._absent(work, request, began)

    def _find(self, work: Work, request: PipelineRequest) -> Sequence[PipelineRun] | None:
        """The builds that match; None once parked, because the look-up was not complete."""
        c = work.entry.continuation
        if (credential := self._starter.credential(work, request)) is None:
            return None
        try:
            since = (c.asked_at or c.created_at) - CLOCK_SKEW
            return self._pipelines.find(request, credential, since, work.deadline)
        except Retryable as error:
            if error.reason is Reason.CREDENTIAL_REFUSED:
                self._starter.block(work, request, credential, error.detail)
            else:
                self._starter.park(work, error)
            return None

    def look_again(self, work: Work) -> None:
        """Look once more, an hour after a second POST, for a second pipeline run."""
        c, request = work.entry.continuation, work.entry.continuation.request
        if request is None:
            return
        try:
            credential = self._credentials.read(request.secret, work.deadline)
            since = (c.asked_at or c.created_at) - CLOCK_SKEW
            found = self._pipelines.find(request, credential, since, work.deadline)
        except Retryable:
            return  # it stays scheduled
        changed = steps.rechecked(c, self._clock.now())
        entry = self._ledger.write(work.entry, changed)
        others = [run.id for run in found if run.id != c.pipeline_run]
        if set(others) - set(c.duplicates):
            self._desk.duplicated(entry, others)

    def _adopt(self, work: Work, found: Sequence[PipelineRun]) -> None:
        first, *others = sorted(found, key=lambda run: run.id)
        self._desk.started(work.entry, first, Reason.FOUND, work.deadline)
        for other in others:
            entry = self._ledger.read(work.entry.continuation.key)
            if entry is not None:
                self._desk.started(entry, other, Reason.FOUND, work.deadline)

    def _absent(self, work: Work, request: PipelineRequest, began: datetime) -> None:
        c = work.entry.continuation
        sure_at = (c.sent_at or began) + POST_TAKES + self._policy.grace
        if c.absent_at is None or began < sure_at:
            return self._look_later(work, sure_at, began)
        if c.sends >= MOST_SENDS:
            detail = f"sent {c.sends} times, never answered and never found"
            return self._desk.end(
                work.entry, End(State.HELD, Reason.IN_DOUBT, detail), work.deadline
            )
        if self._policy.paused:
            return self._desk.park(work.entry, Reason.PAUSED, "PAUSED=1", deadline=work.deadline)
        if (credential := self._starter.credential(work, request)) is not None:
            self._starter.send(work, request, credential, f"sent again, {c.sends} times so far")
        return None

    def _look_later(self, work: Work, sure_at: datetime, began: datetime) -> None:
        changed = steps.absent(work.entry.continuation, self._clock.now())
        entry = Entry(changed, work.entry.version)
        until = max(sure_at, began + self._policy.retry_first)
        detail = "no pipeline run found yet; it is looked for once more before asking again"
        self._desk.park(entry, Reason.IN_DOUBT, detail, until=until, deadline=work.deadline)
