"""One round of the app by a clock that is so many seconds ahead, or behind if there are less.

    python -m local.demo.rounds SECONDS

A process of its own, since a story is told within a minute, and what is expected is so by a day.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from functions import connections
from functions.adapters.clock import SystemClock
from functions.bootstrap import App
from functions.configuration import settings
from local.host import console

if TYPE_CHECKING:
    from datetime import datetime


class Moved(SystemClock):
    """The machine's clock, moved on."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        """The time of day."""
        return super().now() + self._by

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return super().monotonic() + self._by.total_seconds()


def main() -> None:
    """Do the round; what it has to say goes to stdout."""
    console.log_to_stdout()
    read = settings.read(os.environ)
    clock = Moved(timedelta(seconds=float(sys.argv[1])))
    App(read, connections.connect(read, clock)).reconciler.reconcile()


if __name__ == "__main__":
    main()
