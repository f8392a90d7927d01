r"""Where each row lives.

| row          | partition                        | row key                           |
|--------------|----------------------------------|-----------------------------------|
| continuation | first 2 hex digits of the run's hash | run's hash `_` outcome `_` route |
| open         | `open`                           | that of its continuation          |
| listed       | UTC day of the claim, 2026-11-22 | newest first `_` continuation's   |
| day          | `days`                           | newest first; one per listed day  |
| letter       | `inbox`                          | its id                            |
| shared       | `shared`                         | its name                          |

A key must not hold `/ \ # ?` or control characters, and ends at 1 KiB, 512 characters.
https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from functions.core.values import Key, Outcome

if TYPE_CHECKING:
    from functions.core.continuation import Continuation

OPEN = "open"
DAYS = "days"
INBOX = "inbox"
SHARED = "shared"

LONGEST_PART = 300
AFTER = "`"  # the character after `_`: ends the range of all keys that begin with `..._`

_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = 10**18 - 1


class Place(NamedTuple):
    """Partition and row key."""

    partition: str
    row: str


def continuation(key: Key) -> Place:
    """The row that holds the truth."""
    return Place(key.run_hash[:2], f"{key.run_hash}_{key.outcome}_{safe(key.route)}")


def run(workspace: str, run_id: str) -> Place:
    """Partition and beginning of the row keys of a run's continuations."""
    run_hash = Key(workspace, run_id, Outcome.COMPLETED, "").run_hash
    return Place(run_hash[:2], f"{run_hash}_")


def open_row(key: Key) -> Place:
    """The row that shows a continuation to `due`."""
    return Place(OPEN, continuation(key).row)


def listed(c: Continuation) -> Place:
    """The copy of an ended continuation, for listing."""
    newest = newest_first(c.created_at)
    return Place(_utc(c.created_at).date().isoformat(), f"{newest}_{continuation(c.key).row}")


def day(at: datetime) -> Place:
    """The row that says that a day has listed rows."""
    return Place(DAYS, f"{date.max.toordinal() - _utc(at).toordinal():07d}")


def letter(letter_id: str) -> Place:
    """A letter in the inbox."""
    return Place(INBOX, safe(letter_id))


def shared(name: str) -> Place:
    """A row that all processes share."""
    return Place(SHARED, safe(name))


def newest_first(at: datetime) -> str:
    """18 digits that sort against time."""
    return f"{_LAST - (_utc(at) - _FIRST) // timedelta(microseconds=1):018d}"


def safe(text: str) -> str:
    """A text as part of a key: one for one, and by its hash where it is too long."""
    escaped = re.sub(r"[^A-Za-z0-9.-]", _escaped, text)
    if len(escaped) <= LONGEST_PART:
        return escaped or "_"
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{escaped[:100]}_h{digest}"  # no escape begins with h


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"_{byte:02x}" for byte in found[0].encode("utf-8", "surrogatepass"))


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
