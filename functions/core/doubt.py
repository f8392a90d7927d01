"""Look before asking again: what became of a POST whose answer never came.

asked ──► look ──► found         started
           ├─────► incomplete    look again after the backoff
           └─────► absent ──► look after the grace ──► absent ──► the stored request again,
                                                                  at most twice, then held
"""

from __future__ import annotations

from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING

from functions.core import sharing, steps
from functions.core.desk import Work
from functions.core.distinct import normal
from functions.core.errors import Retryable, Unreadable
from functions.core.ledger import Entry
from functions.core.limits import PAUSED
from functions.core.policy import (
    CLOCK_SKEW,
    MOST_SENDS,
    OTHERS_BEFORE,
    POST_TAKES,
    RECHECK,
    REFUSED_FOR,
)
from functions.core.reasons import Reason
from functions.core.routing import End
from functions.core.values import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from functions.core.chronicle import Chronicle
    from functions.core.continuation import Continuation
    from functions.core.desk import Desk
    from functions.core.policy import Policy
    from functions.core.ports import Ports
    from functions.core.starting import Starter
    from functions.core.values import Credential, PipelineRequest, PipelineRun

MOST_NEW = 100
LOOKED_AGAIN_FOR = timedelta(days=1)


class Doubt:
    """Settles continuations that were asked and never answered."""

    def __init__(
        self, ports: Ports, policy: Policy, desk: Desk, starter: Starter, chronicle: Chronicle
    ) -> None:
        self._ledger, self._clock = ports.ledger, ports.clock
        self._credentials, self._pipelines = ports.credentials, ports.pipelines
        self._policy = policy
        self._desk = desk
        self._starter = starter
        self._chronicle = chronicle

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
        """The builds that match; None once parked, because the look-up was not complete.

        As before a POST, a refused credential is fetched and tried once more.
        """
        if (credential := self._starter.credential(work, request)) is None:
            return None
        try:
            return self._matching(work, request, credential)
        except Retryable as error:
            refused = error
        try:
            if refused.reason is Reason.CREDENTIAL_REFUSED:
                credential = self._credentials.read(request.secret, work.deadline, fresh=True)
                return self._matching(work, request, credential)
        except Retryable as error:
            refused = error
        self._incomplete(work, request, credential, refused)
        return None

    def _incomplete(
        self, work: Work, request: PipelineRequest, credential: Credential, error: Retryable
    ) -> None:
        """Park a look that could not be whole; one that is refused for days ends with a person."""
        if error.reason is Reason.CREDENTIAL_REFUSED:
            return self._starter.block(work, request, credential.version, error.detail)
        self._starter.slow_down(request, error.retry_after)
        if error.reason is not Reason.LOOK_FAILED:
            return self._starter.park(work, error)
        after = error.retry_after
        if not self._desk.wait(work, error.reason, error.detail, REFUSED_FOR, after):
            self._desk.end(work, End(State.HELD, Reason.IN_DOUBT, error.detail))
        return None

    def look_again(self, work: Work) -> None:
        """Look once more, an hour after a second POST, for a second pipeline run."""
        c, now = work.entry.continuation, self._clock.now()
        try:
            found = self._found_by_now(work)
        except Retryable as error:
            patient = now - (c.sent_at or c.created_at) < LOOKED_AGAIN_FOR
            then = now + self._policy.wait(c.key.text, c.attempts, error.reason)
            changed = steps.look_later(c, now, then if patient else None)
        else:
            changed = steps.looked_again(c, now, *(run.id for run in found))
        self._ledger.write(work.entry, changed)
        self._desk.tell_started(work, changed)

    def _found_by_now(self, work: Work) -> Sequence[PipelineRun]:
        """What a look that may wait finds; raises Retryable, also for a blocked organization."""
        request = work.entry.continuation.request
        if request is None or self._starter.is_blocked(request):
            raise Retryable(Reason.CREDENTIAL_REFUSED, "its account is left alone just now")
        credential = self._credentials.read(request.secret, work.deadline)
        return self._matching(work, request, credential)

    def _matching(
        self, work: Work, request: PipelineRequest, credential: Credential
    ) -> Sequence[PipelineRun]:
        """The builds that match and are not another continuation's; raises Retryable.

        Run ids are unique within a workspace only: two workspaces may ask for the same.
        """
        c = work.entry.continuation
        since = (c.asked_at or c.created_at) - CLOCK_SKEW
        until = (c.sent_at or c.created_at) + max(self._policy.grace, RECHECK) + CLOCK_SKEW
        found = self._pipelines.find(request, credential, (since, until), work.deadline)
        if not found:
            return []
        others = self._of_others(c, since - OTHERS_BEFORE)
        return [run for run in found if run.id not in others]

    def _of_others(self, c: Continuation, since: datetime) -> set[int]:
        """Pipeline runs of this run id in workspaces heard of, and those too new for that.

        They count per organization.
        """
        known = (w.key for w in self._chronicle.workspaces(since))
        elsewhere = [self._ledger.of_run(w, c.key.run) for w in known if w != c.key.workspace]
        others = (o for o in (*chain(*elsewhere), *self._new_ones(c, since)) if o.key != c.key)
        return {run for o in others if o.organization == c.organization for run in o.pipeline_runs}

    def _new_ones(self, c: Continuation, since: datetime) -> Iterator[Continuation]:
        """Those of a run whose id may look the same, among all that is open and the newest ended.

        One request for each thousand that are listed, and one for each such.
        """
        for one in self._ledger.listed(since, MOST_NEW):
            if normal(one.key.run) == normal(c.key.run) and one.key != c.key:
                try:
                    entry = self._ledger.read(one.key)
                except Unreadable:
                    continue
                yield from [entry.continuation] if entry else []

    def _adopt(self, work: Work, found: Sequence[PipelineRun]) -> None:
        """Settle with the first pipeline run that no other continuation adopts; more are told."""
        own = [run for run in sorted(found, key=lambda run: run.id) if self._claims(work, run)]
        for run in own:
            entry = self._ledger.read(work.entry.continuation.key) if run != own[0] else work.entry
            if entry is not None:
                self._desk.started(Work(entry, work.deadline), run, Reason.FOUND)
        if not own:
            detail = "the pipeline run that was found is another continuation's"
            self._desk.park(work, Reason.IN_DOUBT, detail)

    def _claims(self, work: Work, run: PipelineRun) -> bool:
        """Whether this continuation adopts the pipeline run; a row of its own decides the race."""
        c = work.entry.continuation
        until = self._clock.now() + self._policy.kept_for
        own = {"by": c.key.hash, "until": until.isoformat()}
        row = sharing.change(
            self._ledger, f"adopted/{c.organization}/{run.id}", lambda known: known or own
        )
        return bool(row.value["by"] == c.key.hash)

    def _absent(self, work: Work, request: PipelineRequest, began: datetime) -> None:
        c = work.entry.continuation
        if c.absent_at is None or began < self._sure_at(c, c.absent_at):
            return self._look_later(work, began)
        if c.sends >= MOST_SENDS:
            return self._desk.end(work, _given_up(c))
        if self._policy.paused:
            return self._desk.line_up(work, Reason.PAUSED, "PAUSED=1", PAUSED)
        if (credential := self._starter.credential(work, request)) is not None:
            self._starter.send(work, request, credential, f"sent again, {c.sends} times so far")
        return None

    def _sure_at(self, c: Continuation, absent_at: datetime) -> datetime:
        """When the POST can no longer be queued, also by the clock of those who look."""
        sent_by = (c.sent_at or absent_at) + POST_TAKES
        return max(sent_by, absent_at) + self._policy.grace

    def _look_later(self, work: Work, began: datetime) -> None:
        changed = steps.absent(work.entry.continuation, self._clock.now())
        looked = Work(Entry(changed, work.entry.version), work.deadline)
        sure_at = self._sure_at(changed, changed.absent_at or began)
        until = max(sure_at, began + self._policy.retry_first)
        detail = "no pipeline run found yet; it is looked for once more before asking again"
        self._desk.park(looked, Reason.IN_DOUBT, detail, until=until)


def _given_up(c: Continuation) -> End:
    """The end of what was sent as often as it may be, and is nowhere to be found."""
    if Reason.REFUSED in c.since:
        detail = f"sent {c.sends} times, refused at last, and never found"
        return End(State.FAILED, Reason.REFUSED, detail)
    detail = f"sent {c.sends} times, never answered and never found"
    return End(State.HELD, Reason.IN_DOUBT, detail)
