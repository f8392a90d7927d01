"""Values as rows of text columns, and back: what every ledger stores.

The columns `event`, `request`, `history` and `more` hold a continuation as JSON, and alone are
read back; the others are copies for people. Versions of the product share a ledger while one
replaces the other: what is not known is ignored, what is missing means its default, and a reason
that is not known becomes detail. What stands in a state that is not known, or is about an outcome
that is not, can be read, and is never written.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from functions.core.kept import summary
from functions.core.kept.continuation import Continuation
from functions.core.kept.letter import Letter
from functions.core.kept.summary import Summary
from functions.core.kept.tasks import Wait, WaitState
from functions.core.ledger import fitting
from functions.core.ledger.decoding import decoded
from functions.core.ledger.places import safe, unsafe
from functions.core.terms.errors import Unreadable
from functions.core.terms.reasons import LOOKED_FOR, Reason
from functions.core.texts.bounds import bounded, exact, meant, visible
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from functions.core.ports.ledger import Row, Stored
    from functions.core.terms.runs import Key
    from functions.core.terms.words import Outcome, State

UNANSWERED = "yes"  # in the column `waits`
PLACED = ("name", "organization")  # the columns that tell whose place a wait takes
T = TypeVar("T")
MOST_NAMED = 100  # rows that cannot be read

_PARTS = ("event", "request", "history")
NAMED_BY = ("route", "run", "outcome", "workspace")
COLUMNS_EACH = fitting.LONGEST_PART // fitting.LONGEST_COLUMN
KEY_COLUMNS = ("key", *(f"key_{n + 1}" for n in range(1, COLUMNS_EACH)))
LISTED = (*NAMED_BY, *summary.NAMES, "waits_on")  # the columns that a list is made of
_REASONS = frozenset(Reason)
_BROKEN = (KeyError, TypeError, ValueError, AttributeError, msgspec.MsgspecError)


def continuation_row(c: Continuation) -> Row:
    """A continuation's columns; raises Permanent (too_large) for what no row can hold.

    Raises Unreadable, as `schedule_row` does, for a state that this version does not know.
    """
    more = msgspec.structs.asdict(c)
    for name in _PARTS:
        del more[name]
    event = fitting.bounded_event(c.event)
    row = row_of(_copies(c), event=event, request=c.request, history=c.history, more=more)
    return named(c.key) | row


def continuation_of(row: Row) -> Continuation:
    """The continuation of a row; raises Unreadable."""
    with _naming(row):
        parts = {name: fitting.part(row, name) for name in _PARTS if name in row}
        return decoded({**_known(fitting.part(row, "more")), **parts}, Continuation)


def schedule_row(c: Continuation) -> Row:
    """What the schedule says of a continuation: its key, what lists show, and when it is due."""
    due_at = c.due_at if c.is_open or c.recheck_at is None else c.recheck_at
    waits_on = safe(c.waits_on) if c.waits_on else ""
    open_since = c.open_since if c.is_open else None
    own = {"due_at": due_at, "waits_on": waits_on, "open_since": open_since}
    return named(c.key) | row_of(_copies(c) | own, key=c.key)


def listed_of(row: Row) -> Summary:
    """What a list shows, by the columns `LISTED` of a continuation's or schedule's row.

    Raises Unreadable. Texts are for people: one line, without tokens; the key is the real one.
    """
    with _naming(row):
        key = {name: meant(row.get(name, "")) for name in NAMED_BY}
        told = {name: row[name] for name in summary.NAMES if name in row}
        doubt = row.get("in_doubt") or row.get("reason") in LOOKED_FOR  # of an earlier version
        own = {"key": key, "waits_on": unsafe(row.get("waits_on", "")), "in_doubt": bool(doubt)}
        return decoded(_known({"reason": Reason.WORKING, **told, **own}), Summary, strict=False)


def letter_row(letter: Letter) -> Row:
    """A letter's columns; raises Permanent (too_large)."""
    kept = msgspec.structs.replace(letter, event=fitting.bounded_event(letter.event))
    copies = {"run": letter.event.run, "received_at": letter.received_at}
    return row_of(copies, letter=kept)


def shared_row(name: str, value: Mapping[str, object]) -> Row:
    """A shared row's columns; the value must be JSON. Raises Permanent (too_large).

    Its `until`, a time in ISO 8601, tells how long the row is of use.
    """
    until = parse_time(value.get("until"))
    return row_of({"name": name, "until": until}, value=dict(value))


def wait_row(wait: Wait) -> Row:
    """A wait's columns; `waits` while it was not answered, `until` when it may be forgotten.

    `name` and `organization` tell whose place it takes, without its token.

    Raises Unreadable for a state that this version does not know.
    """
    check_known(wait.task.key, wait.state)
    waits = UNANSWERED if wait.state is WaitState.WAITING else ""
    copies = {"waits": waits, "until": wait.until, "name": wait.task.key, "runs": wait.runs}
    return row_of(copies | {"organization": wait.task.organization}, wait=wait)


def letter_of(row: Row) -> Letter:
    """The letter of a row; raises Unreadable, also where its outcome is not known.

    Who takes a letter out has it handled or refused, which only the version that knows it can.
    """
    letter = unpacked(row, "letter", Letter)
    check_known(f"{letter.event.run} in the inbox", letter.event.outcome)
    return letter


def unpacked(row: Row, part: str, kind: type[T]) -> T:
    """The `key` of the schedule, a `letter`, a `wait`, or a shared `value`; raises Unreadable."""
    with _naming(row):
        return decoded(fitting.part(row, part), kind)


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


def check_known(row: str, *words: State | Outcome | WaitState) -> None:
    """Raises Unreadable for a word that this version does not know: it writes nothing over it."""
    for word in words:
        if not word.is_known:
            raise Unreadable(unknown_word(row, word))


def unknown_word(row: str, word: str) -> str:
    """What is said of a row whose state or outcome this version does not know."""
    return f"row {bounded(row, 200)} is {bounded(word, 62)}: left to the version that knows that"


@lru_cache(maxsize=256)  # each row of a start tells most of the times of the one before
def time_text(at: datetime) -> str:
    """27 characters that sort as the times do."""
    return f"{at.astimezone(UTC).isoformat(timespec='microseconds')[:-6]}Z"


def row_of(copies: Mapping[str, object], **parts: object) -> Row:
    """Columns for people, and parts that are read back; raises Permanent (too_large)."""
    row = {
        name: time_text(value) if isinstance(value, datetime) else bounded(value)
        for name, value in copies.items()
        if value
    }
    for name, part in parts.items():
        row |= fitting.columns(name, part)
    return row


def _copies(c: Continuation) -> dict[str, object]:
    check_known(c.key.text, c.state, c.key.outcome)
    shown = msgspec.structs.asdict(Summary.of(c))
    for name in summary.NOT_COPIED:
        del shown[name]
    return shown


@lru_cache(maxsize=256)  # each write of a start asks again
def named(key: Key) -> Row:
    """The columns that a list reads the key from: nothing of a name is cut."""
    return {name: visible(exact(getattr(key, name))) for name in NAMED_BY}


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
