"""Pattern 2, whole: a server job waits, the real host is killed meanwhile, and the job goes on."""

from __future__ import annotations

import json
import re
import signal
from typing import TYPE_CHECKING, Any

import pytest
import requests

from local.cloud import WORKSPACE
from tests.patterns.pipelines import Pipeline
from tests.stage.azure import Stage, changed, completed
from tests.stage.hosted import Hosted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from local.cloud import Cloud
    from local.devops import ServerJob

KEY = "the-function-key"
TEMPLATE = Pipeline("train-and-wait.yml")
ROUTES = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: wait
    complete: true
    when: run.metrics.accuracy >= 0.9
"""


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path) -> Stage:
    settings = {"WAITS": "1", "SWEEP_WORKSPACES": WORKSPACE, "CLAIM_LEASE_SECONDS": "1"}
    stage = Stage(cloud, tmp_path, LOCAL_FUNCTION_KEY=KEY, **settings)
    cloud.vault.put("run-relay-waits-key", "any text of enough characters")
    stage.routes(ROUTES)
    cloud.aml.add_run("r1", status="Running", experiment="defect-detection")
    return stage


@pytest.fixture
def start(stage: Stage) -> Iterator[Callable[[], Hosted]]:
    """Starts hosts, and ends all of them."""
    started: list[Hosted] = []

    def one() -> Hosted:
        started.append(Hosted(stage.environ))
        return started[-1]

    yield one
    for host in started:
        host.stop()


def task() -> dict[str, Any]:
    """The step of the template that waits."""
    (step,) = [s for s in TEMPLATE.steps() if s.get("task") == "InvokeRESTAPI@1"]
    inputs: dict[str, Any] = step["inputs"]
    return inputs


def call(stage: Stage, host: Hosted, key: str = KEY) -> ServerJob:
    """What Azure Pipelines does with the template's step."""
    inputs = task()
    body = inputs["body"].replace("$(run)", "r1")
    body = body.replace("${{ parameters.workspace }}", WORKSPACE)
    given = json.loads(inputs["headers"].replace("$(relayKey)", key))
    own = {name: value for name, value in given.items() if "$(" not in value}
    url = f"{host.url}{inputs['urlSuffix']}"
    return stage.devops.start_server_job("contoso", "mlops", url=url, body=body, headers=own)


def ended(stage: Stage, accuracy: float = 0.95) -> None:
    metrics = {"accuracy": accuracy}
    stage.aml.add_run("r1", metrics=metrics, experiment="defect-detection")


def test_the_templates_headers_are_those_that_a_task_sends_of_itself(stage: Stage) -> None:
    job = stage.devops.start_server_job("contoso", "mlops")
    given = json.loads(task()["headers"])
    assert given.pop("x-functions-key") == "$(relayKey)"
    assert given.keys() == job.headers.keys()
    assert all(re.fullmatch(r"\$\(system\.\w+\)", v) for k, v in given.items() if k[0] != "C")
    assert task()["waitForCompletion"] == "true"


def test_a_job_waits_and_goes_on_with_the_run(stage: Stage, start: Callable[[], Hosted]) -> None:
    host = start()
    job = call(stage, host)
    assert (job.answer and job.answer.status, job.result) == (202, None)
    ended(stage)
    assert host.deliver("on_run_completed", completed("r1")).status_code == 202
    assert job.result == "succeeded"
    assert "its gate holds" in job.log
    assert job.token not in host.stop()


@pytest.mark.parametrize("key", ["", "wrong"])
def test_without_the_key_nothing_is_registered(
    stage: Stage, start: Callable[[], Hosted], key: str
) -> None:
    job = call(stage, start(), key)
    assert (job.answer and job.answer.status, job.result) == (401, "failed")
    assert job.requests == []


def test_hosts_that_are_killed_meanwhile_cost_the_job_nothing(
    stage: Stage, start: Callable[[], Hosted]
) -> None:
    first = start()
    job = call(stage, first)
    first.process.send_signal(signal.SIGKILL)
    first.ended()
    ended(stage)
    second = start()
    for _ in range(3):
        assert second.deliver("on_run_completed", completed("r1")).status_code == 202
    assert job.result == "succeeded"
    assert [event.status for event in job.events] == [204]


def test_two_hosts_and_many_events_answer_once(stage: Stage, start: Callable[[], Hosted]) -> None:
    hosts = [start(), start()]
    job = call(stage, hosts[0])
    again = requests.post(
        f"{hosts[1].url}/api/waits",
        headers={**job.headers, "x-functions-key": KEY},
        json={"run_id": "r1", "workspace": WORKSPACE},
        timeout=60,
    )
    assert again.status_code == 202
    ended(stage, accuracy=0.5)
    for host in hosts:
        host.deliver("on_run_completed", completed("r1"))
        host.deliver("on_run_status_changed", changed("r1", "Completed"))
        host.fire("reconcile")
    assert job.result == "failed"
    assert [event.status for event in job.events] == [204]


def test_without_the_setting_there_is_no_such_endpoint(
    stage: Stage, start: Callable[[], Hosted]
) -> None:
    stage.environ["WAITS"] = "0"
    job = call(stage, start())
    assert (job.answer and job.answer.status, job.result) == (404, "failed")
