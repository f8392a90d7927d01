"""A continuation: what the ledger keeps of one outcome of one run on one route."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotations
from typing import NamedTuple

from msgspec import Struct, field

from functions.core.terms.pipelines import (  # noqa: TC001 - msgspec reads them to decode
    PipelineEnd,
    PipelineRequest,
)
from functions.core.terms.reasons import BY_GATE, Reason
from functions.core.terms.runs import SWEPT, Key, RunEvent
from functions.core.terms.words import State

PARKED = "parked"  # what an open one is called where log and metrics tell of it
REPLAYED = "replayed"  # what an operator did is never cut from a history
HASTENED = "hastened"  # the same, where it only is to be tried at once
BY_OPERATORS = frozenset({REPLAYED, HASTENED})
ASKED = "asked"  # the step before a POST: what the gate saw, or that there was none to ask
CLAIMED = "claimed"
PASSED_OVER = "passed over"  # how the history of one begins that no event ever claimed
_PIPELINE = "pipeline "
GATE_IGNORED = "the gate was ignored, as an operator asked"
IGNORING = ", ignoring the gate"  # how the step of an operator ends who wants that
SOMEBODY = "an operator"


class Asked(NamedTuple):
    """What a gate asks, as the route had it then, and the facts that it saw; empty: not known."""

    when: str = ""
    saw: str = ""


class Step(Struct, frozen=True, array_like=True):
    """One line of a continuation's history."""

    at: datetime
    what: str
    detail: str = ""


