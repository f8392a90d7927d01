"""AML's events that are about no run's end: a model registered or deployed, data that drifted.

https://learn.microsoft.com/azure/event-grid/event-schema-machine-learning
"""

from __future__ import annotations

import json
import math
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.terms.words import Outcome
from functions.core.texts.bounds import kept
from functions.core.texts.times import iso, told_in_utc

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from functions.core.terms.runs import RunEvent

_TYPE = "microsoft.machinelearningservices."
LONGEST_FACT = 1000
_TIMES = frozenset({"start_time", "end_time"})


class Kind(NamedTuple):
    """One type of event: the facts it gives, by their keys in its data, and what it is known by.

    Two events of a kind whose `identity` facts are equal tell the same news.
    """

    outcome: Outcome
    root: str
    facts: Mapping[str, str]
    identity: tuple[str, ...]
    labels: str  # how the keys of its tags and properties begin


KINDS = {
    f"{_TYPE}modelregistered": Kind(
        Outcome.MODEL_REGISTERED,
        "model",
        {"name": "modelname", "version": "modelversion"},
        ("model.name", "model.version"),
        "model",
    ),
    f"{_TYPE}modeldeployed": Kind(
        Outcome.MODEL_DEPLOYED,
        "endpoint",
        {"name": "servicename", "compute_type": "servicecomputetype", "models": "modelids"},
        ("event.id",),
        "service",
    ),
    f"{_TYPE}datasetdriftdetected": Kind(
        Outcome.DRIFT_DETECTED,
        "drift",
        {
            "id": "datadriftid",
            "name": "datadriftname",
            "run_id": "runid",
            "base_dataset": "basedatasetid",
            "target_dataset": "targetdatasetid",
            "coefficient": "driftcoefficient",
            "start_time": "starttime",
            "end_time": "endtime",
        },
        ("drift.id", "drift.start_time", "drift.end_time"),
        "drift",
    ),
}
PROMOTED = Kind(
    Outcome.MODEL_PROMOTED,
    "model",
    {"name": "modelname", "version": "modelversion"},
    ("event.id",),
    "",
)
"""No event: AML raises none, so that the sweep makes this news of what the registry shows."""
BY_OUTCOME = {kind.outcome: kind for kind in (*KINDS.values(), PROMOTED)}


def facts_of(kind: Kind, data: Mapping[str, Any]) -> dict[str, Any]:
    """What the event gives; `data` has its keys in lower case. Numbers stay numbers in drift.

    Its times are told in UTC, as which the host may have told them on the way.
    """
    given = {name: data.get(key) for name, key in kind.facts.items()}
    return {name: _fact(name, value) for name, value in given.items() if value not in (None, "")}


def identity_of(kind: Kind, event_id: str, facts: Mapping[str, Any]) -> str:
    """What stands in the place of a run's id: the same for all events that bring the same news.

    What looks like a time is that time, so that an event and its dead letter bring the same.
    Raises ValueError if a part is missing.
    """
    known = {f"{kind.root}.{name}": value for name, value in facts.items()} | {"event.id": event_id}
    missing = [name for name in kind.identity if not known.get(name)]
    if missing:
        raise ValueError(f"the event has no {missing[0]}")
    return ":".join(told_in_utc(str(known[name])) for name in kind.identity)


def promotion(model: str, version: str, value: str, at: datetime) -> str:
    """What stands in the place of a run's id: that this version got this value then."""
    return f"{escaped(model)}:{escaped(version)}:{escaped(value)}:{iso(at)}"


def promoted_as(event: RunEvent) -> str:
    """The value, `escaped`, that such news is about; "" where its id is of another form."""
    known, at = event.given.get(PROMOTED.root, {}), event.time
    before = ":".join(escaped(str(known.get(name))) for name in ("name", "version"))
    if at is None or not event.run.startswith(f"{before}:"):
        return ""
    value, _, behind = event.run.removeprefix(f"{before}:").rpartition(f":{iso(at)}")
    return "" if behind else value


def escaped(text: str) -> str:
    """What no key can have, as a URL would have it."""
    return re.sub(r"[\x00-\x20\x7f%]", lambda found: f"%{ord(found[0]):02X}", text)


def _fact(name: str, value: object) -> str | float:
    if name == "coefficient" and isinstance(value, int | float):
        with suppress(OverflowError):  # JSON's whole numbers may be of any size
            if math.isfinite(value):
                return float(value)
    # one that is none is told as the host tells it: `Infinity`, `NaN`
    text = kept(json.dumps(value) if isinstance(value, float) else value, LONGEST_FACT)
    return told_in_utc(text) if name in _TIMES else text
