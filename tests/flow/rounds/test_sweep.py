"""A run whose event was lost is taken up by the sweep, and nothing that is none of its business."""

from __future__ import annotations

import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.ledger.places import OPEN
from functions.core.ledger.rowledger import RowLedger
from functions.core.memory.known_since import KnownSince
from functions.core.terms.errors import LedgerUnavailable
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.flow.rounds.sweeps import DEFECT, end, lines, milliseconds, searches, settled, sweep
from tests.saying.refusals import says
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES, Stage, completed
from tests.stage.hosted import Hosted

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud

OTHER = WORKSPACE.replace("ml-prod", "ml-gone")
RENAMED = ROUTES.replace("name: register", "name: enroll")
ONLY_EVENT = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: typed
    match: {experiment: "*", properties: {x: "*"}}
    start: {pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
  - name: property
    start: {pipeline: 43, parameters: {run_id: "{{ run.id }}", status: "{{ run.properties.x }}"}}
"""
ONLY_ANSWERS = "version: 1\nroutes: [{name: wait, complete: true}]"


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path) -> Stage:
    """An app that has been there for two days."""
    return settled(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)


def test_a_missed_run_is_started_once(stage: Stage) -> None:
    end(stage, "r1")
    sweep(stage)
    sweep(stage, hours=1)
    assert stage.started() == [(42, "r1")]
    assert stage.only("r1").state is State.STARTED


def test_the_host_fires_the_sweep_by_its_name(stage: Stage) -> None:
    host = Hosted(stage.environ)
    try:
        end(stage, "r1", timedelta(days=2))  # the host's clock was not moved: just now
        host.fire("sweep")
    finally:
        log = host.stop()
    assert "sweep=start workspace=ml-prod ended=1 missed=1" in log
    assert stage.started() == [(42, "r1")]


def test_a_missed_failure_takes_the_failure_route(stage: Stage) -> None:
    end(stage, "r1", status="Failed")
    sweep(stage)
    assert stage.started() == [(43, "r1")]


def test_the_event_that_comes_later_changes_nothing(stage: Stage) -> None:
    end(stage, "r1")
    sweep(stage)
    stage.deliver(completed("r1"))
    stage.reconcile(hours=1)
    assert stage.started() == [(42, "r1")]


def test_a_run_whose_event_came_is_left_alone(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    end(stage, "r1")
    stage.deliver(completed("r1"))
    before = stage.only("r1")
    sweep(stage)
    assert stage.only("r1") == before
    assert " ended=1 missed=0 " in lines(caplog, "sweep")[0]
    assert stage.posts() == 1


def test_only_the_route_that_never_heard_is_made_up_for(stage: Stage) -> None:
    both = ROUTES.replace("[Failed, Canceled]", "[Completed, Failed]")
    stage.routes(both)
    stage.reconcile()
    stage.clock.forward(hours=1)
    end(stage, "r1")
    stage.routes(ROUTES)  # of an instance that is older than the others
    stage.deliver(completed("r1"))
    stage.routes(both)
    sweep(stage)
    assert stage.started() == [(42, "r1"), (43, "r1")]


def test_a_workspace_that_sent_one_event_is_swept_without_being_named(
    cloud: Cloud, tmp_path: Path
) -> None:
    stage = Stage(cloud, tmp_path)
    end(stage, "r1")
    stage.deliver(completed("r1"))
    stage.reconcile(minutes=3)
    end(stage, "r2", timedelta(seconds=-1))
    stage.deploy()
    sweep(stage, seconds=2)
    assert stage.started() == [(42, "r1"), (42, "r2")]
    assert stage.only("r2").event.workspace.id == WORKSPACE


def test_a_workspace_that_nobody_named_is_not_asked(cloud: Cloud, tmp_path: Path) -> None:
    stage = Stage(cloud, tmp_path)
    stage.reconcile()
    end(stage, "r1", timedelta(seconds=-5))
    sweep(stage, minutes=1)
    assert stage.aml.server.requests == stage.cloud.arm.server.requests == []


def test_processes_that_hear_of_workspaces_at_once_forget_none(stage: Stage) -> None:
    ports = stage.ports
    stage.mid_day()
    ids = {WORKSPACE.replace("ml-prod", f"ml-{n}") for n in range(12)}

    def heard(workspace: str) -> None:
        known_since = KnownSince(ports)
        known_since.meet(workspace)
        known_since.keep(None)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(heard, ids))
    known = KnownSince(ports).workspaces(stage.clock.now())
    assert {workspace.id for workspace in known} == ids


@pytest.mark.parametrize("first", ["reconcile", "sweep"])
def test_a_first_deployment_starts_nothing_old(cloud: Cloud, tmp_path: Path, first: str) -> None:
    stage = Stage(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)
    end(stage, "old", timedelta(minutes=1))
    {"reconcile": stage.reconcile, "sweep": lambda: sweep(stage)}[first]()
    end(stage, "new", timedelta(seconds=-1))
    sweep(stage, hours=1)
    assert stage.started() == [(42, "new")]


def test_a_fresh_ledger_starts_nothing_old(stage: Stage, tmp_path: Path) -> None:
    end(stage, "r1", timedelta(minutes=1))
    stage.deploy(LEDGER_URL=f"sqlite:///{tmp_path / 'fresh.db'}")
    sweep(stage)
    sweep(stage, hours=1)
    assert stage.posts() == 0


def test_a_renamed_route_starts_nothing_old(stage: Stage) -> None:
    end(stage, "r1")
    stage.deliver(completed("r1"))
    stage.routes(RENAMED)
    stage.deploy()
    sweep(stage, minutes=1)
    sweep(stage, hours=1)
    assert stage.started() == [(42, "r1")]


def test_a_route_that_is_renamed_back_starts_nothing_that_ended_meanwhile(stage: Stage) -> None:
    stage.routes(RENAMED)
    stage.reconcile(minutes=1)
    end(stage, "r1", timedelta(seconds=-1))
    stage.deliver(completed("r1"))
    stage.routes(ROUTES)
    stage.reconcile(minutes=1)
    sweep(stage, hours=1)
    assert stage.started() == [(42, "r1")]


def test_a_route_that_needs_what_only_the_event_tells_is_left_alone(
    cloud: Cloud, tmp_path: Path
) -> None:
    stage = Stage(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)
    stage.routes(ONLY_EVENT)
    stage.reconcile()
    end(stage, "r1", timedelta(hours=-1))
    sweep(stage, hours=2)
    assert stage.ledger.of_run(WORKSPACE.lower(), "r1") == []


@pytest.mark.parametrize(
    "facts",
    [
        {"parent": "r0"},
        {"tags": {"mlflow.rootRunId": "r0"}},
        {"status": "Running"},
        {"experiment": "churn"},
    ],
)
def test_what_no_event_would_have_started_is_not_swept(stage: Stage, facts: dict[str, Any]) -> None:
    end(stage, "r1", **facts)
    sweep(stage)
    assert stage.ledger.of_run(WORKSPACE.lower(), "r1") == []


def test_the_tags_of_the_run_decide_as_those_of_an_event_would(stage: Stage) -> None:
    stage.routes(ROUTES.replace('{experiment: "defect-*"}', "{tags: {stage: production}}"))
    stage.reconcile()
    stage.clock.forward(hours=1)
    end(stage, "r1", tags={"stage": "test"})
    end(stage, "r2", tags={"Stage": "Production"})
    sweep(stage)
    assert stage.started() == [(42, "r2")]


def test_what_ended_before_the_window_is_not_swept(stage: Stage) -> None:
    end(stage, "r1", timedelta(hours=3))
    end(stage, "r2", timedelta(hours=5))
    stage.deploy(SWEEP_HOURS="4")
    sweep(stage)
    assert stage.started() == [(42, "r1")]


@pytest.mark.parametrize("mode", ["start", "report"])
def test_a_run_of_a_route_that_starts_nothing_is_not_missed(
    stage: Stage, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    stage.deploy(SWEEP=mode)
    stage.routes(ONLY_ANSWERS)
    stage.reconcile()
    stage.clock.forward(days=1)
    end(stage, "r1")
    sweep(stage)
    assert " ended=1 missed=0 " in lines(caplog, "sweep")[0]
    assert lines(caplog, "missed") == []
    assert stage.ledger.of_run(WORKSPACE.lower(), "r1") == []


def test_a_report_tells_each_missed_run_and_starts_nothing(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    stage.deploy(SWEEP="report")
    end(stage, "r1")
    end(stage, "r2", status="Failed")
    sweep(stage)
    told = sorted(lines(caplog, "missed"))
    assert len(told) == 2
    assert told[0].startswith(f"missed=r1 outcome=Completed workspace=ml-prod experiment={DEFECT}")
    assert told[0].endswith("routes=register")
    assert told[1].endswith("routes=report")
    assert stage.ledger.of_run(WORKSPACE.lower(), "r1") == []
    assert stage.posts() == 0


def test_each_sweep_is_one_line_per_workspace(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    end(stage, "r1")
    end(stage, "other", experiment="churn")
    sweep(stage)
    (told,) = lines(caplog, "sweep")
    assert told.startswith("sweep=start workspace=ml-prod ended=2 missed=1 left=0 complete=yes ms=")


def test_a_sweep_that_is_off_asks_nobody(stage: Stage) -> None:
    stage.deploy(SWEEP="off")
    end(stage, "r1")
    sweep(stage)
    assert stage.aml.server.requests == stage.cloud.arm.server.requests == []


def test_a_workspace_that_fails_does_not_stop_another(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.deploy(SWEEP_WORKSPACES=f"{OTHER}, {WORKSPACE}")
    end(stage, "r1")
    sweep(stage)
    assert stage.started() == [(42, "r1")]
    (failed,) = (line for line in lines(caplog, "sweep") if "failed" in line)
    assert "workspace=ml-gone" in failed


def test_a_workspace_id_that_is_none_is_told_and_left_out(stage: Stage) -> None:
    stage.deploy(SWEEP_WORKSPACES=f"ml-prod {WORKSPACE.upper()}")
    (complaint,) = stage.read.complaints
    assert complaint == "SWEEP_WORKSPACES: 'ml-prod' is no AML workspace id; left out"
    end(stage, "r1")
    sweep(stage)
    assert stage.started() == [(42, "r1")]


def test_paging_stops_at_the_window(stage: Stage) -> None:
    for number in range(1000):
        end(stage, f"r{number}", timedelta(hours=number), experiment="churn")
    sweep(stage)
    orders = Counter(a["order_by"][0] for a in searches(stage))
    by_start = orders.pop("attributes.start_time DESC")  # for runs that say no end
    by_end = orders.pop("attributes.end_time DESC")
    assert 1 <= by_end <= 2
    assert 1 <= by_start <= 2
    assert not orders


def test_runs_on_later_pages_are_found(stage: Stage) -> None:
    for number in range(450):
        end(stage, f"n{number}", timedelta(seconds=number), experiment="churn")
    end(stage, "r1", timedelta(hours=1), experiment="defect-old")
    sweep(stage)
    assert stage.started() == [(42, "r1")]


def test_experiments_are_searched_in_batches(stage: Stage) -> None:
    for number in range(120):
        end(stage, f"r{number}", timedelta(days=9), experiment=f"defect-{number}")
    end(stage, "last", experiment="defect-119")
    sweep(stage)
    assert sorted(len(a["experiment_ids"]) for a in searches(stage)) == [20, 50, 50]
    assert stage.started() == [(42, "last")]


def test_a_server_that_cannot_order_by_end_is_asked_by_start(stage: Stage) -> None:
    refusal = Fault("POST", "*/runs/search", status=400, body='{"message": "order_by"}')
    stage.aml.server.faults.add(refusal)
    end(stage, "r1", start_time=milliseconds(stage.clock.now() - timedelta(days=9)))
    sweep(stage)
    sweep(stage)
    orders = [a["order_by"] for a in searches(stage)]
    by_start = ["attributes.start_time DESC"]
    assert refusal.times == 0
    assert orders == [by_start, by_start]
    assert stage.started() == [(42, "r1")]


def test_a_broken_route_file_is_told_and_loses_nothing(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    end(stage, "r1")
    stage.routes("version: 7")
    sweep(stage)
    assert "routes=unreadable" in caplog.text
    stage.routes(ROUTES)
    sweep(stage, hours=1)
    assert stage.started() == [(42, "r1")]


def test_what_the_clouds_refuse_is_parked_and_started_later(stage: Stage) -> None:
    stage.devops.server.faults.add(says(429, path="*/runs"))
    end(stage, "r1")
    sweep(stage)
    assert stage.only("r1").state is State.OPEN
    stage.reconcile(hours=1)
    assert stage.started() == [(42, "r1")]


def test_the_sweep_forgets_what_ended_long_ago(stage: Stage) -> None:
    stage.deploy(LEDGER_RETENTION_DAYS="30", SWEEP="off")
    end(stage, "r1")
    stage.deliver(completed("r1"))
    stage.reconcile(minutes=3)
    sweep(stage, days=29)
    assert stage.only("r1").state is State.STARTED
    sweep(stage, days=2)
    assert stage.ledger.of_run(WORKSPACE.lower(), "r1") == []


def test_all_that_ended_long_ago_is_forgotten_at_once(stage: Stage) -> None:
    stage.deploy(LEDGER_RETENTION_DAYS="30", SWEEP="off")
    began = stage.clock.now()
    for number in range(60):
        stage.deliver(completed(f"r{number}", experimentName="defect", runTags={"k": "v"}))
    stage.clock.forward(minutes=20)
    for _ in range(3):
        stage.reconcile(days=4)
    sweep(stage, days=60)
    assert list(stage.ledger.recent(began, 100)) == []


def test_nothing_is_forgotten_that_a_sweep_would_start_again(stage: Stage) -> None:
    stage.deploy(LEDGER_RETENTION_DAYS="1", SWEEP_HOURS="72")
    end(stage, "r1")
    stage.deliver(completed("r1"))
    stage.reconcile(minutes=3)
    for _ in range(5):
        sweep(stage, days=1)
    assert stage.started() == [(42, "r1")]


class Forgetful(Wrapped):
    """A store in which the schedule cannot be written, once."""

    broken = True

    def put(self, place: Any, row: Any) -> None:
        if place.partition == OPEN and self.broken:
            self.broken = False
            raise LedgerUnavailable("an outage")
        self.real.put(place, row)


def test_a_run_that_was_claimed_and_not_scheduled_is_started_by_the_next_sweep(
    stage: Stage,
) -> None:
    end(stage, "r1")
    rows = Forgetful(stage.ledger._rows())  # type: ignore[attr-defined]  # noqa: SLF001
    stage.build(ledger=RowLedger(lambda: rows))
    sweep(stage)
    assert (stage.started(), rows.broken) == ([], False)
    stage.build()
    sweep(stage, hours=1)
    stage.reconcile(minutes=3)
    assert stage.started() == [(42, "r1")]
