"""Values as rows of text columns, and back: what every ledger stores.

The columns `event`, `request`, `history` and `more` hold a continuation as JSON, and alone are
read back; the others are copies for people. Versions of the product share a ledger while one
replaces the other: what is not known is ignored, what is missing means its default, and a reason
that is not known becomes detail.

A property of a table entity ends at 64 KiB, so that a long part continues in further columns.
https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from functions.core import listed
from functions.core.bounds import bounded, exact, meant, visible
from functions.core.continuation import Continuation
from functions.core.decoding import decoded
from functions.core.errors import Permanent, Unreadable
from functions.core.listed import Listed
from functions.core.places import safe
from functions.core.reasons import Reason
from functions.core.values import parse_time
from functions.core.waits import Answered, Wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from functions.core.places import Stored
    from functions.core.values import Key, Letter, RunEvent

Row = dict[str, str]
UNANSWERED = "yes"  # in the column `waits`
T = TypeVar("T")

LONGEST_COLUMN = 16_000  # characters, of at most four bytes
LONGEST_PART = 4 * LONGEST_COLUMN
LONGEST_TAGS = 12_000  # characters, for tags and for properties
LONGEST_TEXT = 2_000
MOST_NAMED = 100  # rows that cannot be read
LONGEST_ESCAPE, BRACES = 6, 7  # characters that JSON makes of one, and adds to a pair

_PARTS = ("event", "request", "history")
_MORE = tuple(name for name in Continuation.__struct_fields__ if name not in _PARTS)
_KEY = ("route", "run", "outcome", "workspace")
LISTED = (*_KEY, *listed.NAMES)  # the columns that a list is made of
_EVENT_TEXTS = ("id", "type", "subject", "experiment", "experiment_id", "run_type")
_REASONS = frozenset(Reason)
_AWKWARD = re.compile("[\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")  # not in every store
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_BROKEN = (KeyError, TypeError, ValueError, AttributeError, msgspec.MsgspecError)


def continuation_row(c: Continuation) -> Row:
    """A continuation's columns; raises Permanent (too_large) for what no row can hold."""
    more = {name: getattr(c, name) for name in _MORE}
    row = _row(_copies(c), event=_bounded(c.event), request=c.request, history=c.history, more=more)
    return _named(c.key) | row


def continuation_of(row: Row) -> Continuation:
    """The continuation of a row; raises Unreadable."""
    with _naming(row):
        parts = {name: _part(row, name) for name in _PARTS if name in row}
        return decoded({**_known(_part(row, "more")), **parts}, Continuation)


def schedule_row(c: Continuation) -> Row:
    """What the schedule says of a continuation: its key, what lists show, and when it is due."""
    due_at = c.due_at if c.is_open or c.recheck_at is None else c.recheck_at
    waits_on = safe(c.waits_on) if c.waits_on else ""
    open_since = c.open_since if c.is_open else None
    own = {"due_at": due_at, "waits_on": waits_on, "open_since": open_since}
    return _named(c.key) | _row(_copies(c) | own, key=c.key)


def listed_of(row: Row) -> Listed:
    """What a list shows, by the columns `LISTED` of a continuation's or schedule's row.

    Raises Unreadable. Texts are for people: one line, without tokens; the key is the real one.
    """
    with _naming(row):
        key = {name: meant(row.get(name, "")) for name in _KEY}
        told = {name: row[name] for name in listed.NAMES if name in row}
        known = _known({"reason": Reason.WORKING, **told, "key": key})
        return decoded(known, Listed, strict=False)


def letter_row(letter: Letter) -> Row:
    """A letter's columns; raises Permanent (too_large)."""
    kept = msgspec.structs.replace(letter, event=_bounded(letter.event))
    copies = {"run": letter.event.run, "received_at": letter.received_at}
    return _row(copies, letter=kept)


def shared_row(name: str, value: Mapping[str, object]) -> Row:
    """A shared row's columns; the value must be JSON. Raises Permanent (too_large).

    Its `until`, a time in ISO 8601, tells how long the row is of use.
    """
    until = parse_time(value.get("until"))
    return _row({"name": name, "until": until}, value=dict(value))


