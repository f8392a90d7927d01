"""An agentless task of Azure Pipelines waits for a run that a workflow of GitHub follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.terms.reasons import Reason
from local.cloud import WORKSPACE
from tests.flow.github.hub import ROUTES, Hub
from tests.flow.github.test_doubt import lost
from tests.flow.waits.test_waits import KEY, register, runs
from tests.stage.azure import completed

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud
    from local.github.actions.runs import Conclusion


@pytest.fixture
def hub(cloud: Cloud, tmp_path: Path) -> Hub:
    hub = Hub(cloud, tmp_path, WAITS="1", SWEEP_WORKSPACES=WORKSPACE)
    hub.cloud.vault.put("run-relay-waits-key", KEY)
    hub.routes(ROUTES.replace("name: register", "name: register\n    complete: after"))
    hub.deploy()
    return hub


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize(
    ("conclusion", "answer"), [("success", "succeeded"), ("failure", "failed")]
)
def test_it_is_answered_by_the_workflows_end(
    hub: Hub, conclusion: Conclusion, answer: str, *, arrives: bool
) -> None:
    runs(hub)
    job = register(hub)
    if not arrives:
        hub.hub.server.faults.add(lost())
    runs(hub, accuracy=0.95)  # it ends
    hub.deliver(completed("r1"))
    for _ in range(3):
        hub.reconcile(minutes=1)
    assert (job.result, len(hub.runs)) == (None, 1)
    hub.hub.finish(hub.runs[0].id, conclusion)
    for _ in range(3):
        hub.reconcile(minutes=5)
    assert job.result == answer
    (line,) = job.lines
    assert f"route register: pipeline run {hub.runs[0].id} {answer}" in line


def test_what_is_in_doubt_at_github_is_no_answer_yet(hub: Hub) -> None:
    runs(hub)
    job = register(hub)
    hub.hub.server.faults.add(lost())
    hub.hub.hidden_seconds = 10**6
    runs(hub, accuracy=0.95)  # it ends
    hub.deliver(completed("r1"))
    hub.hub.refuse(hub.cloud.github_token)
    for _ in range(6):
        hub.reconcile(minutes=10)
    assert hub.only("r1").reason is Reason.CREDENTIAL_REFUSED
    assert job.result is None
