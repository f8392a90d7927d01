"""What a look for a lost answer's pipeline run shows, and which of that may be whose."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from functions.core.kept import after
from functions.core.ports import shared
from functions.core.routes.requests.lookalikes import normal
from functions.core.terms.errors import Retryable, Unreadable
from functions.core.terms.policy import CLOCK_SKEW, CLOCKS_DIFFER, OTHERS_BEFORE, RECHECK
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.memory.known_since import KnownSince
    from functions.core.ports.services import Ports
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.pipelines import Credential, PipelineRequest, PipelineRun
    from functions.core.terms.policy import Policy

MOST_NEW = 1000  # of those that ended last: one request brings as many
LONGEST_ON_ITS_WAY = timedelta(days=1)  # for so long Event Grid tries to deliver an event


def adoption(organization: str, run: int) -> str:
    """The shared row that says by `by` which continuation adopts a pipeline run, by its hash."""
    return f"adopted/{organization}/{run}"


def queued(c: Continuation, policy: Policy) -> tuple[datetime, datetime]:
    """Between which times its POSTs may have been queued, by the clock of their service."""
    told, sent = _event_sent_at(c), c.sent_at or c.created_at
    behind = told - c.created_at if told else timedelta(0)  # at least, since it came after that
    behind = min(max(behind, timedelta(0)), LONGEST_ON_ITS_WAY)
    return queued_since(c), sent + behind + max(policy.grace, RECHECK) + CLOCK_SKEW


def queued_since(c: Continuation) -> datetime:
    """Before which none of its POSTs was queued, by the clock of their service.

    The app's may be ahead by an hour, and by as much as the claim came after its event was sent,
    which Azure's clock tells. What waited long is not sought since then: that would be all builds
    of weeks.
    """
    told, asked = _event_sent_at(c), c.asked_at or c.created_at
    if told is None:
        return asked - CLOCKS_DIFFER - CLOCK_SKEW
    ahead = max(CLOCKS_DIFFER, min(c.created_at - told, LONGEST_ON_ITS_WAY))
    return max(asked - ahead, min(told, asked)) - CLOCK_SKEW


def _event_sent_at(c: Continuation) -> datetime | None:
    """When its event was sent; None where none was, or the app itself has put a time in it."""
    return c.event.time if c.event.was_sent and not after.end(c.event) else None


class Looked(NamedTuple):
    """What a look found. `lacking`: why it may not be all.

    `rivals`: another continuation of a run of this id is in doubt, too, and nothing but the order
    tells whose of them is which.
    """

    runs: Sequence[PipelineRun]
    lacking: Retryable | None = None
    rivals: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether the credential was not accepted."""
        return self.lacking is not None and self.lacking.reason is Reason.CREDENTIAL_REFUSED


class Looking:
    """Looks for the pipeline runs that a continuation's stored request may have started."""

    def __init__(self, ports: Ports, policy: Policy, known_since: KnownSince) -> None:
        self._ledger, self._clock, self._pipelines = ports.ledger, ports.clock, ports.pipelines
        self._policy = policy
        self._known_since = known_since

    def matching(
        self,
        c: Continuation,
        request: PipelineRequest,
        credential: Credential,
        deadline: Deadline,
    ) -> Looked:
        """The builds that match and were not started for another continuation.

        Run ids are unique within a workspace only: two workspaces may ask for the same.
        """
        since, until = queued(c, self._policy)
        found: list[PipelineRun] = []
        lacking = None
        try:
            for run in self._pipelines.find(request, credential, (since, until), deadline):
                found.append(run)  # noqa: PERF402 - kept if the rest fails
        except Retryable as error:
            lacking = error
        others = self._others(c, since - OTHERS_BEFORE) if found else []
        theirs = {run for other in others for run in other.pipeline_runs}
        rivals = any(o.asked_at and o.state is not State.STARTED for o in others)
        return Looked([run for run in found if run.id not in theirs], lacking, rivals)

    def adopts(self, c: Continuation, run: PipelineRun) -> bool:
        """Whether this continuation adopts the pipeline run; a row of its own decides the race."""
        until = self._clock.now() + self._policy.kept_for
        own = {"by": c.key.hash, "until": until.isoformat()}
        row = shared.change(
            self._ledger, adoption(c.organization, run.id), lambda known: known or own
        )
        return bool(row.value["by"] == c.key.hash)

    def _others(self, c: Continuation, since: datetime) -> list[Continuation]:
        """Those of this run id in workspaces heard of, and those too new for that.

        Also of its own: another route of the file of before, or of today, may ask for the same.
        Pipeline runs count per organization.
        """
        known = {c.key.workspace, *(w.key for w in self._known_since.workspaces(since))}
        others = chain(
            *(self._ledger.of_run(w, c.key.run) for w in known), self._new_ones(c, since)
        )
        return [o for o in others if o.key != c.key and o.organization == c.organization]

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
