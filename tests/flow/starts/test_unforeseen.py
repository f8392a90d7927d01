"""An error that nobody foresaw: neither this run nor another is lost by it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT, calls, parked
from tests.saying.wrapped import Wrapped
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage


class Broken(Wrapped):
    """The runs, but reading one of them fails as nobody foresaw."""

    def read(self, workspace: object, run: str, deadline: object) -> object:
        if run == "r1":
            raise ZeroDivisionError("seven by none")
        return self.real.read(workspace, run, deadline)


@pytest.fixture
def broken(stage: Stage) -> Stage:
    stage.build(runs=Broken(stage.ports.runs))
    return stage


def test_what_nobody_foresaw_parks_and_wants_a_person(
    broken: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    assert parked(broken) is Reason.UNFORESEEN
    (line,) = [r for r in caplog.records if "reason=unforeseen" in r.getMessage()]
    assert line.levelname == "ERROR"
    assert "ZeroDivisionError: seven by none" in line.getMessage()


def test_what_nobody_foresaw_starts_once_it_is_mended(broken: Stage) -> None:
    parked(broken)
    broken.deploy()
    broken.reconcile(hours=1)
    assert broken.started() == [(42, "r1")]


def test_what_nobody_foresaw_does_not_stop_the_others(broken: Stage) -> None:
    parked(broken)
    while not calls(broken):  # what was begun for the first is not to meet the fault
        threading.Event().wait(0.001)
    broken.aml.server.faults.add(Fault(path="*/runs/get", status=503, times=2))
    assert parked(broken, "r2") is Reason.RUN_UNREADABLE
    broken.reconcile(hours=1)
    assert broken.started() == [(42, "r2")]


def test_what_nobody_foresaw_is_held_after_three_days(broken: Stage) -> None:
    parked(broken)
    for _ in range(8):
        broken.reconcile(hours=10)
    row = broken.only("r1")
    assert (row.state, row.reason) == (State.HELD, Reason.UNFORESEEN)


class Odd(Wrapped):
    """A port, of which no call to find or to tag comes to an end that anybody foresaw."""

    def find(self, *_: object) -> object:
        raise ZeroDivisionError("seven by none")

    tag = find


def told(caplog: pytest.LogCaptureFixture, name: str) -> list[str]:
    return [text for text in caplog.messages if text.startswith(f"{name}=")]


def test_links_that_nobody_can_write_are_told_once(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.deploy(TAG_RUNS="1")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.build(runs=Odd(stage.ports.runs))
    stage.deliver(completed("r1"))
    for _ in range(3):
        stage.reconcile(minutes=3)
    (line,) = told(caplog, "link")
    assert 'detail="ZeroDivisionError: seven by none"' in line
    assert not told(caplog, "continuation=crashed")


def test_a_second_look_that_never_comes_to_an_end_is_given_up_after_a_day(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.devops.server.faults.add(Fault(method="POST", path="*/pipelines/42/runs", status=502))
    stage.deliver(completed("r1"))
    stage.reconcile(seconds=31)
    stage.reconcile(minutes=11)
    assert stage.only("r1").recheck_at
    stage.build(pipelines=Odd(stage.ports.pipelines))
    for _ in range(12):
        assert not told(caplog, "second_look")
        stage.reconcile(hours=2)
    stage.reconcile(hours=3)
    (line,) = told(caplog, "second_look")
    assert 'pipeline_run=1001 detail="ZeroDivisionError: seven by none"' in line
    assert stage.only("r1").recheck_at is None
