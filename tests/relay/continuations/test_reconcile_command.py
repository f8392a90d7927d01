"""`reconcile`: one round from outside, for an app whose timers have stopped."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from functions.core.rounds import noted
from functions.core.rounds.bounds import MOST_AT_ONCE
from functions.core.starts import steps
from relay.continuations.ticking import ticking
from tests.stage.azure import ROUTES, completed

if TYPE_CHECKING:
    import pytest

    from tests.relay.conftest import Desk

MOVED = ROUTES.replace("pipeline: 42", "pipeline: 43")


def parked(desk: Desk, *runs: str) -> None:
    """Runs whose pipelines may start now, if anybody looks after them."""
    desk.stage.deploy(PAUSED="1")
    for run in runs:
        desk.end(run)
        desk.stage.deliver(completed(run))
    desk.stage.deploy(PAUSED="0")


def test_it_starts_what_is_parked_and_says_what_it_did(desk: Desk) -> None:
    parked(desk, "r1")
    code, out, err = desk.type("reconcile")
    assert (code, err) == (0, "")
    assert desk.stage.started() == [(42, "r1")]
    first, last = out.splitlines()
    assert first.startswith("continuation=started route=register run=r1 ")
    assert last.startswith("looked at 1, resumed 1; 0 open; ")
    assert noted.recall(desk.stage.ledger).by == "operator"


def test_a_second_one_starts_nothing_twice(desk: Desk) -> None:
    parked(desk, "r1")
    for _ in range(2):
        assert desk.type("reconcile").code == 0
    desk.stage.reconcile(minutes=3)
    assert desk.stage.started() == [(42, "r1")]


def test_what_somebody_is_at_work_on_is_left_to_them(desk: Desk) -> None:
    parked(desk, "r1")
    entry = desk.stage.ledger.read(desk.stage.only("r1").key)
    assert entry
    now, lease = desk.stage.clock.now(), desk.stage.read.policy.lease
    leased = desk.stage.ledger.write(entry, steps.resumed(entry.continuation, now, lease))
    assert desk.type("reconcile").code == 0
    assert desk.stage.ledger.read(leased.continuation.key) == leased
    assert desk.stage.posts() == 0


def test_it_tells_programs_the_same(desk: Desk) -> None:
    parked(desk, "r1")
    code, out, _ = desk.type("reconcile", "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["resumed"], told["looked_at"], told["left"], told["paused"]) == (
        1,
        1,
        False,
        False,
    )
    assert [(line["continuation"], line["run"]) for line in told["told"]] == [("started", "r1")]


def test_a_paused_app_is_told_and_starts_nothing(desk: Desk) -> None:
    parked(desk, "r1")
    desk.stage.deploy(PAUSED="1")
    code, out, err = desk.type("reconcile")
    assert (code, desk.stage.posts()) == (0, 0)
    assert "the app is paused (PAUSED=1)" in err
    assert "1 open" in out
    assert json.loads(desk.type("reconcile", "--json").out)["paused"] is True


def test_another_route_file_than_the_apps_is_refused_before_anything_is_claimed(
    desk: Desk,
) -> None:
    desk.stage.reconcile()  # which notes the app's own
    parked(desk, "r1")
    before = desk.stage.only("r1")
    desk.stage.routes(ROUTES + "  # a commit later\n")
    code, _, err = desk.type("reconcile")
    assert code == 2
    assert "the route file here is not the one that the app works with" in err
    assert (desk.stage.only("r1"), desk.stage.posts()) == (before, 0)


def only_what_is_deployed_is_taken(desk: Desk, deployed: str, other: str) -> None:
    """It takes what is deployed alone, and says nothing itself of what the app works with."""
    before = desk.stage.posts()
    desk.stage.routes(other)
    code, _, err = desk.type("reconcile")
    assert (code, desk.stage.posts()) == (2, before)
    assert "the route file here is not the one that the app works with" in err
    desk.stage.routes(deployed)
    for _ in range(2):
        assert desk.type("reconcile").code == 0


def test_after_a_roll_back_it_takes_what_is_deployed_and_not_what_was_taken_back(
    desk: Desk,
) -> None:
    """The ledger met the other file last."""
    for routes in (ROUTES, MOVED, ROUTES):
        desk.stage.routes(routes)
        desk.stage.deploy()
        desk.stage.reconcile(days=1)
    parked(desk, "r1")
    only_what_is_deployed_is_taken(desk, ROUTES, MOVED)
    assert desk.stage.started() == [(42, "r1")]


def test_so_it_does_where_the_timers_stopped_with_a_deployment(desk: Desk) -> None:
    """No timer's round ever met the file that is deployed; a delivery did one besides."""
    desk.stage.reconcile()
    desk.stage.clock.forward(hours=1)
    desk.stage.routes(MOVED)
    parked(desk, "r1")
    only_what_is_deployed_is_taken(desk, MOVED, ROUTES)
    assert desk.stage.started() == [(43, "r1")]


def test_so_it_does_where_the_deployments_probe_was_the_last_to_be_heard_of(desk: Desk) -> None:
    """The timers stopped with it, and no event has come."""
    parked(desk, "r1")
    desk.stage.reconcile()  # by the timer of the version before
    assert desk.stage.started() == [(42, "r1")]
    parked(desk, "r2")
    desk.stage.routes(MOVED)
    desk.stage.deploy()
    probe = {"id": "p1", "subject": "deploy", "eventType": "RunRelay.Probe", "data": {}}
    desk.stage.deliver(probe)
    desk.stage.clock.forward(hours=1)
    only_what_is_deployed_is_taken(desk, MOVED, ROUTES)


def test_a_route_file_with_mistakes_is_named(desk: Desk) -> None:
    desk.stage.routes("version: 7")
    code, _, err = desk.type("reconcile")
    assert code == 2
    assert "routes: is required" in err


def test_a_secret_that_it_may_not_read_ends_it_before_anything_is_claimed(desk: Desk) -> None:
    parked(desk, "r1")
    before = desk.stage.only("r1")
    desk.stage.cloud.vault.delete("azure-devops-pat")
    code, out, err = desk.type("reconcile")
    assert (code, out) == (4, "")
    assert err.startswith("nothing was done: ")
    assert desk.stage.only("r1") == before


def test_one_that_leaves_something_due_says_so(desk: Desk) -> None:
    parked(desk, "r0")
    event, then = desk.stage.only("r0").event, desk.stage.clock.now() - timedelta(hours=1)
    for n in range(MOST_AT_ONCE):
        key = replace(event.key("gone"), run=f"r{n}")
        desk.stage.ledger.claim(steps.opened(key, event, then, timedelta(0)))
    code, out, err = desk.type("reconcile")
    assert (code, err.splitlines()[-1]) == (1, "something that is due is left: run it again")
    assert f"resumed {MOST_AT_ONCE}" in out
    assert desk.type("reconcile").code == 0


def test_where_there_is_no_ledger_it_says_so(desk: Desk) -> None:
    code, _, err = desk.type("reconcile", LEDGER_URL="sqlite:////nowhere/ledger.db")
    assert (code, err) == (3, "there is no ledger at /nowhere/ledger.db (LEDGER_URL)\n")


def test_what_lasts_says_that_it_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    told = threading.Event()

    def count() -> int:
        told.set()
        return 7

    with ticking(count, every=0.001):
        assert told.wait(60)
    assert "0 s, 7 lines so far" in capsys.readouterr().err


def test_a_short_one_says_nothing_of_that(capsys: pytest.CaptureFixture[str]) -> None:
    with ticking(lambda: 7):
        pass
    assert capsys.readouterr().err == ""
