"""What the sweep must find, however the workspaces' answers come in its way."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.memory.known_since import WORKSPACES, KnownSince
from functions.core.memory.visits import VISITS
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.flow.rounds.sweeps import end, lines, settled, sweep
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES, Stage, completed

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud

SECOND = WORKSPACE.replace("ml-prod", "ml-second")


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Stage:
    """An app that has been there for two days, with a workspace that was swept just now."""
    stage = settled(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)
    sweep(stage)
    stage.clock.forward(minutes=1)
    caplog.clear()
    caplog.set_level(logging.INFO)
    return stage


def searching(stage: Stage, answer: Any) -> None:
    """Let `answer` see each search of runs, and perhaps answer it otherwise."""
    transport = stage.ports.runs._workspaces._transport  # type: ignore[attr-defined]  # noqa: SLF001
    real = transport.read

    def read(url: str, *given: Any, **named: Any) -> Any:
        def ask(**other: Any) -> Any:
            return real(url, *given, **{**named, **other})

        return answer(named["body"], ask) if url.endswith("/runs/search") else ask()

    transport.read = read


def test_experiments_whose_runs_cannot_be_read_keep_no_later_ones_from_their_turn(
    stage: Stage,
) -> None:
    names = [f"defect-{number:03}" for number in range(300)]
    ids = {stage.aml.add_experiment(name): name for name in names}
    asked: list[str] = []
    broken: set[str] = set()

    def refused(body: Any, ask: Any) -> Any:
        asked.extend(body["experiment_ids"])
        answer = ask()
        is_broken = not broken or broken & {*body["experiment_ids"]}
        return answer._replace(status=403) if is_broken else answer

    searching(stage, refused)
    sweep(stage)
    broken.update(asked)
    end(stage, "r1", experiment=next(name for id_, name in ids.items() if id_ not in broken))
    for _ in range(3):
        sweep(stage, hours=1)
    assert stage.started() == [(42, "r1")]


def test_a_page_that_is_too_long_to_read_is_read_in_smaller_ones(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(150):
        end(stage, f"n{number}", timedelta(seconds=number), experiment="churn")
    end(stage, "r1", timedelta(minutes=9))

    def too_long(_: Any, ask: Any) -> Any:
        answer = ask()
        found = len(json.loads(answer.body).get("runs", ()))
        return answer if found <= 40 else answer._replace(status=500, body=b"")

    searching(stage, too_long)
    sweep(stage)
    assert stage.started() == [(42, "r1")]
    assert " complete=yes " in lines(caplog, "sweep")[-1]


def test_experiments_that_change_their_order_during_a_tour_are_all_read(stage: Stage) -> None:
    ids = [stage.aml.add_experiment(f"defect-{number:03}") for number in range(120)]
    moving = stage.aml._experiments[ids[0]]  # noqa: SLF001
    stage.clock.forward(days=4)
    end(stage, "r1", timedelta(days=3), experiment="defect-000")
    stage.clock.forward(hours=1)

    def slowly(_: Any, ask: Any) -> Any:
        answer = ask()
        stage.clock.forward(seconds=50)
        return answer

    searching(stage, slowly)
    for created in (0, 10**15):  # listed last, then first
        moving["creation_time"] = created
        sweep(stage, hours=1)
    for _ in range(5):
        sweep(stage, hours=1)
    assert stage.started() == [(42, "r1")]


def test_a_server_that_never_shows_archived_experiments_is_caught_up_with_after_an_outage(
    cloud: Cloud, tmp_path: Path
) -> None:
    stage = Stage(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)
    transport = stage.ports.runs._workspaces._transport  # type: ignore[attr-defined]  # noqa: SLF001
    real = transport.read

    def read(url: str, *given: Any, **named: Any) -> Any:
        answer = real(url, *given, **named)
        refused = "view_type" in (named.get("body") or {})
        return answer._replace(status=400) if refused else answer

    transport.read = read
    sweep(stage)
    end(stage, "r1", timedelta(seconds=-1))
    sweep(stage, days=5)
    assert stage.started() == [(42, "r1")]


@pytest.mark.parametrize(
    "odd",
    [
        {"run_id": "a/b#?\\x", "experiment_id": "\ud800"},
        {"run_id": "x" * 256, "experiment_id": "\u0001" * 9000},
        {"run_id": "é" * 256, "experiment_id": {"a": []}},
        {"run_id": "' OR 1=1", "experiment_id": None, "start_time": -(10**13)},
        {"run_id": "\u202egnp.exe", "run_name": [], "start_time": "yesterday"},
    ],
)
@pytest.mark.parametrize("tags", [[], [{"key": "\ud800", "value": "\u0001" * 99_999}]])
def test_a_run_of_odd_texts_costs_the_others_nothing(stage: Stage, odd: Any, tags: Any) -> None:
    at = int(stage.clock.now().timestamp() * 1000)
    end(stage, "r1")
    experiment = next(iter(stage.aml._experiments))  # noqa: SLF001
    info = {"status": "FINISHED", "end_time": at - 1, "start_time": at - 2, **odd}

    def with_odd(_: Any, ask: Any) -> Any:
        answer = ask()
        found = json.loads(answer.body)
        told = {"info": {**info, "experiment_id": experiment}, "data": {"tags": tags}}
        runs = [{"info": info, "data": {"tags": tags}}, told, *found.get("runs", [])]
        return answer._replace(body=json.dumps({**found, "runs": runs}).encode())

    searching(stage, with_odd)
    sweep(stage)
    assert (42, "r1") in stage.started()


@pytest.mark.parametrize("odd", [5, {"name": "nameless"}, [], {"experiment_id": None}])
def test_an_odd_experiment_costs_itself_and_is_told(
    stage: Stage, caplog: pytest.LogCaptureFixture, odd: object
) -> None:
    end(stage, "r1")
    (good,) = stage.aml._experiments.values()  # noqa: SLF001
    answer = json.dumps({"experiments": [odd, good]})
    fault = Fault("POST", "*/experiments/search", status=200, body=answer, times=1)
    stage.aml.server.faults.add(fault)
    sweep(stage)
    assert stage.started() == [(42, "r1")]
    assert ' complete=no lacking="1 odd experiments" ' in lines(caplog, "sweep")[-1]


def test_many_workspaces_have_their_turn_though_none_has_enough_time_at_once(
    stage: Stage, cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    every = [WORKSPACE.replace("ml-prod", f"ml-{number:02}") for number in range(40)]
    for one in every:
        cloud.arm.add_workspace(one, cloud.aml.tracking_uri)
    stage.deploy(SWEEP_WORKSPACES=" ".join(every))
    stage.reconcile()
    end(stage, "r1", timedelta(minutes=-1))

    def slowly(_: Any, ask: Any) -> Any:
        answer = ask()
        stage.clock.forward(seconds=5)
        return answer

    searching(stage, slowly)
    for _ in range(4):
        sweep(stage, hours=1)
    assert len(stage.started()) == 40
    assert "sweep=cut left=" in caplog.text


class Meanwhile(Wrapped):
    """A ledger of which another process hears of a workspace while a sweep begins."""

    def __init__(self, real: Any, hears: Any) -> None:
        super().__init__(real)
        self._hears = hears

    def shared(self, name: str) -> Any:
        found = self.real.shared(name)
        if name == WORKSPACES and self._hears:
            hears, self._hears = self._hears, None
            hears()
        return found


def test_a_workspace_that_is_heard_of_while_a_sweep_begins_is_not_forgotten(
    stage: Stage, cloud: Cloud
) -> None:
    cloud.arm.add_workspace(SECOND, cloud.aml.tracking_uri)
    other = KnownSince(stage.ports)

    def hears() -> None:
        other.meet(SECOND)
        other.keep(None)

    stage.build(ledger=Meanwhile(stage.ledger, hears))
    sweep(stage)
    stage.build()
    stage.clock.forward(minutes=30)
    end(stage, "r1")
    sweep(stage, minutes=30)
    assert stage.ledger.of_run(SECOND.lower(), "r1") != []


def test_a_route_for_runs_that_do_not_respond_is_named_as_unswept(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.routes(ROUTES.replace("[Failed, Canceled]", "NotResponding"))
    sweep(stage)
    assert " unswept=report " in lines(caplog, "sweep")[-1]


class Dying(Wrapped):
    """A ledger whose process dies when it is about to write down which workspaces it met."""

    def shared(self, name: str) -> Any:
        if name in {WORKSPACES, VISITS}:
            raise SystemExit
        return self.real.shared(name)


def test_a_workspace_whose_first_round_dies_is_swept_all_the_same(
    cloud: Cloud, tmp_path: Path
) -> None:
    stage = Stage(cloud, tmp_path)
    stage.reconcile()
    end(stage, "r1")
    stage.deliver(completed("r1"))
    stage.build(ledger=Dying(stage.ledger))
    with pytest.raises(SystemExit):
        stage.reconcile(minutes=3)
    stage.deploy()
    stage.reconcile(minutes=3)
    end(stage, "lost")
    sweep(stage, hours=1)
    assert stage.started() == [(42, "r1"), (42, "lost")]
