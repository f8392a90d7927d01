"""What lists, `show`, `why`, `preview` and `check` say of a start at GitHub."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from functions.adapters.github.answers import DETAILS
from functions.core.terms.reasons import Reason
from tests.stage.azure import completed

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.relay.conftest import Desk

REGISTER = "/repos/contoso/mlops/actions/workflows/register.yml"


def test_the_request_shown_is_the_one_that_is_sent(desk: Desk) -> None:
    desk.end("r1")
    shown = json.loads(desk.type("preview", "--run", "r1", "--json").out)
    request = shown["runs"][0]["routes"][0]["request"]
    desk.stage.deliver(completed("r1"))
    github = desk.stage.cloud.github
    (posted,) = github.server.received("POST", "/dispatches")
    assert request["service"] == "GitHub"
    assert request["secret"] == "github-token"
    assert request["url"] == f"{github.url}{posted.path}"
    assert request["body"] | {DETAILS: True} == json.loads(posted.body)


def test_people_see_where_it_goes(desk: Desk) -> None:
    desk.end("r1")
    said = desk.type("preview", "--run", "r1")
    assert (said.code, said.err) == (0, "")
    assert "register: would start pipeline github:contoso/mlops/register.yml" in said.out
    assert f"POST {desk.stage.cloud.github.url}{REGISTER}/dispatches" in said.out


def test_what_was_started_is_told_by_each_command(desk: Desk) -> None:
    desk.end("r1")
    desk.stage.deliver(completed("r1"))
    (run,) = desk.stage.cloud.github.runs
    page = f"{desk.stage.cloud.github.server.url}/contoso/mlops/actions/runs/{run.id}"
    for words in (["why", "r1"], ["show", "register/r1/Completed"], ["list"]):
        said = desk.type(*words)
        assert (said.code, said.err) == (0, "")
        assert str(run.id) in said.out
    assert page in desk.type("show", "register/r1/Completed").out
    shown = json.loads(desk.type("show", "register/r1/Completed", "--json").out)
    assert (shown["request"]["service"], shown["url"]) == ("GitHub", page)


def test_what_is_in_doubt_is_looked_for_at_github(
    desk: Desk, doubted: Callable[[str], int]
) -> None:
    doubted("r1")
    assert desk.stage.only("r1").reason is Reason.IN_DOUBT
    said = desk.type("why", "r1")
    assert "looks it up in GitHub" in said.out
    assert "Azure DevOps" not in said.out


def test_check_lists_it_by_owner_and_workflow(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relay.columns.room", lambda: 200)  # as in a terminal
    said = desk.type("check", str(desk.stage.routes_file))
    assert (said.code, said.err) == (0, "")
    (row,) = (line for line in said.out.splitlines() if line.startswith("register "))
    assert row.split()[-2:] == ["github:contoso/mlops", "register.yml"]


def test_check_warns_of_one_that_could_not_be_looked_for(desk: Desk) -> None:
    file = desk.stage.routes_file
    file.write_text(file.read_text("utf-8").replace("      correlation: relay_id\n", ""), "utf-8")
    said = desk.type("check", str(file))
    assert said.code == 0
    assert "no run of a workflow shows its inputs, and there is no `correlation`" in said.err


def test_an_export_names_owner_repository_and_workflow(desk: Desk) -> None:
    desk.stage.clock.forward(hours=-2)
    desk.end("r1")
    desk.stage.deliver(completed("r1"))
    said = desk.type("export", "--since", "1d", "--format", "jsonl")
    assert said.code == 0
    (asked,) = filter(None, (json.loads(line)["request"] for line in said.out.splitlines()))
    assert [asked[n] for n in ("organization", "project", "pipeline", "secret")] == [
        *("github:contoso", "mlops", "register.yml", "github-token"),
    ]
    inputs = {"run_id": "r1", "model_name": "defects"}
    assert asked["body"]["ref"] == "main"
    assert asked["body"]["inputs"].items() >= inputs.items()


def test_a_round_by_hand_settles_what_is_in_doubt(
    desk: Desk, doubted: Callable[[str], int]
) -> None:
    desk.stage.clock.forward(minutes=-5)
    number = doubted("r1")
    said = desk.type("reconcile")
    assert said.code == 0, said
    row = desk.stage.only("r1")
    assert (row.reason, row.pipeline_run) == (Reason.FOUND, number)
