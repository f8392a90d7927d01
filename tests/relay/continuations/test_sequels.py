"""What goes on by an end, as the command line and the page show it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from local.cloud import WORKSPACE
from tests.flow.following.after import CHAIN, DEPLOY, finish, set_up
from tests.flow.following.ends import started
from tests.relay.conftest import Desk
from tests.saying.refusals import WRONG, says
from tests.stage.azure import ROUTES, Stage

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud

SECOND = "register.succeeded/r1/Completed"


@pytest.fixture
def desk(cloud: Cloud, tmp_path: Path) -> Desk:
    """An operator, after pipelines 42 and 51 have ended and 52 goes on."""
    stage = set_up(Stage(cloud, tmp_path))
    stage.clock.forward(hours=-2)  # commands go by the time of day
    (build,) = started(stage)
    finish(stage, build, "succeeded")
    finish(stage, stage.devops.runs[1].id, "failed")
    return Desk(stage)


def data(desk: Desk, *words: str) -> Any:
    done = desk.type(*words, "--json")
    return json.loads(done.out)


def test_show_tells_what_is_before_and_behind_it(desk: Desk) -> None:
    first, second = desk.stage.devops.runs[:2]
    out = desk.type("show", "register/r1/Completed").out
    assert f"\n  then     {SECOND}\n" in out
    assert "  next     register.succeeded goes on by that end" in out
    out = desk.type("show", SECOND).out
    assert f"\n  after    register/r1/Completed: pipeline run {first.id} succeeded\n" in out
    assert "\n  then     register.succeeded.failed/r1/Completed\n" in out
    assert "    pipeline.end" in out
    told = data(desk, "show", SECOND)
    assert told["after"].startswith("register/r1/Completed@/subscriptions/")
    assert told["then"].startswith("register.succeeded.failed/r1/Completed@/subscriptions/")
    assert told["pipeline_run"] == second.id
    alone = data(desk, "show", "register.succeeded.failed/r1/Completed")
    assert (alone["then"], alone["after"].partition("/")[0]) == (None, "register.succeeded")


def test_list_has_it_as_any_other(desk: Desk) -> None:
    rows = data(desk, "list")["continuations"]
    assert {row["route"] for row in rows} == {
        "register",
        "register.succeeded",
        "register.succeeded.failed",
    }
    assert len(data(desk, "list", "--route", "register.*")["continuations"]) == 2


def test_why_tells_it_behind_its_route(desk: Desk) -> None:
    done = desk.type("why", "r1")
    assert done.code == 0
    heads = [line.partition(" (")[0] for line in done.out.splitlines() if line[:1] not in {" ", ""}]
    assert heads[2:5] == ["register", "register.succeeded", "register.succeeded.failed"]
    desk.stage.routes(ROUTES)  # what went on is told although the file wants it no more
    routes = [one["route"] for one in data(desk, "why", "r1")["routes"]]
    assert routes[:3] == ["register", "register.succeeded", "register.succeeded.failed"]


def test_another_route_is_judged_by_the_news_that_the_run_began_with(desk: Desk) -> None:
    other = """  - name: other
    match: {experiment: "defect-*"}
    start: {pipeline: 9, parameters: {run_id: "{{ run.id }}", at: "{{ event.time }}"}}
