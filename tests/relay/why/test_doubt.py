"""What is in doubt is said to be, wherever it is told and whatever hinders the look-up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.ledger import records
from functions.core.starts import steps
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.ledger import samples
from tests.page import scene
from tests.stage.azure import completed

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from tests.relay.conftest import Desk

KEY = "register/r1/Completed"
UNKNOWN = "it is not known whether pipeline contoso/mlops/42 was started"
LOOKS = "Run Relay looks it up in Azure DevOps "


def in_doubt(desk: Desk, *, refused: bool) -> None:
    """The POST was taken and its answer lost; the look-up too may meet a refused credential."""
    desk.stage.devops.server.faults.add(Fault("POST", "*/pipelines/42/runs", drop="after"))
    desk.end("r1")
    desk.stage.deliver(completed("r1"))
    if refused:
        desk.stage.devops.refuse(desk.stage.cloud.pat)
        desk.stage.reconcile(minutes=1)
    reason = Reason.CREDENTIAL_REFUSED if refused else Reason.IN_DOUBT
    assert (desk.stage.only("r1").state, desk.stage.only("r1").reason) == (State.OPEN, reason)


def row(desk: Desk, *words: str) -> Any:
    (one,) = json.loads(desk.type("list", "--json", *words).out)["continuations"]
    return one


@pytest.mark.parametrize("refused", [False, True])
def test_it_is_told_first_and_everywhere(desk: Desk, *, refused: bool) -> None:
    in_doubt(desk, refused=refused)
    assert "  in doubt  " in desk.type("list").out
    assert "1 continuation\n" in desk.type("list", "--state", "in_doubt").out
    why, show = desk.type("why", "r1"), desk.type("show", KEY)
    assert "\nregister (Completed): in doubt\n" in why.out
    assert "\nin doubt\n" in show.out
    for told in (why.out, show.out, desk.seen(key=f"{KEY}@ml-prod")):
        assert UNKNOWN in told
        assert LOOKS in told
        assert "nothing is sent again before that" in told
        assert "not started yet" not in told
        assert ("Azure DevOps refused the secret azure-devops-pat" in told) is refused
    assert "in doubt, " in desk.type("coverage").out
    assert "Wants you" not in desk.seen()  # Run Relay looks it up by itself
    assert "In doubt1started or not?" in desk.seen()
    listed = desk.asked(state="in_doubt")
    assert (listed["in_doubt"], listed["counts"]["open"]) == (1, 1)
    (paged,) = listed["continuations"]
    shown = json.loads(desk.type("show", KEY, "--json").out)
    assert paged == row(desk) == {name: shown[name] for name in paged}
    assert (paged["state"], paged["in_doubt"]) == ("open", True)
    assert shown["means"].startswith(UNKNOWN)


def test_once_it_is_known_nothing_of_the_doubt_is_left(desk: Desk) -> None:
    in_doubt(desk, refused=True)
    desk.stage.devops.accept(desk.stage.cloud.pat)
    desk.stage.reconcile(minutes=16)
    assert desk.stage.only("r1").state is State.STARTED
    assert row(desk)["in_doubt"] is False
    assert desk.type("why", "r1").code == 0
    for told in (desk.type("list").out, desk.type("show", KEY).out.partition("  history")[0]):
        assert "in doubt" not in told
    assert desk.asked()["in_doubt"] == 0
    assert "In doubt" not in desk.seen()
    assert json.loads(desk.type("list", "--json", "--state", "in_doubt").out)["continuations"] == []


def ended(desk: Desk, run: str, state: State, reason: Reason) -> Continuation:
    """It was asked for, and came to an end for a reason that says nothing of that."""
    at = desk.stage.clock.now()
    c = steps.opened(samples.key(run), samples.event(run=run), at, samples.LEASE)
    c = steps.asked(c, at, samples.request(), samples.LEASE, "")
    c = steps.ended(c, at, state, reason, "why")
    scene.put(desk.stage.ledger, c)
    return c


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (State.HELD, Reason.IN_DOUBT),
        (State.HELD, Reason.UNFORESEEN),
        (State.FAILED, Reason.REFUSED),
    ],
)
def test_what_ended_in_doubt_is_settled_one_by_one(
    desk: Desk, state: State, reason: Reason
) -> None:
    c = ended(desk, "r1", state, reason)
    key = f"{c.key.text}@{c.key.workspace}"
    told = desk.type("show", key).out
    assert f"\n{state}, in doubt\n" in told
    assert f"{state}, and it is not known whether pipeline " in told
    assert "--as-started BUILD_ID, or --again if there is none" in told
    assert f"  {state}, in doubt  " in desk.type("list").out
    (group,) = desk.asked()["wants"]
    assert group["in_doubt"] is True
    assert " --as-started BUILD_ID" in group["command"]
    assert " --again" in group["otherwise"]
    ended(desk, "r2", state, reason)
    (group,) = desk.asked()["wants"]
    assert (group["continuations"], group["command"]) == (2, "")
    assert "Look at each: its run may have been queued." in desk.seen()


def test_those_in_doubt_stand_apart_from_those_who_were_never_asked_for(desk: Desk) -> None:
    ended(desk, "r1", State.HELD, Reason.UNFORESEEN)
    at = desk.stage.clock.now()
    plain = steps.opened(samples.key("r2"), samples.event(run="r2"), at, samples.LEASE)
    scene.put(desk.stage.ledger, steps.ended(plain, at, State.HELD, Reason.UNFORESEEN, "why"))
    groups = {group["in_doubt"]: group for group in desk.asked()["wants"]}
    assert "--as-started" in groups[True]["command"]
    assert "--as-started" not in groups[False]["command"]


def test_a_row_of_an_earlier_version_is_in_doubt_by_its_reason(desk: Desk) -> None:
    in_doubt(desk, refused=False)
    kept = records.schedule_row(desk.stage.only("r1"))
    assert records.listed_of(kept).in_doubt
    assert records.listed_of({n: v for n, v in kept.items() if n != "in_doubt"}).in_doubt
