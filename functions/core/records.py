"""Values as rows of named text columns, and back: what every ledger stores.

All columns are text, so that a person can read a row, and a column that is empty is left out.
Versions of the product share a ledger while one replaces the other: columns that are not known
are ignored, missing ones mean their default, and a reason that is not known becomes detail.

A column holds at most 32,000 UTF-16 units, since a property of a table entity ends at 64 KiB.
https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from functions.core import columns
from functions.core.continuation import Continuation
from functions.core.errors import Permanent, Unreadable
from functions.core.event_columns import columns_of, event_of
from functions.core.reasons import Reason
from functions.core.values import (
    Key,
    Letter,
    Outcome,
    PipelineRequest,
    Shared,
    State,
    Step,
    bounded,
    parse_time,
)

if TYPE_CHECKING:
    from datetime import datetime

Row = dict[str, str]
Columns = Mapping[str, str]

LONGEST_COLUMN = 32_000  # UTF-16 units, as is the next
LONGEST_BODY = 30_000

_TEXTS = ("detail", "url", "slot", "waits_on")
_TIMES = ("created_at", "updated_at", "due_at")
_OPTIONAL_TIMES = ("asked_at", "sent_at", "absent_at", "recheck_at", "run_ended_at")
_REASONS = frozenset(Reason)
_BROKEN = (KeyError, TypeError, ValueError, AttributeError, msgspec.MsgspecError)


def continuation_row(c: Continuation) -> Row:
    """A continuation's columns; raises Permanent (too_large) for what no row can hold."""
    return _checked(
        {
            **_key_columns(c.key),
            "state": str(c.state),
            "reason": str(c.reason),
            **{name: columns.text(getattr(c, name)) for name in _TEXTS},
            **{name: columns.time_text(getattr(c, name)) for name in (*_TIMES, *_OPTIONAL_TIMES)},
            "attempts": columns.number(c.attempts),
            "sends": columns.number(c.sends),
            "pipeline_run": columns.number(c.pipeline_run),
            "since": columns.as_json({str(reason): at for reason, at in c.since.items()}),
            "duplicates": columns.as_json(c.duplicates),
            "history": columns.as_json(c.history),
            **_request_columns(c.request),
            **columns_of(c.event),
        }
    )


def continuation_of(row: Columns) -> Continuation:
    """The continuation of a row; raises Unreadable."""
    try:
        return _continuation(row)
    except _BROKEN as error:
        raise _unreadable(row, error) from error


def schedule_row(c: Continuation) -> Row:
    """What the schedule says of a continuation: its key, when it is due, and why it waits."""
    return _checked(
        {
            **_key_columns(c.key),
            "state": str(c.state),
            "reason": str(c.reason),
            "waits_on": columns.text(c.waits_on),
            "due_at": columns.time_text(scheduled_at(c)),
            "created_at": columns.time_text(c.created_at),
        }
    )


def scheduled_at(c: Continuation) -> datetime:
    """When the reconciler is to take it up: due, or once more after it started."""
    return c.due_at if c.is_open or c.recheck_at is None else c.recheck_at


def key_of(row: Columns) -> Key:
    """The key that a row's columns name; raises Unreadable."""
    try:
        return _key(row)
    except _BROKEN as error:
        raise _unreadable(row, error) from error


def letter_row(letter: Letter) -> Row:
    """A letter's columns; raises Permanent (too_large)."""
    return _checked(
        {
            "letter": columns.text(letter.id),
            "received_at": columns.time_text(letter.received_at),
            "run": columns.text(letter.event.run),
            **columns_of(letter.event),
        }
    )


def letter_of(row: Columns) -> Letter:
    """The letter of a row; raises Unreadable."""
    try:
        received_at = columns.time(row["received_at"])
        return Letter(columns.plain(row.get("letter")), event_of(row), received_at)
    except _BROKEN as error:
        raise _unreadable(row, error) from error


def shared_row(name: str, value: Mapping[str, object]) -> Row:
    """A shared row's columns; the value must be JSON. Raises Permanent (too_large)."""
    return _checked({"name": columns.text(name), "value": columns.as_json(dict(value))})


def shared_of(name: str, row: Columns, version: str) -> Shared:
    """The shared row of this name; raises Unreadable."""
    try:
        return Shared(name, dict(columns.from_json(row["value"])), version)
    except _BROKEN as error:
        raise _unreadable(row, error) from error


def _continuation(row: Columns) -> Continuation:
    reason = _reason(row["reason"])
    parts: dict[str, Any] = {name: columns.plain(row.get(name)) for name in _TEXTS}
    parts |= {name: columns.time(row[name]) for name in _TIMES}
    parts |= {name: parse_time(row.get(name)) for name in _OPTIONAL_TIMES}
    if reason is None:
        parts["detail"] = bounded(f"{row['reason']}: {parts['detail']}")
    return Continuation(
        **parts,
        key=_key(row),
        event=event_of(row),
        state=State(row["state"]),
        reason=reason or Reason.WORKING,
        attempts=int(row.get("attempts") or 0),
        sends=int(row.get("sends") or 0),
        pipeline_run=int(row["pipeline_run"]) if row.get("pipeline_run") else None,
        since=_since(columns.from_json(row.get("since"), {})),
        duplicates=tuple(columns.from_json(row.get("duplicates"), ())),
        history=tuple(map(_step, columns.from_json(row.get("history"), ()))),
        request=_request(row),
    )


def _key_columns(key: Key) -> Row:
    parts = (key.workspace, key.run, key.outcome, key.route)
    names = ("workspace", "run", "outcome", "route")
    return dict(zip(names, map(columns.text, parts), strict=True))


def _key(row: Columns) -> Key:
    workspace, run, route = (columns.plain(row.get(name)) for name in ("workspace", "run", "route"))
    return Key(workspace, run, Outcome(row["outcome"]), route)


def _request_columns(request: PipelineRequest | None) -> Row:
    if request is None:
        return {}
    if (size := columns.units(request.body)) > LONGEST_BODY:
        detail = f"the request's body has {size} characters, {LONGEST_BODY} fit in the ledger"
        raise Permanent(Reason.TOO_LARGE, detail)
    parts = msgspec.to_builtins(request)
    return {"body": columns.text(parts.pop("body")), "request": columns.as_json(parts)}


def _request(row: Columns) -> PipelineRequest | None:
    parts = columns.from_json(row.get("request"))
    if parts is None:
        return None
    return msgspec.convert({**parts, "body": columns.plain(row.get("body"))}, PipelineRequest)


def _since(pairs: Mapping[str, str]) -> dict[Reason, datetime]:
    return {Reason(name): columns.time(at) for name, at in pairs.items() if _reason(name)}


def _step(parts: list[str]) -> Step:
    return Step(columns.time(parts[0]), parts[1], parts[2])


def _reason(text: str) -> Reason | None:
    return Reason(text) if text in _REASONS else None


def _checked(row: Row) -> Row:
    for name, text in row.items():
        if (size := columns.units(text)) > LONGEST_COLUMN:
            detail = f"{name} has {size} characters, {LONGEST_COLUMN} fit in the ledger"
            raise Permanent(Reason.TOO_LARGE, detail)
    return {name: text for name, text in row.items() if text}


def _unreadable(row: Columns, error: Exception) -> Unreadable:
    name = "/".join(row.get(part, "?") for part in ("route", "run", "outcome"))
    why = f"{type(error).__name__}: {error}"
    return Unreadable(f"row {bounded(name, 200)} cannot be read: {bounded(why, 200)}")
