"""The machine's clocks."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """Time of day in UTC, and monotonic seconds."""

    def now(self) -> datetime:
        """The time of day."""
        return datetime.now(UTC)

    monotonic = staticmethod(time.monotonic)  # seconds that only grow; asked some 30 times a start

    def sleep(self, seconds: float) -> None:
        """Do nothing for so long."""
        time.sleep(seconds)
