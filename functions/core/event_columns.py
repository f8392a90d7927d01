"""A run event as columns of a row, and back. Its tags and properties are bounded."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from functions.core import columns
from functions.core.values import RunEvent, bounded

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_TAGS = 12_000  # UTF-16 units of JSON, for tags and for properties
LONGEST_TEXT = 2_000

_TEXTS = ("id", "type", "subject", "experiment", "experiment_id", "run_type")


def columns_of(event: RunEvent) -> dict[str, str]:
    """Tags and properties are bounded by leaving out the longest; the names of those are kept."""
    parts = msgspec.to_builtins(event, builtin_types=(datetime,))
    parts |= {name: _cut(parts[name]) for name in _TEXTS}
    tags, properties = parts.pop("tags"), parts.pop("properties")
    kept_tags, kept_properties = _kept(tags or {}), _kept(properties)
    left_out = {*(tags or {}), *properties} - {*kept_tags, *kept_properties}
    return {
        "experiment": bounded(event.experiment),
        "event": columns.as_json(parts),
        "tags": "" if tags is None else columns.as_json(kept_tags),
        "properties": columns.as_json(kept_properties),
        "left_out": bounded(", ".join(sorted(left_out))),
    }


def event_of(row: Mapping[str, str]) -> RunEvent:
    """The event of a row; raises whatever broken JSON or a missing column raises."""
    parts = columns.from_json(row["event"])
    parts["tags"] = columns.from_json(row.get("tags"))
    parts["properties"] = columns.from_json(row.get("properties"), {})
    return msgspec.convert(parts, RunEvent)


def _kept(pairs: Mapping[str, str]) -> dict[str, str]:
    """As many whole pairs as fit, the short ones first: ids are short, notes are long."""
    sizes = {key: columns.units(columns.as_json({key: value})) for key, value in pairs.items()}
    room, kept = LONGEST_TAGS, set()
    for key in sorted(sizes, key=lambda key: sizes[key]):
        room -= sizes[key]
        if room >= 0:
            kept.add(key)
    return {key: value for key, value in pairs.items() if key in kept}


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
