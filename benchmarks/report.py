"""What was measured, and how it is kept: `figures.json`, and `RESULTS.md` for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field, json

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
TARGETS = ("figure", "measured", "target", "")


class Target(Struct, frozen=True):
    """A figure that must not be above its limit, or not below it.

    A miss up to `accepted` is no failure, and `why` tells the reason. One that is not `listed` is
    shown by another table, and among the targets of its section only if it is missed. `counted`: no
    clock has a part in it, so that it is the same on a busy machine.
    """

    what: str
    found: float
    limit: float
    unit: str = "×"
    at_least: bool = False
    accepted: float | None = None
    why: str = ""
    listed: bool = True
    counted: bool = False

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self._within(self.limit)

    def fails(self, rough: float = 1.0) -> bool:
        """Whether it is missed by more than is accepted; a timed one by `rough` times as much."""
        bounds = [bound for bound in (self.limit, self.accepted) if bound is not None]
        slack = 1.0 if self.counted else rough
        return not any(
            self._within(bound / slack if self.at_least else bound * slack) for bound in bounds
        )

    @property
    def row(self) -> Sequence[str]:
        """What a table shows of it."""
        return (
            self.what,
            self._text(self.found),
            f"{self._sign} {self._text(self.limit)}",
            "met" if self.met else f"**missed**{self._excuse}",
        )

    @property
    def _excuse(self) -> str:
        if self.accepted is None:
            return ""
        return f", accepted {self._sign} {self._text(self.accepted)}: {self.why}"

    @property
    def _sign(self) -> str:
        return "≥" if self.at_least else "≤"

    def _within(self, limit: float) -> bool:
        return self.found >= limit if self.at_least else self.found <= limit

    def _text(self, value: float) -> str:
        return number(value) + (self.unit if self.unit in {"×", ""} else f" {self.unit}")


class Section(Struct, frozen=True, kw_only=True):
    """One part: a text in Markdown, its targets, and figures by name for others to count with.

    `machine` is what it was measured on, and `seconds` how long that took.
    """

    title: str
    text: str
    targets: tuple[Target, ...] = ()
    figures: dict[str, float] = field(default_factory=dict)
    machine: str = ""
    seconds: float = 0


def read(folder: Path = HERE) -> dict[str, Section]:
    """The sections as they were measured last, by the names of their parts."""
    file = folder / FIGURES
    return json.decode(file.read_bytes(), type=dict[str, Section]) if file.exists() else {}


def write(measured: Mapping[str, Section], order: Iterable[str], folder: Path = HERE) -> None:
    """Keep these sections, and what was kept of others, in this order."""
    known = read(folder) | dict(measured)
    kept = {name: known[name] for name in order if name in known}
    (folder / FIGURES).write_bytes(json.format(json.encode(kept), indent=1) + b"\n")
    texts = [HEAD, summary(kept), *map(shown, kept.values())]
    (folder / RESULTS).write_text("\n".join(texts), "utf-8")


def summary(sections: Mapping[str, Section]) -> str:
    """How many targets are met and which are not, how long it took, and on what."""
    targets = [target for section in sections.values() for target in section.targets]
    missed = [target.row for target in targets if not target.met]
    met = f"{len(targets) - len(missed)} of {len(targets)} targets are met."
    times = {name: section.seconds for name, section in sections.items() if section.seconds}
    took = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in times.items())
    machines: dict[str, list[str]] = {}
    for name, section in sections.items():
        machines.setdefault(section.machine, []).append(name)
    several = len(machines) > 1
    on = (f"{', '.join(names)}: {it}" if several else it for it, names in machines.items())
    parts = [f"{met} Those that are not:" if missed else met]
    parts += [table(TARGETS, missed)] if missed else []
    return "\n\n".join([*parts, f"It took: {took}.", *on]) + "\n"


def shown(section: Section) -> str:
    """A section in Markdown."""
    parts = [f"## {section.title}", section.text]
    if rows := [target.row for target in section.targets if target.listed or not target.met]:
        parts.append(table(TARGETS, rows))
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown; the first column is text, the others are numbers or short."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    lines += [[number(c) if isinstance(c, float) else str(c) for c in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float) -> str:
    """Three digits that count, thousands apart."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004
