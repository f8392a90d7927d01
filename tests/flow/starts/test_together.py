"""Events that arrive together do not wait for each other, and share what only one need do."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT
from tests.running.shipping import ROOT
from tests.stage.azure import completed

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud
    from tests.stage.azure import Stage

TOGETHER = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from functions import bootstrap
count = 8
barrier = threading.Barrier(count)
def ask(_):
    barrier.wait()
    return id(bootstrap.app())
with ThreadPoolExecutor(count) as pool:
    print(len(set(pool.map(ask, range(count)))))
"""


def test_a_run_that_is_slow_to_read_keeps_no_other_waiting(stage: Stage) -> None:
    for run in ("warm", "slow", "quick"):
        stage.aml.add_run(run, experiment=EXPERIMENT)
    stage.deliver(completed("warm"))
    stage.aml.server.faults.add(Fault(path="*/runs/get", hang=True, times=1))
    slow = threading.Thread(target=stage.deliver, args=[completed("slow")])
    slow.start()
    while stage.aml.server.faults.waiting:
        slow.join(0.01)
    stage.deliver(completed("quick"))
    assert slow.is_alive()
    assert [run for _, run in stage.started()] == ["warm", "quick"]
    stage.aml.server.faults.clear()
    slow.join()


def test_the_first_events_of_a_process_build_one_app(cloud: Cloud, tmp_path: Path) -> None:
    ledger = {"LEDGER_URL": f"sqlite:///{tmp_path / 'ledger.db'}"}
    ran = subprocess.run(
        [sys.executable, "-c", TOGETHER],
        cwd=ROOT,
        env={**os.environ, **cloud.settings(), **ledger},
        capture_output=True,
        check=True,
        text=True,
    )
    assert ran.stdout == "1\n"
