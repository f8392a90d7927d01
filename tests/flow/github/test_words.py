"""Whatever is told of a workflow is told of GitHub, and of a pipeline of Azure DevOps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from functions import web
from functions.core.operators import history
from functions.core.operators.explaining import explained
from functions.core.rounds.notices.noticing import of_continuation
from functions.core.terms.words import Happening
from tests.flow.github.hub import ROUTES
from tests.flow.github.test_answers import says
from tests.flow.github.test_doubt import lost

if TYPE_CHECKING:
    from tests.flow.github.hub import Hub

OTHER = "Azure DevOps"


def pages(hub: Hub, **query: str) -> str:
    answer = web.answer(lambda: hub.app.overview, query, "text/html")
    return answer.body if isinstance(answer.body, str) else answer.body.decode()


@pytest.mark.parametrize(
    "what",
    [
        "started",
        "rejected",
        "refused",
        "throttled",
        "unavailable",
        "lost",
        "unauthorized",
        "no secret",
    ],
)
def test_no_word_of_a_workflow_is_about_azure_devops(hub: Hub, what: str) -> None:
    if what == "unauthorized":
        hub.hub.refuse(hub.cloud.github_token)
    if what == "no secret":
        hub.deploy(GITHUB_SECRET="none-such")
    faults = {
        "rejected": says(422, 'Unexpected inputs provided: ["a"]'),
        "refused": says(404, "Not Found"),
        "throttled": says(429, "slow", Retry_After="90"),
        "unavailable": says(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow"),
        "lost": lost(),
    }
    if what in faults:
        hub.hub.server.faults.add(faults[what])
    hub.happen()
    row = hub.only("r1")
    told = explained(row, datetime.now(UTC), hub.read.policy)
    assert OTHER not in " ".join(told)
    assert OTHER not in pages(hub)
    assert OTHER not in pages(hub, key=row.key.text)
    assert OTHER not in " ".join(step.detail for step in history.told(row))
    if what != "no secret":  # which no service knows of
        assert of_continuation(row, Happening.HELD, datetime.now(UTC)).service == "GitHub"


def test_a_pipeline_beside_it_is_told_of_azure_devops(hub: Hub) -> None:
    hub.routes(
        ROUTES.partition("routes:")[0]
        + """routes:
  - name: build
    match: {experiment: "defect-*"}
    start: {pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
"""
    )
    hub.deploy()
    hub.happen()
    page = pages(hub, key=hub.only("r1").key.text)
    assert "Request to Azure DevOps" in page
    assert "GitHub" not in page
