"""A step of a continuation's history as a line of the export: who decided what, when and why.

docs/export.schema.json tells the fields. What a line says is told by the step alone wherever that
is possible, so that it reads the same whenever it is exported.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.kept.after import CLAIMS
from functions.core.kept.continuation import ASKED, CLAIMED, PARKED, PASSED_OVER, REPLAYED
from functions.core.kept.history import PUT_RIGHT, UNASKED
from functions.core.ledger.records import time_text
from functions.core.operators import decisions, summaries
from functions.core.routes.joins.members import BEGUN
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import SWEPT
from functions.core.terms.words import State

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation, Step
    from functions.core.terms.pipelines import PipelineRequest
    from relay.export.places import Place

EVENT, SWEEP, OPERATOR, APP = "event", "sweep", "operator", "app"
_REASONED = frozenset({PARKED, State.HELD, State.SKIPPED, State.FAILED})  # begin with the reason
_REASONS = frozenset(Reason)
_STARTED = re.compile(r"pipeline run (\d+)(?:: .*)?")
_NAMED = re.compile(r"as started, by .*: pipeline run (\d+)")
_OWN = re.compile(r"pipeline run (\d+), instead of .*")


class Line(NamedTuple):
    """A step, and where it stands among all lines."""

    place: Place
    step: Step
    c: Continuation

    @property
    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        c, step = self.c, self.step
        by, who = _by(step)
        return {
            "cursor": self.place.cursor,
            "at": time_text(step.at),
            "what": step.what,
            "by": by,
            "who": who,
            "why": step.detail,
            "reason": _reason(c, step),
            "pipeline_run": _pipeline_run(step),
            "key": summaries.whole_key(c.key),
            "workspace": c.key.workspace,
            "route": c.key.route,
            "run": c.key.run,
            "outcome": str(c.key.outcome),
            "experiment": c.event.experiment,
            "request": _request(c.request) if c.request and step is _last_asked(c) else None,
        }


def _by(step: Step) -> tuple[str, str]:
    """Who made it come to this: what they are, and which of them."""
    if step.what == CLAIMED:
        if step.detail.startswith((CLAIMS, BEGUN)):
            return APP, ""
        swept = step.detail.partition(" ")[0] == SWEPT
        return (SWEEP, "") if swept else (EVENT, step.detail)
    asker = decisions.asker(step)
    return (OPERATOR, asker) if asker else (APP, "")


def _reason(c: Continuation, step: Step) -> str | None:
    """The reason of a step that has one. It does not say why a start is known: its end does."""
    if step.what == PASSED_OVER:
        return Reason.NOT_MATCHED.value
    if step.what == State.STARTED:
        return c.reason.value if c.state is State.STARTED else None
    word = step.detail.partition(" ")[0]
    return word if step.what in _REASONED and word in _REASONS else None


def _pipeline_run(step: Step) -> int | None:
    """The pipeline run that was started, that an operator named, or that was its own after all."""
    form = {State.STARTED: _STARTED, REPLAYED: _NAMED, PUT_RIGHT: _OWN}.get(step.what)
    found = form.fullmatch(step.detail) if form else None
    return int(found[1]) if found else None


def _last_asked(c: Continuation) -> Step | None:
    """The step of the request that the ledger keeps; those of earlier requests have none."""
    followed = zip(c.history, (*c.history[1:], None), strict=True)
    asked = (s for s, after in followed if s.what == ASKED and not _is_taken_back(after))
    return next(reversed(list(asked)), None)


def _is_taken_back(after: Step | None) -> bool:
    return after is not None and after.what == UNASKED


def _request(asked: PipelineRequest) -> dict[str, Any]:
    return {
        "organization": asked.organization,
        "project": asked.project,
        "pipeline": asked.pipeline,
        "pipeline_version": asked.pipeline_version,
        "secret": asked.secret,
        "body": asked.shown,
    }
