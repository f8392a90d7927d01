"""The sweep finds what it promised to find, and says so only where it did."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.memory.visits import CATCHING_UP, VISITS
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.flow.rounds.sweeps import DEFECT, end, lines, milliseconds, searches, settled, sweep
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES, Stage, completed

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud

TAKES = 50.0  # seconds that a call takes on the app's clock


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Stage:
    """An app that has been there for two days, with a workspace that was swept just now."""
    stage = settled(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)
    sweep(stage)
    stage.clock.forward(minutes=1)
    stage.aml.server.requests.clear()
    caplog.clear()
    caplog.set_level(logging.INFO)
    return stage


def told(caplog: pytest.LogCaptureFixture) -> str:
    """The line of the last sweep."""
    return lines(caplog, "sweep")[-1]


class Slow(Wrapped):
    """A port of which one call takes very long, on the app's clock."""

    def __init__(self, stage: Stage, real: Any, call: str) -> None:
        super().__init__(real)
        self._stage, self._call = stage, call

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.real, name)
        if name != self._call:
            return found

        def slowly(*given: Any, **named: Any) -> Any:
            answer = found(*given, **named)  # in its own time, whatever the machine is busy with
            self._stage.clock.forward(seconds=TAKES)
            return answer

        return slowly


def slow_searches(stage: Stage, takes: float) -> None:
    """Each search of runs takes so many seconds of the app's clock."""
    transport = stage.ports.runs._workspaces._transport  # type: ignore[attr-defined]  # noqa: SLF001
    real = transport.read

    def read(url: str, *given: Any, **named: Any) -> Any:
        answer = real(url, *given, **named)
        if url.endswith("/runs/search"):
            stage.clock.forward(seconds=takes)
        return answer

    transport.read = read


# --- as far as the time allows


