"""The real function app in the local Functions host, as a process of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.azure import as_cloud_event, changed, completed
from tests.hosted import Hosted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.azure import Stage


@pytest.fixture
def host(stage: Stage) -> Iterator[Hosted]:
    running = Hosted(stage.environ)
    yield running
    running.stop()


def test_twenty_deliveries_of_one_run_start_one_pipeline(stage: Stage, host: Hosted) -> None:
    stage.aml.add_run("r1", experiment="defect-detection")
    news = [("on_run_completed", completed("r1"))] * 5
    news += [("on_run_status_changed", changed("r1", "Completed"))] * 5
    news += [(function, as_cloud_event(event)) for function, event in news]
    with ThreadPoolExecutor(len(news)) as pool:
        answers = list(pool.map(lambda one: host.deliver(*one), news))
    assert [answer.status_code for answer in answers] == [202] * 20
    assert stage.started() == [(42, "r1")]


def test_what_no_route_wants_leaves_the_machine_silent(stage: Stage, host: Hosted) -> None:
    for payload in (
        completed("step", runType="azureml.StepRun"),
        completed("other", experimentName="churn"),
        {**completed("x"), "eventType": "Microsoft.Storage.BlobCreated"},
    ):
        assert host.deliver("on_run_completed", payload).status_code == 202
    assert stage.outgoing() == []


def test_the_timer_resumes_what_was_parked(stage: Stage, host: Hosted) -> None:
    stage.devops.throttle(1, 0)
    stage.aml.add_run("r1", experiment="defect-detection")
    assert host.deliver("on_run_completed", completed("r1")).status_code == 202
    assert stage.posts() == 1
    host.fire("reconcile")
    assert stage.started() == [(42, "r1")]


def test_without_a_ledger_the_delivery_is_refused_so_that_event_grid_keeps_it(
    stage: Stage, host: Hosted
) -> None:
    Path(stage.environ["LEDGER_URL"].removeprefix("sqlite:///")).mkdir()
    answer = host.deliver("on_run_completed", completed("r1"))
    assert answer.status_code == 500
    assert "ledger" in answer.text
    assert stage.posts() == 0


def test_the_log_has_one_line_per_outcome(stage: Stage, host: Hosted) -> None:
    stage.aml.add_run("r1", experiment="defect-detection")
    host.deliver("on_run_completed", completed("r1"))
    host.deliver("on_run_completed", completed("r1"))
    lines = [line for line in host.stop().splitlines() if "continuation=" in line]
    assert len(lines) == 1
    assert "continuation=started route=register run=r1 outcome=Completed" in lines[0]
    assert f"pipeline_run={stage.devops.runs[0].id}" in lines[0]
