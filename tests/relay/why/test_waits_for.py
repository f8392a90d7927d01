"""What waits for a place in its group says for whom, wherever an operator looks."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from functions.core.operators.decisions import standing
from functions.web import data
from functions.web.detail import detail
from tests.flow.limits.groups import LATEST, ONE, finish, rounds, started, trained

if TYPE_CHECKING:
    from tests.relay.conftest import Desk

KEY = "register/c/Completed"


def queued(desk: Desk) -> int:
    """`b` goes on since `a` has ended, and `c` lined up before that; the id of b's build."""
    desk.stage.routes(ONE)
    trained(desk.stage, "a", "b", "c")
    finish(desk.stage, "a")
    rounds(desk.stage)
    assert started(desk.stage) == ["a", "b"]
    return int(desk.stage.only("b").pipeline_run or 0)


def test_it_is_said_who_goes_on_now_and_not_who_did_when_it_lined_up(desk: Desk) -> None:
    goes_on = f"register/b/Completed (pipeline run {queued(desk)})"
    for words in (("why", "c"), ("show", KEY)):
        out = desk.type(*words).out
        assert f"\n  waits    for {goes_on}\n" in out
        assert "a/Completed (pipeline run" in out  # what its history says of it
        assert "when a pipeline run of its group has ended, those claimed first" in out
    told = json.loads(desk.type("show", KEY, "--json").out)
    (known,) = json.loads(desk.type("why", "c", "--json").out)["routes"][:1]
    whole = desk.stage.app.overview.one(KEY)
    for document in (told, known, json.loads(data.one(whole))):
        assert (document["group"], document["waits_for"]) == ("defects", [goes_on])
    page = re.sub(r"<[^>]+>", " ", str(detail(whole)))
    assert re.search(rf"Waits for\s+{re.escape(goes_on)}\s", page)
    assert re.search(r"Group\s+defects\s", page)


def test_a_list_has_its_reason_and_that_it_is_called_in_its_turn(desk: Desk) -> None:
    queued(desk)
    (listed,) = json.loads(desk.type("list", "--state", "open", "--json").out)["continuations"]
    assert (listed["run"], listed["reason"]) == ("c", "concurrency")
    assert listed["detail"].startswith("1 of 1 of the group defects: register/a/Completed")
    said = desk.type("list", "--state", "open").out
    assert re.search(r"in its turn +.*concurrency|concurrency.* in its turn", said)


def test_nobody_makes_it_start_sooner_and_it_is_said_when_it_does(desk: Desk) -> None:
    queued(desk)
    said = desk.type("replay", KEY)
    assert (
        "it starts in its turn, once a pipeline run of its group has ended" in said.out + said.err
    )
    assert started(desk.stage) == ["a", "b"]
    assert "concurrency" in standing(desk.stage.only("c"))


def test_a_preview_shows_who_goes_on_and_writes_nothing(desk: Desk) -> None:
    build = queued(desk)
    desk.end("d", tags={"model": "defects"})
    before = desk.stage.ledger.shared("group/defects")
    said = desk.type("preview", "--run", "d").out
    assert "would start, but not now; it waits, since as many pipeline runs of its" in said
    assert f"(1 of 1 of the group defects: register/b/Completed (pipeline run {build}))" in said
    assert desk.stage.ledger.shared("group/defects") == before


def test_coverage_tells_what_was_superseded_and_what_if_does_not_start_it(desk: Desk) -> None:
    desk.stage.routes(LATEST)
    trained(desk.stage, "a", "b")
    trained(desk.stage, "c", at="2026-11-21T20:00:00Z")
    rounds(desk.stage)
    runs = json.loads(desk.type("coverage", "--since", "24h", "--json").out)["runs"]
    became = {run["run"]: run["routes"][0]["why"] for run in runs if run["became"] == "skipped"}
    assert became == {
        "b": f"superseded {KEY} ended later, and waits for the same place",
    }
    said = desk.type("what-if", "--since", "24h", "--routes", str(desk.stage.routes_file))
    assert "would start" not in said.out.replace("would start otherwise", "")
