"""A promotion, as the commands and the page tell of it: it has a key as any other news."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from local.cloud import WORKSPACE
from tests.flow.promoting.registries import ALIAS, follow, registered, swept
from tests.relay.conftest import Desk
from tests.stage.azure import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud


def test_a_promotion_is_listed_shown_explained_and_replayed_by_its_key(desk: Desk) -> None:
    follow(desk.stage, "{alias: production}", "when: model.version == '9'")
    registered(desk.stage, 3, 4)
    swept(desk.stage)
    desk.stage.aml.set_alias("defects", "production", 4)
    swept(desk.stage)
    (one,) = json.loads(desk.type("list", "--json").out)["continuations"]
    assert one["run"].startswith("defects:4:production:20")
    shown = desk.type("show", one["key"])
    assert "ModelPromoted" in shown.out
    assert "model.version = 4" in desk.type("why", one["run"]).out.replace('"', "")
    assert "defects:4:production:" in desk.seen()
    assert "model.version = 4" in desk.seen(key=one["key"]).replace('"', "")
    follow(desk.stage, "{alias: production}")
    desk.stage.deploy()
    assert desk.type("replay", one["key"]).code == 0
    desk.stage.reconcile()
    (run,) = desk.stage.devops.runs
    assert run.template_parameters == {"name": "defects", "version": "4"}


def test_the_audit_trail_says_that_the_sweep_found_it(cloud: Cloud, tmp_path: Path) -> None:
    stage = Stage(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)
    stage.clock.forward(hours=-6)  # what is new is left to the next export
    desk = Desk(stage)
    follow(stage, ALIAS)
    registered(stage, 4)
    swept(stage)
    stage.aml.set_alias("defects", "production", 4)
    assert swept(stage) == ["defects:4"]
    found = [json.loads(line) for line in desk.type("export").out.splitlines()]
    assert {one["outcome"] for one in found} == {"ModelPromoted"}
    assert [one["what"] for one in found][:2] == ["claimed", "asked"]
    assert found[0]["by"] == "sweep"


def test_preview_makes_the_request_of_a_version_that_is_promoted(desk: Desk) -> None:
    follow(desk.stage, ALIAS)
    said = desk.type("preview", "--promoted", "defects:4", "--check")
    assert said.code == 0, said.err
    assert "defects:4: ModelPromoted defects:4:production:20" in said.out
    assert "deploy: would start pipeline contoso/mlops/42" in said.out
    assert "pipeline next would run with this" in said.out
    (run,) = json.loads(desk.type("preview", "--promoted", "defects:4", "--json").out)["runs"]
    (route,) = run["routes"]
    asked = route["request"]["body"]["templateParameters"]
    assert asked == {"name": "defects", "version": "4"}
    assert desk.stage.devops.runs == []


def test_preview_says_what_the_gate_of_a_promotion_says(desk: Desk) -> None:
    follow(desk.stage, ALIAS, "when: model.version == '9'")
    said = desk.type("preview", "--promoted", "defects:4").out
    assert "would end as held" in said
    assert "model.version = 4" in said.replace('"', "")


@pytest.mark.parametrize("typed", ["defects", ":4", "defects:"])
def test_preview_wants_a_name_and_a_version(desk: Desk, typed: str) -> None:
    said = desk.type("preview", "--promoted", typed)
    assert said.code == 2
    assert "--promoted NAME:VERSION" in said.err


def test_preview_of_a_model_that_no_route_wants_has_nothing_to_check(desk: Desk) -> None:
    follow(desk.stage, "{alias: production, model: 'scratch*'}")
    said = desk.type("preview", "--promoted", "defects:4", "--check")
    assert (said.code, "nothing was checked" in said.err) == (1, True)


def test_what_if_tells_which_promotions_another_gate_would_have_held(
    desk: Desk, tmp_path: Path
) -> None:
    follow(desk.stage, ALIAS)
    registered(desk.stage, 4)
    swept(desk.stage)
    desk.stage.aml.set_alias("defects", "production", 4)
    assert swept(desk.stage) == ["defects:4"]
    usual = desk.stage.routes_file.read_text("utf-8")
    changed = tmp_path / "changed.yaml"
    changed.write_text(usual, "utf-8")
    assert desk.type("what-if", "--routes", str(changed)).code == 0
    gated = usual.replace("  start:", "  when: model.version == '9'\n  start:")
    changed.write_text(gated, "utf-8")
    said = desk.type("what-if", "--routes", str(changed))
    assert said.code == 1
    assert said.out.startswith("would not start: 1\n")
    assert "deploy/defects:4:production:" in said.out


def test_check_warns_where_the_sweep_is_off_that_alone_finds_them(desk: Desk) -> None:
    follow(desk.stage, ALIAS)
    file = desk.stage.environ["ROUTES_FILE"]
    assert "promotions" not in desk.type("check", file).err
    said = desk.type("check", file, SWEEP="off")
    assert said.code == 0
    assert "warning: deploy: nothing finds promotions while SWEEP=off" in said.err
    assert "no problems, 2 warnings" in said.out  # the other one is about `correlation`
