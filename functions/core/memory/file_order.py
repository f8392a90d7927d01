"""Which of two route files is the newer: the ledger remembers in which order it first met them.

When a process read its file tells nothing: an instance of the old version may start at any time.
docs/adr/0018-which-route-file-is-newer.md
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from functions.core.kept.history import is_of_today
from functions.core.memory.remembered import is_to_come
from functions.core.ports import shared
from functions.core.routes import near_misses
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger
    from functions.core.routes.definition import Routes

Files: TypeAlias = "list[tuple[str, datetime]]"

FILES = "chronicle/files"
MOST_FILES = 50
SETTLING = timedelta(minutes=10)  # so long instances of two versions claim beside each other
KNOWN_FOR = timedelta(seconds=10)  # as other shared rows are believed
GONE_FOR = timedelta(days=1)  # after so long without an instance that has it, a route is gone


def note(ledger: Ledger, file: str, now: datetime, began: datetime | None = None) -> Files:
    """The files that were met, each with when, the newest last; this one among them from now on.

    One that a process works with which `began` after the newest was met is there again: it is met
    once more. One request, two for a new one. Raises LedgerUnavailable.
    """

    def met(value: Mapping[str, Any]) -> Mapping[str, Any]:
        files = value.get("files", [])
        names = [known for known, _ in files]
        if file in names:
            newest, met_at = files[-1]
            if began is None or newest == file or began <= _met(parse_time(met_at), now):
                return value
        is_twice = bool(names) and names[-1] in names[:-1]
        once = files[:-1] if is_twice else files
        return {"files": [*once, [file, now.isoformat()]][-MOST_FILES:]}

    row = shared.change(ledger, FILES, met)
    return [(known, _met(parse_time(at), now)) for known, at in row.value["files"]]


def _met(at: datetime | None, now: datetime) -> datetime:
    """One that is still to come a clock that was wrong has told: it was long ago."""
    return now - SETTLING if is_to_come(at, now) else at or now


def gives_way(ledger: Ledger, routes: Routes, now: datetime) -> bool:
    """Whether another file is the newest, and instances of this one end these minutes.

    Raises LedgerUnavailable.
    """
    if not routes.file:
        return False
    newest, met_at = note(ledger, routes.file, now)[-1]
    return not routes.is_own(newest) and now < met_at + SETTLING


def may_be_older(ledger: Ledger, c: Continuation, routes: Routes, now: datetime) -> bool:
    """Whether instances of a newer file than this one are coming up, which may hold it back.

    So it is in the minutes after another was met, or after it was claimed by one that nobody has
    met yet, or that was met long ago and is back. One request. Raises LedgerUnavailable.
    """
    if not routes.file:
        return False
    return _may_be_older(note(ledger, routes.file, now), c.file, c.created_at, routes, now)


def stands_back(ledger: Ledger, file: str, at: datetime, routes: Routes, now: datetime) -> bool:
    """The same of what another file has let wait then.

    No request where it was this one. Raises LedgerUnavailable.
    """
    if _is_own(file, routes) or not routes.file:
        return False
    return _may_be_older(note(ledger, routes.file, now), file, at, routes, now)


def comes_up(ledger: Ledger, file: str, at: datetime, routes: Routes, now: datetime) -> bool:
    """The same of what was noticed then, whenever another file has claimed it, or none is named.

    No request where it was this one. Raises LedgerUnavailable.
    """
    if (file and _is_own(file, routes)) or not routes.file:
        return False
    return _comes_up(note(ledger, routes.file, now), file, at, routes, now)


def is_newer_ones(ledger: Ledger, c: Continuation, routes: Routes, now: datetime) -> bool:
    """The same of a continuation, which may be the newest file's whoever claimed it."""
    is_own = _is_own(c.file, routes) and not is_of_today(c)
    return not is_own and may_be_older(ledger, c, routes, now)


