"""Where all goes well, nothing in the log wants anybody's attention: no library's line either."""

from __future__ import annotations

import logging
import re
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from local.cloud import SECRET
from local.eventgrid.outcomes import OutcomeTopic
from tests.stage.azure import Stage, as_cloud_event, changed, completed, now
from tests.stage.azurite import connection_string
from tests.stage.hosted import Hosted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.cloud import Cloud

LOUD = re.compile(r"\b(WARNING|ERROR|CRITICAL|Traceback)\b|Warning:")
EVENTS = (completed("r1"), as_cloud_event(completed("r2")), changed("r1", "Completed"))
STARTED = "RunRelay.ContinuationStarted"


@pytest.fixture
def topic(cloud: Cloud) -> Iterator[OutcomeTopic]:
    with OutcomeTopic(cloud.identity.accepts, cloud.tls) as running:
        yield running


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path, topic: OutcomeTopic, azurite: int) -> Stage:
    """An app as it is deployed, with all that it can be told to do besides."""
    cloud.vault.put(SECRET, cloud.pat, now() + timedelta(days=200))
    for run in ("r1", "r2"):
        cloud.aml.add_run(run, experiment="defect-detection")
    return Stage(
        cloud,
        tmp_path,
        LEDGER_URL="",
        LEDGER_TABLE=f"t{uuid.uuid4().hex}",
        AzureWebJobsStorage=connection_string(azurite),
        OUTCOME_TOPIC_ENDPOINT=topic.endpoint,
        TAG_RUNS="1",
    )


@pytest.mark.parametrize("telemetry", ["", "1"])
def test_a_process_in_which_all_goes_well_writes_no_warning(
    stage: Stage, topic: OutcomeTopic, telemetry: str
) -> None:
    host = Hosted({**stage.environ, "RELAY_OTEL": telemetry, "PYTHONWARNINGS": "default"})
    try:
        answers = [host.deliver("on_run_completed", event).status_code for event in EVENTS]
        host.fire("reconcile")
        host.fire("sweep")
    finally:
        log = host.stop()
    assert answers == [202] * len(EVENTS)
    assert [event["type"] for event in topic.events] == [STARTED] * 2
    assert "reconciler=done" in log
    assert "credential=valid" in log
    assert [line for line in log.splitlines() if LOUD.search(line)] == []


def test_nothing_of_a_start_its_tags_its_round_and_a_sweep_is_a_warning(
    stage: Stage, topic: OutcomeTopic, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for event in EVENTS:
        stage.deliver(event)
    stage.reconcile(seconds=121)
    stage.app.sweep.sweep()
    assert stage.started() == [(42, "r1"), (42, "r2")]
    assert [event["type"] for event in topic.events] == [STARTED] * 2
    assert len(stage.aml.server.received("POST", "/runs/set-tag")) == 4
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING] == []
