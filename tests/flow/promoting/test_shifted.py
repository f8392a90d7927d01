"""A registry's list changes while its pages are read: what falls in between is not gone by that."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from local.serving.faults import Fault
from tests.flow.promoting.registries import ALIAS, TAG, following, registered, swept
from tests.flow.promoting.test_promoting import MODELS, VERSIONS, promote

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud
    from tests.stage.azure import Stage

FIRST = pytest.mark.parametrize("is_first", [True, False], ids=["first look", "later look"])


def version(number: int, **more: Any) -> dict[str, Any]:
    return {"name": "defects", "version": str(number), "tags": [], **more}


def answers(stage: Stage, path: str, key: str, *pages: list[dict[str, Any]]) -> None:
    """The next reading shows these pages."""
    for number, page in enumerate(pages, 1):
        more = {"next_page_token": f"{number}"} if number < len(pages) else {}
        body = json.dumps({key: page, **more})
        stage.aml.server.faults.add(Fault("GET", path, status=200, body=body))


@FIRST
def test_a_version_that_fell_between_two_pages_is_not_promoted_anew(
    cloud: Cloud, tmp_path: Path, *, is_first: bool
) -> None:
    stage = following(cloud, tmp_path, TAG)
    registered(stage, 1, 2, 3, 4)
    promote(stage, TAG, 3)
    if not is_first:
        assert swept(stage) == []
    answers(stage, VERSIONS, "model_versions", [version(4)], [version(2), version(1)])
    assert [swept(stage) for _ in range(3)] == [[]] * 3
    promote(stage, TAG, 4)
    assert swept(stage) == ["defects:4"]


def test_nor_is_that_of_a_model_that_did(cloud: Cloud, tmp_path: Path) -> None:
    """Of a first look, which has nothing to remember it by."""
    stage = following(cloud, tmp_path, ALIAS)
    for name in ("defects", "middle", "scalers"):
        registered(stage, 1, 2, name=name)
    promote(stage, ALIAS, 1, name="middle")
    answers(stage, MODELS, "registered_models", [{"name": "defects"}], [{"name": "scalers"}])
    assert [swept(stage) for _ in range(3)] == [[]] * 3
    promote(stage, ALIAS, 2, name="middle")
    assert swept(stage) == ["middle:2"]


def test_what_is_promoted_between_two_readings_is_news_once(cloud: Cloud, tmp_path: Path) -> None:
    stage = following(cloud, tmp_path, TAG)
    registered(stage, 1, 2, 3, 4)
    assert swept(stage) == []
    answers(stage, VERSIONS, "model_versions", [version(4), version(3)], [version(2), version(1)])
    promote(stage, TAG, 3)
    assert [swept(stage) for _ in range(2)] == [["defects:3"]] * 2
