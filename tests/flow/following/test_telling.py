"""Who hears of an end: a topic, the run's tags, the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from functions.core.kept.summary import Summary
from functions.core.operators.lists.wanted import Wanted
from functions.core.operators.summaries import row
from functions.core.terms.deadline import Deadline
from functions.web import rows
from functions.web.detail import detail
from functions.web.html import text
from local.eventgrid.outcomes import OutcomeTopic
from local.serving.faults import Fault
from relay.forecasts.telling import lines
from tests.flow.following.ends import how, started
from tests.flow.operators.test_outcomes import SCHEMA
from tests.stage.azure import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.cloud import Cloud


@pytest.fixture
def topic(cloud: Cloud) -> Iterator[OutcomeTopic]:
    with OutcomeTopic(cloud.identity.accepts, cloud.tls) as topic:
        yield topic


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path, topic: OutcomeTopic) -> Stage:
    return Stage(cloud, tmp_path, OUTCOME_TOPIC_ENDPOINT=topic.endpoint, TAG_RUNS="1")


def tags(stage: Stage) -> dict[str, str]:
    workspace, deadline = stage.only("r1").event.workspace, Deadline(stage.clock, 20)
    return dict(stage.ports.runs.read(workspace, "r1", deadline).tags)


def test_an_end_is_an_event_of_its_own_and_a_tag_of_the_run(
    stage: Stage, topic: OutcomeTopic
) -> None:
    (build,) = started(stage)
    assert "relay.register.ended" not in tags(stage)
    stage.devops.finish(build, "failed")
    stage.reconcile(minutes=2)
    begun, over = topic.events
    for event in topic.events:
        Draft202012Validator(SCHEMA).validate(event)
    assert (begun["type"], begun["data"]["ended"]) == ("RunRelay.ContinuationStarted", None)
    assert over["type"] == "RunRelay.ContinuationEnded"
    assert (over["data"]["state"], over["data"]["pipeline_run"]) == ("started", build)
    assert over["data"]["ended"] == "failed"
    assert over["subject"] == begun["subject"]
    assert over["id"] != begun["id"]
    assert tags(stage)["relay.register.ended"] == "failed"


def test_a_tag_that_is_refused_costs_nothing_else(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    (build,) = started(stage)
    stage.devops.finish(build)
    fault = Fault(method="POST", path="*/runs/set-tag", status=403, times=9)
    stage.aml.server.faults.add(fault)
    stage.reconcile(minutes=2)
    assert how(stage) == "succeeded"
    assert [m for m in caplog.messages if m.startswith('link="not written" route=register run=r1')]


def test_page_and_command_tell_how_it_ended(stage: Stage) -> None:
    (build,) = started(stage)
    stage.devops.finish(build, "canceled")
    stage.reconcile(minutes=2)
    c, overview = stage.only("r1"), stage.app.overview
    shown = " ".join(lines(c, stage.clock.now(), stage.read))
    assert "ended    canceled at " in shown
    assert ": canceled while it was queued" in shown
    assert row(Summary.of(c))["ended"] == "canceled"
    seen = overview.look(Wanted())
    listed = text(rows.ended(seen.listed, seen))
    assert "canceled: canceled while it was queued" in listed
    whole = detail(overview.one(c.key.text))
    assert "canceled: canceled while it was queued, " in whole
