"""What an operator's word makes of a continuation: its next value, or why it stays. Pure.

held | failed ──► open, due now            replay; nothing of the last attempt is left
open, parked ───► open, due now            the same, and all else that is known of it stays
in doubt ───────► started                  the operator names the pipeline run
in doubt ───────► open, due now            the operator knows that nothing was queued; who let it
                                           go without its gate before is not overruled by that
started ────────► started                  the operator named another pipeline run by mistake
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from functions.core.kept.continuation import BY_OPERATORS, HASTENED, IGNORING, REPLAYED
from functions.core.kept.history import last
from functions.core.limits.admission import Admission
from functions.core.starts.steps import started, step
from functions.core.terms.pipelines import service_told
from functions.core.terms.policy import CLOCKS_DIFFER, RECHECK
from functions.core.terms.reasons import Reason
from functions.core.terms.words import GROUP, LINE, PAUSED, State, stands_as
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from datetime import datetime

    from functions.core.kept.continuation import Continuation, Step
    from functions.core.terms.pipelines import PipelineRun

REPLAYABLE = frozenset({State.HELD, State.FAILED})
# what starts if its gate is left out, and what holds it back as long as it is not
WITHOUT_GATE = {
    Reason.GATE: "asks its gate again, which held it; --ignore-gate leaves it out",
    Reason.NOT_A_NUMBER: "asks its gate again, which held it; --ignore-gate leaves it out",
    Reason.INCOMPLETE: "waits for who failed or is missing; --ignore-gate goes on without them",
}
_NAMED = "as started, by "
_SAID = re.compile(  # what the steps of an operator say; the end of a long one may be cut
    rf"{_NAMED}(.*?)(?:(?:, instead of \d+)?: pipeline run \d+)?"
    r"|again, by (.*?)(?:: the request of \S+ counts as not queued)?"
    rf"|by (.*?)(?:{IGNORING})?"
)
_LONGEST_URL = 1000
_UNENDED: dict[str, object] = {"ended": None, "then": None, "tells": ()}
# nothing of the last attempt, and of no file: the route may be back
_UNTRIED: dict[str, object] = {"attempts": 0, "waits_on": "", "request": None, "file": ""}


class Answer(NamedTuple):
    """What became of an operator's request. `done`: it is, or will be, as the operator wants it."""

    what: str
    done: bool


DUE = Answer("due already; the reconciler takes it up", done=True)


def standing(c: Continuation) -> str:
    """Where it stands, in words."""
    if c.state is State.STARTED:
        return f"started, pipeline run {c.pipeline_run} {c.url}".rstrip()
    why = f"{stands_as(c.state, in_doubt=c.in_doubt)}, {c.reason}{c.detail and f' ({c.detail})'}"
    return f"{why}; due {c.due_at:%Y-%m-%d %H:%M:%S} UTC" if c.is_open else why


def again(c: Continuation, now: datetime, *, who: str, ignore_gate: bool) -> Continuation | Answer:
    """Once more from the beginning, or at once where it is open."""
    if c.state is State.STARTED:
        return Answer(standing(c), done=True)
    if c.is_open:
        return _at_once(c, now, who=who, ignore_gate=ignore_gate)
    if c.state not in REPLAYABLE:
        return _left(c, "only what is open, held or failed is replayed")
    if not c.key.outcome.is_known:
        return _left(c, f"it is about {c.key.outcome}, which another version of the app knows")
    if c.is_doubtful:
        where = c.request.where if c.request else "run"
        what = (
            f"pipeline {where} was asked for at {c.asked_at:%Y-%m-%d %H:%M} UTC and may have been"
            " queued: look for it, then say --as-started BUILD_ID, or --again if it is not there"
        )
        return _left(c, what)
    return _opened(c, now, who=who, ignore_gate=ignore_gate)


def anew(c: Continuation, now: datetime, *, who: str, ignore_gate: bool) -> Continuation | Answer:
    """From the beginning, though it was asked for: the operator knows that nothing was queued.

    Its request had been decided on: where that was without its gate, so is the next. Who died at it
    asks once more; or wants it without its gate after all.
    """
    was = last(c)
    if c.is_open and was and was.what == REPLAYED:
        more = ignore_gate and not c.ignore_gate
        return _at_once(c, now, who=who, ignore_gate=True) if more else DUE
    if (refused := _not_in_doubt(c)) is not None:
        return refused
    sought_until = (c.sent_at or c.asked_at or now) + RECHECK
    if c.is_open and now < sought_until <= now + RECHECK + CLOCKS_DIFFER:
        what = f"it is still being looked for; --again is taken from {sought_until:%H:%M} UTC on"
        return _left(c, what)
    told = f"again, by {who}: the request of {c.asked_at:%Y-%m-%dT%H:%M:%SZ} counts as not queued"
    cleared = {"asked_at": None, "sent_at": None, "absent_at": None, "sends": 0}
    unasked = step(c, now, REPLAYED, told, **cleared, slot="", group="")
    opened = _opened(unasked, now, who=who, ignore_gate=ignore_gate)
    return replace(opened, ignore_gate=ignore_gate or c.ignore_gate)


