"""Two route files on one ledger: what the older one would skip for good, the newer one decides."""

from __future__ import annotations

from datetime import timedelta

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from tests.flow.asking import EXPERIMENT
from tests.flow.rounds.sweeps import end
from tests.flow.rounds.test_succession import Fleet, claims, rounds
from tests.flow.rounds.test_succession import fleet as fleet  # noqa: PLC0414 - a fixture
from tests.flow.rounds.test_succession_replays import replay
from tests.flow.rounds.test_succession_resumes import ends
from tests.stage.azure import ROUTES, Stage, completed

SHADOW = ROUTES.replace("name: register", "name: register\n    mode: shadow")
CHILDREN = ROUTES.replace("name: register", "name: register\n    children: true")
TAGGED = ROUTES.replace('{experiment: "defect-*"}', "{tags: {stage: production}}", 1)
LIVE = TAGGED.replace("production", "live")
PART = {"mlflow.parentRunId": "r0"}


@pytest.mark.parametrize(
    ("older", "newer"), [(SHADOW, ROUTES), (ROUTES, CHILDREN)], ids=["shadow", "children"]
)
def test_an_old_instance_skips_nothing_of_what_the_new_version_claimed(
    fleet: Fleet, older: str, newer: str
) -> None:
    """What is skipped is not replayed."""
    fleet.start(older).reconcile()
    new = fleet.start(newer, PAUSED="1")
    new.reconcile(minutes=20)
    tags = PART if newer is CHILDREN else {}
    new.aml.add_run("r1", experiment=EXPERIMENT, tags=tags)
    new.deliver(completed("r1", runTags=tags))
    rounds(fleet.start(older), hours=6)
    row = new.of_run("r1")["register"]
    assert (row.state, row.reason) == (State.OPEN, Reason.ROUTE_REMOVED)
    new.deploy(PAUSED="0")
    rounds(new, hours=1)
    assert new.started() == [(42, "r1")]


@pytest.mark.parametrize(
    ("waits", "state"), [({"minutes": 1}, State.OPEN), ({"hours": 1}, State.HELD)]
)
def test_nor_of_what_an_operator_wanted_tried(
    fleet: Fleet, waits: dict[str, float], state: State
) -> None:
    """That names no file, and the older one may be there for long: a slot that somebody forgot."""
    old = fleet.start(SHADOW)
    old.reconcile()
    new = fleet.start(ROUTES)
    new.reconcile(minutes=20)
    claims(new)
    new.reconcile(**waits)
    assert new.only("r1").state is state
    ends(new)
    replay(new)
    rounds(old, hours=2)
    row = old.only("r1")
    assert (row.state, row.reason) == (State.OPEN, Reason.ROUTE_REMOVED)
    rounds(new, hours=3)
    assert new.started() == [(42, "r1")]


def test_the_newest_file_skips_at_once_what_an_operator_wanted_tried(fleet: Fleet) -> None:
    """Also a minute after its claim."""
    stage = fleet.start(SHADOW)
    stage.reconcile(minutes=20)
    claims(stage)
    stage.reconcile(minutes=1)
    ends(stage)
    replay(stage)
    stage.reconcile(minutes=1)
    assert (stage.only("r1").state, stage.only("r1").reason) == (State.SKIPPED, Reason.SHADOW)


def test_a_route_that_goes_into_the_shadow_skips_what_the_version_before_claimed(
    fleet: Fleet,
) -> None:
    old = fleet.start(ROUTES, PAUSED="1")
    old.reconcile()
    old.aml.add_run("r1", experiment=EXPERIMENT)
    old.deliver(completed("r1"))
    newest = fleet.start(SHADOW)
    rounds(newest, hours=1)
    row = newest.of_run("r1")["register"]
    assert (row.state, row.reason, newest.started()) == (State.SKIPPED, Reason.SHADOW, [])


def beside(fleet: Fleet, newer: str) -> tuple[Stage, Stage]:
    """A run ends while both are there, and the older one, told of it, passes over it."""
    old = fleet.start(TAGGED, SWEEP_WORKSPACES=WORKSPACE)
    old.reconcile()
    old.clock.forward(days=2)
    new = fleet.start(newer, SWEEP_WORKSPACES=WORKSPACE)
    new.reconcile()
    new.clock.forward(minutes=3)
    tags = {"stage": "test"}
    end(old, "r1", tags=tags)
    event = completed("r1", runTags=tags)
    old.deliver({**event, "eventTime": old.clock.now().isoformat()})
    assert old.of_run("r1")["register"].was_passed_over
    return old, new


def test_what_an_old_instance_passed_over_by_its_filter_the_new_one_may_take_up(
    fleet: Fleet,
) -> None:
    """The run ended since the new filter is known, and only the old one was asked."""
    old, new = beside(fleet, ROUTES)
    new.clock.forward(minutes=57)
    new.app.sweep.sweep()
    assert new.started() == [(42, "r1")]
    new.clock.forward(hours=1)
    new.app.sweep.sweep()
    old.deliver(completed("r1", runTags={"stage": "test"}))
    assert new.started() == [(42, "r1")]


def test_what_the_new_filter_passed_over_too_stays_so_whatever_tag_is_set(fleet: Fleet) -> None:
    old, new = beside(fleet, LIVE)
    new.clock.forward(minutes=57)
    new.app.sweep.sweep()
    old.aml._runs["r1"].tags["stage"] = "live"  # noqa: SLF001
    for _ in range(2):
        new.clock.forward(hours=1)
        new.app.sweep.sweep()
    assert new.started() == []


def test_nor_is_it_started_by_the_filter_that_passed_over_it(fleet: Fleet) -> None:
    """Also where the new file is rolled back, and whoever is told of the run again."""
    old, new = beside(fleet, LIVE)
    new.clock.forward(minutes=57)
    new.app.sweep.sweep()
    old.deliver(completed("r1", runTags={"stage": "test"}))
    old.aml._runs["r1"].tags["stage"] = "live"  # noqa: SLF001
    new.clock.forward(hours=1)
    new.app.sweep.sweep()
    assert new.started() == []


def test_a_trace_of_an_earlier_version_binds_every_sweep(fleet: Fleet) -> None:
    """It does not say which filter it was."""
    from msgspec.structs import replace  # noqa: PLC0415 - once

    _, new = beside(fleet, ROUTES)
    found = new.ledger.read(new.of_run("r1")["register"].key)
    assert found is not None
    new.ledger.write(found, replace(found.continuation, passed_by=()))
    new.clock.forward(minutes=57)
    new.app.sweep.sweep()
    assert new.started() == []
    assert timedelta(0) < new.clock.now() - found.continuation.created_at