def wait_row(wait: Wait) -> Row:
    """A wait's columns; `waits` while it was not answered, `until` when it may be forgotten."""
    waits = UNANSWERED if wait.state is Answered.WAITING else ""
    copies = {"waits": waits, "until": wait.until, "name": wait.task.key, "runs": wait.runs}
    return _row(copies, wait=wait)


def unpacked(row: Row, part: str, kind: type[T]) -> T:
    """The `key` of the schedule, a `letter`, or a shared `value`; raises Unreadable."""
    with _naming(row):
        return decoded(_part(row, part), kind)


def readable(
    found: Iterable[Stored], read: Callable[[Stored], T], unreadable: set[str]
) -> Iterator[T]:
    """What can be read of these rows; what cannot is passed over, and named in `unreadable`."""
    for stored in found:
        try:
            yield read(stored)
        except Unreadable as error:
            if len(unreadable) < MOST_NAMED:
                unreadable.add(str(error))


def time_text(at: datetime) -> str:
    """27 characters that sort as the times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _row(copies: Mapping[str, object], **parts: object) -> Row:
    told = ((name, value) for name, value in copies.items() if value)
    row = {n: time_text(v) if isinstance(v, datetime) else bounded(v) for n, v in told}
    for name, part in parts.items():
        text = _json(part)
        if len(text) > LONGEST_PART:
            detail = f"{name} has {len(text)} characters, {LONGEST_PART} fit in the ledger"
            raise Permanent(Reason.TOO_LARGE, detail)
        starts = range(0, len(text), LONGEST_COLUMN)
        row |= {_column(name, at): text[at : at + LONGEST_COLUMN] for at in starts}
    return row


def _part(row: Row, name: str) -> Any:  # noqa: ANN401 - JSON is anything
    columns = (row.get(_column(name, at), "") for at in range(0, LONGEST_PART, LONGEST_COLUMN))
    return json.loads("".join(columns))


def _column(name: str, at: int) -> str:
    return f"{name}_{at // LONGEST_COLUMN + 1}" if at else name


def _json(part: object) -> str:
    """JSON in which the letters of all scripts stay readable."""
    try:
        text = msgspec.json.encode(part).decode()
    except UnicodeEncodeError:  # a lone surrogate, which only the other one writes
        text = _ENCODER.encode(msgspec.to_builtins(part))
    if text.isprintable():  # nothing awkward is
        return text
    return _AWKWARD.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _copies(c: Continuation) -> dict[str, object]:
    shown = Listed.of(c)
    return {name: getattr(shown, name) for name in listed.NAMES}


def _named(key: Key) -> Row:
    """The columns that a list reads the key from: nothing of a name is cut."""
    return {name: visible(exact(getattr(key, name))) for name in _KEY}


def _bounded(event: RunEvent) -> RunEvent:
    texts: dict[str, Any] = {name: getattr(event, name)[:LONGEST_TEXT] for name in _EVENT_TEXTS}
    tags = None if event.tags is None else _kept(event.tags)
    return msgspec.structs.replace(event, **texts, tags=tags, properties=_kept(event.properties))


def _kept(pairs: Mapping[str, str]) -> dict[str, str]:
    """As many whole pairs as fit, the short ones first: ids are short, notes are long."""
    letters = sum(len(key) + len(value) for key, value in pairs.items())
    if LONGEST_ESCAPE * letters + BRACES * len(pairs) <= LONGEST_TAGS:
        return dict(pairs)
    room, kept = LONGEST_TAGS, {}
    for key, value in sorted(pairs.items(), key=lambda pair: len(pair[0]) + len(pair[1])):
        room -= len(_json({key: value}))
        if room < 0:
            break
        kept[key] = value
    return kept


def _known(parts: dict[str, Any]) -> dict[str, Any]:
    since = {reason: at for reason, at in parts.get("since", {}).items() if reason in _REASONS}
    if (reason := parts["reason"]) in _REASONS:
        return {**parts, "since": since}
    detail = bounded(f"{reason}: {parts.get('detail', '')}")
    return {**parts, "since": since, "reason": Reason.WORKING, "detail": detail}


@contextmanager
def _naming(row: Row) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        name = "/".join(row.get(part, "?") for part in ("route", "run", "outcome"))
        why = f"{type(error).__name__}: {error}"
        raise Unreadable(f"row {bounded(name, 200)} cannot be read: {bounded(why, 200)}") from error
