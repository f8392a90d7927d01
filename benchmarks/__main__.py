"""How fast, light and cheap it is, beside what people would otherwise run.

    python -m benchmarks [--quick] [PART...]

Without parts all but `growth` and `page` are measured, which have a target of their own
(`make bench-growth`). Writes RESULTS.md and figures.json beside this file; with --quick, whose
figures are rough, it only prints. Exit code 1 if a target was missed that the report does not
explain, 2 if something is not installed.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import TYPE_CHECKING

from msgspec.structs import replace

from benchmarks import bench, machine, report
from local.azurite import NotInstalledError

if TYPE_CHECKING:
    from benchmarks.report import Section

USUAL = ("latency", "throughput", "coldstart", "burst", "routes", "bill")
LONG = ("growth", "page")


def main() -> int:
    """Measure, keep and tell; the exit code."""
    options = _options().parse_args()
    try:
        with bench.running(quick=options.quick) as running:
            for name in options.parts or USUAL:
                part = importlib.import_module(f"benchmarks.{name}")
                section: Section = part.measured(running)
                running.done[name] = replace(section, machine=machine.described())
                sys.stdout.write(f"\n{report.shown(section)}\n")
                sys.stdout.flush()
    except NotInstalledError as absent:
        sys.stderr.write(f"{absent}\n")
        return 2
    if not options.quick:
        report.write(running.done, (*USUAL, *LONG))
    missed = [t for section in running.done.values() for t in section.targets if not t.met]
    for target in missed:
        sys.stdout.write(f"missed: {' '.join(target.row)}\n")
    return 1 if any(not target.why for target in missed) else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="rough figures in under a minute")
    names = (*USUAL, *LONG)
    parser.add_argument(
        "parts", nargs="*", choices=[[], *names], metavar="PART", help=", ".join(names)
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
