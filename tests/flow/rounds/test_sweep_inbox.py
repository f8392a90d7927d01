"""A sweep while the event of a run lies in the inbox: that decides, as if it had been in time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.terms.reasons import Reason
from local.cloud import WORKSPACE
from tests.flow.rounds.sweeps import end, settled, sweep
from tests.stage.azure import ROUTES, completed

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud
    from tests.stage.azure import Stage

TAGGED = ROUTES.replace('{experiment: "defect-*"}', "{tags: {stage: production}}", 1)
NOT_YET, SET = {"stage": "test"}, {"stage": "production"}


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path) -> Stage:
    stage = settled(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)
    stage.routes(TAGGED)
    sweep(stage)
    sweep(stage, hours=1)
    stage.clock.forward(minutes=1)
    return stage


def kept(stage: Stage, run: str, tags: dict[str, str]) -> None:
    """It ends while the routes cannot be read, and its event comes; then they can be read again."""
    stage.routes("routes: [")
    end(stage, run, tags=tags)
    event: dict[str, Any] = completed(run, runTags=tags)
    stage.deliver({**event, "eventTime": stage.clock.now().isoformat()})
    stage.routes(TAGGED)


def test_a_tag_that_is_set_before_its_letter_is_opened_starts_nothing(stage: Stage) -> None:
    kept(stage, "r1", NOT_YET)
    stage.aml._runs["r1"].tags["stage"] = "production"  # noqa: SLF001
    sweep(stage, minutes=30)
    stage.reconcile(minutes=1)
    sweep(stage, hours=1)
    assert stage.started() == []
    assert stage.only("r1").reason is Reason.NOT_MATCHED


def test_what_a_letter_tells_is_started_once_and_no_other_run_waits_for_it(stage: Stage) -> None:
    kept(stage, "r1", SET)
    end(stage, "r2", timedelta(minutes=-20), tags=SET)  # and its event was lost
    sweep(stage, minutes=30)
    assert stage.started() == [(42, "r2")]
    stage.reconcile(minutes=1)
    sweep(stage, hours=1)
    assert stage.started() == [(42, "r2"), (42, "r1")]
