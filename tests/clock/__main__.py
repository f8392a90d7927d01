"""Runs the tests while the time of day passes what they might trip over: `make test-clock`.

    python -m tests.clock [ARGUMENTS OF PYTEST]

Every test crosses every boundary: tests/clock/plugin.py says how. Exit code 1 if one failed, 2
if the clock cannot be moved here.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.clock.plugin import BOUNDARY, FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "clock"
LIBRARY = CACHE / "clock.so"
SPIN = "while True: pass"
NOT_REAL = ("-m", "not real and not proof", "-n", "2", "--maxprocesses", "2", "--dist", "loadfile")
NO_COMPILER = "there is no C compiler, which the movable clock needs: apt-get install gcc libc6-dev"


class Scenario(NamedTuple):
    """A moment that every test is to see pass, in a zone, beside so many processes that spin."""

    name: str
    moment: str
    zone: str
    busy: int = 0


SCENARIOS = (
    Scenario("a year ends, in a zone of half hours", "2027-01-01T00:00:00+00:00", "Asia/Kolkata"),
    Scenario("29 February ends", "2028-03-01T00:00:00+00:00", "Europe/Berlin"),
    Scenario("summer time begins", "2027-03-14T05:30:00+00:00", "America/St_Johns"),
    Scenario("summer time ends, under load", "2027-10-31T01:00:00+00:00", "Europe/Berlin", busy=2),
)


class Unmovable(Exception):
    """The clock cannot be moved on this machine; the text says what is missing."""


def build() -> None:
    """Make the library that moves the clock."""
    if platform.system() != "Linux":
        raise Unmovable(f"the movable clock is made for Linux, and this is {platform.system()}")
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise Unmovable(NO_COMPILER)
    CACHE.mkdir(parents=True, exist_ok=True)
    source = Path(__file__).with_name("clock.c")
    command = (compiler, "-std=c11", "-O2", "-Wall", "-shared", "-fPIC", "-o", LIBRARY, source)
    built = subprocess.run(command, capture_output=True, check=False, text=True)
    if built.returncode:  # a compiler without the C library's headers is none
        raise Unmovable(f"{NO_COMPILER}\n{built.stderr}")


@contextmanager
def beside(busy: int) -> Iterator[None]:
    """Let so many processes spin meanwhile."""
    spinning = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(busy)]
    try:
        yield
    finally:
        for one in spinning:
            one.kill()
            one.wait()


def run(scenario: Scenario, arguments: list[str]) -> int:
    """Run the tests once; pytest's exit code."""
    print_line(f"== {scenario.name}: {scenario.moment} in {scenario.zone}")
    moved = {BOUNDARY: scenario.moment, "TZ": scenario.zone, "LD_PRELOAD": str(LIBRARY)}
    environ = {name: value for name, value in os.environ.items() if name != FILE}
    command = (sys.executable, "-m", "pytest", "-q", "-p", "tests.clock.plugin")
    with beside(scenario.busy):
        return subprocess.run(
            [*command, *NOT_REAL, *arguments], cwd=ROOT, env=environ | moved, check=False
        ).returncode


def print_line(text: str) -> None:
    """Tell it at once: what follows is told by other processes."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(*arguments: str) -> int:
    """Run all scenarios; the exit code."""
    try:
        build()
    except Unmovable as missing:
        print_line(str(missing))
        return 2
    codes = {scenario: run(scenario, list(arguments)) for scenario in SCENARIOS}
    for scenario, code in codes.items():
        print_line(f"{'failed' if code else 'passed'}: {scenario.name}")
    return 1 if any(codes.values()) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
