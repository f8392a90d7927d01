r"""Text as it stands in the columns of a ledger, and back.

A column must be readable by a person and safe in any store: a text with control characters or
the like is kept as JSON behind a mark, any other as it is. Times are ISO 8601 in UTC with a
fixed width, so that their text sorts as they do.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from functions.core.values import Step, bounded, parse_time

_MARK = "\\j"
_AWKWARD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def text(value: str) -> str:
    """The text itself where it can be; JSON behind a mark where it cannot."""
    plain = str(value)
    is_safe = not plain.startswith(_MARK) and not _AWKWARD.search(plain)
    return plain if is_safe else _MARK + as_json(plain)


def plain(column: str | None) -> str:
    """What `text` was given; raises ValueError for a mark without JSON."""
    column = column or ""
    return str(json.loads(column[len(_MARK) :])) if column.startswith(_MARK) else column


def as_json(value: object) -> str:
    """JSON in which the letters of all scripts stay readable."""
    dumped = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_jsonable)
    return _AWKWARD.sub(lambda found: f"\\u{ord(found[0]):04x}", dumped)


def from_json(column: str | None, default: object = None) -> Any:  # noqa: ANN401 - JSON is anything
    """What the JSON of a column says, the default where the column is missing."""
    return json.loads(column) if column else default


def time_text(at: datetime | None) -> str:
    """27 characters that sort as the times do; nothing for None. Naive times are UTC."""
    if at is None:
        return ""
    utc = at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    return utc.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def time(column: object) -> datetime:
    """The time of a column; raises ValueError where it holds none."""
    at = parse_time(column)
    if at is None:
        raise ValueError(f"no time: {bounded(column, 40)}")
    return at


def number(value: int | None) -> str:
    """Digits; nothing for None."""
    return "" if value is None else str(value)


def units(value: str) -> int:
    """The length in UTF-16, as the limits of table entities count it."""
    return len(value) + sum(character > "\uffff" for character in value)


def _jsonable(value: object) -> object:
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, Step):
        return (value.at, value.what, value.detail)
    raise TypeError(f"no JSON: {type(value).__name__}")
