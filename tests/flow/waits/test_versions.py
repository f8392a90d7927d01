"""Tasks that wait while one version replaces the other, and while others look at the same task."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from local.cloud import WORKSPACE
from tests.flow.rounds.test_succession import fleet as fleet  # noqa: PLC0414 - a fixture
from tests.flow.waits.test_after import ROUTES as AFTER
from tests.flow.waits.test_waits import KEY, ROUTES, ends, register, runs
from tests.flow.waits.test_waits import stage as stage  # noqa: PLC0414 - the fixture
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES as WITHOUT
from tests.stage.azure import completed

if TYPE_CHECKING:
    from functions.core.ports.waits import Waiting
    from tests.flow.rounds.test_succession import Fleet
    from tests.stage.azure import Stage

NAMED = {"WAITS": "1", "SWEEP_WORKSPACES": WORKSPACE}


def waiting(fleet: Fleet, *, met: bool) -> tuple[Stage, Any]:
    """A task that the new version let wait for a fact, while the old one is still there."""
    fleet.start(WITHOUT, **NAMED).reconcile()
    new = fleet.start(ROUTES, **NAMED)
    new.cloud.vault.put("run-relay-waits-key", KEY)
    new.clock.forward(minutes=1)
    if met:
        new.reconcile()
    runs(new, status="Completed")
    return new, register(new)


def test_an_old_instance_says_no_to_no_task_that_the_new_version_let_wait(fleet: Fleet) -> None:
    """It has no route that could answer."""
    new, job = waiting(fleet, met=True)
    fleet.start(WITHOUT, **NAMED).reconcile(minutes=1)
    assert job.result is None
    runs(new, accuracy=0.95)
    new.reconcile(minutes=2)
    assert job.result == "succeeded"


def test_nor_before_anybody_has_met_the_new_file(fleet: Fleet) -> None:
    new, job = waiting(fleet, met=False)
    fleet.start(WITHOUT, **NAMED).reconcile(minutes=1)
    assert job.result is None
    runs(new, accuracy=0.95)
    new.reconcile(minutes=2)
    assert job.result == "succeeded"


def test_a_version_that_removed_the_route_says_no_within_minutes(fleet: Fleet) -> None:
    old = fleet.start(ROUTES, **NAMED)
    old.cloud.vault.put("run-relay-waits-key", KEY)
    old.reconcile()
    runs(old, status="Completed")
    job = register(old)
    new = fleet.start(WITHOUT, **NAMED)
    for _ in range(6):
        new.reconcile(minutes=5)
    assert job.result == "failed"
    assert "no route completes it" in job.lines[0]


def test_a_file_without_the_route_that_replaces_it_in_its_place_says_no_at_once(
    fleet: Fleet,
) -> None:
    only = fleet.start(ROUTES, **NAMED)
    only.cloud.vault.put("run-relay-waits-key", KEY)
    runs(only, status="Completed")
    job = register(only)
    only.routes(WITHOUT)
    only.reconcile(minutes=1)
    assert job.result == "failed"


class Beside(Wrapped):
    """A book of waits in which another process, which looked before the end, writes first."""

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.left = 1

    @cached_property
    def waits(self) -> Beside:
        return Beside(self.real.waits)

    def change(self, entry: Waiting, changed: Any) -> Waiting:
        if self.left:
            self.left = 0
            self.real.change(entry, replace(entry.wait, told_at=None, why="a run goes on"))
        return self.real.change(entry, changed)  # type: ignore[no-any-return]


def test_a_task_that_another_looked_at_just_before_hears_of_the_end_all_the_same(
    stage: Stage,
) -> None:
    runs(stage)
    job = register(stage)
    stage.build(ledger=Beside(stage.ledger))
    ends(stage)
    stage.build()
    stage.reconcile(minutes=2)
    assert job.result == "succeeded"


@pytest.mark.parametrize("met", [True, False])
def test_an_old_instance_does_not_answer_by_the_run_what_the_new_file_answers_by_its_pipeline(
    fleet: Fleet, *, met: bool
) -> None:
    """The route is in both files: in the old one a task goes on with the training's own end."""
    old = fleet.start(AFTER.replace("complete: after", "complete: true"), **NAMED)
    old.reconcile()
    new = fleet.start(AFTER, **NAMED)
    new.cloud.vault.put("run-relay-waits-key", KEY)
    new.clock.forward(minutes=1)
    if met:
        new.reconcile()
    runs(new)
    job = register(new)
    runs(new, accuracy=0.95)
    old.deliver(completed("r1"))
    old.reconcile(minutes=2)
    assert (old.started(), job.result) == ([(42, "r1")], None)
    new.devops.finish(new.devops.runs[0].id, "failed")
    for _ in range(6):
        new.reconcile(minutes=2)
    assert job.result == "failed"


def test_a_new_version_answers_what_the_old_one_let_wait_at_once(fleet: Fleet) -> None:
    old = fleet.start(ROUTES, **NAMED)
    old.cloud.vault.put("run-relay-waits-key", KEY)
    old.reconcile()
    runs(old)
    job = register(old)
    new = fleet.start(f"# the same\n{ROUTES}", **NAMED)
    new.reconcile(minutes=1)
    runs(new, accuracy=0.95)
    new.deliver(completed("r1"))
    assert job.result == "succeeded"
