"""The real function app in the local Functions host, as a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.azure import as_cloud_event, changed, completed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.azure import Stage

ROOT = Path(__file__).resolve().parents[2]


class Hosted:
    """The local host as a child process; `stop` ends it and gives its whole log."""

    def __init__(self, environ: dict[str, str]) -> None:
        command = [sys.executable, "-m", "local.host", "--port", "0", "--threads", "4"]
        self._process = subprocess.Popen(
            [*command, "--no-timers", "--app", str(ROOT)],
            cwd=ROOT,
            env={**os.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._log = ""
        self.url = self._await_url()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def stop(self) -> str:
        self._process.terminate()
        self._process.wait()
        self._reader.join()
        return self._log

    def _await_url(self) -> str:
        for line in self._process.stdout or ():
            self._log += line
            if found := re.search(r"listening on (http://\S+)", line):
                return found[1]
        self._process.wait()
        raise AssertionError(f"the host did not start: {self._log}")

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._log += line


@pytest.fixture
def host(stage: Stage) -> Iterator[Hosted]:
    running = Hosted(stage.environ)
    yield running
    running.stop()


def deliver(host: Hosted, function: str, payload: dict[str, Any]) -> requests.Response:
    body: object = payload if "specversion" in payload else [payload]
    return requests.post(
        f"{host.url}/runtime/webhooks/EventGrid?functionName={function}",
        json=body,
        headers={"aeg-event-type": "Notification"},
        timeout=30,
    )


def test_twenty_deliveries_of_one_run_start_one_pipeline(stage: Stage, host: Hosted) -> None:
    stage.aml.add_run("r1", experiment="defect-detection")
    news = [("on_run_completed", completed("r1"))] * 5
    news += [("on_run_status_changed", changed("r1", "Completed"))] * 5
    news += [(function, as_cloud_event(event)) for function, event in news]
    with ThreadPoolExecutor(len(news)) as pool:
        answers = list(pool.map(lambda one: deliver(host, *one), news))
    assert [answer.status_code for answer in answers] == [202] * 20
    assert stage.started() == [(42, "r1")]


def test_what_no_route_wants_leaves_the_machine_silent(stage: Stage, host: Hosted) -> None:
    for payload in (
        completed("step", runType="azureml.StepRun"),
        completed("other", experimentName="churn"),
        {**completed("x"), "eventType": "Microsoft.Storage.BlobCreated"},
    ):
        assert deliver(host, "on_run_completed", payload).status_code == 202
    assert stage.outgoing() == []


def test_the_timer_resumes_what_was_parked(stage: Stage, host: Hosted) -> None:
    stage.devops.throttle(1, 0)
    stage.aml.add_run("r1", experiment="defect-detection")
    assert deliver(host, "on_run_completed", completed("r1")).status_code == 202
    assert stage.posts() == 1
    fired = requests.post(f"{host.url}/admin/functions/reconcile", json={"input": ""}, timeout=30)
    assert fired.status_code == 202
    invocation = fired.headers["Local-Invocation-Id"]
    requests.get(f"{host.url}/_local/invocations?function={invocation}&count=1", timeout=60)
    assert stage.started() == [(42, "r1")]


def test_without_a_ledger_the_delivery_is_refused_so_that_event_grid_keeps_it(
    stage: Stage, host: Hosted
) -> None:
    Path(stage.environ["LEDGER_URL"].removeprefix("sqlite:///")).mkdir()
    answer = deliver(host, "on_run_completed", completed("r1"))
    assert answer.status_code == 500
    assert "ledger" in answer.text
    assert stage.posts() == 0


def test_the_log_has_one_line_per_outcome(stage: Stage, host: Hosted) -> None:
    stage.aml.add_run("r1", experiment="defect-detection")
    deliver(host, "on_run_completed", completed("r1"))
    deliver(host, "on_run_completed", completed("r1"))
    lines = [line for line in host.stop().splitlines() if "continuation=" in line]
    assert len(lines) == 1
    assert "continuation=started route=register run=r1 outcome=Completed" in lines[0]
    assert f"pipeline_run={stage.devops.runs[0].id}" in lines[0]
