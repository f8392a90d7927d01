"""The ports by which people are told: the notices that wait in the ledger, and who sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from functions.core.kept.notice import Message, Notice, Told
    from functions.core.routes.channel import Channel
    from functions.core.terms.deadline import Deadline


class NoticeBook(Protocol):
    """Notices and what became of them. Raises LedgerUnavailable when it cannot do its work."""

    def keep(self, notice: Notice) -> None:
        """Let it wait; the same one again changes nothing."""

    def waiting(self, limit: int, channel: str | None = None) -> Sequence[Notice]:
        """So many that wait, those of one channel together, the oldest of each first."""

    def is_told(self, notice: Notice) -> bool:
        """Whether it is known what became of it."""

    def settle(self, notice: Notice, told: Told, until: str) -> None:
        """Write what became of it, known until then (ISO 8601), and let it wait no more."""

    def drop(self, notice: Notice) -> None:
        """Let it wait no more; one that is gone already is no error."""

    def of(self, of: str) -> tuple[Sequence[Told], Sequence[Notice]]:
        """What became of all that was about this, the first first, and what of it still waits."""


class Messenger(Protocol):
    """Whoever brings messages to channels."""

    def send(
        self,
        channel: Channel,
        message: Message,
        deadline: Deadline,
        may_begin: Callable[[], bool] | None = None,
    ) -> None:
        """Send it once, if it `may_begin` still, which is asked last of all.

        Raises Retryable where it was not taken and may be later, Permanent where this message never
        will be, and InDoubt where no answer came.
        """

    def ready(self, channel: Channel, deadline: Deadline) -> None:
        """Raises Retryable where nothing can be sent there: its secrets, or their host."""