def test_what_is_found_is_started_though_the_time_does_not_suffice_for_all(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(300):
        stage.aml.add_experiment(f"e{number}")
    end(stage, "r1", experiment="defect-first")
    stage.aml._experiments = dict(sorted(stage.aml._experiments.items()))  # noqa: SLF001
    slow_searches(stage, 40)
    for _ in range(9):
        sweep(stage)
    assert stage.started() == [(42, "r1")]
    assert " complete=no lacking=time " in told(caplog)


def test_the_next_sweep_goes_on_where_the_last_one_stopped(stage: Stage) -> None:
    for number in range(450):
        stage.aml.add_experiment(f"e{number}")
    slow_searches(stage, 40)
    for _ in range(3):
        sweep(stage)
    asked = [name for search in searches(stage) for name in search["experiment_ids"]]
    assert len(asked) == len(set(asked)) == 450


def test_a_tour_of_several_sweeps_counts_from_its_beginning(stage: Stage) -> None:
    for number in range(450):
        stage.aml.add_experiment(f"e{number}")
    slow_searches(stage, 40)
    began = stage.clock.now()
    for _ in range(3):
        sweep(stage, hours=1)
    (visit,) = stage.ledger.shared(VISITS).value["workspaces"].values()
    assert "next" not in visit
    assert began < stage.clock.now() - timedelta(hours=2)
    assert visit["seen"] < (began + timedelta(hours=1, minutes=1)).isoformat()


def test_after_an_outage_all_are_started_the_oldest_first_however_long_it_takes(
    stage: Stage,
) -> None:
    stage.clock.forward(hours=25)
    for hours in range(1, 25):
        end(stage, f"r{hours:02}", timedelta(hours=25 - hours))
    stage.build(pipelines=Slow(stage, stage.ports.pipelines, "start"))
    sweep(stage)
    first = [run for _, run in stage.started()]
    assert first == [f"r{n:02}" for n in range(1, len(first) + 1)]
    assert len(first) < 24
    for _ in range(12):
        sweep(stage, minutes=50)
    assert [run for _, run in stage.started()] == [f"r{n:02}" for n in range(1, 25)]


def test_a_sweep_looks_back_to_the_last_one_that_came_through(stage: Stage) -> None:
    end(stage, "r1")
    sweep(stage, days=5)  # the app was stopped, and its events were given up
    assert stage.started() == [(42, "r1")]


def test_what_is_too_long_ago_is_told_and_left_to_a_person(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    end(stage, "r1")
    sweep(stage, days=CATCHING_UP.days + 2)
    assert stage.started() == []
    (gap,) = [line for line in lines(caplog, "sweep") if "gap" in line]
    assert gap.startswith("sweep=gap workspace=ml-prod after=")
    caplog.clear()
    sweep(stage, hours=1)
    assert "gap" not in caplog.text
    stage.deploy(SWEEP_HOURS="300")
    sweep(stage, hours=1)
    assert stage.started() == [(42, "r1")]


def test_while_it_is_off_nothing_is_owed(stage: Stage) -> None:
    stage.deploy(SWEEP="off")
    end(stage, "r1")
    sweep(stage, hours=1)
    stage.deploy(SWEEP="start")
    sweep(stage, days=2)
    assert stage.started() == []


def test_an_outage_of_aml_is_made_up_for(stage: Stage) -> None:
    outage = Fault("POST", "*/experiments/search", status=503, times=10**6)
    stage.aml.server.faults.add(outage)
    end(stage, "r1")
    sweep(stage, days=1)
    sweep(stage, days=1)
    stage.aml.server.faults.clear()
    sweep(stage, hours=1)
    assert stage.started() == [(42, "r1")]


# --- complete only where it is so


def test_one_batch_that_cannot_be_read_costs_the_others_nothing(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"defect-{number:03}" for number in range(120)]
    ids = {stage.aml.add_experiment(name): name for name in names}
    sweep(stage)  # the endpoint is known by now, and so is which batch is asked for last
    last = json.loads(stage.aml.server.received("POST", "/runs/search")[-1].body)["experiment_ids"]
    end(stage, "r1", experiment=ids[last[-1]])
    stage.aml.server.faults.add(Fault("POST", "*/runs/search", status=429, times=1))
    sweep(stage, minutes=1)
    assert stage.started() == [(42, "r1")]
    assert ' complete=no lacking="runs of ml-prod: answered 429:' in told(caplog)


def test_experiments_that_are_cut_are_no_complete_sweep(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    page = {"experiments": [{"experiment_id": "1", "name": DEFECT}], "next_page_token": "x"}
    fault = Fault("POST", "*/experiments/search", status=200, body=json.dumps(page), times=1)
    stage.aml.server.faults.add(fault)
    stage.aml.server.faults.add(Fault("POST", "*/experiments/search", status=403, times=1))
    sweep(stage)
    assert "complete=no" in told(caplog)
    assert "experiments of ml-prod: answered 403" in told(caplog)


@pytest.mark.parametrize("odd", [5, {"info": {}}, {"info": {"status": "FINISHED", "run_id": ""}}])
def test_an_odd_run_costs_itself_and_is_told(
    stage: Stage, caplog: pytest.LogCaptureFixture, odd: object
) -> None:
    at = milliseconds(stage.clock.now())
    info = {"status": "FINISHED", "end_time": at, "start_time": at}
    good = {"info": {**info, "run_id": "r1", "experiment_id": "1"}}
    experiments = {"experiments": [{"experiment_id": "1", "name": DEFECT}]}
    stage.aml.add_run("r1", experiment=DEFECT, end_time=at)
    faults = stage.aml.server.faults
    for call, body in (("experiments", experiments), ("runs", {"runs": [odd, good]})):
        faults.add(Fault("POST", f"*/{call}/search", status=200, body=json.dumps(body), times=1))
    sweep(stage)
    assert stage.started() == [(42, "r1")]
    assert ' complete=no lacking="1 odd runs" ' in told(caplog)


def test_a_deleted_run_is_left_alone(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    at = milliseconds(stage.clock.now())
    end(stage, "r1")
    info = {"status": "FINISHED", "end_time": at, "run_id": "r1", "lifecycle_stage": "deleted"}
    answer = json.dumps({"runs": [{"info": info}]})
    stage.aml.server.faults.add(Fault("POST", "*/runs/search", status=200, body=answer, times=9))
    sweep(stage)
    assert stage.of_run("r1") == {}
    assert " ended=0 missed=0 left=0 complete=yes " in told(caplog)


def test_runs_of_an_archived_experiment_are_found(stage: Stage) -> None:
    end(stage, "r1", experiment="defect-old")
    stage.aml.archive("defect-old", stage.clock.now().timestamp())
    sweep(stage)
    assert stage.started() == [(42, "r1")]


def test_an_experiment_that_was_archived_long_ago_is_not_searched(stage: Stage) -> None:
    stage.aml.add_experiment("defect-old")
    stage.aml.archive("defect-old", (stage.clock.now() - timedelta(days=60)).timestamp())
    sweep(stage)
    assert searches(stage) == []


def test_a_server_that_shows_no_archived_experiments_is_no_complete_sweep(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.aml.server.faults.add(Fault("POST", "*/experiments/search", status=400, times=1))
    end(stage, "r1")
    sweep(stage)
    assert stage.started() == [(42, "r1")]
    assert ' complete=no lacking="archived experiments" ' in told(caplog)


# --- runs without an end, and those below others


def test_a_run_without_an_end_counts_by_its_start(stage: Stage) -> None:
    for number in range(500):  # those that say no end come last
        end(stage, f"n{number}", timedelta(hours=number), experiment=DEFECT, parent="r0")
    end(stage, "r1", status="Canceled")
    stage.aml._runs["r1"].end_time = None  # noqa: SLF001
    sweep(stage)
    assert stage.started() == [(43, "r1")]


def test_a_run_without_an_end_that_began_before_its_route_is_left_alone(stage: Stage) -> None:
    end(stage, "r1", status="Canceled")
    stage.aml._runs["r1"].end_time = None  # noqa: SLF001
    stage.routes(ROUTES.replace("name: report", "name: tell"))
    stage.reconcile()
    sweep(stage, hours=1)
    assert stage.started() == []


def test_a_run_that_says_no_time_at_all_is_named(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    end(stage, "r1", status="Canceled")
    run = stage.aml._runs["r1"]  # noqa: SLF001
    run.end_time, run.start_time = None, 0
    sweep(stage)
    assert stage.started() == []
    assert " complete=yes untimed=r1 " in told(caplog)


def test_a_route_that_wants_child_runs_gets_them(stage: Stage) -> None:
    stage.routes(ROUTES.replace('match: {experiment: "defect-*"}', "children: true", 1))
    stage.reconcile()
    stage.clock.forward(hours=1)
    end(stage, "step", parent="r0")
    sweep(stage)
    assert stage.started() == [(42, "step")]


def test_a_route_that_cannot_be_swept_is_named(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.routes(ROUTES.replace('{experiment: "defect-*"}', "{run_type: '*'}", 1))
    sweep(stage)
    assert " unswept=register " in told(caplog)


# --- workspaces that are gone


def gone(stage: Stage) -> None:
    """Let the workspace be deleted, and the app have a new process."""
    del stage.cloud.arm._workspaces[WORKSPACE.lower()]  # noqa: SLF001
    stage.deploy()


def asked(stage: Stage) -> int:
    return len(stage.cloud.arm.server.received("GET", "/workspaces/ml-prod"))


def test_a_workspace_that_is_gone_is_told_once_and_asked_no_more(
    cloud: Cloud, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stage = Stage(cloud, tmp_path)
    stage.deliver(completed("r1"))
    stage.reconcile(minutes=3)
    gone(stage)
    for _ in range(5):
        sweep(stage, hours=23)
    dropped = [line for line in caplog.messages if line.startswith("sweep=dropped")]
    assert len(dropped) == 1
    before, said = asked(stage), len(lines(caplog, "sweep"))
    sweep(stage, hours=23)
    sweep(stage, hours=23)
    assert (asked(stage), len(lines(caplog, "sweep"))) == (before, said)


def test_a_workspace_that_is_made_anew_is_new_from_its_first_event(
    cloud: Cloud, tmp_path: Path
) -> None:
    stage = Stage(cloud, tmp_path)
    stage.deliver(completed("r0"))
    stage.reconcile(minutes=3)
    gone(stage)
    for _ in range(5):
        sweep(stage, hours=23)
    cloud.arm.add_workspace(WORKSPACE, cloud.aml.tracking_uri)
    end(stage, "old", timedelta(hours=2))
    end(stage, "first")
    stage.deliver(completed("first"))
    stage.reconcile(minutes=3)
    end(stage, "lost")
    sweep(stage, hours=1)
    assert [run for _, run in stage.started()] == ["first", "lost"]


def test_a_workspace_that_is_named_is_asked_once_a_day(stage: Stage) -> None:
    gone(stage)
    for _ in range(5):
        sweep(stage, hours=23)
    before = asked(stage)
    for _ in range(25):
        sweep(stage, hours=1)
    assert asked(stage) == before + 1
    stage.cloud.arm.add_workspace(WORKSPACE, stage.aml.tracking_uri)
    end(stage, "old")
    sweep(stage, hours=25)
    stage.clock.forward(seconds=1)  # AML tells an end by the millisecond, cut off
    end(stage, "new")
    sweep(stage, hours=1)
    assert stage.started() == [(42, "new")]


def test_a_process_that_knew_where_it_was_asks_again_when_it_is_gone(stage: Stage) -> None:
    before = asked(stage)
    stage.aml.server.faults.add(Fault("POST", "*/experiments/search", status=404, times=1))
    sweep(stage)
    end(stage, "r1")
    sweep(stage, hours=1)
    assert asked(stage) == before + 1
    assert stage.only("r1").state is State.STARTED


def test_what_was_looked_at_before_comes_last(stage: Stage) -> None:
    """A run that is known costs a look each hour, and must not keep the new ones waiting."""
    for number in range(10):
        end(stage, f"r{number}", timedelta(hours=2, minutes=number))
    sweep(stage)
    stage.clock.forward(hours=6)
    end(stage, "new")
    looks: list[str] = []

    class Looked(Slow):
        def of_run(self, workspace: str, run: str) -> Any:
            looks.append(run)
            return self.real.of_run(workspace, run)

    stage.build(ledger=Looked(stage, stage.ledger, "of_run"))
    sweep(stage)
    assert looks[0] == "new"
    assert len(looks) == 11
    assert (42, "new") in stage.started()
