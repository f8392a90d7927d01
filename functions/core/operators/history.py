"""The history of a continuation as people read it: the ledger's words are shorter, and stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.kept.continuation import (
    ASKED,
    GATE_IGNORED,
    HASTENED,
    SOMEBODY,
    Step,
    pipeline_asked,
)
from functions.core.kept.history import ABSENT, UNASKED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.kept.continuation import Continuation

_SAID = {UNASKED: "not queued", HASTENED: "tried at once", ABSENT: "not found"}
_TOLD = {
    UNASKED: "the service queued nothing, so the request counts as not sent",
    ABSENT: "the service has no pipeline run of it so far",
}


def told(c: Continuation) -> Iterator[Step]:
    """Each step in words; of one that asked always which pipeline, and what its gate saw."""
    for step in c.history:
        yield Step(step.at, _SAID.get(step.what, step.what), _detail(c, step))


def _detail(c: Continuation, step: Step) -> str:
    if step.what != ASKED:
        return _TOLD.get(step.what, step.detail)
    where = pipeline_asked(c.request.where) if c.request else ""
    if step.detail == GATE_IGNORED:
        by = c.gate_ignored_by or SOMEBODY
        return "; ".join(filter(None, (where, GATE_IGNORED.replace(SOMEBODY, by))))
    if not where or step.detail.startswith(where):
        return step.detail
    return f"{where}; its gate saw {step.detail}"
