"""What the sweep remembers of each workspace, and what the ledger has forgotten: one shared row.

    {"pruned": TIME, "off": TIME, "workspaces": {ID: {"since": TIME, "seen": TIME, ...}}}

A workspace stands here by a digest of its id, so that all that are swept fit into one row.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core import sharing
from functions.core.values import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from functions.core.ledger import Ledger
    from functions.core.policy import SweepPolicy
    from functions.core.values import Shared

VISITS = "chronicle/visits"
DIGITS = 16
LONGEST_ID = 64  # of an experiment that is remembered; those of AML have 36 characters
GONE_FOR = timedelta(days=3)  # of 404s, and the workspace is asked no more
ASKED_AGAIN = timedelta(days=1)  # one that is gone, and named in SWEEP_WORKSPACES
CATCHING_UP = timedelta(days=7)  # how far the sweep looks back after an outage, at most
OVERLAP = timedelta(hours=1)  # AML may show an end only some time after it
A_DAY = timedelta(days=1)
LASTING = ("since", "gone", "dropped")

Change = dict[str, Any]


class Visit(NamedTuple):
    """What is remembered of a workspace.

    `since`: when it was first heard of. `seen`: all that ended before was looked at. `next`: the
    experiment to go on with, of a tour that `began` then. `gone`: since when ARM knows no such
    workspace, and `dropped`: when it was last asked after that had lasted too long.
    """

    since: datetime
    seen: datetime | None = None
    began: datetime | None = None
    next: str = ""
    gone: datetime | None = None
    dropped: datetime | None = None

    @property
    def was_not_there(self) -> bool:
        """Whether ARM knew no such workspace until now: since ever, or for so long."""
        return bool(self.dropped or (self.gone and not self.seen))


class Heard(NamedTuple):
    """When a workspace was first heard of, and when the `last` event came, if one did."""

    first: datetime
    last: datetime | None = None


class Remembered(NamedTuple):
    """The row as it was read; `written`: there is one."""

    row: Shared

    @property
    def written(self) -> bool:
        """Whether this version has ever written it."""
        return "workspaces" in self.row.value

    @property
    def pruned(self) -> datetime | None:
        """What ended before then may have been forgotten."""
        return parse_time(self.row.value.get("pruned"))

    @property
    def off(self) -> datetime | None:
        """When a sweep last found that it is switched off."""
        return parse_time(self.row.value.get("off"))

    def of(self, workspace: str) -> Visit | None:
        """What is remembered of the workspace of this key."""
        return _visit(self.row.value.get("workspaces", {}).get(named(workspace)))


def recall(ledger: Ledger) -> Remembered:
    """One request. Raises LedgerUnavailable."""
    return Remembered(ledger.shared(VISITS))


def named(workspace: str) -> str:
    """Stands for a workspace's key in the row."""
    return hashlib.sha256(workspace.encode()).hexdigest()[:DIGITS]


def hear(
    ledger: Ledger,
    heard: Mapping[str, Heard],
    before: Callable[[], Mapping[str, datetime]],
) -> Remembered:
    """Take note of workspaces, by key, and of when each was heard of.

    One that is known keeps its time, unless it was dropped and an event came later. `before`
    tells, for the first time that the row is written, which workspaces earlier versions knew, and
    since when. Raises LedgerUnavailable, and Permanent for more than a row can hold.
    """

    def noted(value: Mapping[str, Any]) -> Change:
        new = {} if "workspaces" in value else {named(w): _said(at) for w, at in before().items()}
        known = {**new, **value.get("workspaces", {})}
        for workspace, at in heard.items():
            was = _visit(known.get(named(workspace)))
            if was is None:
                known[named(workspace)] = _said(at.first)
            elif was.dropped and at.last and at.last > was.dropped:
                known[named(workspace)] = _said(at.last)
        return {**value, "workspaces": known}

    return Remembered(sharing.change(ledger, VISITS, noted))


def conclude(
    ledger: Ledger, was: Remembered, visited: Mapping[str, Visit], swept: frozenset[str]
) -> Remembered:
    """Write how far a sweep came in the workspaces visited; forget those that are not swept.

    One request if nobody wrote meanwhile. Another sweep at the same time may have come further.
    Raises LedgerUnavailable and Permanent.
    """
    kept = {named(workspace) for workspace in swept}
    dropped = was.row.value.get("workspaces", {}).keys() - kept

    def concluded(value: Mapping[str, Any]) -> Change:
        known = {w: v for w, v in value.get("workspaces", {}).items() if w not in dropped}
        for workspace, visit in visited.items():
            last = _visit(known.get(named(workspace)))
            known[named(workspace)] = _written(_merged(visit, last))
        return {**value, "workspaces": known}

    return Remembered(sharing.change(ledger, VISITS, concluded, was.row))


def owe_nothing(ledger: Ledger, now: datetime) -> Remembered:
    """Forget how far the sweeps came, and remember that they are off.

    Two requests. Raises as `conclude` does.
    """

    def owing(value: Mapping[str, Any]) -> Change:
        off = {**value, "off": max(str(value.get("off", "")), now.isoformat())}
        if (known := value.get("workspaces")) is not None:
            off["workspaces"] = {w: _only(v, *LASTING) for w, v in known.items()}
        return off

    return Remembered(sharing.change(ledger, VISITS, owing))


def forgets(ledger: Ledger, was: Remembered, before: datetime) -> None:
    """Remember that what ended before then may be forgotten; a day in advance. As `conclude`."""
    if was.pruned and was.pruned >= before:
        return
    until = (before + A_DAY).isoformat()

    def pruned(value: Mapping[str, Any]) -> Change:
        return {**value, "pruned": max(str(value.get("pruned", "")), until)}

    sharing.change(ledger, VISITS, pruned, was.row)


def back_to(visit: Visit | None, policy: SweepPolicy, now: datetime) -> datetime:
    """How far the sweep looks back: the window, and to where it came last, but not for ever."""
    usual = now - policy.window
    if visit is None or visit.seen is None:
        return usual
    longest = now - max(min(CATCHING_UP, policy.kept_for - A_DAY), policy.window)
    return min(usual, max(visit.seen - OVERLAP, longest))


def _merged(visit: Visit, last: Visit | None) -> Visit:
    if last is None or last.seen is None or visit.gone:
        return visit
    return visit._replace(seen=max(visit.seen or last.seen, last.seen))


def _visit(value: object) -> Visit | None:
    if not isinstance(value, dict) or (since := parse_time(value.get("since"))) is None:
        return None
    times = {n: parse_time(value.get(n)) for n in ("seen", "began", "gone", "dropped")}
    return Visit(since, next=str(value.get("next", "")), **times)


def _written(visit: Visit) -> dict[str, str]:
    told = {name: value for name, value in visit._asdict().items() if value}
    return {n: v if isinstance(v, str) else v.isoformat() for n, v in told.items()}


def _said(at: datetime) -> dict[str, str]:
    return _written(Visit(at))


def _only(value: object, *names: str) -> dict[str, str]:
    found = value if isinstance(value, dict) else {}
    return {name: found[name] for name in names if name in found}
