"""Parts of a row as JSON, and events cut so that a row can hold them.

A property of a table entity ends at 64 KiB, so that a long part continues in further columns.
https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import msgspec

from functions.core.terms.errors import Permanent
from functions.core.terms.reasons import Reason
from functions.core.texts.times import LEFT_OUT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.ports.ledger import Row
    from functions.core.terms.runs import RunEvent

LONGEST_COLUMN = 16_000  # characters, of at most four bytes
LONGEST_PART = 4 * LONGEST_COLUMN
LONGEST_TAGS = 12_000  # characters, for tags and for properties
LONGEST_TEXT = 2_000
LONGEST_ESCAPE, BRACES = 6, 7  # characters that JSON makes of one, and adds to a pair

AWKWARD = re.compile("[\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")  # not in every store
_EVENT_TEXTS = ("id", "type", "subject", "experiment", "experiment_id", "run_type")
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def text(part: object) -> str:
    """JSON in which the letters of all scripts stay readable."""
    try:
        told = msgspec.json.encode(part).decode()
    except UnicodeEncodeError:  # a lone surrogate, which only the other one writes
        told = _ENCODER.encode(msgspec.to_builtins(part))
    if told.isprintable():  # nothing awkward is
        return told
    return AWKWARD.sub(lambda found: f"\\u{ord(found[0]):04x}", told)


def columns(name: str, part: object) -> Row:
    """The part as JSON, in as many columns as it takes; raises Permanent (too_large)."""
    told = text(part)
    if len(told) <= LONGEST_COLUMN:
        return {name: told}
    if len(told) > LONGEST_PART:
        detail = f"{name} has {len(told)} characters, {LONGEST_PART} fit in the ledger"
        raise Permanent(Reason.TOO_LARGE, detail)
    starts = range(0, len(told), LONGEST_COLUMN)
    return {_column(name, at): told[at : at + LONGEST_COLUMN] for at in starts}


def part(row: Row, name: str) -> Any:  # noqa: ANN401 - JSON is anything
    """What the part's columns say; raises ValueError where that is no JSON."""
    starts = range(0, LONGEST_PART, LONGEST_COLUMN)
    return json.loads("".join(row.get(_column(name, at), "") for at in starts))


def _column(name: str, at: int) -> str:
    return f"{name}_{at // LONGEST_COLUMN + 1}" if at else name


def bounded_event(event: RunEvent) -> RunEvent:
    """The event with its texts cut, and as many of its tags' and properties' texts as fit.

    Most are shorter as a whole than any of their texts may be.
    """
    if len(text(event)) <= LONGEST_TEXT:
        return event
    texts: dict[str, Any] = {name: getattr(event, name)[:LONGEST_TEXT] for name in _EVENT_TEXTS}
    tags = None if event.tags is None else _kept(event.tags)
    return msgspec.structs.replace(event, **texts, tags=tags, properties=_kept(event.properties))


def _kept(pairs: Mapping[str, str]) -> dict[str, str]:
    """As many whole texts as fit, the short ones first: ids are short, notes are long.

    Of the others is kept that they are there, as of what an event leaves out.
    """
    letters = sum(map(len, pairs)) + sum(map(len, pairs.values()))
    if LONGEST_ESCAPE * letters + BRACES * len(pairs) <= LONGEST_TAGS:
        return dict(pairs)
    room, kept = LONGEST_TAGS, dict[str, str]()
    ordered = sorted(pairs.items(), key=lambda pair: len(pair[0]) + len(pair[1]))
    for key, _ in ordered:
        room -= len(text({key: LEFT_OUT}))
        if room < 0:
            break
        kept[key] = LEFT_OUT
    for key in kept:
        more = len(text({key: pairs[key]})) - len(text({key: LEFT_OUT}))
        if more > room:
            break
        room -= more
        kept[key] = pairs[key]
    return kept
