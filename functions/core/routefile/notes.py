"""Mistakes and warnings, each with the line that an editor can jump to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from functions.core.errors import RoutesUnreadable
from functions.core.values import bounded

if TYPE_CHECKING:
    from collections.abc import Callable

    At = tuple[str | int, ...]

MOST_LINES = 100
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")


class Note(Struct, frozen=True, order=True):
    """Something to say about one place in the file."""

    line: int
    where: str
    what: str

    def text(self, file: str) -> str:
        """As the reader sees it."""
        where = f"{self.where}: " if self.where else ""
        return bounded(f"{file}:{self.line}: {where}{self.what}", 1000)


class Notes:
    """Collects what is found while `file` is read; `line_of` gives the line of a path."""

    def __init__(self, line_of: Callable[[At], int], file: str) -> None:
        self._line_of = line_of
        self._file = file
        self._problems: list[Note] = []
        self._warnings: list[Note] = []

    def problem(self, at: At, what: str, line: int | None = None) -> None:
        """The file cannot be used because of this."""
        self._problems.append(Note(line or self._line_of(at), dotted(at), what))

    def warning(self, at: At, what: str) -> None:
        """The file can be used, and its reader should know this."""
        self._warnings.append(Note(self._line_of(at), dotted(at), what))

    def refuse(self) -> None:
        """Raise RoutesUnreadable if there is a problem."""
        lines = [note.text(self._file) for note in sorted(set(self._problems))]
        if len(lines) > MOST_LINES:
            lines[MOST_LINES:] = [f"{self._file}: and {len(lines) - MOST_LINES} more problems"]
        if lines:
            raise RoutesUnreadable(lines)

    def warnings(self) -> tuple[str, ...]:
        """The warnings by line."""
        return tuple(note.text(self._file) for note in sorted(set(self._warnings)))


def dotted(at: At) -> str:
    """("routes", 0, "start") as `routes[0].start`."""
    text = ""
    for step in at:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f'["{bounded(step, 60)}"]'
    return text
