"""The real function app in the local Functions host, as a process of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.stage.azure import as_cloud_event, changed, completed, in_bytes
from tests.stage.hosted import Hosted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.stage.azure import Stage


@pytest.fixture
def host(stage: Stage) -> Iterator[Hosted]:
    running = Hosted({**stage.environ, "RETRY_FIRST_SECONDS": "0.2"})
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


TIMES = {
    "offset": "2026-11-28T20:41:00+02:00",
    "offset-without-colon": "2026-11-28T20:41:00+0200",
    "hours-only": "2026-11-28T20:41:00+02",
    "minus-zero": "2026-11-28T18:41:00-00:00",
    "milliseconds": "2026-11-28T18:41:00.000Z",
    "no-zone": "2026-11-28T18:41:00.500",
    "small-z": "2026-11-28T18:41:00z",
    "end-of-day": "2026-11-28T24:00:00Z",
    "far-offset": "2026-11-28T18:41:00+25:00",
    "first": "0001-01-01T00:00:00+02:00",
    "last": "9999-12-31T23:59:59-02:00",
    "epoch": "/Date(1732818060000)/",
    "seven-digits": "2026-11-28T18:41:00.1234567Z",
    "eight-digits": "2026-11-28T18:41:00.12345678Z",
    "small-t": "2026-11-28t18:41:00Z",
    "blank": "2026-11-28 18:41:00Z",
    "no-seconds": "2026-11-28T18:41Z",
    "no-time": "2026-11-28",
    "comma": "2026-11-28T18:41:00,5Z",
    "leap-second": "2016-12-31T23:59:60Z",
    "no-such-day": "2026-02-30T18:41:00Z",
    "zone-in-brackets": "2026-11-28T19:41:00+01:00[Europe/Berlin]",
    "blanks-around": " 2026-11-28T18:41:00Z ",
    "none": "yesterday",
    "empty": "",
}


@pytest.mark.parametrize("spell", [dict, as_cloud_event, in_bytes])
def test_an_event_starts_its_pipeline_however_its_time_is_written(
    stage: Stage, host: Hosted, spell: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    for run, time in TIMES.items():
        stage.aml.add_run(run, experiment="defect-detection")
        answer = host.deliver("on_run_completed", spell({**completed(run), "eventTime": time}))
        assert (run, answer.status_code, answer.text) == (run, 202, "")
    assert stage.started() == [(42, run) for run in TIMES]


def test_what_cannot_be_read_is_acknowledged_with_a_warning_that_says_why(
    stage: Stage, host: Hosted
) -> None:
    news = as_cloud_event(changed("r1", "Failed"))
    for data in ({"data_base64": "e30"}, {"data_base64": "e30="}, {"data": "{"}, {"data": [1]}):
        told = {key: value for key, value in news.items() if key != "data"} | data
        assert host.deliver("on_run_status_changed", told).status_code == 202
    lines = [line for line in host.stop().splitlines() if "ignored=" in line]
    whys = ("no base64", "it names no status", "is no JSON:", "no JSON object but")
    for line, why in zip(lines, whys, strict=True):
        assert why in line
        assert " WARNING: " in line
        assert "type=Microsoft.MachineLearningServices.RunStatusChanged" in line
    assert stage.posts() == 0


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
    for _ in range(100):  # until it is due
        host.fire("reconcile")
        if stage.started():
            break
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
