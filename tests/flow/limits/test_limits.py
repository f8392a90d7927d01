"""A route's limit holds across processes; a crash may waste a start, never exceed it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from functions.core.limits.admission import Admission
from functions.core.terms.reasons import Reason
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT
from tests.stage.azure import ROUTES, Stage, completed

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud

LIMITED = ROUTES.replace("name: register", "name: register\n    limit: 3/h")
RUNS = [f"r{number}" for number in range(12)]


def processes(cloud: Cloud, directory: Path) -> list[Stage]:
    """Four processes of one app: what they share is the ledger."""
    stages = [Stage(cloud, directory) for _ in range(4)]
    for stage in stages:
        stage.routes(LIMITED)
        stage.mid_hour()
    for run in RUNS:
        cloud.aml.add_run(run, experiment=EXPERIMENT)
    return stages


def test_four_processes_together_start_no_more_than_the_limit(cloud: Cloud, tmp_path: Path) -> None:
    stages = processes(cloud, tmp_path)
    with ThreadPoolExecutor(len(RUNS)) as pool:
        list(pool.map(lambda n: stages[n % 4].deliver(completed(RUNS[n])), range(len(RUNS))))
    assert len(cloud.devops.runs) == 3
    reasons = [stages[0].only(run).reason for run in RUNS]
    assert reasons.count(Reason.LIMIT) == 9
    waiting = [row for run in RUNS if (row := stages[0].only(run)).reason is Reason.LIMIT]
    # one that came when a place was left, and others were before it in the line, waits behind them
    said = re.compile(
        r"3 of 3 used since \d\d:00 UTC|[0-2] of 3 used .*, and others wait for the rest"
    )
    assert [row.detail for row in waiting if not said.fullmatch(row.detail)] == []
    for _ in range(3):
        for stage in stages:
            stage.clock.forward(hours=1)
        stages[0].reconcile()
    assert sorted(run for _, run in stages[0].started()) == sorted(RUNS)


def test_a_start_that_is_put_off_pays_once(stage: Stage) -> None:
    stage.routes(LIMITED)
    for run in RUNS[:3]:
        stage.aml.add_run(run, experiment=EXPERIMENT)
    stage.devops.throttle(1, 1)
    stage.deliver(completed("r0"))
    stage.reconcile(seconds=2)
    stage.deliver(completed("r1"))
    stage.deliver(completed("r2"))
    assert sorted(run for _, run in stage.started()) == ["r0", "r1", "r2"]


def test_of_two_that_were_asked_to_slow_down_the_longer_one_counts(stage: Stage) -> None:
    name = Admission.account("contoso", "azure-devops-pat")
    first, second = (Admission(stage.ports, stage.read.policy) for _ in range(2))
    first.slow_down(name, 5)
    second.slow_down(name, 600)
    first.slow_down(name, 5)
    stage.clock.forward(seconds=60)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert (stage.only("r1").reason, stage.posts()) == (Reason.THROTTLED, 0)


def test_a_503_that_says_how_long_it_lasts_leaves_the_account_alone_too(stage: Stage) -> None:
    page = Fault("POST", "*/runs", status=503, headers={"Retry-After": "600"})
    stage.devops.server.faults.add(page)
    for run in ("r1", "r2"):
        stage.aml.add_run(run, experiment=EXPERIMENT)
        stage.deliver(completed(run))
    assert stage.only("r1").reason is Reason.IN_DOUBT
    assert (stage.only("r2").reason, stage.posts()) == (Reason.THROTTLED, 0)
    stage.reconcile(seconds=601)
    stage.reconcile(minutes=11)
    assert sorted(run for _, run in stage.started()) == ["r1", "r2"]
