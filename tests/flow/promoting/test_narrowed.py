"""A promotion that waits on a route which is about another promotion by now is not started."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from functions.core.events import model_events, parsing
from functions.core.kept.summary import EVER
from functions.core.rounds.promoting import remembered
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from tests.flow.promoting.registries import (
    ALIAS,
    follow,
    following,
    promoted,
    registered,
    swept,
)

if TYPE_CHECKING:
    from pathlib import Path

    from functions.core.kept.continuation import Continuation
    from local.cloud import Cloud
    from tests.stage.azure import Stage

OTHERS = {
    "{alias: production, model: 'fraud*'}": "promoted.model fraud*, and the version has defects",
    "{alias: live}": "promoted the alias live, and the version has production",
    "{tag: {stage: live}}": "promoted the tag stage: live, and the version has production",
    "{stage: Archived}": "promoted the stage Archived, and the version has production",
}


def waits(stage: Stage) -> None:
    """Version 1 of the model is promoted while the app is paused."""
    registered(stage, 1)
    swept(stage)
    stage.deploy(PAUSED="1")
    stage.aml.set_alias("defects", "production", 1)
    swept(stage)
    assert only(stage).reason is Reason.PAUSED


def only(stage: Stage) -> Continuation:
    (found,) = stage.ledger.recent(EVER, 9)
    return found


def goes_on(stage: Stage, asked: str, *lines: str) -> Continuation:
    """Deployed with this file, not paused any more."""
    follow(stage, asked, *lines)
    stage.deploy(PAUSED="0")
    for _ in range(10):
        stage.reconcile(minutes=3)
    return only(stage)


@pytest.mark.parametrize("other", OTHERS)
def test_what_waits_is_started_by_no_route_on_another_promotion(
    cloud: Cloud, tmp_path: Path, other: str
) -> None:
    stage = following(cloud, tmp_path)
    waits(stage)
    row = goes_on(stage, other)
    assert promoted(stage) == []
    assert (row.state, row.reason) == (State.FAILED, Reason.ROUTE_REMOVED)
    assert row.detail == f"the route deploy of today does not follow it: it wants {OTHERS[other]}"


@pytest.mark.parametrize("value", ["production", "a:b c%", "x:2026-11-21T09:40:00Z"])
def test_the_news_of_a_promotion_tells_which_value_it_is_about(value: str) -> None:
    at = datetime(2026, 11, 21, 9, 40, tzinfo=UTC)
    workspace = parsing.workspace(WORKSPACE)
    event = remembered.event(workspace, remembered.Promoted("a:b", "4", at), value)
    assert event is not None
    assert model_events.promoted_as(event) == model_events.escaped(value)
    assert model_events.promoted_as(replace(event, run="a:b:4")) == ""


@pytest.mark.parametrize("same", [ALIAS, "{alias: production, model: 'def*'}"])
def test_what_the_route_is_about_still_goes_on(cloud: Cloud, tmp_path: Path, same: str) -> None:
    stage = following(cloud, tmp_path)
    waits(stage)
    goes_on(stage, same, "limit: 9/h")
    assert promoted(stage) == ["defects:1"]
