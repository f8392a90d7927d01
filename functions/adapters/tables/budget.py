"""How long one call of the ledger may take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

WHOLE_SECONDS = 12.0  # one call of the ledger, however many requests it makes
CONNECT_SECONDS = 3.0
READ_SECONDS = 5.0
PAUSES = (0.2, 0.8)  # seconds before the second and the third attempt


class Budget:
    """The time that is left of one call of the ledger."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._ends = monotonic() + WHOLE_SECONDS

    @property
    def left(self) -> float:
        """Seconds; never zero, which the transport reads as unlimited."""
        return max(0.05, self._ends - self._monotonic())

    def options(self) -> dict[str, Any]:
        """What one request may take, for the SDK."""
        half = self.left / 2
        return {
            "retry_total": 0,
            "connection_timeout": min(CONNECT_SECONDS, half),
            "read_timeout": min(READ_SECONDS, half),
        }
