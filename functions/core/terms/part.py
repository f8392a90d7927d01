"""A part of the schedule: what a round of its own works off, as fast as others do theirs.

Where a continuation belongs follows from the hash of its run alone, so that another number of
parts moves no row. docs/adr/0032-rounds-in-parts.md
"""

from __future__ import annotations

from typing import NamedTuple

PLACES = 0x10000  # that the first four digits of a hash can have
MOST_PARTS = 64


class Part(NamedTuple):
    """The one of this `number`, from 0 on, `of` so many. Every row is in exactly one of them."""

    number: int
    of: int

    @property
    def keys(self) -> tuple[str, str]:
        """None in it is below the first of these, and all are below the second; "" is no bound."""
        begin = f"{_place(self.number, self.of):04x}" if self.number else ""
        end = f"{_place(self.number + 1, self.of):04x}" if self.number + 1 < self.of else ""
        return begin, end

    def place(self, turn: int) -> str:
        """The beginning of a key in it: with each turn, of so many places, another one."""
        begins, ends = (_place(number, self.of) for number in (self.number, self.number + 1))
        return f"{begins + turn * (ends - begins) // PLACES:04x}"


def _place(number: int, of: int) -> int:
    return PLACES * number // of


def parts(of: int) -> list[Part]:
    """All of so many."""
    return [Part(number, of) for number in range(of)]