def named(c: Continuation, now: datetime, *, who: str, run: PipelineRun) -> Continuation | Answer:
    """Started with this pipeline run, also where an operator named another one before."""
    if c.pipeline_run == run.id and c.state.is_known:
        return Answer(standing(c), done=True)
    if c.state is State.STARTED and was_named(c):
        return _corrected(c, now, who, run)
    if (refused := _not_in_doubt(c)) is not None:
        return refused
    told = step(c, now, REPLAYED, f"{_NAMED}{who}: pipeline run {run.id}")
    return started(told, now, run, Reason.FOUND, RECHECK)


def asker(step: Step) -> str:
    """The operator whose word made this step, as they named themselves; "" of any other step."""
    if step.what not in BY_OPERATORS:
        return ""
    found = _SAID.fullmatch(step.detail)
    return next(filter(None, found.groups() if found else ()), step.detail)


def said(before: Continuation, c: Continuation) -> str:
    """What was made of it, and what comes of that where the same may come again."""
    if c.state is State.STARTED:
        return standing(c)
    what = "replayed"
    if c.history[-1].what == HASTENED:
        what = "looked for at once" if c.is_asked else "tried again at once"
    then = ""
    if c.ignore_gate:
        then = " and leaves the gate out"
    elif before.ignore_gate:
        then = " and asks its gate, which was left out before; --ignore-gate leaves it out again"
    elif before.reason in WITHOUT_GATE and not before.is_open:
        then = f" and {WITHOUT_GATE[before.reason]}"
        if before.state is State.FAILED:  # a join that is to fail by who did
            then = then.replace("waits for", "fails again for")
    return f"{what}; the reconciler takes it up{then}"


def _at_once(
    c: Continuation, now: datetime, *, who: str, ignore_gate: bool
) -> Continuation | Answer:
    """Due now, unless somebody is at work on it, or its being due would change nothing.

    It names no route file from now on, also where it was due: its route may have been mended.
    """
    ignore_gate = ignore_gate and not c.is_asked  # the gate was asked before its request
    if turn := _turn(c):
        return _left(c, turn)
    if c.due_at > now and c.reason is Reason.WORKING:
        return _left(c, "a process is at work on it")
    if c.due_at > now and c.reason is Reason.THROTTLED:
        where = service_told(c.organization or Admission.named(c.waits_on)[0], c.detail)
        return _left(c, f"{where} is left alone until then, as it asked for")
    file, gateless = c.file if c.is_asked else "", ignore_gate or c.ignore_gate
    if c.due_at <= now and (c.file, c.ignore_gate) == (file, gateless):
        return DUE
    how = _by(who, ignore_gate=ignore_gate)
    return step(c, now, HASTENED, how, due_at=now, ignore_gate=gateless, file=file)


def _turn(c: Continuation) -> str:
    """When one that waits in a line starts; empty for one that does not."""
    if c.waits_on == PAUSED:
        return "it starts once the app goes on (PAUSED=0)"
    if c.waits_on.startswith(LINE):
        return "it starts in its turn, see the limit of its route"
    in_group = c.waits_on.startswith(GROUP)
    return "it starts in its turn, once a pipeline run of its group has ended" if in_group else ""


def _opened(c: Continuation, now: datetime, *, who: str, ignore_gate: bool) -> Continuation:
    how = _by(who, ignore_gate=ignore_gate)
    stands = {"state": State.OPEN, "reason": Reason.WORKING, "detail": f"replayed {how}"}
    return step(
        c, now, REPLAYED, how, **stands, **_UNTRIED, since={}, due_at=now, ignore_gate=ignore_gate
    )


def _by(who: str, *, ignore_gate: bool) -> str:
    return f"by {who}{IGNORING if ignore_gate else ''}"


def was_named(c: Continuation) -> bool:
    """Whether its pipeline run is the one that an operator named."""
    ends = f": pipeline run {c.pipeline_run}"
    told = (step.detail for step in c.history if step.what == REPLAYED)
    return any(detail.startswith(_NAMED) and detail.endswith(ends) for detail in told)


def _corrected(c: Continuation, now: datetime, who: str, run: PipelineRun) -> Continuation:
    what = f"{_NAMED}{who}, instead of {c.pipeline_run}: pipeline run {run.id}"
    others = tuple(other for other in c.duplicates if other != run.id)
    of_it = {"url": bounded(run.url, _LONGEST_URL), "duplicates": others}
    return step(c, now, REPLAYED, what, pipeline_run=run.id, **of_it, **_UNENDED)


def _not_in_doubt(c: Continuation) -> Answer | None:
    if c.is_doubtful and c.state.is_known and c.key.outcome.is_known:
        return None
    return _left(c, "it is not in doubt, so nothing was changed")


def _left(c: Continuation, why: str) -> Answer:
    return Answer(f"{standing(c)}; {why}", done=False)
