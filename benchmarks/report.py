"""What was measured, and how it is kept: `figures.json`, and `RESULTS.md` for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.json import decode

from benchmarks.names import HERE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

FIGURES, RESULTS = "figures.json", "RESULTS.md"
HEAD = """# What was measured

Written by `make bench` and `make bench-growth`, a section each time it is measured; the numbers are
also in `figures.json`. Ratios hold on other machines, milliseconds do not. What is measured, and
beside what, is said in [README.md](README.md).
"""


class Target(Struct, frozen=True):
    """A figure that must not be above its limit, or not below it; `why` explains a miss."""

    what: str
    found: float
    limit: float
    unit: str = "×"
    at_least: bool = False
    why: str = ""

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.found >= self.limit if self.at_least else self.found <= self.limit

    @property
    def row(self) -> Sequence[str]:
        """What a table shows of it."""
        sign = "≥" if self.at_least else "≤"
        unit = self.unit if self.unit in {"×", ""} else f" {self.unit}"
        why = f": {self.why}" if self.why else ""
        verdict = "met" if self.met else f"**missed**{why}"
        return (
            self.what,
            f"{number(self.found)}{unit}",
            f"{sign} {number(self.limit)}{unit}",
            verdict,
        )


class Section(Struct, frozen=True, kw_only=True):
    """One part: a text in Markdown, its targets, and figures by name for others to count with."""

    title: str
    text: str
    targets: tuple[Target, ...] = ()
    figures: dict[str, float] = field(default_factory=dict)
    machine: str = ""


def read(folder: Path = HERE) -> dict[str, Section]:
    """The sections as they were measured last, by the names of their parts."""
    file = folder / FIGURES
    return decode(file.read_bytes(), type=dict[str, Section]) if file.exists() else {}


def write(measured: Mapping[str, Section], order: Iterable[str], folder: Path = HERE) -> None:
    """Keep these sections, and what was kept of others, in this order."""
    known = read(folder) | dict(measured)
    kept = {name: known[name] for name in order if name in known}
    document = {name: _plain(section) for name, section in kept.items()}
    figures = json.dumps(document, indent=1, ensure_ascii=False)
    (folder / FIGURES).write_text(f"{figures}\n", "utf-8")
    (folder / RESULTS).write_text("\n".join([HEAD, *map(shown, kept.values())]), "utf-8")


def shown(section: Section) -> str:
    """A section in Markdown."""
    parts = [f"## {section.title}", section.text]
    if section.targets:
        head = ("figure", "measured", "target", "")
        parts.append(table(head, [target.row for target in section.targets]))
    if section.machine:
        parts.append(f"<sub>{section.machine}</sub>")
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown; the first column is text, the others are numbers or short."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    lines += [[number(c) if isinstance(c, float) else str(c) for c in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float) -> str:
    """Three digits that count, thousands apart."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004


def _plain(section: Section) -> dict[str, object]:
    return {
        "title": section.title,
        "text": section.text,
        "targets": [{n: getattr(t, n) for n in t.__struct_fields__} for t in section.targets],
        "figures": {name: round(value, 6) for name, value in section.figures.items()},
        "machine": section.machine,
    }
