"""Plain columns: as many as fit a terminal, the last one whole; where there is none, all of all."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Table = Sequence[Sequence[str]]

GAP = 2
CUT = "…"
_WIDE, _UNSEEN = frozenset("WF"), frozenset({"Mn", "Me", "Cf"})


class Column(NamedTuple):
    """A column by its heading.

    `cut`: it may be cut to so many places, 0 never. `drop`: where there is no room it is left out,
    the highest first, 0 never.
    """

    heading: str
    cut: int = 0
    drop: int = 0


def room() -> int | None:
    """The places of a line of the terminal, None where there is no terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def lines(columns: Sequence[Column], rows: Table, within: int | None) -> Iterator[str]:
    """A line of headings, and one for each row; cells are single lines of harmless text.

    What is cut ends with an ellipsis. In a terminal a column that is empty in every row is left
    out. The last column is never cut nor left out: it is what people copy, and a terminal that is
    too narrow for it breaks it as it likes.
    """
    if within is not None:
        columns, rows = _filled(columns, rows)
    table = [[one.heading.upper() for one in columns], *rows]
    widths = [max(map(wide, cells)) for cells in zip(*table, strict=True)]
    if within is not None:
        widths = _fitted(columns, widths, within)
    for cells in table:
        *others, last = cells
        shown = [_cell(cell, width) for cell, width in zip(others, widths, strict=False) if width]
        yield (" " * GAP).join([*shown, last]).rstrip()


def _filled(columns: Sequence[Column], rows: Table) -> tuple[Sequence[Column], Table]:
    """Those columns in which some row has something, and always the last."""
    kept = [at for at in range(len(columns)) if at == len(columns) - 1 or any(r[at] for r in rows)]
    return [columns[at] for at in kept], [[row[at] for at in kept] for row in rows]


def wide(text: str) -> int:
    """How many places of a terminal a text takes.

    https://www.unicode.org/reports/tr11/
    """
    return len(text) if text.isascii() else sum(map(_places, text))


def _places(character: str) -> int:
    if unicodedata.category(character) in _UNSEEN:
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def _fitted(columns: Sequence[Column], widths: Sequence[int], within: int) -> list[int]:
    """The width of each column, 0 for one that is left out."""
    least = [min(w, c.cut) if c.cut else w for c, w in zip(columns, widths, strict=True)]
    least[-1] = min(widths[-1], within * 2 // 3)  # one very long one does not cost all others
    for at in sorted(range(len(columns)), key=lambda n: -columns[n].drop):
        if _sum(least) > within and columns[at].drop:
            least[at] = 0
    spare = max(0, within - _sum(least))
    fitted = [*least]
    for at in sorted(range(len(columns) - 1), key=lambda n: widths[n]):
        more = min(spare, widths[at] - least[at]) if least[at] else 0
        fitted[at], spare = least[at] + more, spare - more
    return fitted


def _sum(widths: Sequence[int]) -> int:
    shown = [width for width in widths if width]
    return sum(shown) + GAP * (len(shown) - 1)


def _cell(text: str, width: int) -> str:
    """The text in so many places, cut if it takes more."""
    taken = wide(text)
    if taken > width:
        while taken >= width and text:
            taken -= _places(text[-1])
            text = text[:-1]
        text, taken = text + CUT, taken + 1
    return text + " " * (width - taken)
