"""One route file follows to the end, the other does not: what the newer one has started ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.rounds import bounds
from functions.core.rounds.watch import By
from tests.flow.asking import EXPERIMENT
from tests.flow.following.after import CHAIN, DEPLOY, asked, set_up
from tests.flow.following.ends import how, looks, started
from tests.flow.following.test_sequels_breaking import UNFOLLOWED
from tests.stage.azure import completed

if TYPE_CHECKING:
    from functions.bootstrap import App
    from tests.stage.azure import Stage


def process(stage: Stage, routes: str) -> App:
    """One of the app that has met this file."""
    stage.routes(routes)
    stage.deploy()
    stage.reconcile()
    return stage.app


def works(stage: Stage, app: App, routes: str, by: By = By.TIMER, **later: float) -> None:
    """A round of this process, with its own file."""
    stage.routes(routes)
    stage.app = app
    stage.clock.forward(**later)
    app.reconciler.round(bounds.whole(stage.clock), by)


@pytest.mark.parametrize("which", ["off the schedule", "at a look"])
def test_an_instance_that_follows_nothing_lets_go_nothing_that_a_newer_one_has_started(
    stage: Stage, which: str
) -> None:
    set_up(stage)
    older, newer = process(stage, UNFOLLOWED), process(stage, CHAIN)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    if which == "at a look":
        works(stage, newer, CHAIN, seconds=121)
    works(stage, older, UNFOLLOWED, seconds=121)
    stage.devops.finish(stage.devops.runs[0].id, "succeeded")
    for _ in range(8):  # within the hour in which nobody catches up with anything
        works(stage, newer, CHAIN, minutes=1)
    assert asked(stage) == [42, DEPLOY]


@pytest.mark.parametrize("which", ["off the schedule", "at a look"])
def test_nor_does_an_operators_round_with_another_file(stage: Stage, which: str) -> None:
    set_up(stage)
    app = process(stage, CHAIN)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    if which == "at a look":
        works(stage, app, CHAIN, seconds=121)
    stage.deploy()  # what an operator types is a process of its own
    works(stage, stage.app, UNFOLLOWED, By.OPERATOR, minutes=11)
    stage.devops.finish(stage.devops.runs[0].id, "succeeded")
    for _ in range(8):
        works(stage, app, CHAIN, minutes=1)
    assert asked(stage) == [42, DEPLOY]


def test_once_nobody_has_the_older_file_what_it_started_is_let_go(stage: Stage) -> None:
    set_up(stage)
    process(stage, CHAIN)
    started(stage)
    process(stage, UNFOLLOWED)
    for _ in range(4):
        stage.reconcile(minutes=4)
    before = looks(stage)
    stage.devops.finish(stage.devops.runs[0].id, "succeeded")
    for _ in range(4):
        stage.reconcile(minutes=31)
    assert (looks(stage), how(stage)) == (before, "")
