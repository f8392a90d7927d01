"""A tag or a property that is too long for an event is there all the same: others tell its text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.arm.jobs import Job
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT, asked, route
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

CARD = "stage: production\n" + "x" * 5000
DEEP: object = "x"
for _ in range(200):
    DEEP = [DEEP]


def trained(stage: Stage, text: str = CARD) -> None:
    """A run with a tag that its event does not tell whole."""
    stage.aml.add_run("r1", experiment=EXPERIMENT, tags={"card": text})
    stage.deliver(completed("r1", runTags={"card": text}))


@pytest.mark.parametrize("pattern", ["*", "stage: production*"])
def test_a_filter_is_asked_of_the_run_where_the_event_left_its_tag_out(
    stage: Stage, pattern: str
) -> None:
    route(stage, f"match: {{tags: {{card: {json.dumps(pattern)}}}}}")
    trained(stage)
    assert stage.started() == [(42, "r1")]


def test_so_is_one_that_does_not_fit(stage: Stage) -> None:
    route(stage, 'match: {tags: {card: "stage: test*"}}')
    trained(stage)
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.SKIPPED, Reason.NOT_MATCHED, 0)


def test_it_is_asked_after_an_outage_too(stage: Stage) -> None:
    """Though a row of the ledger has no room for such a text either."""
    route(stage, 'match: {tags: {card: "stage: test*"}}')
    many = {f"n{n}": "y" * 4000 for n in range(9)}
    stage.aml.add_run("r1", experiment=EXPERIMENT, tags={"card": CARD, **many})
    stage.aml.server.faults.add(Fault(path="*/runs/get", status=503, times=2))
    stage.deliver(completed("r1", runTags={"card": CARD, **many}))
    stage.reconcile(hours=1)
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.SKIPPED, Reason.NOT_MATCHED, 0)


@pytest.mark.parametrize("odd", ["x\ud800", DEEP], ids=["half a character", "nested deep"])
def test_what_cannot_be_kept_for_another_reason_is_asked_of_the_run_too(
    stage: Stage, odd: object
) -> None:
    route(stage, 'match: {tags: {card: "*"}}')
    stage.aml.add_run("r1", experiment=EXPERIMENT, tags={"card": "x"})
    stage.deliver(completed("r1", runTags={"card": odd}))
    assert stage.started() == [(42, "r1")]


@pytest.mark.parametrize("said", ["production", "test"])
def test_a_property_that_the_event_left_out_is_the_job_s(stage: Stage, said: str) -> None:
    route(
        stage, 'match: {properties: {plan: "stage: production*"}}', plan="{{ run.properties.plan }}"
    )
    plan = f"stage: {said} {'x' * 5000}"
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.cloud.arm.add_job(WORKSPACE, Job("r1", properties={"plan": plan}))
    stage.deliver(completed("r1", runProperties={"plan": plan}))
    if said == "production":
        assert asked(stage) == {"plan": plan}
    else:
        assert (stage.only("r1").reason, stage.posts()) == (Reason.NOT_MATCHED, 0)


def test_a_gate_does_not_take_it_for_absent(stage: Stage) -> None:
    """No job tells it, so that nobody can say what it is; that it is there is known."""
    route(stage, "when: '!has(run.properties.hold)'")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1", runProperties={"hold": "x" * 5000}))
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.OPEN, Reason.FACTS_MISSING, 0)


MANY = {f"n{n}": "y" * 3000 for n in range(9)}  # more than a row has room for


def test_a_filter_is_asked_of_the_run_where_the_inbox_had_no_room_for_a_tag(stage: Stage) -> None:
    route(stage, 'match: {tags: {card: "stage: production*"}}')
    text = stage.routes_file.read_text("utf-8")
    stage.routes("routes: [")
    tags = {"card": CARD[:3500], **MANY}
    stage.aml.add_run("r1", experiment=EXPERIMENT, tags=tags)
    stage.deliver(completed("r1", runTags=tags))
    stage.routes(text)
    stage.reconcile(minutes=2)
    assert stage.started() == [(42, "r1")]


def test_a_gate_does_not_take_for_absent_what_a_row_had_no_room_for(stage: Stage) -> None:
    """Asked at once it says no; asked after an outage it waits for who tells the text."""
    route(stage, "when: '!has(run.properties.hold)'")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.aml.server.faults.add(Fault(path="*/runs/get", status=503, times=2))
    stage.deliver(completed("r1", runProperties={"hold": "x" * 3500, **MANY}))
    stage.reconcile(hours=1)
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.OPEN, Reason.FACTS_MISSING, 0)
