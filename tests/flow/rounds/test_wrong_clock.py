"""What a machine wrote whose clock was far from right, and what others make of it afterwards."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.core.operators.lists.wanted import Wanted
from functions.core.operators.replaying import Replaying
from functions.core.operators.stops.stop import Kind
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.flow.rounds.sweeps import DEFECT, end, lines, settled, sweep
from tests.stage.azure import ROUTES, Stage, completed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from local.cloud import Cloud

LIMITED = ROUTES.replace("name: register", "name: register\n    limit: 1/d")
OTHER = ROUTES.replace("name: register", "name: other")
YEARS = timedelta(days=900)


@contextmanager
def ahead(stage: Stage, by: timedelta = YEARS, **given: str) -> Iterator[None]:
    """A process on another machine, by whose clock it is so much later; then one as before."""
    before = {name: stage.environ.get(name, "") for name in given}
    stage.clock.moved += by
    stage.deploy(**given)
    yield
    stage.clock.moved -= by
    stage.deploy(**before)


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Stage:
    caplog.set_level(logging.INFO)
    stage = settled(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE, SWEEP="start")
    sweep(stage)
    sweep(stage, hours=1)
    stage.clock.forward(minutes=1)
    return stage


def news(stage: Stage, run: str) -> dict[str, Any]:
    """It ends now, and this is its event."""
    end(stage, run)
    return {**completed(run), "eventTime": stage.clock.now().isoformat()}


def forgotten(stage: Stage, run: str = "r1") -> None:
    """It was started, and the machine with the wrong clock removed what is known of it."""
    stage.deliver(news(stage, run))
    stage.reconcile(minutes=3)
    with ahead(stage):
        sweep(stage)
    assert stage.of_run(run) == {}
    stage.clock.forward(minutes=1)


def test_what_it_forgot_is_not_started_again_and_what_ends_later_is_swept(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    forgotten(stage)
    caplog.clear()
    sweep(stage)
    (line,) = lines(caplog, "sweep")
    assert ' complete=no lacking="what is known of 1 runs" ' in line
    assert len(lines(caplog, "chronicle")) == 1
    end(stage, "r2", -timedelta(minutes=1))  # and its event is lost
    sweep(stage, hours=1)
    assert stage.started() == [(42, "r1"), (42, "r2")]
    sweep(stage, hours=27)
    assert " complete=yes " in lines(caplog, "sweep")[-1]
    assert stage.started() == [(42, "r1"), (42, "r2")]


def test_a_longer_window_is_not_called_whole_where_it_reaches_into_what_is_forgotten(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.deploy(LEDGER_RETENTION_DAYS="3")
    stage.deliver(news(stage, "r1"))
    stage.devops.finish(stage.devops.runs[0].id)
    for _ in range(8):
        stage.reconcile(hours=12)
        sweep(stage)
    assert stage.of_run("r1") == {}
    assert " complete=yes " in lines(caplog, "sweep")[-1]
    stage.deploy(LEDGER_RETENTION_DAYS="400", SWEEP_HOURS="168")
    sweep(stage, hours=1)
    assert ' complete=no lacking="what is known of 1 runs" ' in lines(caplog, "sweep")[-1]
    assert stage.started() == [(42, "r1")]


@pytest.mark.parametrize("by", ["sweep", "letter"])
def test_an_event_that_waits_in_the_inbox_is_taken_out_again_afterwards(
    stage: Stage, by: str
) -> None:
    forgotten(stage)
    good = stage.routes_file.read_text("utf-8")
    if by == "sweep":
        sweep(stage)
    else:
        stage.routes("routes: [")
        stage.deliver(news(stage, "r1"))
        stage.routes(good)
        stage.reconcile(seconds=1)
    stage.clock.forward(minutes=1)
    stage.routes("routes: [")
    stage.deliver(news(stage, "r2"))
    stage.routes(good)
    stage.reconcile(minutes=1)
    assert stage.started() == [(42, "r1"), (42, "r2")]


def test_a_sweep_that_was_off_by_it_is_not_off_for_years(stage: Stage) -> None:
    with ahead(stage, SWEEP="off"):
        sweep(stage)
    sweep(stage)
    end(stage, "r1", -timedelta(minutes=1))
    sweep(stage, hours=1)
    assert stage.started() == [(42, "r1")]


def test_a_route_that_it_was_the_first_to_see_is_swept_from_now_on(stage: Stage) -> None:
    stage.routes(OTHER)
    with ahead(stage):
        stage.reconcile()
    sweep(stage)
    end(stage, "r1", -timedelta(minutes=1))
    sweep(stage, hours=1)
    assert stage.started() == [(42, "r1")]


def test_a_workspace_that_it_was_the_first_to_hear_of_is_swept_from_now_on(
    cloud: Cloud, tmp_path: Path
) -> None:
    stage = settled(cloud, tmp_path)
    with ahead(stage):
        stage.aml.add_run("r1", experiment=DEFECT)
        stage.deliver(completed("r1"))
        stage.reconcile(minutes=3)
    sweep(stage)
    end(stage, "r2", -timedelta(minutes=1))
    sweep(stage, hours=1)
    assert stage.started() == [(42, "r1"), (42, "r2")]


def test_a_file_that_it_was_the_first_to_meet_is_not_newer_for_years(stage: Stage) -> None:
    """It is rolled back: who waits for the limit that it had is let go."""
    stage.mid_day()
    stage.routes(LIMITED)
    with ahead(stage):
        stage.reconcile()
    for run in ("r1", "r2"):
        stage.deliver(news(stage, run))
    assert stage.only("r2").reason is Reason.LIMIT
    stage.routes(ROUTES)
    stage.deploy()
    stage.reconcile(minutes=11)
    stage.reconcile(minutes=1)
    assert stage.started() == [(42, "r1"), (42, "r2")]


@pytest.mark.parametrize("refused", [False, True])
def test_an_account_that_it_left_alone_is_not_left_alone_for_years(
    stage: Stage, *, refused: bool
) -> None:
    with ahead(stage):
        if refused:
            stage.devops.refuse(stage.cloud.pat)
        else:
            stage.devops.throttle(1, 120)
        stage.deliver(news(stage, "r1"))
        assert stage.started() == []
    stage.devops.accept(stage.cloud.pat)
    kinds = {stop.kind for stop in stage.app.overview.look(Wanted()).stops}
    assert Kind.THROTTLED not in kinds
    stage.deliver(news(stage, "r2"))
    for _ in range(3):  # a busy machine may put one off once
        stage.reconcile(minutes=31)
    assert sorted(stage.started()) == [(42, "r1"), (42, "r2")]


def test_what_one_that_is_behind_has_started_is_not_forgotten_before_its_time(stage: Stage) -> None:
    stage.deploy(LEDGER_RETENTION_DAYS="3")
    told = news(stage, "r1")
    with ahead(stage, -timedelta(days=4)):
        stage.deliver(told)
        stage.reconcile(minutes=3)
    for _ in range(3):
        sweep(stage, hours=1)
    assert stage.started() == [(42, "r1")]


def test_what_it_put_off_goes_on_with_the_next_rounds(stage: Stage) -> None:
    away = Fault(path="*/runs/get", status=503, times=10**6)
    told = news(stage, "r1")
    with ahead(stage):
        stage.aml.server.faults.add(away)
        stage.deliver(told)
    stage.aml.server.faults.clear()
    assert stage.only("r1").reason is Reason.RUN_UNREADABLE
    stage.reconcile(minutes=1)
    stage.reconcile(minutes=1)
    assert stage.started() == [(42, "r1")]


def test_what_it_asked_for_in_vain_is_looked_for_once_and_left_to_a_person(stage: Stage) -> None:
    """When it was asked for nobody knows, so that no look can show that it was not queued."""
    told = news(stage, "r1")
    with ahead(stage):
        stage.devops.server.faults.add(Fault("POST", "*/42/runs", drop="before"))
        stage.deliver(told)
    for _ in range(3):
        stage.reconcile(minutes=31)
    looks = len(stage.devops.server.received("GET", "/builds"))
    for _ in range(3):
        stage.reconcile(minutes=31)
    c = stage.only("r1")
    assert (c.state, c.reason, stage.started()) == (State.OPEN, Reason.IN_DOUBT, [])
    assert len(stage.devops.server.received("GET", "/builds")) == looks
    assert Replaying(stage.ledger, stage.clock, "ada").ask_anew(c.key).done
    stage.reconcile(minutes=1)
    assert stage.started() == [(42, "r1")]
