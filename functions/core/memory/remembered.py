"""What the sweep remembers of the workspaces: the values of `visits`. Pure."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from functions.core.terms.policy import CLOCKS_DIFFER
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from functions.core.ports.ledger import Shared
    from functions.core.terms.runs import Workspace

DIGITS = 16
TIMES = (
    "there",
    "seen",
    "began",
    "gone",
    "dropped",
    "top",
    "down",
    "set_out",
    "lacks",
    "start",
    "start_set_out",
)


class Visit(NamedTuple):
    """What is remembered of a workspace.

    `since`: when it was first heard of. `there`: since when it is there, where ARM did not know it
    before: what was heard of it until then counts no more. `seen`: all that ended before was looked
    at. `next`: the experiment to go on with, of a tour that `began` then. `gone`: since when ARM
    knows no such workspace, and `dropped`: when it was last asked after that had lasted too long.
    `top`, `down` and `start`: how far it came, where more ended than one sweep reads (`Reach`), and
    `set_out`: when the sweeps set out from the top to where it came; `start_set_out`: the same of
    `start`. `lacks`: since when not all experiments could be read on that way, so that `seen`
    stays. `promotions`: the route on them to begin with, since there was no time for it.
    """

    since: datetime
    there: datetime | None = None
    seen: datetime | None = None
    began: datetime | None = None
    next: str = ""
    gone: datetime | None = None
    dropped: datetime | None = None
    top: datetime | None = None
    down: datetime | None = None
    start: datetime | None = None
    set_out: datetime | None = None
    start_set_out: datetime | None = None
    lacks: datetime | None = None
    promotions: str = ""

    def is_to_come(self, now: datetime) -> bool:
        """Whether any of its times is."""
        times = (value for value in self if isinstance(value, datetime))
        return any(is_to_come(at, now) for at in times)

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

    @property
    def wrong_until(self) -> datetime | None:
        """When it was found last that a clock that was wrong had written here."""
        return parse_time(self.row.value.get("wrong_until"))

    @property
    def turn(self) -> str:
        """The digest of the workspace that the next sweep begins with; "" where any may be."""
        return str(self.row.value.get("turn", ""))

    def others(self, workspaces: Iterable[Workspace]) -> set[str]:
        """The digests of the workspaces in it that are none of these."""
        these = {named(workspace.key) for workspace in workspaces}
        return set(self.row.value.get("workspaces", {})) - these

    def of(self, workspace: str) -> Visit | None:
        """What is remembered of the workspace of this key."""
        return visit_of(self.row.value.get("workspaces", {}).get(named(workspace)))


def is_to_come(at: datetime | None, now: datetime) -> bool:
    """Whether only a clock that was wrong can have told it: what is remembered has been."""
    return at is not None and at > now + CLOCKS_DIFFER


def named(workspace: str) -> str:
    """Stands for a workspace's key in the row."""
    return hashlib.sha256(workspace.encode()).hexdigest()[:DIGITS]


def visit_of(value: object) -> Visit | None:
    """One of the row; None for what is none."""
    if not isinstance(value, dict) or (since := parse_time(value.get("since"))) is None:
        return None
    times = {n: parse_time(value.get(n)) for n in TIMES}
    goes_on, left = (str(value.get(name, "")) for name in ("next", "promotions"))
    return Visit(since, next=goes_on, promotions=left, **times)
