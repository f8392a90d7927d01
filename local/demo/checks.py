"""What must be so: each expectation has a name, and one that is not so ends the demo."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.screen import Screen


class NotSo(Exception):
    """An expectation failed; the message says which, what was seen and what to look at."""


class Checks:
    """Expectations in the order they were checked; `passed` has their names."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self.passed: list[str] = []

    def expect(self, name: str, *, so: bool, seen: object, look_at: object) -> None:
        """Tell whether it is so; raises NotSo."""
        self._screen.check(name, so=so)
        if not so:
            raise NotSo(f"Not so: {name}.\n  Seen:    {seen}\n  Look at: {look_at}")
        self.passed.append(name)
