"""A pytest plugin: in every test a day ends, a year, or summer time.

A suite that is started two minutes before midnight has one test that crosses midnight. Here each
test does: before it is set up, the clock is put so far before the boundary that it passes about
in the test's middle. The middle is known from the last time the test ran, which `.cache/clock`
remembers; a test that never ran crosses the boundary after FIRST seconds.

The clock is that of clock.c, for this process and those that it starts. It runs at the usual
pace, so timeouts are what they were; between two tests it steps back, by seconds. Each worker of
pytest-xdist has a clock of its own.

BOUNDARY in the environment is the moment, as in 2027-01-01T00:00:00+00:00.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOUNDARY, FILE = "RUN_RELAY_BOUNDARY", "RUN_RELAY_CLOCK"
FIRST = 0.1
UNMOVED = bytes(8)


class Clock:
    """The time of day of this process, and of those that it starts from now on."""

    def __init__(self, file: Path) -> None:
        file.write_bytes(UNMOVED)
        if ctypes.CDLL(None).clock_follow(os.fsencode(file)):
            raise OSError(f"cannot follow {file}")
        os.environ[FILE] = str(file)
        self._file, self._moved = file, 0

    def put(self, seconds: float) -> None:
        """Let it be that time now, in seconds of the epoch."""
        self._moved += int(seconds * 1e9) - time.time_ns()
        with self._file.open("r+b") as written:  # in place: the file is mapped
            written.write(self._moved.to_bytes(8, sys.byteorder, signed=True))


class Boundary:
    """Puts the clock before a moment, for each test anew."""

    def __init__(self, moment: datetime, directory: Path, worker: str) -> None:
        self._moment = moment.timestamp()
        self._clock = Clock(directory / f"{worker}.clock")
        self._known = directory / f"{worker}.json"
        self._middles: dict[str, float] = {}
        self._now: dict[str, float] = {}
        for file in sorted(directory.glob("*.json"), key=lambda found: found.stat().st_mtime):
            self._middles |= json.loads(file.read_text("utf-8"))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Let the boundary pass while this test runs."""
        self._clock.put(self._moment - self._middles.get(item.nodeid, FIRST))
        began = time.monotonic()
        result = yield
        self._now[item.nodeid] = (time.monotonic() - began) / 2
        return result

    def pytest_sessionfinish(self) -> None:
        """Remember how long the tests took."""
        if self._now:  # the process that only hands out the tests measured none
            self._known.write_text(json.dumps(self._middles | self._now), "utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Take over the clock."""
    moment = datetime.fromisoformat(os.environ[BOUNDARY])
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    directory = config.rootpath / ".cache" / "clock"
    directory.mkdir(parents=True, exist_ok=True)
    boundary = Boundary(moment, directory, worker)
    config.pluginmanager.register(boundary)
