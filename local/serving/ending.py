"""How a local service that runs alone comes to its end."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


LOOKS_EVERY = 0.5
"""Seconds: a signal that the kernel hands to another thread does not wake the one that waits.

A process that goes on after SIGSTOP may be given the next signal so.
https://docs.python.org/3/library/signal.html#signals-and-threads
"""


def on_signal() -> Callable[[], int]:
    """Catch SIGTERM and SIGINT from now on; the result waits for one and gives the exit code.

    0 for SIGTERM, 130 for SIGINT. To be called in the main thread.
    """
    ended, codes = threading.Event(), [0]

    def end(number: int, _frame: object) -> None:
        codes[0] = 130 if number == signal.SIGINT else 0
        ended.set()

    def wait() -> int:
        while not ended.wait(LOOKS_EVERY):
            pass
        return codes[0]

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    return wait
