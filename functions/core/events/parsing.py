"""Event Grid's payloads become a RunEvent, or a refusal that says why.

Both schemas, keys in any case: documentation, SDK tests and captured deliveries disagree on it.
https://learn.microsoft.com/azure/event-grid/event-schema-machine-learning
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

from functions.core.events import parents
from functions.core.events.model_events import KINDS, facts_of, identity_of
from functions.core.events.payloads import Illegible, data_of, event_in
from functions.core.terms.errors import NotARunEvent
from functions.core.terms.runs import RunEvent, Workspace
from functions.core.terms.words import ENDS, Outcome
from functions.core.texts import jsontext
from functions.core.texts.bounds import bounded, kept
from functions.core.texts.times import LEFT_OUT, may_be_retold, parse_time, told_in_utc

if TYPE_CHECKING:
    from functions.core.events.model_events import Kind

COMPLETED = "microsoft.machinelearningservices.runcompleted"
STATUS_CHANGED = "microsoft.machinelearningservices.runstatuschanged"
PROBE = "runrelay.probe"
LONGEST_TEXT = 4096
OUTCOMES = {o.lower(): o for o in ENDS} | {"cancelled": Outcome.CANCELED}

_WORKSPACE_ID = re.compile(
    r"/subscriptions/([0-9a-z-]{1,64})/resourcegroups/([\w.()-]{1,90})"
    r"/providers/microsoft\.machinelearningservices/workspaces/([\w.-]{1,64})/?",
    re.IGNORECASE,
)
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_SUBJECT = re.compile(r"experiments/([^/]+)/runs/([^/]+)/?", re.IGNORECASE)
_ID = r"[^\x00-\x20\x7f\ud800-\udfff]"
_RUN_ID = re.compile(_ID + "{1,256}")
_IDENTITY = re.compile(_ID + "{1,600}")  # names and versions of models end at 255 each


class Probe(NotARunEvent):
    """An event that an operator made to see whether events arrive."""


class Unread(NotARunEvent):
    """An event that may be of a run, and cannot be read."""


class NotAnEnd(NotARunEvent):
    """A run's status changed, but the run goes on."""


def parse(payload: object) -> RunEvent:
    """The run event in a payload of either schema, which is an object or its JSON text.

    Raises NotARunEvent where there is none: another event type, a topic that is no AML workspace
    id, no run id; Unread for what cannot be read, NotAnEnd where the run goes on, Probe for a
    probe. Nothing else, whatever the payload.
    """
    try:
        envelope = event_in(payload)
    except Illegible as why:
        raise Unread(str(why), "", "") from None
    event_id = kept(envelope.get("id") or "", 200)
    event_type = kept(_named(envelope, "eventtype", "type") or "", 200)
    subject = kept(envelope.get("subject") or "", 1000)
    if event_type.lower() == PROBE:
        raise Probe("a probe", event_id, event_type)
    try:
        told = _told(event_type.lower(), event_id, envelope, subject)
        return RunEvent(
            id=event_id,
            type=event_type,
            subject=subject,
            time=parse_time(_named(envelope, "eventtime", "time")),
            workspace=workspace(_named(envelope, "topic", "source")),
            trace=bounded(envelope.get("traceparent") or "", 60),
            **told,
        )
    except _GoesOnError as status:
        raise NotAnEnd(f"the run goes on: {status}", event_id, event_type) from None
    except Illegible as why:
        raise Unread(str(why), event_id, event_type) from None
    except ValueError as why:
        raise NotARunEvent(str(why), event_id, event_type) from None


def workspace(topic: object) -> Workspace:
    """The workspace that a resource id names; raises ValueError for any other text."""
    found = _WORKSPACE_ID.fullmatch(topic) if isinstance(topic, str) else None
    if not found:
        raise ValueError(f"the topic is no AML workspace id: {bounded(topic, 200)}")
    return Workspace(*found.groups())


def is_run_id(text: str) -> bool:
    """Whether a text can be a run's id."""
    return _RUN_ID.fullmatch(text) is not None


def is_identity(text: str) -> bool:
    """Whether a text can be a run's id, or stand in its place."""
    return _IDENTITY.fullmatch(text) is not None


