"""Fresh processes under load, each with its first events all at once: none ends by a signal.

`RUN_RELAY_STRESS_PROCESSES` is how many; `make stress` takes 300.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.terms.words import State
from tests.running.shipping import ROOT
from tests.stage.azure import Stage, changed, completed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.cloud import Cloud

PROCESSES = int(os.environ.get("RUN_RELAY_STRESS_PROCESSES", "3"))
AT_ONCE = 2 * (os.cpu_count() or 2)
BUSY = os.cpu_count() or 2
STARTED, PARKED, FRESH = 16, 4, 8
QUERIES: tuple[dict[str, str], ...] = ({}, {"state": "open"})
BUSY_LOOP = "while True: pass"


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path) -> Stage:
    """An app whose ledger knows runs that started, and some that AML does not know yet."""
    stage = Stage(cloud, tmp_path)
    for n in range(STARTED):
        stage.aml.add_run(f"started-{n}", experiment="defect-detection")
        stage.deliver(completed(f"started-{n}"))
    for n in range(PARKED):
        stage.deliver(completed(f"parked-{n}"))  # which AML does not know yet
    return stage


def settled(ledger: Path) -> None:
    """Have all that was written in the file itself, so that it can be copied."""
    with closing(sqlite3.connect(ledger)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def load() -> Iterator[None]:
    """Keep every core busy with something else."""
    with ExitStack() as stack:
        for _ in range(BUSY):
            loop = stack.enter_context(subprocess.Popen([sys.executable, "-c", BUSY_LOOP]))
            stack.callback(loop.kill)
        yield


def plan(process: int) -> list[list[Any]]:
    """Thirty-two acts, of which those on fresh runs start pipelines."""
    told = [completed(f"started-{n}") for n in range(STARTED // 2)]
    told += [changed(f"started-{n}", "Completed") for n in range(STARTED // 2, STARTED)]
    told += [completed(f"parked-{n}") for n in range(PARKED)]
    told += [completed(f"fresh-{process}-{n}") for n in range(FRESH)]
    shown = [["show", query] for query in QUERIES]
    return [*(["deliver", event] for event in told), *shown, ["reconcile"], ["reconcile"]]


def trouble(stage: Stage, process: int, folder: Path) -> str:
    """How a process ended and what it said, where it did not end well."""
    ledger = folder / f"ledger-{process}.db"
    shutil.copyfile(folder / "ledger.db", ledger)
    child = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-m", "tests.stress.first"],
        cwd=ROOT,
        env={**os.environ, **stage.environ, "LEDGER_URL": f"sqlite:///{ledger}"},
        input=json.dumps(plan(process)),
        capture_output=True,
        check=False,
        text=True,
    )
    ledger.unlink()
    if (child.returncode, child.stdout) == (0, "[]"):
        return ""
    return f"{process}: {child.returncode} {child.stdout} {child.stderr[-4000:]}"


def test_no_fresh_process_dies_of_many_first_events_at_once(stage: Stage, tmp_path: Path) -> None:
    fresh = [f"fresh-{process}-{n}" for process in range(PROCESSES) for n in range(FRESH)]
    for run in fresh:
        stage.aml.add_run(run, experiment="defect-detection")
    known = len(stage.devops.runs)
    assert (known, stage.only("parked-0").state) == (STARTED, State.OPEN)
    settled(tmp_path / "ledger.db")
    with load(), ThreadPoolExecutor(AT_ONCE) as pool:
        ended = list(pool.map(lambda n: trouble(stage, n, tmp_path), range(PROCESSES)))
    assert list(filter(None, ended)) == []
    queued = Counter(run for _, run in stage.started()[known:])
    assert queued == Counter(fresh)