class Order:
    """The order as one process knows it; each of its threads asks once in ten seconds at most."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._asked: tuple[str, datetime, Files] | None = None

    def stands_back(self, c: Continuation, routes: Routes, now: datetime) -> bool:
        """Whether both files start it, and it is another one's that comes up, or is back.

        So is what that has claimed, and what `is_of_today` whoever did. What was asked for
        goes on with whoever looks: its request is made. Raises LedgerUnavailable.
        """
        if c.is_asked or not routes.file or (_is_own(c.file, routes) and not is_of_today(c)):
            return False
        if not near_misses.is_served(near_misses.meant(c, routes), c.key.outcome):
            return False  # what these routes do not start says so
        file, at, files = self._asked or ("", now, [])
        is_known = file == routes.file and now - KNOWN_FOR < at <= now
        if is_of_today(c) or not is_known:  # the newest may have come, and have it replayed, since
            files = note(self._ledger, routes.file, now)
            self._asked = routes.file, now, files
        at = _met(c.created_at, now)
        if c.file and not _is_met(files, c.file) and _own_met(files, routes, now) >= at:
            return False  # their own file was met after that claim, and is the newer
        return _may_be_older(files, c.file, at, routes, now)


def _may_be_older(files: Files, file: str, at: datetime, routes: Routes, now: datetime) -> bool:
    """Whether another file comes up; or is there still, or again: it claimed so just now.

    Whoever claims when the own file has been there for long is no older one on its way out: that
    was rolled back, or the other one was rolled out once more, whichever was met first.
    """
    at = _met(at, now)
    is_there = _own_met(files, routes, now) + SETTLING < at and now < at + SETTLING
    is_back = is_there and not _is_own(file, routes)
    return is_back or _comes_up(files, file, at, routes, now)


def _comes_up(files: Files, file: str, at: datetime, routes: Routes, now: datetime) -> bool:
    newest, met_at = files[-1]
    if routes.is_own(newest):
        is_met = _is_met(files, file) or _is_own(file, routes)
        met_at = now - SETTLING if is_met else at
    return now < met_at + SETTLING


def left(
    ledger: Ledger, c: Continuation, routes: Routes, now: datetime, *, skips: bool = False
) -> str:
    """Why what these routes do not start is left to a newer file, `GONE_FOR` at most; "" if not.

    `skips`: they would skip it; then a file that nobody has met yet counts as newer, too, in the
    minutes after a claim by it. What was replayed is the newest one's, and skipped by no other.
    Raises LedgerUnavailable.
    """
    if c.file in routes.earlier:
        return ""
    files = note(ledger, routes.file, now)
    if c.file == "":
        is_last = routes.is_own(files[-1][0])
        newer = (skips and not is_last) or _comes_up(files, "", now, routes, now)
    else:
        comes_up = skips and not _is_met(files, c.file) and now < c.created_at + SETTLING
        newer = _is_older(files, routes.file, c.file) or comes_up
    if near_misses.meant(c, routes) and not newer:
        return ""
    if _is_newest(files, routes.file, c.file, c.created_at, now):
        return ""
    return f"another version of the app may start the route {c.key.route}, this one does not"


def is_left(ledger: Ledger, file: str, at: datetime, routes: Routes, now: datetime) -> bool:
    """Whether what was let wait by another file then, and these routes know nothing of, is left.

    One request, none where it was their own. Raises LedgerUnavailable.
    """
    if _is_own(file, routes) or not routes.file:
        return False
    return not _is_newest(note(ledger, routes.file, now), routes.file, file, at, now)


def _is_newest(files: Files, file: str, other: str, at: datetime, now: datetime) -> bool:
    """Whether this file is certain to have come after the other one, by which was claimed then.

    It is so for the last of all that were met, once no instance of another version can come up any
    more; and for what was claimed before that, since who claims later is there still.
    """
    newest, met_at = files[-1]
    is_last = newest == file != other and not _is_older(files, file, other)
    return is_last and _is_met(files, other) and at <= met_at + SETTLING <= now


def _is_own(file: str, routes: Routes) -> bool:
    """Whether it is the file of these routes, or one that they had before; or nobody says."""
    return not file or routes.is_own(file)


def _own_met(files: Files, routes: Routes, now: datetime) -> datetime:
    return max((at for known, at in files if known == routes.file), default=now)


def _is_met(files: Files, file: str) -> bool:
    return any(known == file for known, _ in files)


def _is_older(files: Files, file: str, other: str) -> bool:
    order = [known for known, _ in files]
    return other in order and order.index(file) < order.index(other)
