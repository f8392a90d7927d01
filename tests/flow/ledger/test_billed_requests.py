"""The requests to Table storage that the bill counts are those that the app makes."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from benchmarks.cost import usage
from functions.adapters.tables.opening import open_table
from functions.adapters.tables.rows import TableLedger
from functions.core.events.registration import registration
from functions.core.waits.ending import LATEST, REMEMBERED
from local.chat.front import Chat
from local.cloud import WORKSPACE
from tests.ledger.stores import Wire
from tests.saying.refusals import WRONG, says
from tests.stage.azure import ROUTES, Stage, changed, completed
from tests.stage.azurite import connection_string

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local.cloud import Cloud

STARTING = 4
EACH_NOTICE, EACH_MESSAGE = 4, 3  # kept, looked at, told, dropped; a row read, and written twice
WAITING_ROUND = usage.ROUND_REQUESTS - 1  # its routes name no organization
NEARLY = ROUTES.replace('"defect-*"}', '"defect-*", tags: {stage: production}}').partition(
    "  - name: report"
)[0]
WAITING = """
version: 1
defaults: {organization: contoso}
routes: [{name: wait, complete: true}]
"""


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path, azurite: int, wire: Wire) -> Stage:
    """An app that has been running for a while, on a ledger of its own."""
    where, name = connection_string(azurite), f"t{uuid.uuid4().hex}"
    given = {"LEDGER_URL": "", "AzureWebJobsStorage": where, "LEDGER_TABLE": name}
    stage = Stage(cloud, tmp_path, WAITS="1", SWEEP_WORKSPACES=WORKSPACE, **given)
    stage.mid_day()  # what is done once a day is done once
    stage.cloud.vault.put("run-relay-waits-key", "a key of sixteen characters or more")
    table = open_table(name, connection_string=where, transport=wire)
    stage.build(ledger=TableLedger(table))
    stage.reconcile()
    stage.app.sweep.sweep()
    return stage


def another_process(stage: Stage, wire: Wire) -> None:
    """A new process of the app, whose requests are counted."""
    where, name = stage.environ["AzureWebJobsStorage"], stage.environ["LEDGER_TABLE"]
    table = open_table(name, connection_string=where, transport=wire)
    stage.build(ledger=TableLedger(table))


def requests(wire: Wire, act: Callable[[], object]) -> int:
    wire.sent.clear()
    act()
    return len(wire.sent)


def minutes_go_by(stage: Stage, *between: int) -> None:
    """A round after each: who has done none for long asks once more who waits for a group."""
    for minutes in between:
        stage.reconcile(minutes=minutes)


def end(stage: Stage, run: str) -> None:
    """Let a run end after the ledger knew the routes, so that the sweep asks about it."""
    at = int((stage.clock.now() + timedelta(seconds=30)).timestamp() * 1000)
    stage.aml.add_run(run, experiment="defect-detection", start_time=at - 1000, end_time=at)


def test_a_round_with_nothing_to_do(stage: Stage, wire: Wire) -> None:
    stage.reconcile(minutes=1)
    assert requests(wire, lambda: stage.reconcile(minutes=1)) == usage.ROUND_REQUESTS


def test_a_delivery_looks_once_in_five_minutes_whether_rounds_go_on(
    stage: Stage, wire: Wire
) -> None:
    another_process(stage, wire)
    far = completed("r1", experimentName="churn")
    assert requests(wire, lambda: stage.deliver(far)) == usage.LOOKING
    assert requests(wire, lambda: stage.deliver(far)) == 0
    stage.clock.forward(minutes=5)
    assert requests(wire, lambda: stage.deliver(far)) == usage.LOOKING


def test_a_sweep_with_nothing_to_do(stage: Stage, wire: Wire) -> None:
    stage.clock.forward(minutes=5)
    assert requests(wire, stage.app.sweep.sweep) == usage.SWEEP_REQUESTS


def test_a_start_a_duplicate_and_what_the_timers_do_about_them(stage: Stage, wire: Wire) -> None:
    end(stage, "r0")
    stage.deliver(completed("r0"))
    stage.reconcile(minutes=10)  # the workspace was met, which is noted once a day
    stage.devops.finish(stage.devops.runs[0].id)
    stage.reconcile(minutes=10)
    stage.clock.forward(seconds=11)  # what was read of the account is believed no more
    end(stage, "r1")
    once = requests(wire, lambda: stage.deliver(completed("r1")))
    assert once == STARTING + usage.ADMITTING
    stage.devops.finish(stage.devops.runs[1].id)
    tidied = requests(wire, lambda: stage.reconcile(minutes=10))
    at_once = 1 + 1 + 4  # a row, the account's, and the end
    assert tidied == usage.ROUND_REQUESTS + usage.TIDYING + at_once
    assert requests(wire, lambda: stage.deliver(completed("r1"))) == usage.KNOWN_REQUESTS
    assert requests(wire, stage.app.sweep.sweep) == usage.SWEEP_REQUESTS + 2  # r0, r1


def test_a_pipeline_of_ten_minutes_that_is_followed(stage: Stage, wire: Wire) -> None:
    end(stage, "r0")
    stage.deliver(completed("r0"))
    stage.reconcile(minutes=10)
    stage.devops.finish(stage.devops.runs[0].id)
    stage.reconcile(minutes=10)
    stage.clock.forward(minutes=45)
    stage.reconcile()  # what is done once an hour is done once
    end(stage, "r1")
    stage.deliver(completed("r1"))
    spent = requests(wire, lambda: stage.reconcile(seconds=121))
    spent -= int(usage.ROUND_REQUESTS + usage.TIDYING)
    for minute in range(3, 12):
        if minute == 10:
            stage.devops.finish(stage.devops.runs[1].id)
        spent += requests(wire, lambda: stage.reconcile(minutes=1)) - int(usage.ROUND_REQUESTS)
    assert stage.only("r1").ended is not None
    assert spent == usage.FOLLOWING


def test_what_people_are_told_costs_starts_nothing_and_a_round_one_request(
    stage: Stage, wire: Wire
) -> None:
    stage.routes(ROUTES.replace("routes:", "notify: [{slack: slack-ops}]\nroutes:", 1))
    end(stage, "r0")
    stage.deliver(completed("r0"))
    stage.reconcile(minutes=10)
    stage.devops.finish(stage.devops.runs[0].id)
    stage.reconcile(minutes=10)
    listing = requests(wire, lambda: stage.reconcile(seconds=30)) - int(usage.ROUND_REQUESTS)
    stage.clock.forward(seconds=11)
    end(stage, "r1")
    once = requests(wire, lambda: stage.deliver(completed("r1")))
    assert (once, listing) == (STARTING + usage.ADMITTING, 1)
    stage.devops.finish(stage.devops.runs[1].id)
    stage.reconcile(minutes=10)
    with Chat() as chat:
        stage.cloud.vault.put("slack-ops", chat.slack)
        stage.deploy(NOTIFY_HOSTS="127.0.0.1")
        another_process(stage, wire)
        tidied(stage, wire, "r2")  # a process's first does more
        told = tidied(stage, wire, "r3", "r4")
        assert len(chat.messages) == 2
    stage.routes(ROUTES)
    untold = tidied(stage, wire, "r5", "r6")
    assert told - untold == listing + 2 * EACH_NOTICE + EACH_MESSAGE


def tidied(stage: Stage, wire: Wire, *runs: str) -> int:
    """What a round costs in which these, which failed, leave the schedule."""
    stage.reconcile(minutes=1)
    stage.devops.server.faults.add(says(400, WRONG, times=len(runs)))
    for run in runs:
        end(stage, run)
        stage.deliver(completed(run))
    return requests(wire, lambda: stage.reconcile(seconds=121))


def test_once_an_hour_it_is_looked_for_what_nobody_follows(stage: Stage, wire: Wire) -> None:
    minutes_go_by(stage, 1, *[9] * 6)
    hourly = requests(wire, lambda: stage.reconcile(minutes=9))
    assert hourly == usage.ROUND_REQUESTS + usage.CATCHING_UP


def test_a_near_miss_and_what_nothing_could_let_match(stage: Stage, wire: Wire) -> None:
    stage.routes(NEARLY)
    near = completed("r1", runTags={"stage": "test"})
    assert requests(wire, lambda: stage.deliver(near)) == usage.PASSING_OVER
    assert requests(wire, lambda: stage.deliver(near)) == usage.PASSING_OVER + 1
    for far in (
        completed("r2", experimentName="churn"),
        completed("r2", runType="azureml.StepRun"),
        completed("r2", runTags={"mlflow.parentRunId": "r0"}),
        changed("r2", "Canceled"),
        changed("r2", "Running"),
    ):
        assert requests(wire, lambda: stage.deliver(far)) == 0  # noqa: B023 - called at once


def test_what_is_forgotten(stage: Stage, wire: Wire) -> None:
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.deliver(completed("r1"))
    stage.reconcile(minutes=10)
    stage.clock.forward(days=usage.KEPT_MONTHS * 30 + 1)
    forgetting = requests(wire, stage.app.sweep.sweep)
    stage.clock.forward(days=1)
    assert forgetting - requests(wire, stage.app.sweep.sweep) == usage.PRUNING


def test_a_task_that_waits(stage: Stage, wire: Wire) -> None:
    stage.routes(WAITING)
    stage.reconcile(minutes=1)
    stage.aml.add_run("r1", status="Running", experiment="defect-detection")
    job = stage.devops.start_server_job("contoso", "mlops")
    headers = {name.lower(): value for name, value in job.headers.items()}
    asked = registration(headers, {"run_id": "r1", "workspace": WORKSPACE})
    registering = requests(wire, lambda: stage.app.waits.register(asked))
    minutes_go_by(stage, 9, 9, 9)
    late = LATEST.total_seconds() - 27 * 60 + 1
    assert requests(wire, lambda: stage.reconcile(seconds=late)) == WAITING_ROUND + 1
    end(stage, "r1")
    answering = requests(wire, lambda: stage.deliver(completed("r1")))
    assert job.result == "succeeded"
    stage.app.sweep.sweep()
    stage.clock.forward(days=REMEMBERED.days + 1)
    forgetting = requests(wire, stage.app.sweep.sweep)
    stage.clock.forward(days=1)
    forgetting -= requests(wire, stage.app.sweep.sweep)
    assert registering + answering + forgetting == usage.WAIT_REQUESTS


def test_a_registration_reads_two_columns_of_those_that_wait(stage: Stage, wire: Wire) -> None:
    stage.routes(WAITING)
    stage.aml.add_run("r1", status="Running", experiment="defect-detection")
    for _ in range(2):
        job = stage.devops.start_server_job("contoso", "mlops")
        headers = {name.lower(): value for name, value in job.headers.items()}
        asked = registration(headers, {"run_id": "r1", "workspace": WORKSPACE})
        wire.urls.clear()
        stage.app.waits.register(asked)
    (listed,) = [url for url in wire.urls if "$filter=" in url]
    assert "$select=name,organization" in listed


def test_what_a_limit_adds_to_a_start(stage: Stage, wire: Wire) -> None:
    stage.routes(ROUTES.replace("name: register", "name: register\n    limit: 3/h"))
    stage.deploy()
    another_process(stage, wire)
    for n in range(5):
        stage.aml.add_run(f"r{n}", experiment="defect-detection")
    stage.deliver(completed("r0"))  # reads the account's row, and begins the window
    assert requests(wire, lambda: stage.deliver(completed("r1"))) == STARTING + 3
    assert requests(wire, lambda: stage.deliver(completed("r2"))) == STARTING + 2
    lines_up = requests(wire, lambda: stage.deliver(completed("r3")))
    assert lines_up == 2 + 1 + 2  # claimed, the limit's row, parked
