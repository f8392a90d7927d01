r"""Where each row of the ledger lives.

| row          | partition                            | key                               |
|--------------|--------------------------------------|-----------------------------------|
| continuation | first 2 hex digits of the run's hash | run's hash `_` outcome `_` route  |
| scheduled    | `open`                               | that of its continuation          |
| ended        | `ended`                              | newest first `_` continuation's   |
| letter       | `inbox`                              | its id                            |
| shared       | `shared`                             | its name                          |
| wait         | `waits`                              | its task's id                     |
| passed over  | `passed`                             | as of one that ended              |
| followed     | `followed`                           | when it is due `_` continuation's |
| notice       | `notices`                            | channel `_` when `_` its id       |
| told         | `shared`                             | `told.` its subject `.` its id    |

A key must not hold `/ \ # ?` or control characters, and ends at 1 KiB, 512 characters.
https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from functions.core.ports.ledger import Place
from functions.core.terms.runs import Key
from functions.core.terms.words import Outcome

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from functions.core.kept.summary import Summary

OPEN = "open"
ENDED = "ended"
INBOX = "inbox"
SHARED = "shared"
WAITS = "waits"
PASSED = "passed"
FOLLOWED = "followed"
NOTICES = "notices"

SHELVES = 256  # partitions on which continuations lie, by their runs
MOST_SORTED = 5000  # rows looked at to find the first; those beyond are left to another time
LONGEST_NAME = 300
AFTER = "`"  # the character after `_`: ends the range of all keys that begin with `..._`
NEXT = "!"  # comes before all that a key can hold: begins what is after a key

_LAST = datetime.max.replace(tzinfo=UTC)


@lru_cache(maxsize=256)  # each write of a start asks again
def continuation(key: Key) -> Place:
    """The row that holds the truth."""
    run_hash = key.run_hash
    return Place(run_hash[:2], f"{run_hash}_{key.outcome}_{safe(key.route)}")


def shelf(number: int) -> str:
    """The partition of the continuations of one of the `SHELVES`."""
    return f"{number:02x}"


def scheduled(key: Key) -> Place:
    """The row that shows a continuation to `due`."""
    return Place(OPEN, continuation(key).key)


def ended(c: Continuation | Summary) -> Place:
    """The copy of an ended continuation, for listing."""
    return Place(ENDED, f"{newest_first(c.created_at)}_{continuation(c.key).key}")


def passed(c: Continuation | Summary) -> Place:
    """The row by which pruning finds one that was passed over: no list shows it."""
    return ended(c)._replace(partition=PASSED)


def of_run(workspace: str, run: str) -> tuple[str, str, str]:
    """The partition of a run's continuations, and between which keys they are."""
    run_hash = Key(workspace, run, Outcome.COMPLETED, "").run_hash
    return run_hash[:2], f"{run_hash}_", f"{run_hash}{AFTER}"


def newest_first(at: datetime) -> str:
    """18 digits that sort against time."""
    return f"{(_LAST - at) // timedelta(microseconds=1):018d}"


def safe(text: str) -> str:
    """A text as part of a key: one for one, and by its hash where it is too long."""
    escaped = re.sub(r"[^A-Za-z0-9.-]", _escaped, text)
    if len(escaped) <= LONGEST_NAME:
        return escaped or "_"
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{escaped[:100]}_h{digest}"  # no escape begins with h


def unsafe(part: str) -> str:
    """The text that `safe` made this part of a key of; one that was too long stays as it is."""
    return re.sub("(?:_[0-9a-f]{2})+", _unescaped, part)


def _unescaped(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("_", "")).decode("utf-8", "surrogatepass")


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"_{byte:02x}" for byte in found[0].encode("utf-8", "surrogatepass"))
