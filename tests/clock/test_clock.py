"""The clock that `make test-clock` moves."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from tests.clock import __main__ as clock
from tests.clock.plugin import BOUNDARY, FILE

if TYPE_CHECKING:
    from pathlib import Path

CROSSING = """
import os, subprocess, time
from datetime import UTC, datetime

MOMENT = datetime.fromisoformat(os.environ["RUN_RELAY_BOUNDARY"])

def crosses():
    with open("seen", "a") as file:
        file.write(f"{(MOMENT - datetime.now(UTC)).total_seconds()}\\n")
    ends = time.monotonic() + 60
    while datetime.now(UTC) < MOMENT:
        assert time.monotonic() < ends
        time.sleep(0.01)
    elsewhere = subprocess.run(["date", "+%s"], capture_output=True, check=True).stdout
    assert int(MOMENT.timestamp()) <= int(elsewhere) < MOMENT.timestamp() + 60

def test_one(): crosses()
def test_other(): crosses()
"""


@pytest.fixture
def crossing(tmp_path: Path) -> Path:
    try:
        clock.build()
    except clock.Unmovable as missing:
        pytest.skip(str(missing))
    (tmp_path / "test_crossing.py").write_text(CROSSING, "utf-8")
    return tmp_path


def test_every_test_begins_before_the_moment_and_sees_it_pass(crossing: Path) -> None:
    ours = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST")}
    ours.pop(FILE, None)
    moved = {BOUNDARY: "2028-03-01T00:00:00+00:00", "LD_PRELOAD": str(clock.LIBRARY)}
    words = ("-q", "-p", "tests.clock.plugin", "--rootdir", str(crossing), "test_crossing.py")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=crossing,
        env={**ours, **moved, "PYTHONPATH": str(clock.ROOT)},
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    before = [float(line) for line in (crossing / "seen").read_text("utf-8").splitlines()]
    assert [seconds > 0 for seconds in before] == [True, True]


def test_without_a_compiler_it_says_what_to_install(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.clock"],
        cwd=clock.ROOT,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 2
    assert ran.stdout == f"{clock.NO_COMPILER}\n"
    assert "apt-get install gcc" in clock.NO_COMPILER


@pytest.mark.parametrize("scenario", clock.SCENARIOS, ids=lambda scenario: scenario.moment)
def test_at_each_moment_a_day_or_summer_time_begins_or_ends(scenario: clock.Scenario) -> None:
    zone, moment = ZoneInfo(scenario.zone), datetime.fromisoformat(scenario.moment)
    before = moment - timedelta(seconds=1)
    changes = before.astimezone(zone).utcoffset() != moment.astimezone(zone).utcoffset()
    assert changes or before.astimezone(UTC).date() != moment.astimezone(UTC).date()