def is_child(event: RunEvent) -> bool:
    """Whether the event itself shows that its run is a step, a trial or a nested pipeline."""
    if not event.outcome.ends_run:
        return False
    marks = parents.lower(event.properties)
    return (
        event.run_type.lower() == "azureml.steprun"
        or marks.get("runtemplate", "").lower() == "automl_child"
        or parents.names_other(event.run, marks)
        or parents.has_parent(event.run, event.tags or {})
    )


class _GoesOnError(ValueError):
    pass


def _named(envelope: Mapping[str, Any], event_grid: str, cloud: str) -> object:
    """What either schema has under its own name; a CloudEvent may have any other name besides."""
    own, other = (cloud, event_grid) if "specversion" in envelope else (event_grid, cloud)
    return envelope.get(own) or envelope.get(other)


def _told(
    event_type: str, event_id: str, envelope: Mapping[str, Any], subject: str
) -> dict[str, Any]:
    """What the event says of its subject; raises ValueError where that is nothing."""
    kind = KINDS.get(event_type)
    if kind is None and event_type not in {COMPLETED, STATUS_CHANGED}:
        raise ValueError("not a run event")
    data = data_of(envelope)
    return _news(kind, event_id, data) if kind else _end(event_type, data, subject)


def _end(event_type: str, data: Mapping[str, Any], subject: str) -> dict[str, Any]:
    """What an event about a run says of it."""
    outcome = _outcome(event_type, data)
    experiment_id, run = _run(data, subject)
    return {
        "run": run,
        "outcome": outcome,
        "experiment": kept(data.get("experimentname") or ""),
        "experiment_id": experiment_id,
        "run_type": kept(data.get("runtype") or "", 200),
        "tags": _texts(data.get("runtags")),
        "properties": _texts(data.get("runproperties")) or {},
    }


def _news(kind: Kind, event_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """What an event about a model or its data says."""
    given = facts_of(kind, data)
    identity = identity_of(kind, event_id, given)
    if not is_identity(identity):
        raise ValueError(f"no usable identity: {bounded(identity, 100)!r}")
    return {
        "run": identity,
        "outcome": kind.outcome,
        "tags": _texts(data.get(f"{kind.labels}tags")) or {},
        "properties": _texts(data.get(f"{kind.labels}properties")) or {},
        "given": {kind.root: given},
    }


def _outcome(event_type: str, data: Mapping[str, Any]) -> Outcome:
    if event_type == COMPLETED:
        return Outcome.COMPLETED
    if not (status := kept(data.get("runstatus") or "", 50)):
        raise Illegible("it names no status")
    try:
        return OUTCOMES[status.lower()]
    except KeyError:
        raise _GoesOnError(status) from None


def _run(data: Mapping[str, Any], subject: str) -> tuple[str, str]:
    """The ids of experiment and run; one that looks like a time is told by the subject alone."""
    named = _SUBJECT.fullmatch(subject)
    given = data.get("runid") or (named[2] if named else "")
    if named and may_be_retold(str(given)) and told_in_utc(named[2]) == told_in_utc(str(given)):
        given = named[2]
    run = str(given) if isinstance(given, str | int) else ""
    if not is_run_id(run):
        raise ValueError(f"no usable run id: {bounded(given, 100)!r}")
    return kept(data.get("experimentid") or (named[1] if named else ""), 200), run


def _texts(value: object) -> dict[str, str] | None:
    """Tags or properties as text; None where the event does not say.

    That one is there is kept, also where its text is not: then the run, or its job, is asked.
    """
    if not isinstance(value, Mapping):
        return None
    texts = {str(key): _text(item) for key, item in value.items()}
    return {k: text if _is_kept(text) else LEFT_OUT for k, text in texts.items() if _is_kept(k)}


def _is_kept(text: str | None) -> TypeGuard[str]:
    """A text is kept whole or not at all: half a fact would be a wrong one."""
    return text is not None and len(text) <= LONGEST_TEXT and not _SURROGATE.search(text)


def _text(value: object) -> str | None:
    """None for what is nested too deep to be told."""
    if value is None or isinstance(value, str):
        return value or ""
    return None if jsontext.is_deeper(value, jsontext.DEEPEST) else json.dumps(value, default=str)
