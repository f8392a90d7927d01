"""One CloudEvent per outcome on a custom topic, and what happens where it does not take them."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from local.eventgrid.outcomes import OutcomeTopic
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT
from tests.running.shipping import ROOT
from tests.saying.refusals import WRONG, says
from tests.stage.azure import ROUTES, Stage, changed, completed
from tests.stage.identities import all_answered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.cloud import Cloud

SCHEMA = json.loads((ROOT / "docs" / "outcome-event.schema.json").read_text("utf-8"))
GATED = ROUTES.replace("name: register", "name: register\n    when: run.metrics.accuracy > 0.9")


@pytest.fixture
def topic(cloud: Cloud) -> Iterator[OutcomeTopic]:
    with OutcomeTopic(cloud.identity.accepts, cloud.tls) as topic:
        yield topic


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path, topic: OutcomeTopic) -> Stage:
    return Stage(cloud, tmp_path, OUTCOME_TOPIC_ENDPOINT=topic.endpoint)


def ran(stage: Stage, run: str = "r1", accuracy: float = 0.95) -> None:
    stage.aml.add_run(run, experiment=EXPERIMENT, metrics={"accuracy": accuracy})
    stage.deliver(completed(run))


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def kinds(topic: OutcomeTopic) -> list[str]:
    return [event["type"] for event in topic.events]


def test_a_start_is_told_once_with_what_is_known_of_it(stage: Stage, topic: OutcomeTopic) -> None:
    ran(stage)
    stage.deliver(changed("r1", "Completed"))
    (event,) = topic.events
    assert event["type"] == "RunRelay.ContinuationStarted"
    assert event["subject"] == "register/r1/Completed"
    started = stage.only("r1")
    assert event["data"]["pipeline_run"] == started.pipeline_run == stage.devops.runs[0].id
    assert event["data"]["url"] == started.url


def test_each_outcome_has_its_type(stage: Stage, topic: OutcomeTopic) -> None:
    stage.routes(GATED)
    ran(stage, "held", accuracy=0.5)
    stage.deploy(PAUSED="1")
    ran(stage, "parked")
    stage.deploy(PAUSED="0")
    stage.devops.server.faults.add(says(400, WRONG))
    ran(stage, "failed")
    ran(stage, "started")
    stage.routes(ROUTES.replace("name: register", "name: register\n    mode: shadow"))
    ran(stage, "skipped")
    told = [
        (e["data"]["run"], e["type"].removeprefix("RunRelay.Continuation")) for e in topic.events
    ]
    assert told == [
        ("held", "Held"),
        ("parked", "Parked"),
        ("failed", "Failed"),
        ("started", "Started"),
    ]


def test_every_event_is_as_the_schema_says(stage: Stage, topic: OutcomeTopic) -> None:
    stage.routes(GATED)
    ran(stage, "held", accuracy=0.5)
    ran(stage, "started")
    stage.deploy(PAUSED="1")
    ran(stage, "parked")
    assert len(topic.events) == 3
    for event in topic.events:
        Draft202012Validator(SCHEMA).validate(event)


def test_what_the_reconciler_does_is_told_too(stage: Stage, topic: OutcomeTopic) -> None:
    stage.deploy(PAUSED="1")
    ran(stage)
    stage.deploy(PAUSED="0")
    stage.reconcile(minutes=1)
    assert kinds(topic) == ["RunRelay.ContinuationParked", "RunRelay.ContinuationStarted"]
    assert len({event["id"] for event in topic.events}) == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500),
        Fault(status=503),
        Fault(status=503, headers={"Retry-After": "1"}),
        Fault(status=429),
        Fault(status=429, headers={"Retry-After": "1"}),
        Fault(status=401),
        Fault(drop="before"),
        Fault(hang=True),
    ],
)
def test_a_topic_that_does_not_take_them_costs_nothing_but_a_warning(
    stage: Stage, topic: OutcomeTopic, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    topic.server.faults.add(fault)
    ran(stage)
    assert stage.started() == [(42, "r1")]
    (line,) = warnings(caplog)
    assert line.startswith('outcomes="not sent" count=1')
    ran(stage, "r2")
    assert [e["data"]["run"] for e in topic.events] == ["r2"]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_the_topic_refuses_is_sent_once(
    stage: Stage, topic: OutcomeTopic, status: int
) -> None:
    fault = Fault(status=status, after=True, times=9, headers={"Retry-After": "0"})
    topic.server.faults.add(fault)
    ran(stage)
    assert len(topic.server.requests) == 1


def test_a_topic_that_does_not_answer_is_waited_for_no_longer_than_two_seconds(
    stage: Stage, topic: OutcomeTopic, caplog: pytest.LogCaptureFixture
) -> None:
    topic.server.faults.add(Fault(hang=True))
    ran(stage)
    assert "(read timeout=2.0)" in warnings(caplog)[0]


def test_what_is_sent_leaves_no_warning_in_the_log(
    stage: Stage, topic: OutcomeTopic, caplog: pytest.LogCaptureFixture
) -> None:
    ran(stage)
    stage.deploy(PAUSED="1")
    ran(stage, "r2")
    assert kinds(topic) == ["RunRelay.ContinuationStarted", "RunRelay.ContinuationParked"]
    assert [line for line in warnings(caplog) if not line.startswith("continuation=parked")] == []


def test_a_topic_that_redirects_gets_no_token_elsewhere(
    stage: Stage, topic: OutcomeTopic, cloud: Cloud
) -> None:
    with OutcomeTopic(cloud.identity.accepts, cloud.tls) as other:
        where = {"Location": f"{other.endpoint}?api-version=2018-01-01"}
        topic.server.faults.add(Fault(status=307, headers=where))
        ran(stage)
        assert other.server.requests == []


def test_no_topic_means_no_events(stage: Stage, topic: OutcomeTopic) -> None:
    stage.deploy(OUTCOME_TOPIC_ENDPOINT="")
    ran(stage)
    assert topic.server.requests == []


def test_a_token_that_the_topic_refuses_is_renewed_for_the_next_outcome(
    stage: Stage, topic: OutcomeTopic
) -> None:
    ran(stage)
    stage.clock.forward(minutes=2)
    topic.server.faults.add(Fault(status=401))
    ran(stage, "r2")
    all_answered()
    asked = [r.query["resource"] for r in stage.cloud.identity.server.requests]
    assert asked.count("https://eventgrid.azure.net") == 2
    ran(stage, "r3")
    assert [e["data"]["run"] for e in topic.events] == ["r1", "r3"]
