"""A start whose gate was ignored does not read like one that passed it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.relay.conftest import Desk

KEY = "register/r1/Completed"
WHEN = "run.metrics.accuracy >= 0.9"
GATED = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: register
    when: run.metrics.accuracy >= 0.9
    start: {pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
"""


def held(desk: Desk) -> None:
    desk.stage.routes(GATED)
    desk.end("r1", metrics={"accuracy": 0.5})
    desk.stage.deliver(completed("r1"))
    assert desk.stage.only("r1").reason is Reason.GATE


def test_it_is_told_with_who_ignored_it_and_what_the_gate_had_said(desk: Desk) -> None:
    held(desk)
    said = desk.type("replay", KEY, "--ignore-gate", "--as", "ada")
    assert said.out.endswith("replayed; the reconciler takes it up and leaves the gate out\n")
    assert "the route's gate is ignored, as ada asked" in desk.type("show", KEY).out
    desk.stage.reconcile()
    assert desk.stage.only("r1").state is State.STARTED
    page = desk.seen(key=f"{KEY}@ml-prod")
    for told in (desk.type("why", "r1").out, desk.type("show", KEY).out):
        assert "; the route's gate was ignored, as ada asked\n" in told
        assert f"\n  gate     ignored; {WHEN}\n  saw      run.metrics.accuracy = 0.5\n" in told
        asked = "asked            pipeline contoso/mlops/42; the gate was ignored, as ada asked\n"
        assert asked in told
    assert f"ignored, as ada asked {WHEN}" in page
    assert "pipeline contoso/mlops/42; the gate was ignored, as ada asked" in page
    for words in (("show", KEY), ("list",)):
        told = json.loads(desk.type(*words, "--json").out)
        assert "ignore_gate" in (told if "key" in told else told["continuations"][0])
    shown = json.loads(desk.type("show", KEY, "--json").out)
    paged = desk.asked(key=f"{KEY}@ml-prod")
    assert shown["gate_ignored_by"] == paged["gate_ignored_by"] == "ada"
    assert shown["ignore_gate"] is paged["ignore_gate"] is True
    assert "the gate was ignored" in desk.seen()


def test_one_that_passed_its_gate_says_nothing_of_the_kind(desk: Desk) -> None:
    held(desk)
    desk.end("r1", metrics={"accuracy": 0.95})
    said = desk.type("replay", KEY)
    assert said.out.endswith(
        "and asks its gate again, which held it; --ignore-gate leaves it out\n"
    )
    desk.stage.reconcile()
    assert desk.stage.only("r1").state is State.STARTED
    for told in (desk.type("show", KEY).out, desk.seen(), desk.seen(key=f"{KEY}@ml-prod")):
        assert "ignored" not in told
    shown = json.loads(desk.type("show", KEY, "--json").out)
    assert (shown["gate_ignored_by"], shown["ignore_gate"]) == (None, False)


def test_whoever_ignored_it_through_an_earlier_version_is_an_operator(desk: Desk) -> None:
    held(desk)
    assert desk.type("replay", KEY, "--ignore-gate").code == 0
    c = desk.stage.only("r1")
    bare = type(c)(
        **{name: getattr(c, name) for name in c.__struct_fields__ if name != "history"},
        history=(),
    )
    assert bare.gate_ignored_by == "an operator"
