"""The port of the ledger with what it hands out, and `Rows`: what a store must do for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.kept.letter import Letter
    from functions.core.kept.summary import Listed
    from functions.core.ports.following import FollowBook
    from functions.core.ports.notices import NoticeBook
    from functions.core.ports.waits import WaitBook
    from functions.core.terms.deadline import Since
    from functions.core.terms.part import Part
    from functions.core.terms.runs import Key

Row = dict[str, str]
PAGE = 1000  # rows that one request brings at most


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
    """How many continuations wait and since when the oldest does; `whole`: all were counted.

    One that is worked on is none of them (its end shows after its lease), nor one that awaits runs.
    """

    open: int
    oldest: datetime | None
    whole: bool
    awaited: frozenset[str] = frozenset()  # the names that any waits on
    ahead: frozenset[Key] = frozenset()  # those that a clock which was wrong has written


class Inbox(NamedTuple):
    """How many events wait in the inbox, since when the first does; `whole`: all were counted."""

    letters: int = 0
    oldest: datetime | None = None
    whole: bool = True


class Ledger(Protocol):
    """The source of truth. Every method raises LedgerUnavailable when it cannot do its work."""

    @property
    def waits(self) -> WaitBook:
        """The waits beside the continuations."""

    @property
    def followed(self) -> FollowBook:
        """The starts whose pipeline runs go on, beside the schedule."""

    @property
    def notices(self) -> NoticeBook:
        """What people are to be told, and were."""

    @property
    def unreadable(self) -> Collection[str]:
        """Rows that were passed over since this version cannot read them, and why."""

    def claim(self, new: Continuation, first: Iterable[Callable[[], None]] = ()) -> Claim:
        """Insert the continuation unless its key is there; the row is scheduled when this returns.

        Exactly one caller gets `fresh`, and has `first` called; what is open is scheduled again.
        """

    def record(self, ended: Continuation) -> Claim:
        """Insert one that ended at once, unless its key is there: no list shows it."""

    def read(self, key: Key) -> Entry | None:
        """The continuation as it stands now."""

    def write(self, entry: Entry, changed: Continuation) -> Entry:
        """Replace the row in the entry's version. Raises Lost, and Unreadable if not known."""

    def schedule(self, continuation: Continuation, since: Since | None = None) -> None:
        """Let `due` show it from its due (or recheck) time on; if long `since`, as it stands."""

    def due(self, now: datetime, limit: int, part: Part | None = None) -> Sequence[Key]:
        """Scheduled continuations (of this part) whose time has come, the longest waiting first."""

    def parts_due(self, now: datetime, of: int) -> Sequence[Part]:
        """The parts, `of` so many, in which the time of any has come."""

    def put_off(self, key: Key, until: datetime, *, waits: bool = True) -> None:
        """Let `due` show it from then on, readable or not, and `waiting_on` only if it `waits`."""

    def backlog(self, now: datetime, ended: Collection[Key] = ()) -> Backlog:
        """What is open, but for these, of which the caller knows that they have ended."""

    def waiting_on(self, name: str, limit: int) -> Sequence[Key]:
        """Those that wait on what has this name, first those claimed first."""

    def is_awaited(self, name: str, but: Key | None = None) -> bool:
        """Whether anybody `but` this one waits on what has this name."""

    def awaited(self, begins: str) -> Collection[str]:
        """The names that begin so, of what anybody waits on."""

    def retire(self, key: Key, known: str = "") -> None:
        """Take from the schedule what has ended (as `known` by then) or is gone; lists keep it."""

    def of_run(self, workspace: str, run: str) -> Sequence[Continuation]:
        """All continuations of a run (workspace id in lower case)."""

    def recent(self, since: datetime, limit: int) -> Sequence[Continuation]:
        """Continuations claimed since then, newest first; open ones always."""

    def listed(self, since: datetime, limit: int, route: str = "") -> Listed:
        """All open ones (of a route), as last scheduled, and the newest others since then."""

    def written(self, since: datetime, shelf: int) -> Sequence[Continuation]:
        """What was written since then, as it stands, listed or not; of one of `places.SHELVES`."""

    def keep(self, letter: Letter) -> None:
        """Put an event into the inbox; the same letter id again changes nothing."""

    def letters(self, limit: int, after: str = "") -> Sequence[Letter]:
        """So many of the inbox, by id, of those after this id; the oldest of these first."""

    def inbox(self) -> Inbox:
        """How much lies in the inbox, also of what this version cannot read."""

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


class Place(NamedTuple):
    """Partition and key of a row."""

    partition: str
    key: str


class Stored(NamedTuple):
    """A row as read, and the version that a write can insist on."""

    row: Row
    version: str


class Rows(Protocol):
    """What a store of rows must do; `functions.core.ledger.rowledger` makes a ledger of it.

    Each call, from any thread or process, is done whole or not at all, in bounded time, and raises
    LedgerUnavailable alone. A write whose answer was lost is known. Keys are compared by byte.
    """

    def insert(self, place: Place, row: Row) -> tuple[Stored, bool]:
        """The row that is there now, and whether it is this one."""

    def put(self, place: Place, row: Row) -> None:
        """Write the row whatever is there."""

    def replace(self, place: Place, row: Row, version: str) -> str:
        """The row's next version; raises Lost if it has another one than this, or is gone."""

    def get(self, place: Place) -> Stored | None:
        """The row, None where there is none."""

    def move(self, place: Place, to: Place, row: Row) -> None:
        """Write it elsewhere in its partition, over what is there; raises Lost if it is gone."""

    def drop(self, place: Place, version: str | None = None) -> None:
        """Remove the row, if it is there and has this version."""

    def find(
        self,
        partition: str,
        low: str = "",
        high: str = "~",
        column: str = "key",
        only: Sequence[str] = (),
        page: int = PAGE,
        within: tuple[str, str] = ("", ""),
    ) -> Iterator[Stored]:
        """Rows by key of which this column is not below `low`, nor above `high`; read as taken.

        Keys are not below the first `within`, and below the second; of each `only` these columns.
        """
