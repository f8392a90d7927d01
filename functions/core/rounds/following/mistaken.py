"""A start that was answered with another start's pipeline run: its own is looked for, once seen.

docs/adr/0036-github-actions.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from functions.core.kept.history import PUT_RIGHT
from functions.core.rounds.following import ends
from functions.core.starts import log_lines
from functions.core.starts.steps import step
from functions.core.starts.whose import queued
from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.kept.summary import Followed
    from functions.core.ports.services import Ports
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.pipelines import PipelineRequest, PipelineRun
    from functions.core.terms.policy import Policy

LONGEST_URL = 1000


class Sought(NamedTuple):
    """What is followed instead, where its own was found; `whole`: else there surely is none."""

    instead: Followed | None = None
    whole: bool = False


class Mistaken:
    """Looks for the pipeline run whose name shows the start's own mark, and has it followed."""

    def __init__(self, ports: Ports, policy: Policy, each: Callable[[], Deadline]) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._credentials, self._pipelines = ports.credentials, ports.pipelines
        self._outcomes = ports.outcomes
        self._policy, self._each = policy, each

    def put_right(self, one: Followed, why: str) -> Sought:
        """What the look came to; `why` tells whose the one is that it was answered with.

        Raises LedgerUnavailable, and Lost where another was faster.
        """
        entry = self._ledger.read(one.key)
        c = entry.continuation if entry else None
        if entry is None or c is None or c.ended or c.request is None or not c.request.mark:
            return Sought()
        if own := ends.own(one, c):  # somebody has put it right
            return Sought(own)
        found, whole = self._found(c, c.request)
        if not found:
            return Sought(whole=whole)
        changed = with_own(c, found, why, self._clock.now())
        self._ledger.write(entry, changed)
        self._ledger.schedule(changed)  # for lists, and for what names its pipeline run elsewhere
        self._log.write(log_lines.level(changed), log_lines.outcome(changed, 0))
        self._outcomes.note(changed)
        return Sought(ends.own(one, changed))

    def _found(self, c: Continuation, request: PipelineRequest) -> tuple[list[PipelineRun], bool]:
        """Those that are its own, the first before the others; whether that was a whole look."""
        found: list[PipelineRun] = []
        deadline, whole = self._each(), True
        try:
            credential = self._credentials.read(request.sender, deadline)
            between = queued(c, self._policy)
            for run in self._pipelines.find(request, credential, between, deadline):
                found.append(run)  # noqa: PERF402 - kept if the rest fails
        except Retryable:
            whole = False
        return sorted(found, key=lambda run: run.id), whole


def with_own(
    c: Continuation, found: Sequence[PipelineRun], why: str, now: datetime
) -> Continuation:
    """Started, with its own pipeline run in the place of another start's."""
    run, others = found[0], tuple(run.id for run in found[1:])
    told = f"pipeline run {run.id}, instead of {c.pipeline_run}: {why}"
    of_it = {"pipeline_run": run.id, "url": bounded(run.url, LONGEST_URL), "duplicates": others}
    return step(c, now, PUT_RIGHT, told, reason=Reason.FOUND, detail=bounded(why), **of_it)
