"""How long things take with 1,000 continuations in the ledger, and with very many.

A million take about 9 GB in the folder that TMPDIR names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import bench
from benchmarks.bench import told
from benchmarks.growth.filling import filled
from benchmarks.report import Section, Target, number, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.bench import Bench

    Found = dict[str, dict[str, float]]  # milliseconds by act and number of continuations

SIZES: dict[str, dict[str, tuple[int, ...]]] = {
    bench.USUAL: {"sqlite": (1_000, 100_000, 1_000_000), "table": (1_000, 100_000)},
    bench.QUICK: {"sqlite": (1_000, 10_000)},
    bench.SMOKE: {"sqlite": (100, 200)},
}
LIMITS = {"sqlite": 1.2, "table": 1.3}
NAMES = {"sqlite": "SQLite", "table": "a table in Azurite"}
ACTS = {
    "claim": "claim of a new run",
    "duplicate": "claim of a known one",
    "look": "look into the empty inbox",
    "list": "list of the newest 1,000",
    "recent": "the newest 100, whole",
    "round": "reconciler's round, nothing open",
    "busy_round": "the same, 20 wait and 8 leave the schedule",
    "sweep": "sweep over 20 known runs",
}
REPEATS, SECONDS = 400, 20
ROUGHLY, BRIEFLY = 150, 1


def measured(running: Bench) -> Section:
    """The parts of the app that read or write the ledger, over ledgers of every size."""
    running.lag("none")
    sizes = SIZES[running.size]
    found = {kind: _found(running, kind, counts) for kind, counts in sizes.items()}
    return Section(
        title="Growth",
        text="\n\n".join([_HEAD, *(_text(kind, acts) for kind, acts in found.items())]),
        targets=tuple(target for kind, acts in found.items() for target in _targets(kind, acts)),
        figures={
            f"{kind}.{act}.{count}.ms": ms
            for kind, acts in found.items()
            for act, by_count in acts.items()
            for count, ms in by_count.items()
        },
    )


def _found(running: Bench, kind: str, counts: tuple[int, ...]) -> Found:
    ledgers = {str(count): filled(running, kind, count) for count in counts}
    repeats, seconds = running.times(REPEATS, ROUGHLY), running.times(SECONDS, BRIEFLY)
    with told(f"asking {kind} with {' and '.join(f'{count:,}' for count in counts)}"):
        found: Found = running.subject(
            "growth", {}, sizes=ledgers, repeats=repeats, seconds=seconds
        )
    return found


def _text(kind: str, acts: Found) -> str:
    counts = list(acts["claim"])
    head = [f"{NAMES[kind]}, ms", *(f"{int(count):,}" for count in counts)]
    ratios = [f"{int(count):,} / {int(counts[0]):,}" for count in counts[1:]]
    rows = (_row(ACTS[act], list(by_count.values())) for act, by_count in acts.items())
    return table([*head, *ratios], rows) + _NOTES.get(kind, "")


def _row(name: str, took: list[float]) -> list[object]:
    return [name, *took, *(f"{number(ms / took[0])}×" for ms in took[1:])]


def _targets(kind: str, acts: Found) -> Iterator[Target]:
    for act in ("claim", "duplicate"):
        least, *_, most = acts[act]
        what = f"{NAMES[kind]}: {ACTS[act]}, {int(most):,} against {int(least):,}"
        yield Target(what, acts[act][most] / acts[act][least], LIMITS[kind])


_HEAD = """Median milliseconds with so many ended continuations in the ledger. One process asks all
sizes in turn, the small before the large and the other way round, so that what disturbs the
machine disturbs all of them."""
_NOTES = {
    "table": """

Azurite looks at every row of a table for each query that is not for a single row, Table storage
only at those between two keys: the look into the inbox, one query that finds nothing, shows what
that alone costs here. A claim is no query, a round and a list are several, a sweep is one for each
run and a few more."""
}
