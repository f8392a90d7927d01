"""How long the step waits and for what, on a clock that is moved instead of waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from component.trigger_pipeline import arguments, driving, telling
from functions.adapters.devops import DevOpsPipelines
from functions.core.terms.runs import Model
from local.serving.faults import Fault
from tests.stage.azure import MovableClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from functions.core.kept.continuation import Continuation
    from functions.core.terms.pipelines import PipelineRun
    from local.cloud import Cloud

RUNS = "*/_apis/pipelines/42/runs"
BUILDS = "*/_apis/build/builds"


class Night:
    """A step on a clock of its own; `waits` are the seconds that it would have slept."""

    def __init__(self, cloud: Cloud, directory: Path) -> None:
        self.cloud, self._directory = cloud, directory
        self.clock = MovableClock()
        self.waits: list[float] = []

    def wrong(self, method: str, path: str, **what: Any) -> Fault:
        fault = Fault(method=method, path=path, **what)
        self.cloud.devops.server.faults.add(fault)
        return fault

    def start(self, **more: str) -> Continuation:
        given = {
            "model": "unused",
            "model-name": "m",
            "vault": self.cloud.vault.url,
            "secret-name": "azure-devops-pat",
            "organization": "contoso",
            "project": "mlops",
            "pipeline-id": "42",
            **more,
        }
        wanted = arguments.read([part for n, v in given.items() for part in (f"--{n}", v)])
        own = {"DEVOPS_URL": self.cloud.devops.url, "AZUREML_RUN_ID": "own"}
        environ = driving.environment(wanted, own, self._directory)
        model = Model(name="m", run_id="r1")
        hours = driving.Hours(self.clock, self._wait)
        return driving.start(wanted, model, driving.Where.of(own), environ, hours)

    def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.clock.forward(seconds=seconds)


@pytest.fixture
def night(cloud: Cloud, tmp_path: Path) -> Night:
    return Night(cloud, tmp_path)


class Slow(DevOpsPipelines):
    """An Azure DevOps with so many builds that a look takes longer than a mark is good for."""

    night: Night
    seconds: float

    def find(self, *asked: Any) -> Iterator[PipelineRun]:
        self.night.clock.forward(seconds=self.seconds)
        yield from super().find(*asked)


def looks(night: Night) -> int:
    return len(night.cloud.devops.server.received("GET", "/build/builds"))


def test_it_asks_again_only_after_two_looks_the_second_of_them_after_the_grace(
    night: Night,
) -> None:
    night.wrong("POST", RUNS, drop="before")
    c = night.start()
    assert (telling.exit_code(c), c.sends) == (0, 2)
    assert len(night.cloud.devops.runs) == 1
    assert looks(night) == 2
    assert 600 < sum(night.waits) < 660


def test_a_look_that_is_not_complete_does_not_count(night: Night) -> None:
    night.wrong("POST", RUNS, drop="before")
    night.wrong("GET", BUILDS, status=503, times=4)
    c = night.start()
    assert (telling.exit_code(c), len(night.cloud.devops.runs)) == (0, 1)
    assert looks(night) == 2


def test_patience_ends_in_doubt_and_says_what_was_tried(night: Night) -> None:
    night.wrong("POST", RUNS, drop="before", times=9)
    c = night.start(**{"patience-seconds": "300"})
    assert telling.exit_code(c) == telling.IN_DOUBT
    assert (c.sends, looks(night)) == (1, 1)
    assert sum(night.waits) < 300


def test_however_patient_it_sends_three_times_at_most(night: Night) -> None:
    fault = night.wrong("POST", RUNS, drop="before", times=9)
    c = night.start(**{"patience-seconds": "99999"})
    assert (telling.exit_code(c), 9 - fault.times) == (telling.IN_DOUBT, 3)


def test_a_connection_that_cannot_be_made_is_tried_again_until_patience_ends(
    night: Night,
) -> None:
    night.cloud.devops.server.stop()
    c = night.start()
    assert telling.exit_code(c) == telling.TIMED_OUT
    assert (c.asked_at, len(night.waits) > 3) == (None, True)
    assert sum(night.waits) <= 1800


def test_what_the_node_before_it_has_started_is_found_by_a_clock_that_is_behind(
    cloud: Cloud, tmp_path: Path
) -> None:
    found = []
    for minutes in (0, -40):
        directory = tmp_path / f"{minutes}"
        directory.mkdir()
        night = Night(cloud, directory)
        night.clock.forward(minutes=minutes)
        found.append(night.start(**{"correlation-parameter": "relay_id"}).pipeline_run)
    (queued,) = cloud.devops.runs
    assert found == [queued.id, queued.id]


@pytest.mark.parametrize("seconds", [12, 150])
def test_a_look_before_the_start_that_takes_long_keeps_nothing_from_being_started(
    night: Night, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr(Slow, "night", night, raising=False)
    monkeypatch.setattr(Slow, "seconds", seconds, raising=False)
    monkeypatch.setattr(driving, "DevOpsPipelines", Slow)
    c = night.start(**{"correlation-parameter": "relay_id"})
    assert (telling.exit_code(c), len(night.cloud.devops.runs)) == (0, 1)
    assert night.waits == []
