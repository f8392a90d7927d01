"""Continuations and letters to keep, plain ones and hostile ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st

from functions.core.kept.continuation import Continuation, Step
from functions.core.kept.letter import Letter
from functions.core.kept.summary import Followed
from functions.core.kept.tasks import Task, Wait
from functions.core.starts import steps
from functions.core.terms.pipelines import PipelineRequest
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Key, RunEvent, Workspace
from functions.core.terms.words import Outcome, State

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
LEASE = timedelta(seconds=120)
TOKEN = "a sealed token" * 500
WORKSPACE = Workspace("5f1c", "rg-ml", "Defects")
HOSTILE = [
    "/ # ? % \\ ' \" + & =",
    "%2F%00",
    "line\nbreak\tand\r\x00\x1f\x7f\x85",
    "缺陷 détection 😀 \u2028 \ufffe",
    " leading and trailing ",
    "_",
    "\\j marked",
    "x" * 2000,
    "😀" * 600,
]


def event(**given: Any) -> RunEvent:
    plain: dict[str, Any] = {
        "id": "e-1",
        "type": "Microsoft.MachineLearningServices.RunCompleted",
        "subject": "experiments/e/runs/r",
        "time": NOON,
        "workspace": WORKSPACE,
        "run": "run-1",
        "outcome": Outcome.COMPLETED,
    }
    return RunEvent(**{**plain, **given})


def wait(job: str, url: str = "https://dev.azure.com/contoso", **given: Any) -> Wait:
    """A task of one plan, with a token as long as they are."""
    ids = {name: name for name in ("project", "plan", "timeline", "id")}
    task = Task(url=url, hub="build", job=job, **ids)
    plain: dict[str, Any] = {"workspace": WORKSPACE, "runs": ("run-1",), "token": TOKEN}
    return Wait(task=task, created_at=NOON, due_at=NOON, **{**plain, **given})


def key(run: str = "run-1", route: str = "register", outcome: Outcome = Outcome.COMPLETED) -> Key:
    return Key(WORKSPACE.id.lower(), run, outcome, route)


def opened(
    run: str = "run-1",
    route: str = "register",
    at: datetime = NOON,
    outcome: Outcome = Outcome.COMPLETED,
    **given: Any,
) -> Continuation:
    new = steps.opened(key(run, route, outcome), event(run=run, time=min(at, NOON)), at, LEASE)
    return msgspec.structs.replace(new, **given)


def started(c: Continuation, number: int = 7) -> Continuation:
    return msgspec.structs.replace(c, state=State.STARTED, pipeline_run=number)


def request(body: str = "{}") -> PipelineRequest:
    return PipelineRequest(
        organization="contoso", project="mlops", pipeline=42, secret="pat", body=body
    )


def letter(letter_id: str, at: datetime = NOON) -> Letter:
    return Letter(letter_id, event(run=letter_id or "none"), at)


_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_ids = _text.filter(bool)
_numbers = st.integers(0, 2**53)
_times = st.timedeltas(timedelta(), timedelta(days=70_000)).map(
    lambda since: datetime(1990, 1, 1, tzinfo=UTC) + since
)
_maybe = st.none() | _times
_pairs = st.dictionaries(_text, _text, max_size=5)
_requests = st.builds(
    PipelineRequest,
    organization=_text,
    project=_text,
    pipeline=_numbers,
    secret=_text,
    body=_text,
    pipeline_version=st.none() | _numbers,
    distinct=st.booleans(),
    by=_text,
)
_events = st.builds(
    RunEvent,
    id=_text,
    type=_text,
    subject=_text,
    time=_maybe,
    workspace=st.builds(Workspace, _text, _text, _text),
    run=_text,
    outcome=st.sampled_from(Outcome),
    experiment=_text,
    experiment_id=_text,
    run_type=_text,
    tags=st.none() | _pairs,
    properties=_pairs,
)
continuations = st.builds(
    Continuation,
    key=st.builds(Key, _text, _ids, st.sampled_from(Outcome), _text),
    event=_events,
    created_at=_times,
    updated_at=_times,
    due_at=_times,
    state=st.sampled_from(State),
    reason=st.sampled_from(Reason),
    detail=_text,
    attempts=_numbers,
    since=st.dictionaries(st.sampled_from(Reason), _times, max_size=3),
    request=st.none() | _requests,
    asked_at=_maybe,
    sent_at=_maybe,
    sends=_numbers,
    absent_at=_maybe,
    recheck_at=_maybe,
    pipeline_run=st.none() | _numbers,
    url=_text,
    duplicates=st.lists(_numbers, max_size=3).map(tuple),
    slot=_text,
    waits_on=_text,
    history=st.lists(st.builds(Step, _times, _text, _text), max_size=3).map(tuple),
)


def followed(run: str = "run-1", minutes: float = 0, **given: Any) -> Followed:
    one = Followed(
        key=key(run),
        organization="contoso",
        project="mlops",
        pipeline=42,
        secret="pat",
        runs=(7,),
        since=NOON,
        due_at=NOON + timedelta(minutes=minutes),
    )
    return msgspec.structs.replace(one, **given)
