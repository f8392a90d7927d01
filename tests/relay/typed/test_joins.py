"""Runs that are joined, as the commands and the page tell of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.flow.joins.several import A, B, C, add, joining, sent, set_up, trained

if TYPE_CHECKING:
    from tests.relay.conftest import Desk

KEY = "compare/b7/Joined"


@pytest.fixture(name="desk")
def with_a_join(desk: Desk) -> Desk:
    set_up(desk.stage)
    return desk


def exported(desk: Desk) -> list[dict[str, Any]]:
    return [json.loads(line) for line in desk.type("export").out.splitlines()]


def test_check_shows_the_route_and_the_ends_that_it_is_about(desk: Desk) -> None:
    said = desk.type("check", desk.stage.environ["ROUTES_FILE"])
    assert (said.code, said.err) == (0, "")
    assert said.out.endswith(": 1 route, no problems\n")


def test_preview_makes_the_request_of_all_as_far_as_one_run_tells_it(desk: Desk) -> None:
    add(desk.stage, "r1", A)
    said = desk.type("preview", "--run", "r1", "--check")
    assert said.code == 0, said.err
    assert "would end as skipped, since its run is one of several that are joined" in said.out
    assert KEY in said.out
    assert "pipeline compare would run with this" in said.out
    (run,) = json.loads(desk.type("preview", "--run", "r1", "--json").out)["runs"]
    (route,) = run["routes"]
    assert (route["state"], route["reason"]) == ("skipped", "joined")
    assert route["request"]["body"]["templateParameters"]["runs"] == '["r1"]'
    assert sent(desk.stage) == []


def test_preview_says_of_a_run_that_is_none_of_them_why(desk: Desk) -> None:
    add(desk.stage, "r1", "train-z")
    assert "train-z is not in all_of" in desk.type("preview", "--run", "r1").out


def test_what_waits_is_listed_shown_and_explained_with_whom_it_waits_for(desk: Desk) -> None:
    trained(desk.stage, "r1", A)
    (one,) = json.loads(desk.type("list", "--state", "open", "--json").out)["continuations"]
    assert (one["route"], one["run"], one["outcome"]) == ("compare", "b7", "Joined")
    shown = desk.type("show", KEY)
    assert shown.code == 0
    assert "1 of 3; waits for train-b, train-c" in shown.out
    assert "run r1 Completed" in shown.out
    assert "1 of 3; waits for train-b" in desk.type("why", "b7").out
    of_member = desk.type("why", "r1").out
    assert "skipped" in of_member
    assert KEY in of_member
    assert "waits for train-b" in desk.seen(key=KEY)
    assert "b7" in desk.seen()


def test_one_that_is_held_names_who_failed_and_what_to_type(desk: Desk) -> None:
    for run, experiment, status in (
        ("r1", A, "Completed"),
        ("r2", B, "Failed"),
        ("r3", C, "Completed"),
    ):
        trained(desk.stage, run, experiment, status)
    desk.stage.reconcile(seconds=1)
    shown = desk.type("show", KEY).out
    assert "failed: r2 Failed" in shown
    assert "replay" in shown
    assert "--ignore-gate" in shown
    command = f"bin/relay replay --ignore-gate {KEY}"
    assert command in desk.seen(key=KEY)
    assert desk.asked(key=KEY)["command"].startswith(command)
    again = desk.type("replay", KEY)
    assert "waits for who failed or is missing; --ignore-gate goes on without them" in again.out
    desk.stage.reconcile(seconds=1)
    assert sent(desk.stage) == []
    assert desk.type("replay", KEY, "--ignore-gate").code == 0
    desk.stage.reconcile(seconds=1)
    assert [one["failed"] for one in sent(desk.stage)] == ['["r2"]']


def test_what_is_about_several_runs_has_no_page_of_one(desk: Desk) -> None:
    trained(desk.stage, "r1", A)
    for key, has_one in ((KEY, False), ("compare/r1/Completed", True)):
        assert ("ml.azure.com/runs/" in desk.type("show", key).out) is has_one
        assert ("open in Azure Machine Learning studio" in desk.seen(key=key)) is has_one
        assert bool(desk.asked(key=key)["run_url"]) is has_one


def test_nothing_is_to_be_typed_for_what_waits(desk: Desk) -> None:
    trained(desk.stage, "r1", A)
    assert desk.asked(key=KEY)["command"] == ""


def test_the_audit_trail_has_each_member_and_the_start_for_all(desk: Desk) -> None:
    desk.stage.clock.forward(hours=-1)  # what is new is left to the next export
    desk.stage.routes(joining(all_of=2))
    trained(desk.stage, "r1", A)
    trained(desk.stage, "r2", B)
    desk.stage.reconcile(seconds=1)
    found = exported(desk)
    of_all = [one for one in found if one["outcome"] == "Joined"]
    assert [one["what"] for one in of_all][:3] == ["claimed", "joined", "joined"]
    assert "started" in [one["what"] for one in of_all]
    assert {one["run"] for one in found if one["outcome"] == "Completed"} == {"r1", "r2"}
