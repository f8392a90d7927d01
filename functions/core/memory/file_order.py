"""Which of two route files is the newer: the ledger remembers in which order it first met them.

When a process read its file tells nothing: an instance of the old version may start at any time.
docs/adr/0018-which-route-file-is-newer.md
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from functions.core.ports import shared
from functions.core.routes import near_misses
from functions.core.terms.errors import Unreadable
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger
    from functions.core.routes.definition import Routes
    from functions.core.terms.runs import Key

Files: TypeAlias = "list[tuple[str, datetime]]"

FILES = "chronicle/files"
MOST_FILES = 50
SETTLING = timedelta(minutes=10)  # so long instances of two versions claim beside each other
GONE_FOR = timedelta(days=1)  # after so long without an instance that has it, a route is gone


def note(ledger: Ledger, file: str, now: datetime) -> Files:
    """The files that were met, each with when, the newest last; this one among them from now on.

    One request, two for a new one. Raises LedgerUnavailable.
    """

    def met(value: Mapping[str, Any]) -> Mapping[str, Any]:
        files = value.get("files", [])
        if any(known == file for known, _ in files):
            return value
        return {"files": [*files, [file, now.isoformat()]][-MOST_FILES:]}

    row = shared.change(ledger, FILES, met)
    return [(known, parse_time(at) or now) for known, at in row.value["files"]]


def gives_way(ledger: Ledger, routes: Routes, now: datetime) -> bool:
    """Whether another file is the newest, and instances of this one end these minutes.

    Raises LedgerUnavailable.
    """
    if not routes.file:
        return False
    newest, met_at = note(ledger, routes.file, now)[-1]
    return newest not in {routes.file, *routes.earlier} and now < met_at + SETTLING


def may_be_older_for(ledger: Ledger, key: Key, routes: Routes, now: datetime) -> bool:
    """The same of the continuation of this key. Two requests. Raises LedgerUnavailable."""
    try:
        entry = ledger.read(key)
    except Unreadable:
        return False
    return entry is not None and may_be_older(ledger, entry.continuation, routes, now)


def may_be_older(ledger: Ledger, c: Continuation, routes: Routes, now: datetime) -> bool:
    """Whether instances of a newer file than this one are coming up, which may hold it back.

    So it is in the minutes after another was met, or after it was claimed by one that nobody has
    met yet. One request. Raises LedgerUnavailable.
    """
    if not routes.file:
        return False
    own, files = {routes.file, *routes.earlier}, note(ledger, routes.file, now)
    newest, met_at = files[-1]
    if newest in own:
        is_met = any(known == c.file for known, _ in files)
        met_at = now - SETTLING if is_met or c.file in {"", *own} else c.created_at
    return now < met_at + SETTLING


def left(ledger: Ledger, c: Continuation, routes: Routes, now: datetime) -> str:
    """Why what these routes do not start is left to a newer file, `GONE_FOR` at most; "" if not.

    Raises LedgerUnavailable.
    """
    if c.file in routes.earlier:
        return ""
    files = note(ledger, routes.file, now)
    if near_misses.meant(c, routes) and not _is_older(files, routes.file, c.file):
        return ""
    if _is_newest(files, routes.file, c, now):
        return ""
    return f"another version of the app may start the route {c.key.route}, this one does not"


def _is_newest(files: Files, file: str, c: Continuation, now: datetime) -> bool:
    """Whether this file is certain to have come after the one that the continuation is from.

    It is so for the last of all that were met, once no instance of another version can come up any
    more; and for what was claimed before that, since who claims later is there still.
    """
    newest, met_at = files[-1]
    settled = met_at + SETTLING
    known = any(known == c.file for known, _ in files)
    return known and newest == file != c.file and c.created_at <= settled <= now


def _is_older(files: Files, file: str, other: str) -> bool:
    order = [known for known, _ in files]
    return other in order and order.index(file) < order.index(other)
