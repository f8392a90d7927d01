"""A version that is promoted starts its pipeline once; what was there before starts nothing."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.core.terms.words import Outcome, State
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.flow.asking import calls
from tests.flow.promoting.registries import (
    ALIAS,
    STAGE,
    TAG,
    follow,
    following,
    promoted,
    registered,
    swept,
)
from tests.flow.rounds.sweeps import lines
from tests.stage.azure import ROUTES

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud
    from tests.stage.azure import Stage

FORMS = pytest.mark.parametrize("form", [ALIAS, TAG, STAGE], ids=["alias", "tag", "stage"])
MODELS, VERSIONS = "*/registered-models/search", "*/model-versions/search"


def promote(stage: Stage, form: str, version: int, name: str = "defects") -> None:
    """Have this version promoted, and none of the others."""
    registry = stage.aml.models
    if form == ALIAS:
        return registry.set_alias(name, "production", version)
    for other in (1, 2, 3, 4):
        is_it = other == version
        if form == TAG:
            registry.change(name, other, tags={"stage": "production"} if is_it else {})
        else:
            registry.change(name, other, current_stage="Production" if is_it else "None")
    return None


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path) -> Stage:
    """An app that has looked at four versions, of which none is promoted."""
    stage = following(cloud, tmp_path)
    registered(stage, 1, 2, 3, 4)
    assert swept(stage) == []
    return stage


@FORMS
def test_what_was_promoted_before_the_route_is_not_started_and_what_comes_then_is_once(
    cloud: Cloud, tmp_path: Path, form: str
) -> None:
    stage = following(cloud, tmp_path, form)
    registered(stage, 1, 2, 3, 4)
    promote(stage, form, 3)
    assert (swept(stage), swept(stage)) == ([], [])
    promote(stage, form, 4)
    assert swept(stage) == ["defects:4"]
    assert swept(stage) == ["defects:4"]


@FORMS
def test_a_version_that_was_promoted_before_the_last_one_is_promoted_again(
    cloud: Cloud, tmp_path: Path, form: str
) -> None:
    stage = following(cloud, tmp_path, form)
    registered(stage, 1, 2, 3, 4)
    promote(stage, form, 3)
    swept(stage)
    for version in (4, 3, 4, 3):
        promote(stage, form, version)
        swept(stage)
    assert promoted(stage) == ["defects:4", "defects:3", "defects:4", "defects:3"]


def test_of_two_changes_between_two_sweeps_the_last_is_seen(stage: Stage) -> None:
    promote(stage, ALIAS, 2)
    promote(stage, ALIAS, 3)
    assert swept(stage) == ["defects:3"]
    promote(stage, ALIAS, 4)
    promote(stage, ALIAS, 3)
    assert swept(stage) == ["defects:3"]


def test_an_alias_that_is_taken_away_and_given_back_is_given_anew(stage: Stage) -> None:
    promote(stage, ALIAS, 3)
    swept(stage)
    stage.aml.models.drop_alias("defects", "production")
    assert swept(stage) == ["defects:3"]
    promote(stage, ALIAS, 3)
    assert swept(stage) == ["defects:3"] * 2


def test_another_alias_is_no_promotion(stage: Stage) -> None:
    stage.aml.set_alias("defects", "canary", 2)
    assert swept(stage) == []


def test_a_version_that_is_deleted_starts_nothing_and_the_next_one_does(stage: Stage) -> None:
    promote(stage, ALIAS, 4)
    swept(stage)
    stage.aml.models.delete("defects", 4)
    assert swept(stage) == ["defects:4"]
    promote(stage, ALIAS, 3)
    assert swept(stage) == ["defects:4", "defects:3"]


def test_a_model_that_comes_promoted_is_new(stage: Stage) -> None:
    registered(stage, 1, name="scratches")
    stage.aml.set_alias("scratches", "production", 1)
    assert swept(stage) == ["scratches:1"]


def test_only_models_that_the_pattern_fits_count(cloud: Cloud, tmp_path: Path) -> None:
    stage = following(cloud, tmp_path, "{alias: production, model: 'defect*'}")
    registered(stage, 1)
    registered(stage, 1, name="scratches")
    swept(stage)
    stage.aml.set_alias("scratches", "production", 1)
    stage.aml.set_alias("defects", "production", 1)
    assert swept(stage) == ["defects:1"]


def test_a_name_with_blanks_has_a_key(stage: Stage) -> None:
    registered(stage, 7, name="50% of defects")
    stage.aml.set_alias("50% of defects", "production", 7)
    assert swept(stage) == ["50% of defects:7"]


def test_the_key_tells_model_version_value_and_when_it_was_found(stage: Stage) -> None:
    promote(stage, ALIAS, 3)
    swept(stage)
    (row,) = stage.ledger.recent(stage.clock.now() - timedelta(days=1), 10)
    assert (row.key.outcome, row.state) == (Outcome.MODEL_PROMOTED, State.STARTED)
    assert row.event.time is not None
    found = row.event.time.isoformat().replace("+00:00", "Z")
    assert row.key.run == f"defects:3:production:{found}"


@pytest.mark.parametrize("call", [MODELS, VERSIONS])
def test_a_registry_that_cannot_be_read_shows_nothing_new_and_nothing_gone(
    cloud: Cloud, tmp_path: Path, call: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage = following(cloud, tmp_path, TAG)
    registered(stage, 1, 2, 3, 4)
    promote(stage, TAG, 3)
    swept(stage)
    stage.aml.server.faults.add(Fault("GET", call, status=503, times=10**6))
    promote(stage, TAG, 4)
    with caplog.at_level(logging.INFO):
        assert swept(stage) == []
    (line,) = [line for line in lines(caplog, "sweep") if "sweep=promotions" in line]
    assert "complete=no" in line, line
    assert "answered 503" in line, line
    stage.aml.server.faults.clear()
    assert swept(stage) == ["defects:4"]


def test_a_list_that_ends_early_is_no_list(stage: Stage) -> None:
    promote(stage, ALIAS, 3)
    swept(stage)
    body = json.dumps({"registered_models": [], "next_page_token": "more"})
    stage.aml.server.faults.add(Fault("GET", MODELS, status=200, body=body, times=10**6))
    assert swept(stage) == ["defects:3"]
    stage.aml.server.faults.clear()
    assert swept(stage) == ["defects:3"]


def test_a_model_that_a_list_lacks_is_not_new_when_it_is_there_again(stage: Stage) -> None:
    registered(stage, 1, name="scratches")
    stage.aml.set_alias("scratches", "production", 1)
    promote(stage, ALIAS, 3)
    assert sorted(swept(stage)) == ["defects:3", "scratches:1"]
    only = {"name": "scratches", "aliases": [{"alias": "production", "version": "1"}]}
    body = json.dumps({"registered_models": [only]})
    stage.aml.server.faults.add(Fault("GET", MODELS, status=200, body=body, times=1))
    swept(stage)
    assert sorted(swept(stage)) == ["defects:3", "scratches:1"]


def test_a_registry_without_aliases_is_told_and_the_first_look_is_still_to_come(
    cloud: Cloud, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stage = following(cloud, tmp_path)
    registered(stage, 1)
    fault = Fault("GET", "*/registered-models/alias", status=404, body="{}", times=1)
    stage.aml.server.faults.add(fault)
    with caplog.at_level(logging.INFO):
        swept(stage)
    assert [line for line in lines(caplog, "sweep") if "has no aliases: promote by a tag" in line]
    stage.aml.set_alias("defects", "production", 1)
    assert (swept(stage), swept(stage)) == ([], [])


@pytest.mark.parametrize("error", ["RESOURCE_DOES_NOT_EXIST", "ENDPOINT_NOT_FOUND"])
def test_a_registry_that_knows_no_such_call_has_no_aliases_however_it_says_so(
    stage: Stage, error: str, caplog: pytest.LogCaptureFixture
) -> None:
    body = json.dumps({"error_code": error, "message": "registered-models/alias not found"})
    fault = Fault("GET", "*/registered-models/alias", status=404, body=body, times=10**6)
    stage.aml.server.faults.add(fault)
    with caplog.at_level(logging.INFO):
        swept(stage)
    (line,) = [line for line in lines(caplog, "sweep") if "sweep=promotions" in line]
    assert "complete=no" in line
    assert "has no aliases: promote by a tag" in line


def test_a_registry_that_has_aliases_and_lists_none_is_told_whichever_model_has_one(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    registered(stage, 1, name="scratches")
    stage.aml.set_alias("scratches", "production", 1)
    listed: list[dict[str, object]] = [{"name": name} for name in ("defects", "scratches")]
    body = json.dumps({"registered_models": listed})
    stage.aml.server.faults.add(Fault("GET", MODELS, status=200, body=body, times=10**6))
    with caplog.at_level(logging.INFO):
        swept(stage)
    (line,) = [line for line in lines(caplog, "sweep") if "sweep=promotions" in line]
    assert "complete=no" in line
    assert "has aliases and lists none" in line


def test_more_models_than_are_asked_for_their_tags_are_told(
    cloud: Cloud, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stage = following(cloud, tmp_path, TAG)
    for number in range(201):
        registered(stage, 1, name=f"m{number}")
    with caplog.at_level(logging.INFO):
        swept(stage)
    (line,) = [line for line in lines(caplog, "sweep") if "sweep=promotions" in line]
    assert "complete=no" in line
    assert "name fewer with `model`" in line
    follow(stage, "{tag: {stage: production}, model: 'm1*'}")
    assert (swept(stage), swept(stage)) == ([], [])
    stage.aml.models.change("m17", 1, tags={"Stage": "Production"})
    assert swept(stage) == ["m17:1"]


def test_thousands_of_models_are_read_page_by_page_and_none_is_lost(
    cloud: Cloud, tmp_path: Path
) -> None:
    stage = following(cloud, tmp_path)
    for number in range(1_001):
        registered(stage, 1, name=f"m{number:04}")
        if number < 900:
            stage.aml.set_alias(f"m{number:04}", "production", 1)
    swept(stage)
    before = len(calls(stage))
    for number in range(975, 1_001):  # more than are owed at a time
        stage.aml.set_alias(f"m{number:04}", "production", 1)
    assert sorted(swept(stage)) == [f"m{number:04}:1" for number in range(975, 1_001)]
    assert calls(stage)[before:].count("registered-models/search") == 12  # each page twice


def test_more_promoted_versions_than_a_row_holds_are_told(
    cloud: Cloud, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stage = following(cloud, tmp_path)
    for number in range(1_001):
        registered(stage, 1, name=f"m{number}")
        stage.aml.set_alias(f"m{number}", "production", 1)
    with caplog.at_level(logging.INFO):
        assert swept(stage) == []
    (line,) = [line for line in lines(caplog, "sweep") if "sweep=promotions" in line]
    assert "more than 1000 versions are promoted" in line


def test_files_without_such_a_route_cost_no_request(cloud: Cloud, tmp_path: Path) -> None:
    stage = following(cloud, tmp_path)
    stage.routes(ROUTES)
    registered(stage, 1)
    swept(stage)
    assert [call for call in calls(stage) if "model" in call] == []


def test_a_route_for_another_workspace_costs_no_request(cloud: Cloud, tmp_path: Path) -> None:
    stage = following(cloud, tmp_path)
    follow(stage, ALIAS, "match: {workspace: another}")
    registered(stage, 1)
    swept(stage)
    assert [call for call in calls(stage) if "model" in call] == []
    assert WORKSPACE.endswith("ml-prod")