"""
    desk.stage.routes(CHAIN + other)
    (found,) = [one for one in data(desk, "why", "r1")["routes"] if one["route"] == "other"]
    assert found["request"]["body"]["templateParameters"]["at"].startswith("2026-11-21T18:41:00")


def test_the_page_leads_from_one_to_the_other(desk: Desk) -> None:
    first = desk.stage.devops.runs[0]
    text = desk.seen(key=SECOND)
    assert f"register/r1/Completed: pipeline run {first.id} succeeded" in text
    assert "register.succeeded.failed/r1/Completed" in text
    assert "Pipeline run ended" in text
    assert "Run ended" in desk.seen(key="register/r1/Completed")
    told = desk.asked(key=SECOND)
    assert told["after"].startswith("register/r1/Completed@")
    assert told["then"].startswith("register.succeeded.failed/r1/Completed@")


def test_the_export_says_that_the_app_let_it_go_on(desk: Desk) -> None:
    lines = [json.loads(line) for line in desk.type("export", "--since", "1d").out.splitlines()]
    claims = [line for line in lines if line["what"] == "claimed"]
    assert [(one["route"], one["by"]) for one in claims] == [
        ("register", "event"),
        ("register.succeeded", "app"),
        ("register.succeeded.failed", "app"),
    ]
    assert claims[1]["why"].startswith("then, after register: pipeline run ")


def test_coverage_tells_of_each(desk: Desk) -> None:
    (run,) = data(desk, "coverage", "--workspace", WORKSPACE)["runs"]
    assert {one["route"]: one["became"] for one in run["routes"]} == {
        "register": "started",
        "register.succeeded": "started",
        "register.succeeded.failed": "started",
    }


def test_a_sequel_that_failed_is_replayed(cloud: Cloud, tmp_path: Path) -> None:
    stage = set_up(Stage(cloud, tmp_path))
    stage.devops.server.faults.add(says(400, WRONG, path="*/pipelines/51/runs"))
    (build,) = started(stage)
    finish(stage, build, "succeeded")
    desk = Desk(stage)
    assert stage.of_run("r1")["register.succeeded"].state == "failed"
    done = desk.type("replay", SECOND)
    assert done.code == 0, done
    stage.reconcile(minutes=1)
    assert stage.started() == [(42, "r1"), (DEPLOY, "r1")]


def test_preview_shows_what_would_go_on(cloud: Cloud, tmp_path: Path) -> None:
    stage = set_up(Stage(cloud, tmp_path))
    desk = Desk(stage)
    desk.end("r9")
    out = desk.type("preview", "--run", "r9", "--workspace", WORKSPACE, "--check").out
    assert "  register.succeeded: once that of register has succeeded, would start pipeline" in out
    assert '"end": "succeeded"' in out
    assert "  register.succeeded.failed: once that of register.succeeded has failed, would" in out
    (run,) = data(desk, "preview", "--run", "r9", "--workspace", WORKSPACE)["runs"]
    assert [(one["route"], one["after"]) for one in run["routes"]] == [
        ("register", None),
        ("register.succeeded", "register"),
        ("register.succeeded.failed", "register.succeeded"),
        ("register.failed", "register"),
        ("report", None),
    ]
    assert stage.posts() == 0


def test_what_if_compares_what_went_on(desk: Desk, tmp_path: Path) -> None:
    same = tmp_path / "same.yaml"
    same.write_text(CHAIN, "utf-8")
    assert _changes(desk, same) == {
        "register": "as it was",
        "register.succeeded": "as it was",
        "register.succeeded.failed": "as it was",
    }
    less = tmp_path / "less.yaml"
    less.write_text(ROUTES, "utf-8")
    assert _changes(desk, less)["register.succeeded"] == "would not start"


def test_what_if_tells_what_would_have_gone_on(cloud: Cloud, tmp_path: Path) -> None:
    stage = set_up(Stage(cloud, tmp_path), ROUTES)
    (build,) = started(stage)
    finish(stage, build, "succeeded")
    more = tmp_path / "more.yaml"
    more.write_text(CHAIN, "utf-8")
    assert _changes(Desk(stage), more) == {
        "register": "as it was",
        "register.succeeded": "would start",
    }


def _changes(desk: Desk, file: Path) -> dict[str, str]:
    words = ("what-if", "--since", "7d", "--routes", str(file), "--workspace", WORKSPACE)
    told = data(desk, *words)
    return {one["route"]: one["change"] for run in told["runs"] for one in run["routes"]}
