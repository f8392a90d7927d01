"""The port of the list of what is followed: the part of the ledger that only rounds need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.kept.summary import Followed, Summary
    from functions.core.terms.runs import Key


class FollowBook(Protocol):
    """Starts whose pipeline runs go on. Raises LedgerUnavailable when it cannot do its work."""

    def follow(self, one: Followed) -> None:
        """Let `due` show it from its due time on."""

    def move(self, one: Followed, to: Followed) -> None:
        """Let it be due at another time; it is in the list meanwhile, whatever breaks.

        One that is gone, since another process has moved or dropped it, is left to that one.
        """

    def drop(self, one: Followed) -> None:
        """Take it from the list; one that is gone already is no error."""

    def due(self, now: datetime, limit: int) -> Sequence[Followed]:
        """So many whose time has come, the longest due first.

        Where there are more, also those that became due last: who is behind does not hide them.
        """

    def keys(self) -> frozenset[Key] | None:
        """All that are in the list; None where there are too many to tell."""

    def lately(self, since: datetime) -> Sequence[Summary]:
        """The newest thousand that have left the schedule, of those claimed since then."""

    def show(self, c: Continuation) -> None:
        """Let lists show what has ended as it is now."""
