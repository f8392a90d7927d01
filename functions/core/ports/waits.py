"""The port of the waits: the part of the ledger that agentless tasks are kept in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.kept.tasks import Wait


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
