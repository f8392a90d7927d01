"""The port of the ledger, and what it hands out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.kept.letter import Letter
    from functions.core.kept.summary import Summary
    from functions.core.kept.tasks import Wait
    from functions.core.terms.runs import Key


class Shared(Struct, frozen=True):
    """A small row that all processes share; `version` is None while it does not exist."""

    name: str
    value: dict[str, Any]
    version: str | None


class Entry(NamedTuple):
    """A continuation as read, with the version that a write must still find."""

    continuation: Continuation
    version: str


class Claim(NamedTuple):
    """What a claim found: `fresh` is true for the one caller that wrote the row."""

    entry: Entry
    fresh: bool


class Backlog(NamedTuple):
    """How many continuations are open and since when the oldest is; `whole`: all were counted.

    `awaited`: the names that those counted wait on. One that ended a moment ago may still be
    counted.
    """

    open: int
    oldest: datetime | None
    whole: bool
    awaited: frozenset[str] = frozenset()


class Waiting(NamedTuple):
    """A wait as read, with the version that a write must still find."""

    wait: Wait
    version: str


class Taken(NamedTuple):
    """The place of a task that waits: the task's key, and its organization.

    That is "" in a row that an earlier version wrote.
    """

    task: str
    organization: str


class WaitBook(Protocol):
    """The waits. Every method raises LedgerUnavailable when it cannot do its work."""

    def enroll(self, wait: Wait) -> tuple[Waiting, bool]:
        """The task's wait as it is there now, and whether it is this one."""

    def waiting(self, limit: int) -> Sequence[Waiting]:
        """Those that were not answered, those that are due first."""

    def taken(self, limit: int) -> Sequence[Taken]:
        """The places of those that were not answered: what they hold, tokens too, is not read."""

    def change(self, entry: Waiting, changed: Wait) -> Waiting:
        """Replace it if it still has the entry's version; raises Lost otherwise."""


class Ledger(Protocol):
    """The source of truth. Every method raises LedgerUnavailable when it cannot do its work."""

    @property
    def waits(self) -> WaitBook:
        """The waits beside the continuations."""

    @property
    def unreadable(self) -> Collection[str]:
        """Rows that were passed over since this version cannot read them, and why."""

    def claim(self, new: Continuation) -> Claim:
        """Insert the continuation unless its key is there; the row is scheduled when this returns.

        Exactly one of any number of callers gets `fresh`. An open row that was there already is
        scheduled again, since its first claimer may have died before doing so.
        """

    def record(self, ended: Continuation) -> Claim:
        """Insert one that ended at once, unless its key is there: no list shows it."""

    def read(self, key: Key) -> Entry | None:
        """The continuation as it stands now."""

    def write(self, entry: Entry, changed: Continuation) -> Entry:
        """Replace the row if it still has the entry's version; raises Lost otherwise.

        Raises Unreadable for one in a state that this version does not know.
        """

    def schedule(self, continuation: Continuation) -> None:
        """Let `due` show the continuation from its due time (or recheck time) on."""

    def due(self, now: datetime, limit: int) -> Sequence[Key]:
        """Scheduled continuations whose time has come, the longest waiting first."""

    def put_off(self, key: Key, until: datetime, *, waits: bool = True) -> None:
        """Let `due` show it from then on, though its row may be unreadable.

        Where it `waits` no more, `waiting_on` does not show it.
        """

    def backlog(self) -> Backlog:
        """What is open."""

    def waiting_on(self, name: str, limit: int) -> Sequence[Key]:
        """Scheduled continuations that wait on what has this name, first those claimed first."""

    def is_awaited(self, name: str, but: Key | None = None) -> bool:
        """Whether anybody `but` this one waits on what has this name."""

    def retire(self, key: Key) -> None:
        """Take from the schedule what has ended, or is not there; what ended stays listed."""

    def of_run(self, workspace: str, run: str) -> Sequence[Continuation]:
        """All continuations of a run (workspace id in lower case)."""

    def recent(self, since: datetime, limit: int) -> Sequence[Continuation]:
        """Continuations claimed since then, newest first; open ones always."""

    def listed(self, since: datetime, limit: int) -> Sequence[Summary]:
        """All that are open, and of the others claimed since then the newest `limit`.

        Newest first. An open one stands as it was last scheduled: it may be at work, or have ended
        minutes ago.
        """

    def keep(self, letter: Letter) -> None:
        """Put an event into the inbox; the same letter id again changes nothing."""

    def letters(self, limit: int, after: str = "") -> Sequence[Letter]:
        """So many of the inbox, by id, of those after this id; the oldest of these first."""

    def discard(self, letter_id: str) -> None:
        """Remove a letter; one that is gone already is no error."""

    def forget(self, now: datetime, limit: int) -> int:
        """Remove shared rows whose `until` has passed, `limit` at most; returns how many."""

    def prune(self, before: datetime, limit: int) -> int:
        """Remove what ended and was not written since then, at most `limit`; returns how many."""

    def shared(self, name: str) -> Shared:
        """A shared row, empty with version None while it does not exist."""

    def share(self, row: Shared, value: Mapping[str, object]) -> Shared:
        """Write a shared row if it still has that version; raises Lost otherwise."""
