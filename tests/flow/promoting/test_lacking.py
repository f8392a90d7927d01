"""What a look at a registry does not show costs the others nothing, and is no news later."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from local.serving.faults import Fault
from tests.flow.promoting.registries import (
    ALIAS,
    TAG,
    follow,
    following,
    promoted,
    registered,
    swept,
)
from tests.flow.promoting.test_promoting import MODELS, promote
from tests.flow.rounds.sweeps import lines
from tests.saying.wrapped import Wrapped

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from local.cloud import Cloud
    from tests.stage.azure import Stage

ODD = "the registry promotes a version that it does not name"
BOTH = pytest.mark.parametrize("form", [ALIAS, TAG], ids=["alias", "tag"])


def breaks(stage: Stage, form: str) -> None:
    """Have a promoted version of another model that has no number."""
    if form == ALIAS:
        return stage.aml.set_alias("odd", "production", "")
    stage.aml.add_model_version("odd", "")
    return stage.aml.models.change("odd", "", tags={"stage": "production"})


def heals(stage: Stage, form: str) -> None:
    if form == ALIAS:
        return stage.aml.models.drop_alias("odd", "production")
    return stage.aml.models.delete("odd", "")


def looked(stage: Stage, caplog: pytest.LogCaptureFixture) -> str:
    """The line of one sweep."""
    caplog.clear()
    with caplog.at_level(logging.INFO):
        swept(stage)
    (line,) = [line for line in lines(caplog, "sweep") if "sweep=promotions" in line]
    return line


@BOTH
def test_one_model_that_cannot_be_read_hides_no_other(
    cloud: Cloud, tmp_path: Path, form: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage = following(cloud, tmp_path, form)
    registered(stage, 1, 2, 3, 4)
    registered(stage, 7, name="odd")
    promote(stage, form, 3)
    assert swept(stage) == []
    breaks(stage, form)
    promote(stage, form, 4)
    line = looked(stage, caplog)
    assert promoted(stage) == ["defects:4"]
    assert f'promoted=1 left=0 complete=no lacking="{ODD}"' in line
    heals(stage, form)
    assert "complete=yes" in looked(stage, caplog)
    assert promoted(stage) == ["defects:4"]


@BOTH
def test_a_first_look_that_lacks_a_model_is_none(
    cloud: Cloud, tmp_path: Path, form: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage = following(cloud, tmp_path, form)
    registered(stage, 1, 2, 3, 4)
    registered(stage, 7, name="odd")
    promote(stage, form, 3)
    breaks(stage, form)
    assert f'complete=no lacking="{ODD}"' in looked(stage, caplog)
    heals(stage, form)
    assert "first=yes" in looked(stage, caplog)
    promote(stage, form, 4)
    assert swept(stage) == ["defects:4"]


def test_a_registry_that_fails_for_months_is_still_remembered(cloud: Cloud, tmp_path: Path) -> None:
    stage = following(cloud, tmp_path)
    registered(stage, 1, 2, 3, 4)
    promote(stage, ALIAS, 3)
    assert swept(stage) == []
    stage.aml.server.faults.add(Fault("GET", MODELS, status=503, times=10**6))
    for _ in range(3):
        stage.clock.forward(days=25)
        swept(stage)
    stage.aml.server.faults.clear()
    promote(stage, ALIAS, 4)
    assert swept(stage) == ["defects:4"]


def test_a_model_that_a_full_list_lacks_is_not_new_when_it_is_there_again(
    cloud: Cloud, tmp_path: Path
) -> None:
    stage = following(cloud, tmp_path)
    names = [f"m{number:04}" for number in range(1_001)]
    for name in names:
        registered(stage, 1, name=name)
    for name in names[:-1]:
        stage.aml.set_alias(name, "production", 1)
    assert swept(stage) == []
    aliases = [{"alias": "production", "version": "1"}]
    shown = [{"name": name, "aliases": aliases} for name in names[1:]]
    body = json.dumps({"registered_models": shown})
    stage.aml.server.faults.add(Fault("GET", MODELS, status=200, body=body, times=1))
    assert swept(stage) == ["m1000:1"]
    stage.aml.set_alias("m1000", "production", 1)
    stage.aml.models.drop_alias("m0500", "production")
    assert swept(stage) == ["m1000:1"]


def test_a_sweep_with_an_older_file_takes_nothing_of_another_route_of_that_name_for_news(
    cloud: Cloud, tmp_path: Path
) -> None:
    """The newer one's first look comes between that sweep's beginning and its own look."""
    stage = following(cloud, tmp_path)
    registered(stage, 1, 2, 3)
    promote(stage, ALIAS, 3)
    assert swept(stage) == []
    stage.aml.set_alias("defects", "live", 2)
    text, ledger, begun = stage.routes_file.read_text("utf-8"), stage.ports.ledger, list[str]()

    class Beside(Wrapped):
        def shared(self, name: str) -> Any:
            if name.startswith("promotions/") and not begun:
                begun.append(name)
                own = stage.ports, stage.app
                follow(stage, "{alias: live}")
                stage.deploy()
                stage.app.sweep.sweep()
                stage.routes(text)
                stage.ports, stage.app = own
            return ledger.shared(name)

    stage.build(ledger=Beside(ledger))
    assert (swept(stage), len(begun)) == ([], 1)
    follow(stage, "{alias: live}")
    stage.deploy()
    assert swept(stage) == []
    stage.aml.set_alias("defects", "live", 1)
    assert swept(stage) == ["defects:1"]


def test_of_two_versions_that_are_promoted_at_once_the_tenth_is_the_latest(
    cloud: Cloud, tmp_path: Path
) -> None:
    stage = following(cloud, tmp_path, TAG)
    follow(stage, TAG, "concurrency: {group: deploy, queue: latest}")
    registered(stage, 1, 9, 10)
    assert swept(stage) == []
    for version in (1, 9, 10):
        stage.aml.models.change("defects", version, tags={"stage": "production"})
        if version == 1:
            assert swept(stage) == ["defects:1"]
    assert swept(stage) == ["defects:1"]
    stage.reconcile(minutes=3)
    stage.devops.finish(stage.devops.runs[0].id, "succeeded")
    for _ in range(20):
        stage.reconcile(minutes=5)
    assert promoted(stage) == ["defects:1", "defects:10"]
