"""What is foretold of a run is what the app then does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.terms.words import State
from tests.saying.refusals import says
from tests.stage.azure import changed, completed

if TYPE_CHECKING:
    from tests.relay.conftest import Desk

ROUTE = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: register
    match: {experiment: "defect-*"}
    when: run.metrics.accuracy >= 0.9
    wait_for_facts: 10m
    limit: 1/d
    start: {pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
"""
WHEN = "    when: run.metrics.accuracy >= 0.9\n"
GOOD: dict[str, Any] = {"metrics": {"accuracy": 0.95}}
CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "starts": ("", "", GOOD),
    "filter": ("defect-*", "churn-*", GOOD),
    "gate": ("", "", {"metrics": {"accuracy": 0.5}}),
    "gate without its fact": ("", "", {}),
    "gate error": (">= 0.9", "+ 'x' == ''", GOOD),
    "fact missing": ("{{ run.id }}", "{{ run.tags.note }}", GOOD),
    "too large": ("{{ run.id }}", "{{ run.tags.note }}", {**GOOD, "tags": {"note": "x" * 40_000}}),
    "shadow": ("    limit", "    mode: shadow\n    limit", GOOD),
    "still running": ("", "", {**GOOD, "status": "Running"}),
    "tags": ('"defect-*"', '"defect-*", tags: {stage: prod}', {**GOOD, "tags": {"stage": "dev"}}),
    "child": ("", "", {**GOOD, "parent": "r0"}),
    "children too": (WHEN, WHEN + "    children: true\n", {**GOOD, "parent": "r0"}),
    "failed": ("", "", {**GOOD, "status": "Failed"}),
}


def foretold(desk: Desk, **environ: str) -> dict[str, Any]:
    said = desk.type("why", "r1", "--json", **environ)
    assert [
        line for line in said.err.splitlines() if not line.startswith(("stopped: ", "  "))
    ] == []
    (told,) = json.loads(said.out)["routes"]
    assert told["known"] is False
    return dict(told)


def tell(desk: Desk, facts: dict[str, Any]) -> None:
    """Deliver the event of a run with these facts."""
    tags = {"runTags": {**facts.get("tags", {}), **_parent(facts)}}
    status = facts.get("status", "Completed")
    event = completed("r1", **tags)
    desk.stage.deliver(changed("r1", "Failed", **tags) if status == "Failed" else event)


def _parent(facts: dict[str, Any]) -> dict[str, str]:
    return {"mlflow.parentRunId": facts["parent"]} if "parent" in facts else {}


@pytest.mark.parametrize("case", CASES)
def test_what_is_foretold_comes_to_pass(desk: Desk, case: str) -> None:
    old, new, facts = CASES[case]
    desk.stage.routes(ROUTE.replace(old, new) if old else ROUTE)
    desk.end("r1", **facts)
    before = foretold(desk)
    assert desk.stage.of_run("r1") == {}
    tell(desk, facts)
    became = desk.stage.of_run("r1").get("register")
    assert before["state"] == (became and became.state)
    if became and became.state is not State.STARTED:
        assert before["reason"] == became.reason
    if became and became.request:
        assert json.loads(became.request.body) == before["request"]["body"]


@pytest.mark.parametrize(
    ("reason", "environ"),
    [("limit", {}), ("concurrency", {}), ("paused", {"PAUSED": "1"}), ("credential_refused", {})],
)
def test_what_holds_it_back_is_foretold(desk: Desk, reason: str, environ: dict[str, str]) -> None:
    desk.stage.routes(ROUTE)
    desk.stage.deploy(**environ)
    if reason == "credential_refused":
        fault = says(401, times=2)
        desk.stage.devops.server.faults.add(fault)
    if reason == "concurrency":
        group = "concurrency: {group: deploy}"
        desk.stage.routes(ROUTE.replace("limit: 1/d", group))
    if reason == "limit":
        desk.stage.use_up("register", "%Y-%m-%d", days=1)
    desk.end("r0", **GOOD)
    desk.end("r1", **GOOD)
    desk.stage.deliver(completed("r0"))
    before = foretold(desk, **environ)
    assert (before["state"], before["reason"]) == ("open", reason)
    desk.stage.deliver(completed("r1"))
    became = desk.stage.only("r1")
    assert (became.state, became.reason) == (before["state"], before["reason"])


def test_metrics_on_several_steps_are_foretold_to_hold_it(desk: Desk) -> None:
    desk.stage.routes(ROUTE)
    desk.end("r1")
    for step in ("a", "b"):
        desk.end(step, parent="r1", name=step, metrics={"accuracy": 1.0})
    before = foretold(desk)
    desk.stage.deliver(completed("r1"))
    became = desk.stage.only("r1")
    assert (
        (before["state"], before["reason"])
        == (became.state, became.reason)
        == (
            State.HELD,
            "ambiguous",
        )
    )