class Continuation(Struct, frozen=True, kw_only=True):
    """One outcome of one run on one route: the row that the ledger keeps. Times are UTC.

    `due_at` is when the reconciler may take it: the end of the lease, or of the parking.
    `since` holds when the reason of the parking was first given (`joined`: since when nobody is
    awaited), `sends` how many POSTs may have left, `absent_at` when a complete look-up first found
    nothing, `recheck_at` when to look for a duplicate once more, `slot` the window of the route's
    limit that was paid for, `waits_on` the shared row whose change releases it early, `ignore_gate`
    that an operator wants it started whatever its gate says, `file` stands for the route file it is
    from, `group` is the row of the group that it has a place in, `wants` that of who is in a line,
    and `group_by` stands for how its route named its group when it lined up. `passed_by`:
    what it matched when the run was passed over, each way once; empty: not known.
    `ended`: how the pipeline run that was started ended, once that is known, `then` which route
    goes on by that ("": none, None: nobody has decided that), `tells` the channels that hear it.
    """

    key: Key
    event: RunEvent
    created_at: datetime
    updated_at: datetime
    due_at: datetime
    state: State = State.OPEN
    reason: Reason = Reason.WORKING
    detail: str = ""
    attempts: int = 0
    since: dict[Reason, datetime] = field(default_factory=dict)
    request: PipelineRequest | None = None
    asked_at: datetime | None = None
    sent_at: datetime | None = None
    sends: int = 0
    absent_at: datetime | None = None
    recheck_at: datetime | None = None
    pipeline_run: int | None = None
    url: str = ""
    duplicates: tuple[int, ...] = ()
    slot: str = ""
    waits_on: str = ""
    ignore_gate: bool = False
    file: str = ""
    group: str = ""
    wants: str = ""
    group_by: str = ""
    passed_by: tuple[str, ...] = ()
    ended: PipelineEnd | None = None
    then: str | None = None
    tells: tuple[str, ...] = ()
    history: tuple[Step, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether work is left to do before it ends."""
        return self.state is State.OPEN and self.key.outcome.is_known

    @property
    def told_as(self) -> str:
        """Where it stands, as the log, the metrics and its history say it."""
        return PARKED if self.is_open else str(self.state)

    @property
    def told(self) -> dict[str, object]:
        """What is told of it to others, by the names that events and command line share."""
        return {
            "route": self.key.route,
            "run": self.key.run,
            "outcome": self.key.outcome,
            "experiment": self.event.experiment,
            "state": self.state,
            "reason": self.reason,
            "detail": self.detail,
            "attempts": self.attempts,
            "pipeline_run": self.pipeline_run,
            "ended": self.ended.how if self.ended else None,
            "ended_at": self.ended.at.isoformat() if self.ended else None,
            "ended_detail": self.ended.detail if self.ended else "",
        }

    @property
    def is_anothers(self) -> bool:
        """Whether work may be left to do that only another version of the app knows how to do."""
        return self.state.may_be_open and not self.is_open

    @property
    def organization(self) -> str:
        """Whose pipeline it asked for, in lower case; empty before that."""
        return self.request.organization.lower() if self.request else ""

    @property
    def pipeline_runs(self) -> frozenset[int]:
        """All that were started for it; their ids count per organization."""
        runs = (self.pipeline_run, *self.duplicates)
        return frozenset(run for run in runs if run is not None)

    @property
    def was_passed_over(self) -> bool:
        """Whether it only says that a run was looked at and did not fit, as it was then."""
        steps = [step.what for step in self.history]
        return self.state is State.SKIPPED and steps == [PASSED_OVER]

    def was_passed_over_by(self, match: str) -> bool:
        """Whether it was so by a route that matched this, as far as that is known."""
        return self.was_passed_over and (match in self.passed_by or not self.passed_by)

    @property
    def is_doubted(self) -> bool:
        """Whether it was skipped since its run read otherwise, as it may for a moment only."""
        return self.state is State.SKIPPED and self.reason is Reason.OUTCOME_CHANGED

    def claims(self, *, swept: bool) -> int:
        """How often the sweep claimed it, or somebody else did."""
        by = [step.detail for step in self.history if step.what == CLAIMED]
        return sum((told.partition(" ")[0] == SWEPT) is swept for told in by)

    @property
    def gate_asked(self) -> Asked:
        """What a gate was asked last; empty where none was, or it gave no answer."""
        if self.state is State.HELD and self.reason is Reason.GATE:
            return _parted(self.detail)  # a step of the history may have less of it
        told = (_gate_saw(step) for step in reversed(self.history))
        return _parted(next((saw for saw in told if saw is not None), ""))

    @property
    def gate_ignored_by(self) -> str:
        """Who had its gate ignored, if that is known; empty where the gate counts."""
        if not self.ignore_gate:
            return ""
        told = (s.detail for s in reversed(self.history) if s.what in BY_OPERATORS)
        by = next((detail for detail in told if detail.endswith(IGNORING)), "")
        return by.removeprefix("by ").removesuffix(IGNORING) or SOMEBODY

    @property
    def is_asked(self) -> bool:
        """Whether a POST may have left whose fate is not known."""
        return self.is_open and self.asked_at is not None

    @property
    def open_since(self) -> datetime:
        """When it was claimed, or replayed last; of a join: since when nobody is awaited."""
        replays = (step.at for step in self.history if step.what == REPLAYED)
        return max((self.since.get(Reason.JOINED, self.created_at), *replays))

    @property
    def is_doubtful(self) -> bool:
        """Whether its POST may have been queued, and nobody is at work on it.

        What has ended for a reason of another version reads as if somebody were.
        """
        at_work = self.is_open and self.reason is Reason.WORKING
        return self.asked_at is not None and self.state is not State.STARTED and not at_work

    @property
    def in_doubt(self) -> bool:
        """The same of what this version knows, as people are told."""
        return self.is_doubtful and self.state.is_known and self.key.outcome.is_known


def pipeline_asked(where: str) -> str:
    """What a step says that asked without a gate."""
    return f"{_PIPELINE}{where}"


def _parted(told: str) -> Asked:
    """As `functions.core.gates.gate.Verdict.told` puts it together."""
    saw, found, when = f"; {told}".rpartition("; when: ")
    return Asked(when, saw.removeprefix("; ")) if found else Asked(saw=told)


def _gate_saw(step: Step) -> str | None:
    """The facts that a gate looked at in this step; None where none was asked."""
    if step.what == ASKED:
        asked = step.detail != GATE_IGNORED and not step.detail.startswith(_PIPELINE)
        return step.detail if asked else None
    reason, _, detail = step.detail.partition(" ")
    if step.what != State.HELD or reason not in BY_GATE:
        return None
    return detail if reason == Reason.GATE else ""
