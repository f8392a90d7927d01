"""What the app says of itself for those who watch it: it lives, what is open, when secrets end."""

from __future__ import annotations

import logging
import re
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.core.terms.reasons import Reason
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT
from tests.stage.azure import ROUTES, Stage, as_cloud_event, completed

if TYPE_CHECKING:
    from datetime import datetime

PROBE = {
    "id": "probe-1",
    "eventType": "RunRelay.Probe",
    "topic": "",
    "subject": "probe",
    "eventTime": "2026-11-21T18:41:00Z",
    "data": {},
    "dataVersion": "1",
}


@pytest.fixture(autouse=True)
def _told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def lines(caplog: pytest.LogCaptureFixture, of: str) -> list[str]:
    found = [m for m in caplog.messages if m.startswith(f"{of}=")]
    caplog.clear()
    return found


def ends_in(stage: Stage, **time: float) -> datetime:
    ends = stage.clock.now() + timedelta(**time)
    stage.cloud.vault.put("azure-devops-pat", stage.cloud.pat, expires=ends)
    return ends


# the reconciler


def test_a_round_resumes_a_hundred_and_lets_all_go_that_have_ended(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    for n in range(150):
        stage.aml.add_run(f"r{n}", experiment=EXPERIMENT)
        stage.deliver(completed(f"r{n}"))
    stage.deploy(PAUSED="1")
    for n in range(150, 260):
        stage.aml.add_run(f"r{n}", experiment=EXPERIMENT)
        stage.deliver(completed(f"r{n}"))
    stage.deploy(PAUSED="0")
    stage.reconcile(minutes=10)
    assert stage.posts() == 250
    assert lines(caplog, "reconciler")[-1].startswith(
        "reconciler=done resumed=100 looked_at=250 open=10 "
    )
    stage.reconcile(minutes=1)
    assert stage.posts() == 260


def test_each_round_says_that_it_was_and_what_is_open(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.reconcile()
    (line,) = lines(caplog, "reconciler")
    assert line.startswith("reconciler=done resumed=0 looked_at=0 open=0 inbox=0 ms=")


def test_the_age_of_the_oldest_open_continuation_is_told(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.deploy(PAUSED="1")
    for run in ("r1", "r2"):
        stage.aml.add_run(run, experiment=EXPERIMENT)
        stage.deliver(completed(run))
        stage.clock.forward(minutes=20)
    stage.reconcile()
    (line,) = lines(caplog, "reconciler")
    form = r"reconciler=done resumed=0 looked_at=0 open=2 oldest_s=240[0-9] inbox=0 ms=\d+"
    assert re.fullmatch(form, line)


def test_what_has_ended_is_no_longer_open(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    stage.reconcile(seconds=121)
    stage.reconcile()
    assert "open=0" in lines(caplog, "reconciler")[-1]


def test_the_start_says_how_long_after_the_runs_end_it_was(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    ended = stage.clock.now() - timedelta(seconds=90)
    stage.deliver({**completed("r1"), "eventTime": ended.isoformat()})
    found = re.search(r" latency_s=(\d+) ", lines(caplog, "continuation")[0])
    assert found
    assert 90 <= int(found[1]) <= (stage.clock.now() - ended).total_seconds() + 1


# rows that cannot be read


def test_a_row_that_cannot_be_read_is_told_once_an_hour_and_gives_way(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.aml.server.faults.add(Fault(path="*/runs/get", status=503, times=9))
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    with closing(sqlite3.connect(stage.read.ledger_url.removeprefix("sqlite:///"))) as file:
        file.execute(
            "UPDATE ledger SET columns = json_set(columns, '$.more', '[')"
            " WHERE partition NOT IN ('open', 'shared')"
        )
        file.commit()
    for minutes in (1, 1, 30):
        stage.reconcile(minutes=minutes)
    (line,) = lines(caplog, "ledger")
    assert line.startswith('ledger=unreadable detail="row register/r1/Completed cannot be read')
    stage.reconcile(minutes=31)
    assert len(lines(caplog, "ledger")) == 1


# secrets


def test_the_days_until_a_secret_ends_are_told_once_a_day(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.mid_day()
    ends = ends_in(stage, days=90, hours=1)
    stage.app.sweep.sweep()
    stage.app.sweep.sweep()
    stage.deploy()
    stage.app.sweep.sweep()
    told = f"credential=valid secret=azure-devops-pat days=90 expires={ends:%Y-%m-%dT%H:%M:%SZ}"
    assert lines(caplog, "credential") == [told]
    stage.clock.forward(days=1)
    stage.app.sweep.sweep()
    assert "days=89" in lines(caplog, "credential")[0]


@pytest.mark.parametrize(
    ("days", "state", "level"),
    [
        (31, "valid", "INFO"),
        (29, "expiring", "WARNING"),
        (0, "expiring", "WARNING"),
        (-1, "expired", "ERROR"),
    ],
)
def test_a_secret_that_ends_soon_is_a_warning_and_an_ended_one_an_error(
    stage: Stage, caplog: pytest.LogCaptureFixture, days: int, state: str, level: str
) -> None:
    ends_in(stage, days=days, hours=1)
    stage.app.sweep.sweep()
    (record,) = [r for r in caplog.records if r.getMessage().startswith("credential=")]
    assert record.levelname == level
    assert record.getMessage().startswith(f"credential={state} secret=azure-devops-pat days={days}")


def test_a_secret_without_an_end_is_told_and_so_is_one_that_cannot_be_read(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.routes(ROUTES.replace("start: {pipeline: 43", "start: {secret: another, pipeline: 43"))
    stage.deploy()
    stage.app.sweep.sweep()
    another, usual = lines(caplog, "credential")
    assert another.startswith("credential=unreadable secret=another detail=")
    assert usual.startswith("credential=endless secret=azure-devops-pat detail=")


def test_a_managed_identitys_token_has_no_end_to_tell_of(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.deploy(DEVOPS_AUTH="entra")
    stage.app.sweep.sweep()
    assert lines(caplog, "credential") == []


def test_secrets_are_watched_where_the_sweep_is_off(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.deploy(SWEEP="off")
    stage.app.sweep.sweep()
    assert len(lines(caplog, "credential")) == 1


# probes


@pytest.mark.parametrize("event", [PROBE, as_cloud_event(PROBE)])
def test_a_probe_shows_in_the_ledger_and_starts_nothing(
    stage: Stage, caplog: pytest.LogCaptureFixture, event: dict[str, object]
) -> None:
    stage.deliver({**PROBE, "id": "an earlier one"})
    stage.deliver(event)
    assert stage.ledger.shared("probe").value["id"] == event["id"]
    assert f"event=probe id={event['id']}" in lines(caplog, "event")
    assert stage.outgoing() == []


# shared rows


def test_rows_of_limits_and_adoptions_are_forgotten_when_their_time_is_over(stage: Stage) -> None:
    stage.deploy(LEDGER_RETENTION_DAYS="10")
    stage.mid_hour()
    stage.routes(ROUTES.replace("name: register", "name: register\n    limit: 5/h"))
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.devops.server.faults.add(Fault(method="POST", path="*/42/runs", drop="after"))
    stage.deliver(completed("r1"))
    slot = stage.only("r1").slot
    stage.reconcile(seconds=31)
    adopted = f"adopted/contoso/{stage.only('r1').pipeline_run}"
    assert stage.only("r1").reason is Reason.FOUND
    stage.app.sweep.sweep()
    assert [stage.ledger.shared(name).value != {} for name in (slot, adopted)] == [True, True]
    stage.clock.forward(hours=2)
    stage.app.sweep.sweep()
    assert [stage.ledger.shared(name).value != {} for name in (slot, adopted)] == [False, True]
    stage.clock.forward(days=10)
    stage.app.sweep.sweep()
    assert stage.ledger.shared(adopted).value == {}
