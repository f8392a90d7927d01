"""Tags and properties that look like times: what the run itself has decides, however it is told.

The demo, an event through Azure's host, a dead letter and the sweep must come to the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.arm.jobs import Job
from local.cloud import WORKSPACE
from local.host.triggers.rewriting import rewritten
from tests.flow.asking import EXPERIMENT, asked, calls, route
from tests.flow.rounds.sweeps import end, sweep
from tests.saying.retold import TOLD
from tests.stage.azure import Stage, completed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local.cloud import Cloud

AT = "2026-11-28T20:41:00+02:00"
BERLIN = ZoneInfo("Europe/Berlin")


def in_berlin(event: object) -> Any:
    return rewritten(event, BERLIN)


WAYS = [dict, rewritten, in_berlin]


def through(
    stage: Stage, way: Callable[[dict[str, Any]], Any], run: str = "r1", **tags: str
) -> None:
    """Deliver the end of a run with these tags on this way."""
    stage.aml.add_run(run, experiment=EXPERIMENT, tags=tags)
    stage.deliver(way(completed(run, runTags=tags)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("sent", TOLD)
def test_a_parameter_is_the_runs_own_text(
    stage: Stage, way: Callable[[dict[str, Any]], Any], sent: str
) -> None:
    route(stage, "match: {}", at="{{ run.tags.trainedUntil }}")
    through(stage, way, trainedUntil=sent)
    assert asked(stage) == {"at": sent}


@pytest.mark.parametrize("way", WAYS)
def test_a_filter_is_asked_of_the_runs_own_text(
    stage: Stage, way: Callable[[dict[str, Any]], Any]
) -> None:
    route(stage, f"match: {{tags: {{trainedUntil: '{AT[:13]}*+02:00'}}}}")
    through(stage, way, trainedUntil=AT)
    through(stage, way, "r2", trainedUntil="2026-11-28T18:41:00+00:00")
    assert stage.started() == [(42, "r1")]
    row = stage.only("r2")
    assert (row.state, row.reason) == (State.SKIPPED, Reason.NOT_MATCHED)


def test_the_sweep_comes_to_the_same(cloud: Cloud, tmp_path: Path) -> None:
    stage = Stage(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)
    route(stage, f"match: {{tags: {{trainedUntil: '{AT}'}}}}")
    stage.reconcile()
    stage.clock.forward(days=2)
    end(stage, "r1", tags={"trainedUntil": AT})
    end(stage, "r2", tags={"trainedUntil": "2026-11-28T18:41:00+00:00"})
    sweep(stage)
    assert stage.started() == [(42, "r1")]
    assert stage.only("r2").reason is Reason.NOT_MATCHED


def test_a_run_is_read_for_such_a_filter_alone(stage: Stage) -> None:
    route(stage, "match: {tags: {trainedUntil: '2026-11-27*', of: prod, any: '*'}}")
    through(stage, rewritten, of="test", trainedUntil=AT, any=AT)
    through(stage, rewritten, "r2", of="prod", trainedUntil="2026-11-28", any=AT)
    assert calls(stage) == []
    through(stage, rewritten, "r3", of="prod", trainedUntil=AT, any=AT)
    assert calls(stage) == ["runs/get"]
    assert stage.posts() == 0


def test_a_tag_that_the_run_has_no_more_is_not_believed_but_waited_for(stage: Stage) -> None:
    route(stage, "match: {}", "wait_for_facts: 10m", at="{{ run.tags.trainedUntil }}")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(rewritten(completed("r1", runTags={"trainedUntil": AT})))
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.OPEN, Reason.FACTS_MISSING)
    assert "run.tags.trainedUntil is not known: only the event tells it" in row.detail
    stage.reconcile(minutes=11)
    assert (stage.only("r1").state, stage.posts()) == (State.HELD, 0)


def test_one_that_only_the_event_tells_is_believed_where_nobody_writes_it_anew(
    stage: Stage,
) -> None:
    route(stage, "match: {}", of="{{ run.tags.of }}")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(rewritten(completed("r1", runTags={"of": "prod"})))
    assert asked(stage) == {"of": "prod"}


def with_property(stage: Stage, way: Callable[[dict[str, Any]], Any], run: str, at: str) -> None:
    """Deliver the end of a run whose job has this property."""
    stage.aml.add_run(run, experiment=EXPERIMENT)
    stage.cloud.arm.add_job(WORKSPACE, Job(run, properties={"DataUntil": at}))
    stage.deliver(way(completed(run, runProperties={"dataUntil": at})))


@pytest.mark.parametrize("way", WAYS)
def test_a_property_is_what_the_runs_job_has(
    stage: Stage, way: Callable[[dict[str, Any]], Any]
) -> None:
    match = f"match: {{properties: {{dataUntil: '{AT[:13]}*'}}}}"
    route(stage, match, at="{{ run.properties.dataUntil }}")
    with_property(stage, way, "r1", AT)
    assert asked(stage) == {"at": AT}
    with_property(stage, way, "r2", "2026-11-28T18:41:00+00:00")
    row = stage.only("r2")
    assert (row.state, row.reason) == (State.SKIPPED, Reason.NOT_MATCHED)
    assert stage.posts() == 1


def test_a_job_is_read_for_a_property_that_is_named_alone(stage: Stage) -> None:
    route(stage, "match: {}", source="{{ run.properties.source }}")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    told = {"source": "Designer", "dataUntil": AT}
    stage.deliver(rewritten(completed("r1", runProperties=told)))
    assert asked(stage) == {"source": "Designer"}
    assert stage.cloud.arm.server.received("GET", "/jobs/r1") == []


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (f"match: {{properties: {{dataUntil: '{AT}'}}}}", "x"),
        ("match: {}", "{{ run.properties.dataUntil }}"),
    ],
)
def test_a_property_that_no_job_tells_is_held_and_the_reason_said(
    stage: Stage, line: str, value: str
) -> None:
    route(stage, line, "wait_for_facts: 10m", value=value)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(rewritten(completed("r1", runProperties={"dataUntil": AT})))
    stage.reconcile(minutes=11)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.HELD, Reason.FACTS_MISSING)
    assert "run.properties.dataUntil" in row.detail
    assert "the Functions host may have written it anew" in row.detail
    assert stage.posts() == 0


def test_a_gate_sees_the_runs_own_text(stage: Stage) -> None:
    route(stage, "match: {}", f"when: run.tags.trainedUntil == '{AT}'")
    through(stage, rewritten, trainedUntil=AT)
    assert stage.started() == [(42, "r1")]


def test_a_run_id_that_looks_like_a_time_is_told_by_the_subject(stage: Stage) -> None:
    route(stage, "match: {}")
    through(stage, rewritten, AT)
    through(stage, dict, AT)
    assert stage.started() == [(42, AT)]
