"""What the demo writes: lines with the seconds since it began; colour on a terminal only."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

BOLD, DIM, RED, GREEN, CYAN = "1", "2", "31", "32", "36"


class Screen:
    """Writes whole lines and flushes each. NO_COLOR is heeded (https://no-color.org)."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._colour = out.isatty() and "NO_COLOR" not in os.environ
        self._began = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the screen was made."""
        return time.monotonic() - self._began

    def title(self, text: str) -> None:
        """A heading after an empty line."""
        self.plain(f"\n{self._in(BOLD, text)}")

    def say(self, text: str) -> None:
        """A line with the time."""
        self.plain(f"{self._in(DIM, f'{self.elapsed:6.1f} s')}  {text}")

    @contextmanager
    def step(self, text: str) -> Iterator[list[str]]:
        """A slow step: said when it begins and when it is done.

        What is put into the list that it gives is said at the end; after an exception, nothing.
        """
        self.say(f"{text} ...")
        began, results = time.monotonic(), list[str]()
        yield results
        took = f"({time.monotonic() - began:.1f} s)"
        self.say(f"  done: {' '.join([*results, took])}" if results else f"  done {took}")

    def told(self, label: str, text: str, after_ms: float | None = None) -> None:
        """Something that happened, with the milliseconds since the event was published."""
        at = "" if after_ms is None else f"+{after_ms:.0f} ms"
        self.plain(f"{self._in(DIM, at.rjust(12))} {self._in(CYAN, label.ljust(12))} {text}")

    def check(self, text: str, *, so: bool) -> None:
        """A check and how it came out."""
        mark = self._in(GREEN, "ok    ") if so else self._in(RED, "FAILED")
        self.plain(f"     {mark} {text}")

    def failed(self, text: str) -> None:
        """Why it all came to nothing."""
        self.plain(self._in(RED, text))

    def plain(self, text: str) -> None:
        """A line as it is."""
        self._out.write(f"{text}\n")
        self._out.flush()

    def _in(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text
