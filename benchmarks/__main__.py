"""How fast, light and cheap it is, beside what people would otherwise run.

    python -m benchmarks [--quick | --smoke] [--beside COMMIT] [PART...]

Without parts all but those of `make bench-growth` are measured: `growth`, `page`, `carrying`,
`backlog` and `sweeping`. Writes RESULTS.md and figures.json beside this file; with --quick, whose
figures are rough, it only prints, and takes a timed figure for missed only beyond three times its
limit: the machine may be at work on something else. Exit codes: 0 done, 1 a target was missed by
more than is accepted, 2 something is not installed, 3 something could not be measured.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import sys
import time
from typing import TYPE_CHECKING

from msgspec.structs import replace

from benchmarks import bench, machine, report
from local.real.azurite import NotInstalledError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.bench import Bench
    from benchmarks.report import Section

USUAL = {
    "latency": "benchmarks.latency.delivery",
    "throughput": "benchmarks.load.throughput",
    "coldstart": "benchmarks.cold.start",
    "burst": "benchmarks.load.burst",
    "routes": "benchmarks.load.routes",
    "bill": "benchmarks.cost.bill",
}
LONG = {
    "growth": "benchmarks.growth.growth",
    "page": "benchmarks.growth.page",
    "carrying": "benchmarks.growth.carrying",
    "backlog": "benchmarks.growth.backlog",
    "sweeping": "benchmarks.load.sweeping",
}
PARTS = USUAL | LONG
BESIDE = "beside"
ROUGHLY = 3.0
SIZES = {
    bench.QUICK: "rough figures, in a minute",
    bench.SMOKE: "a few of everything, to see that it can be measured",
}


def main() -> int:
    """Measure, keep and tell; the exit code."""
    options = _options().parse_args()
    try:
        with bench.running(options.size) as running:
            for name, measure in _measures(options):
                began = time.monotonic()
                section: Section = measure(running)
                took = time.monotonic() - began
                section = replace(section, machine=machine.described(), seconds=took)
                running.done[name] = section
                sys.stdout.write(f"\n{report.shown(section)}\n")
                sys.stdout.flush()
    except NotInstalledError as absent:
        sys.stderr.write(f"{absent}\n")
        return 2
    except RuntimeError as broken:
        sys.stderr.write(f"\n{broken}\n")
        return 3
    if options.size == bench.USUAL:
        report.write(running.done, [*PARTS, BESIDE])
    sys.stdout.write(report.summary(running.done))
    rough = ROUGHLY if running.quick else 1.0
    return int(any(t.fails(rough) for done in running.done.values() for t in done.targets))


def _parts(named: Sequence[str]) -> Sequence[str]:
    """What to measure; the bill counts with what a start takes, so it follows that."""
    parts = list(named or USUAL)
    return [*parts, *(["bill"] if "latency" in parts and "bill" not in parts else [])]


def _measures(options: argparse.Namespace) -> Iterator[tuple[str, Callable[[Bench], Section]]]:
    """What gives each section; beside an earlier build nothing else is measured, unless named."""
    if options.beside:
        beside = importlib.import_module("benchmarks.earlier.beside")
        yield BESIDE, functools.partial(beside.measured, options.beside)
    for name in _parts(options.parts) if options.parts or not options.beside else ():
        yield name, importlib.import_module(PARTS[name]).measured


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sizes = parser.add_mutually_exclusive_group()
    for size, what in SIZES.items():
        sizes.add_argument(f"--{size}", dest="size", action="store_const", const=size, help=what)
    parser.set_defaults(size=bench.USUAL)
    parser.add_argument(
        "--beside", metavar="COMMIT", help="this build and that of an earlier commit, in turns"
    )
    parser.add_argument(
        "parts",
        nargs="*",
        choices=[[], *PARTS],  # the empty list is what argparse checks where none is given
        metavar="PART",
        help=", ".join(PARTS),
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
