"""Facts of which nobody can tell whether they are there: a gate that asks so waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.aml.jobs import Jobs
from local.host.triggers.rewriting import rewritten
from tests.flow.asking import EXPERIMENT, route
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

AT = "2026-11-28T20:41:00+02:00"
GOOD = '"!has(run.metrics.loss) || run.metrics.loss < 0.5"'


def waits(stage: Stage, run: str, saying: str) -> None:
    """Nothing was started, what is missing is told, and it is held so in the end."""
    row = stage.only(run)
    assert (row.state, row.reason, row.detail) == (State.OPEN, Reason.FACTS_MISSING, saying)
    stage.reconcile(minutes=11)
    row = stage.only(run)
    assert (row.state, row.reason, stage.posts()) == (State.HELD, Reason.FACTS_MISSING, 0)


@pytest.mark.parametrize("gate", [GOOD, "\"!('loss' in run.metrics)\"", "size(run.metrics) == 0"])
def test_a_sweep_that_has_not_named_its_best_trial_has_a_loss_all_the_same(
    stage: Stage, gate: str
) -> None:
    route(stage, f"when: {gate}")
    jobs = Jobs(stage.aml, stage.cloud.arm, EXPERIMENT)
    told = jobs.sweep("HD_1", [{"loss": 7.0}, {"loss": 8.0}], best=None)
    stage.deliver(completed("HD_1", **told))
    name = "run.metrics" if "size" in gate else "run.metrics.loss"
    waits(stage, "HD_1", f"{name}: HD_1 does not name its best child")


def test_what_stands_below_a_mistyped_step_is_not_taken_for_absent(stage: Stage) -> None:
    route(stage, f"when: {GOOD}", "step: trian")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.aml.add_run("c1", name="train", parent="r1", metrics={"loss": 7.0}, experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    waits(stage, "r1", "run.metrics.loss: no child of r1 is named trian: there are train")


@pytest.mark.parametrize(
    "gate",
    [
        "!has(run.tags.holdUntil)",
        "!has(run.tags.holduntil)",
        "!('holdUntil' in run.tags)",
        "!run.tags.exists(k, k.startsWith('hold'))",
        "has(run.tags.holdUntil) == false",
    ],
)
def test_a_tag_that_was_told_and_may_be_written_anew_is_not_taken_for_absent(
    stage: Stage, gate: str
) -> None:
    route(stage, f'when: "{gate}"')
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(rewritten(completed("r1", runTags={"holdUntil": AT})))
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.OPEN, Reason.FACTS_MISSING, 0)
    assert "only the event tells it" in row.detail


def test_children_that_go_on_are_not_taken_for_none_that_failed(stage: Stage) -> None:
    route(stage, 'when: "!has(run.children.failed) || run.children.failed == 0"')
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.aml.add_run("c1", parent="r1", status="Running", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    waits(stage, "r1", "run.children.failed: c1 of 1 children did not end yet")


@pytest.mark.parametrize(
    "gate",
    [
        GOOD,
        '"!has(run.best_child_id) && !has(run.tags.holdUntil)"',
        '"!has(model.version) && run.children.total == 0"',
    ],
)
def test_what_is_known_to_be_absent_is_absent(stage: Stage, gate: str) -> None:
    route(stage, f"when: {gate}")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(rewritten(completed("r1", runTags={"other": AT})))
    assert stage.only("r1").state is State.STARTED


@pytest.mark.parametrize(
    "gate",
    [
        "size(run.metrics) > 0 && (!has(run.metrics.loss) || run.metrics.loss < 0.5)",
        "run.metrics.all(k, k != 'x') && (!('loss' in run.metrics) || run.metrics.loss < 0.5)",
        "!('loss' in run.metrics)",
    ],
)
def test_a_metric_that_is_named_is_sought_below_also_where_all_are_gone_through(
    stage: Stage, gate: str
) -> None:
    route(stage, f'when: "{gate}"')
    stage.aml.add_run("r1", metrics={"minutes": 9.0}, experiment=EXPERIMENT)
    stage.aml.add_run("c1", name="fit", parent="r1", metrics={"loss": 7.0}, experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.HELD, Reason.GATE, 0)
    assert "run.metrics.loss = 7.0" in row.detail
