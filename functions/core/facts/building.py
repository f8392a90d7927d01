"""The facts that gates and parameters may name, as nested dicts; what is not known is absent."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from functions.core.events import parents
from functions.core.facts.unusable import UNREAD as UNREAD  # noqa: PLC0414 - beside the facts
from functions.core.facts.unusable import UNTOLD as UNTOLD  # noqa: PLC0414 - the same
from functions.core.facts.vocabulary import TABLE, Kind
from functions.core.texts import times

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from functions.core.terms.runs import Key, Model, Run, RunEvent
    from functions.core.terms.words import Outcome

Facts = dict[str, Any]
_quoted = lru_cache(maxsize=1024)(quote)
RETOLD = "only the event tells it, and the Functions host may have written it anew on the way"
"""What is said behind a fact of which the event has a text that may not be the run's own."""
LEFT_OUT = "only the event tells it, and has no room for its text"


def told(event: RunEvent) -> Facts:
    """What the event alone says."""
    return {
        "event": _known(id=event.id, type=event.type, time=_iso(event.time), subject=event.subject),
        "workspace": {
            "name": event.workspace.name,
            "resource_group": event.workspace.resource_group,
            "subscription": event.workspace.subscription,
            "id": event.workspace.id,
        },
        **{root: _given(root, told) for root, told in event.given.items()},
    }


def of(event: RunEvent, run: Run, outcome: Outcome, studio: str) -> Facts:
    """What the event and the run say. `outcome` is what the continuation is about.

    Of a tag that only the event tells there is no fact where its text may not be the run's own.
    """
    tags = _merged(event.tags or {}, run.tags)
    left = retold(event, tags.keys() - run.tags.keys(), tags)
    return {
        **told(event),
        "run": {
            **_known(
                id=run.id,
                name=run.name,
                status=str(outcome),
                experiment=event.experiment,
                type=event.run_type,
                root_id=parents.root(run.tags) or run.id,
                parent_id=parents.parent(run.tags),
                start_time=_iso(run.start_time),
                end_time=_iso(run.end_time),
                url=studio_url(studio, event.workspace.id, run.id),
            ),
            "metrics": dict(run.metrics),
            "params": dict(run.params),
            "tags": {name: text for name, text in tags.items() if name not in left},
            "properties": dict(event.properties),
        },
        "model": {},
        UNREAD: {**run.unread, **{f"run.tags.{name}": untold(tags[name]) for name in left}},
    }


def retold(event: RunEvent, names: Iterable[str], values: Mapping[str, str]) -> frozenset[str]:
    """Those names of which the event's text may not be the run's own."""
    if not event.was_sent:
        return frozenset()
    return frozenset(name for name in names if times.may_be_retold(values[name]))


def untold(text: str) -> str:
    """What is said behind a fact of which the event has this text, which is not the run's own."""
    return LEFT_OUT if text == times.LEFT_OUT else RETOLD


def _given(root: str, told: Mapping[str, Any]) -> Facts:
    """What a model event tells; a number is one, also where it came as text or is none at all."""
    numbers = {f.path[1] for f in TABLE if f.path[0] == root and f.kind is Kind.NUMBER}
    return {name: _number(value) if name in numbers else value for name, value in told.items()}


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return math.nan


def unread(name: str, known: Mapping[str, Any]) -> str:
    """What is to be said behind a fact that is missing: why it could not be read, if that is so."""
    left_out, path = known.get(UNREAD, {}), name.split(".")
    above = (".".join(path[:end]) for end in range(len(path), 0, -1))
    why = next((left_out[part] for part in above if left_out.get(part)), "")
    return f": {why}" if why else ""


def of_model(model: Model | None) -> Facts:
    """What is known of the model."""
    if model is None:
        return {}
    return _known(
        name=model.name,
        version=model.version,
        run_id=model.run_id,
        path=model.path,
        flavors=None if model.flavors is None else list(model.flavors),
        uri=model.uri,
    )


def of_run(run: Run) -> Facts:
    """What is known of another run than the one that the event is about."""
    logged = {"metrics": dict(run.metrics), "params": dict(run.params), "tags": dict(run.tags)}
    return {**_known(id=run.id, name=run.name), **logged}


def page_url(studio: str, workspace: str, key: Key) -> str:
    """The page of the run that news is about; "" where it is known to be about none."""
    is_about_run = key.outcome.ends_run or not key.outcome.is_known
    return studio_url(studio, workspace, key.run) if is_about_run else ""


def studio_url(studio: str, workspace_id: str, run: str) -> str:
    """Where a person looks at the run.

    https://learn.microsoft.com/azure/machine-learning/how-to-track-monitor-analyze-runs
    """
    return f"{studio}/runs/{quote(run, safe='')}?wsid={_quoted(workspace_id)}"


def _merged(told: Mapping[str, str], read: Mapping[str, str]) -> dict[str, str]:
    """The run's own tags win: the event's keys arrive with their case changed."""
    known = parents.lower(read)
    return {**{k: v for k, v in told.items() if k.lower() not in known}, **read}


def _known(**values: object) -> Facts:
    return {name: value for name, value in values.items() if value is not None and value != ""}


def _iso(time: datetime | None) -> str | None:
    return times.iso(time) if time else None
