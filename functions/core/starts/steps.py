"""The steps that a continuation can take. Pure: each gives the next value.

    open ──► started                       the pipeline run exists
      │ ├──► held | failed                 an operator may replay it
      │ └──► skipped
      └──► open, parked                    due later, with the reason

`asked_at` is the mark: a row without it was never sent, a row with it is in doubt for everyone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from functions.core.kept.continuation import (
    ASKED,
    CLAIMED,
    PARKED,
    PASSED_OVER,
    Continuation,
    Step,
    pipeline_asked,
)
from functions.core.kept.history import ABSENT, RESUMED, UNASKED, fitting
from functions.core.terms.reasons import Reason, outlasts
from functions.core.terms.words import State
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from functions.core.terms.pipelines import PipelineRequest, PipelineRun
    from functions.core.terms.runs import Key, RunEvent

_ANSWERS = frozenset({Reason.REFUSED, Reason.ANSWERED})


def opened(
    key: Key, event: RunEvent, now: datetime, lease: timedelta, file: str = ""
) -> Continuation:
    """A new continuation, leased to whoever claims it by this route file."""
    return Continuation(
        key=key,
        event=event,
        created_at=now,
        updated_at=now,
        due_at=now + lease,
        file=file,
        history=(Step(now, CLAIMED, bounded(f"{event.type} {event.id}")),),
    )


def passed_over(key: Key, event: RunEvent, now: datetime, why: str, *by: str) -> Continuation:
    """The trace of a run that a route, which matched this, would follow but for what may change."""
    return Continuation(
        key=key,
        event=event,
        created_at=now,
        updated_at=now,
        due_at=now,
        state=State.SKIPPED,
        reason=Reason.NOT_MATCHED,
        detail=bounded(why),
        passed_by=by,
        history=(Step(now, PASSED_OVER, bounded(why, 200)),),
    )


def resumed(c: Continuation, now: datetime, lease: timedelta) -> Continuation:
    """Leased again, to the reconciler."""
    return step(c, now, RESUMED, due_at=now + lease, attempts=c.attempts + 1, waits_on="")


def parked(
    c: Continuation,
    now: datetime,
    reason: Reason,
    detail: str,
    due_at: datetime,
    waits_on: str = "",
    **group: str,
) -> Continuation:
    """Open, to be taken up again at `due_at`; what was never asked keeps no place.

    `group`: what is known of the group of one that lines up, `wants` and `group_by`.
    """
    return step(
        c,
        now,
        PARKED,
        reason=reason,
        detail=_detail(c, detail),
        due_at=due_at,
        since=_since(c, reason, now),
        waits_on=waits_on,
        **{"wants": "", "group_by": "", **group},
        **_kept(c),
    )


def _detail(c: Continuation, said: str) -> str:
    """What is said of one that may be at a service tells which."""
    return bounded(c.request.named(said) if c.request else said)


def _kept(c: Continuation) -> dict[str, str]:
    """What is left of its places: all of them, if a POST may have been queued."""
    return {} if c.asked_at else {"slot": "", "group": ""}


def _since(c: Continuation, reason: Reason, now: datetime) -> dict[Reason, datetime]:
    """Since when this reason is given, and those that it does not disprove."""
    kept = {other: at for other, at in c.since.items() if outlasts(other, reason)}
    return {**kept, reason: c.since.get(reason, now)}


def asked(
    c: Continuation, now: datetime, request: PipelineRequest, lease: timedelta, saw: str
) -> Continuation:
    """Marked before the POST. The first mark stays, so that a look-up covers every POST."""
    return step(
        c,
        now,
        ASKED,
        saw or pipeline_asked(request.where),
        request=request,
        reason=Reason.WORKING,
        detail="",
        waits_on="",
        asked_at=c.asked_at or now,
        sent_at=now,
        sends=c.sends + 1,
        absent_at=None,
        due_at=now + lease,
    )


def answered(c: Continuation, now: datetime, reason: Reason) -> Continuation:
    """What leaves it in doubt: an answer that refuses, or takes it and names no run, or none."""
    since = {other: at for other, at in c.since.items() if other not in _ANSWERS}
    answer = {reason: c.since.get(reason, now)} if reason in _ANSWERS else {}
    return msgspec.structs.replace(c, since=since | answer)


def unasked(c: Continuation, before: Continuation, now: datetime) -> Continuation:
    """The mark taken back, because it is certain that its POST queued nothing."""
    return step(
        c,
        now,
        UNASKED,
        "nothing was queued",
        asked_at=before.asked_at,
        sent_at=before.sent_at,
        sends=before.sends,
        absent_at=before.absent_at,
        request=before.request,
    )


def absent(c: Continuation, now: datetime) -> Continuation:
    """A complete look-up found no pipeline run."""
    return step(c, now, ABSENT, absent_at=c.absent_at or now)


def started(
    c: Continuation, now: datetime, run: PipelineRun, reason: Reason, recheck: timedelta
) -> Continuation:
    """The pipeline run exists. After a second POST one more look is due, for a duplicate."""
    return step(
        c,
        now,
        "started",
        f"pipeline run {run.id}{run.note and ': '}{run.note}",
        state=State.STARTED,
        reason=reason,
        detail=bounded(run.note),
        pipeline_run=run.id,
        url=bounded(run.url, 1000),
        waits_on="",
        recheck_at=now + recheck if c.sends > 1 else None,
    )


def duplicated(c: Continuation, now: datetime, *others: int) -> Continuation:
    """Started, and more than one pipeline run exists for it."""
    more = tuple(sorted(set(others) - c.pipeline_runs))
    what = "duplicate" if more else "looked again"
    detail = ", ".join(map(str, more)) or "no other pipeline run"
    return step(c, now, what, detail, duplicates=(*c.duplicates, *more))


def looked_again(c: Continuation, now: datetime, *others: int) -> Continuation:
    """The second look is done."""
    return msgspec.structs.replace(duplicated(c, now, *others), recheck_at=None)


def look_later(c: Continuation, now: datetime, then: datetime | None) -> Continuation:
    """The second look was not complete; None: it is given up."""
    what = "looking again later" if then else "second look given up"
    return step(c, now, what, attempts=c.attempts + 1, recheck_at=then)


def ended(
    c: Continuation, now: datetime, state: State, reason: Reason, detail: str = ""
) -> Continuation:
    """Held, skipped or failed; the ask's mark stays where the doubt was never resolved."""
    changed = {"state": state, "reason": reason, "detail": _detail(c, detail), "waits_on": ""}
    return step(c, now, f"{state}", **changed, **_kept(c))


def step(
    c: Continuation, now: datetime, what: str, say: str = "", **changes: object
) -> Continuation:
    """The next value, with a line of history; `say` is the reason and detail if not given."""
    changed = msgspec.structs.replace(c, updated_at=now, **changes)
    detail = say or " ".join(filter(None, (f"{changed.reason}", changed.detail)))
    history = fitting(*c.history, Step(now, what, bounded(detail, 200)))
    return msgspec.structs.replace(changed, history=history)
