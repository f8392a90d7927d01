"""Run requests that the service takes but queues only later: the window no client can close."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Work = Callable[[], object]


class HeldBack:
    """Work that waits for its time, or for `release`. Each piece is done at most once."""

    def __init__(self) -> None:
        self._seconds: list[float] = []
        self._waiting: dict[int, tuple[threading.Timer, Work]] = {}
        self._count = 0
        self._lock = threading.Lock()

    def queue_later(self, seconds: float, times: int = 1) -> None:
        """For the next `times` good run requests: drop the connection, queue it later."""
        with self._lock:
            self._seconds += [seconds] * times

    def queue_now(self) -> None:
        """Queue at once everything that is held back."""
        with self._lock:
            waiting = list(self._waiting)
        for number in waiting:
            self._do(number)

    def holds(self, work: Work) -> bool:
        """Whether this work is held back; if not, the caller does it."""
        with self._lock:
            if not self._seconds:
                return False
            number = self._count = self._count + 1
            timer = threading.Timer(self._seconds.pop(0), self._do, [number])
            timer.daemon = True
            self._waiting[number] = timer, work
            timer.start()
        return True

    def clear(self) -> None:
        """Forget what is held back and hold nothing back any more."""
        with self._lock:
            for timer, _ in self._waiting.values():
                timer.cancel()
            self._waiting.clear()
            self._seconds.clear()

    def _do(self, number: int) -> None:
        with self._lock:
            timer, work = self._waiting.pop(number, (None, None))
        if timer is not None and work is not None:
            timer.cancel()
            work()
