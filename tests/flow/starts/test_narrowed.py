"""A route that follows fewer runs by now: what waits on it and is none of these is not started."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from functions.core.texts.times import LEFT_OUT
from local.cloud import WORKSPACE
from tests.flow.rounds.sweeps import end, settled, sweep
from tests.flow.rounds.test_succession import fleet  # noqa: F401 - a fixture
from tests.stage.azure import ONLY, completed

if TYPE_CHECKING:
    from pathlib import Path

    from functions.core.kept.continuation import Continuation
    from local.cloud import Cloud
    from tests.flow.rounds.test_succession import Fleet
    from tests.stage.azure import Stage

ANY = ONLY.replace("defect-*", "*")
TAGS = {"stage": "trial"}
NARROWED = {
    "experiment": (ONLY, "wants experiment defect-*, and the run has other"),
    "tags": (
        ANY.replace('experiment: "*"', "tags: {stage: production}"),
        "wants tags.stage production, and the run has trial",
    ),
    "outcome": (
        ANY.replace("    start:\n", "    outcome: Failed\n    start:\n"),
        "wants outcome Failed, and the run has Completed",
    ),
}


def waits(stage: Stage, run: str = "r1") -> None:
    """Its start waits for the app to go on, on a route that follows every run."""
    stage.routes(ANY)
    stage.deploy(PAUSED="1")
    stage.reconcile()
    stage.aml.add_run(run, experiment="other", tags=TAGS)
    stage.deliver(completed(run, runTags=TAGS, experimentName="other"))
    assert stage.only(run).reason is Reason.PAUSED


def goes_on(stage: Stage, routes: str) -> Continuation:
    """Deployed with this file, not paused any more, half an hour later."""
    stage.routes(routes)
    stage.deploy(PAUSED="0")
    for _ in range(10):
        stage.reconcile(minutes=3)
    return stage.only("r1")


@pytest.mark.parametrize("name", NARROWED)
def test_what_waits_is_started_by_no_route_that_follows_it_no_more(stage: Stage, name: str) -> None:
    waits(stage)
    routes, why = NARROWED[name]
    row = goes_on(stage, routes)
    assert stage.started() == []
    assert (row.state, row.reason) == (State.FAILED, Reason.ROUTE_REMOVED)
    assert row.detail == f"the route register of today does not follow it: it {why}"


def test_what_the_route_still_follows_goes_on(stage: Stage) -> None:
    waits(stage)
    goes_on(stage, ANY.replace('"*"', '"oth*"'))
    assert stage.started() == [(42, "r1")]


def test_a_text_that_its_row_has_no_room_for_says_nothing_of_it(
    cloud: Cloud, tmp_path: Path
) -> None:
    """What the sweep finds tells all tags of the run, of which a row keeps the short ones."""
    noted = ANY.replace('experiment: "*"', 'tags: {note: "*x"}')
    stage = settled(cloud, tmp_path, PAUSED="1", SWEEP_WORKSPACES=WORKSPACE)
    stage.routes(noted)
    stage.reconcile()
    stage.clock.forward(days=2)
    tags = {"note": "x" * 4_000, **{f"n{n}": f"{n}" * 1_000 for n in range(9)}}
    end(stage, "r1", timedelta(minutes=5), tags=tags)
    sweep(stage)
    assert (stage.only("r1").event.tags or {})["note"] == LEFT_OUT
    goes_on(stage, f"{noted}# and a word more\n")
    assert stage.started() == [(42, "r1")]


@pytest.mark.parametrize("wanted", ["run_type: azureml.*", "properties: {runTemplate: hyper}"])
def test_of_what_the_sweep_found_it_is_not_said_to_have_none_of_what_only_events_tell(
    cloud: Cloud, tmp_path: Path, wanted: str
) -> None:
    stage = settled(cloud, tmp_path, PAUSED="1", SWEEP_WORKSPACES=WORKSPACE)
    stage.routes(ANY)
    stage.reconcile()
    stage.clock.forward(days=2)
    end(stage, "r1", timedelta(minutes=5))
    sweep(stage)
    row = goes_on(stage, ANY.replace('experiment: "*"', wanted))
    assert (stage.started(), row.reason) == ([], Reason.ROUTE_REMOVED)
    assert row.detail.endswith(
        ", which only an event tells, and the sweep found the run without one"
    )


def test_an_older_file_starts_nothing_that_only_the_newer_one_follows(fleet: Fleet) -> None:  # noqa: F811 - the fixture
    old = fleet.start(ONLY)
    old.reconcile()
    new = fleet.start(ANY.replace("pipeline: 42", "pipeline: 43"), PAUSED="1")
    new.reconcile(minutes=20)
    new.aml.add_run("r1", experiment="other")
    new.deliver(completed("r1", experimentName="other"))
    for _ in range(12):
        old.reconcile(minutes=31)
    assert (old.started(), old.only("r1").state) == ([], State.OPEN)
    new.deploy(PAUSED="0")
    for _ in range(3):
        new.reconcile(minutes=31)
    assert new.started() == [(43, "r1")]
