"""A name in the file was another kind of route's before: nobody starts in the other's place."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.flow.asking import EXPERIMENT
from tests.flow.following.after import ANNOUNCE, DEPLOY, PIPELINE, asked, sequel, set_up
from tests.flow.following.ends import lines
from tests.stage.azure import ROUTES, completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

NAME = "register.succeeded"
SENT = 'parameters: {run_id: "{{ run.id }}"}'
THEN = f"    then:\n      succeeded:\n        start: {{pipeline: {DEPLOY}, {SENT}}}\n"
CHAIN = ROUTES.replace(PIPELINE, PIPELINE + THEN, 1)
APART = f"""{ROUTES}
  - name: {NAME}
    match: {{experiment: "defect-*"}}
    start: {{pipeline: {ANNOUNCE}, {SENT}}}
"""


def of_its_own(line: str) -> str:
    """The route of that name which events concern, with this line."""
    return APART.replace(f"name: {NAME}\n", f"name: {NAME}\n    {line}\n")


def changed(stage: Stage, routes: str) -> None:
    """A deployment with this file, and what the rounds of the next half hour make of it."""
    stage.routes(routes)
    stage.deploy(PAUSED="0")
    rounds(stage)


def rounds(stage: Stage) -> None:
    for _ in range(10):
        stage.reconcile(minutes=3)


def trained(stage: Stage) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))


def finished(stage: Stage) -> None:
    """The first pipeline run succeeds."""
    stage.devops.finish(stage.devops.runs[0].id, "succeeded")
    rounds(stage)


def test_what_waits_on_a_route_goes_on_by_no_end_that_has_its_name_since(stage: Stage) -> None:
    waits = "when: run.metrics.later > 0.5\n    wait_for_facts: 7d"
    set_up(stage, of_its_own(waits))
    stage.reconcile()
    trained(stage)
    assert sequel(stage, NAME).is_open
    changed(stage, CHAIN)
    assert asked(stage) == [42]  # whose pipeline run goes on
    failed = sequel(stage, NAME)
    assert (failed.state, failed.reason) == (State.FAILED, Reason.ROUTE_REMOVED)
    assert failed.detail == f"the route {NAME} of today is another"
    finished(stage)
    assert asked(stage) == [42, DEPLOY]


def test_what_waits_to_go_on_by_an_end_is_started_by_no_route_that_has_its_name_since(
    stage: Stage,
) -> None:
    set_up(stage, CHAIN)
    stage.reconcile()
    trained(stage)
    stage.reconcile(seconds=121)
    stage.deploy(PAUSED="1")
    finished(stage)
    assert sequel(stage, NAME).reason is Reason.PAUSED
    changed(stage, APART.replace("defect-*", "x-*").replace("x-*", "defect-*", 2))
    assert asked(stage) == [42]
    assert sequel(stage, NAME).state is State.FAILED


@pytest.mark.parametrize(
    "line",
    ['match: {tags: {stage: "prod"}}', "when: run.metrics.accuracy > 0.5\n    wait_for_facts: 1m"],
    ids=["passed over", "held"],
)
def test_an_end_goes_on_though_a_route_of_that_name_has_left_the_run_alone(
    stage: Stage, line: str
) -> None:
    text = of_its_own(line)
    if "match" in line:
        text = text.replace(f'{line}\n    match: {{experiment: "defect-*"}}', line)
    set_up(stage, text)
    stage.reconcile()
    trained(stage)
    rounds(stage)
    assert (asked(stage), sequel(stage, NAME).is_open) == ([42], False)
    changed(stage, CHAIN)
    finished(stage)
    assert asked(stage) == [42, DEPLOY]


def test_what_a_route_of_that_name_has_started_is_told_and_nothing_is_started_beside_it(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    set_up(stage, APART)
    stage.reconcile()
    trained(stage)
    stage.reconcile(seconds=121)
    changed(stage, CHAIN)
    finished(stage)
    assert sorted(asked(stage)) == [42, ANNOUNCE]
    (line,) = [m for m in caplog.messages if m.startswith("then=")]
    assert line.startswith(f'then="not kept" route={NAME} run=r1 detail="')
    assert "a route of that name" in line


def test_an_end_on_a_route_that_has_another_name_since_says_that_nothing_goes_on_by_it(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """What would have gone on stood in the file alone: nothing else could tell that it lacks."""
    caplog.set_level(logging.INFO)
    set_up(stage, CHAIN)
    stage.reconcile()
    trained(stage)
    stage.reconcile(seconds=121)
    changed(stage, CHAIN.replace("name: register\n", "name: registering\n"))
    finished(stage)
    assert asked(stage) == [42]
    why = "no route register today, so that nothing goes on by this end"
    end = stage.only("r1").ended
    assert end
    assert (end.how, end.detail) == ("succeeded", why)
    (line,) = lines(caplog)
    assert why in line
