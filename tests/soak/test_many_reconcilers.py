"""Overlapping timers and scaled-out instances: many reconcilers over one ledger."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.stage import azurite
from tests.stage.azure import Stage, completed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local.cloud import Cloud

    New = Callable[..., Stage]

INSTANCES = 4
CONTINUATIONS = 16
ROUNDS = 3
MOST = (
    30  # on a machine so busy that a POST comes too late for its mark, and waits for another turn
)
RUNS = [f"run-{number}" for number in range(CONTINUATIONS)]


@pytest.fixture(params=["sqlite", "table"])
def new(request: pytest.FixtureRequest, cloud: Cloud, tmp_path: Path) -> New:
    """Another instance of the app, over the same ledger as all others."""
    ledger = {"LEDGER_URL": f"sqlite:///{tmp_path / 'ledger.db'}"}
    if request.param == "table":
        connection = azurite.connection_string(request.getfixturevalue("azurite"))
        table = {"AzureWebJobsStorage": connection, "LEDGER_TABLE": f"t{uuid.uuid4().hex}"}
        ledger = {"LEDGER_URL": "", **table}
    return lambda **given: Stage(cloud, tmp_path, **ledger, **given)


def deliver_all(stage: Stage) -> None:
    for run in RUNS:
        stage.aml.add_run(run, experiment="defect-detection")
        stage.deliver(completed(run))


def reconcile_at_once(stages: list[Stage], **later: float) -> None:
    """A round of every instance, all begun at the same moment."""
    gate = threading.Barrier(len(stages))

    def one(stage: Stage) -> None:
        gate.wait()
        stage.reconcile(**later)

    with ThreadPoolExecutor(len(stages)) as pool:
        list(pool.map(one, stages))


def reconcile_until_over(stages: list[Stage], **later: float) -> None:
    """Rounds of every instance at once, until none is open."""
    for number in range(MOST):
        reconcile_at_once(stages, **later)
        if number + 1 >= ROUNDS and not any(stages[0].only(run).is_open for run in RUNS):
            return


def assert_each_started_once(stage: Stage) -> None:
    rows = [stage.only(run) for run in RUNS]
    assert {(c.state, c.duplicates) for c in rows} == {(State.STARTED, ())}
    assert sorted(stage.started()) == sorted((42, run) for run in RUNS)
    assert {c.pipeline_run for c in rows} == {run.id for run in stage.devops.runs}


def test_reconcilers_at_once_start_what_was_parked_exactly_once(new: New) -> None:
    deliver_all(new(PAUSED="1"))
    stages = [new() for _ in range(INSTANCES)]
    reconcile_until_over(stages, minutes=31)
    assert_each_started_once(stages[0])
    assert stages[0].posts() == CONTINUATIONS


@pytest.mark.parametrize("queued", [True, False])
def test_reconcilers_at_once_send_what_is_in_doubt_again_exactly_once(
    new: New, *, queued: bool
) -> None:
    stages = [new() for _ in range(INSTANCES)]
    faults = stages[0].devops.server.faults
    faults.add(Fault(method="POST", status=503, after=queued, times=CONTINUATIONS))
    deliver_all(stages[0])
    reconcile_until_over(stages, minutes=12)
    assert_each_started_once(stages[0])
    assert stages[0].posts() == CONTINUATIONS


def test_while_paused_no_reconciler_starts_anything(new: New) -> None:
    stages = [new(PAUSED="1") for _ in range(INSTANCES)]
    deliver_all(stages[0])
    for _ in range(ROUNDS):
        reconcile_at_once(stages, minutes=31)
    assert stages[0].posts() == 0
    assert {stages[0].only(run).reason for run in RUNS} == {Reason.PAUSED}
    assert all(stages[0].only(run).is_open for run in RUNS)


def test_while_paused_what_is_in_doubt_is_found_and_never_sent_again(new: New) -> None:
    stages = [new() for _ in range(INSTANCES)]
    faults = stages[0].devops.server.faults
    faults.add(Fault(method="POST", status=503, after=True, times=CONTINUATIONS // 2))
    faults.add(Fault(method="POST", status=502, times=CONTINUATIONS // 2))
    deliver_all(stages[0])
    for stage in stages:
        stage.deploy(PAUSED="1")
    for _ in range(ROUNDS):
        reconcile_at_once(stages, minutes=12)
    rows = [stages[0].only(run) for run in RUNS]
    assert {c.state for c in rows[: CONTINUATIONS // 2]} == {State.STARTED}
    assert {c.reason for c in rows[CONTINUATIONS // 2 :]} == {Reason.PAUSED}
    assert len(stages[0].devops.runs) == CONTINUATIONS // 2
