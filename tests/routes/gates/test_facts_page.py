"""docs/facts.md tells every fact as the app knows it, docs/gates.md only what is so."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from functions.core.events.model_events import KINDS
from functions.core.facts import building, vocabulary
from functions.core.facts.placeholders import FACTS, unknown
from functions.core.facts.vocabulary import Kind
from functions.core.gates.gate import GateRefused, gate_of
from functions.core.terms.runs import Model, Run, RunEvent, Workspace
from functions.core.terms.words import Outcome
from tests.routes.test_check import relay
from tests.running.shipping import ROOT

PAGE = (ROOT / "docs" / "facts.md").read_text("utf-8")
GATES = (ROOT / "docs" / "gates.md").read_text("utf-8")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
TAGS = {"mlflow.parentRunId": "p1", "t": "x"}
EVENT = RunEvent(
    id="e1",
    type="t",
    subject="s",
    time=NOW,
    workspace=Workspace("s", "g", "w"),
    run="r1",
    outcome=Outcome.COMPLETED,
    experiment="e",
    run_type="azureml.StepRun",
    properties={"p": "x"},
)
RUN = Run(
    id="r1",
    name="n",
    experiment_id="1",
    status="FINISHED",
    outcome=Outcome.COMPLETED,
    start_time=NOW,
    end_time=NOW,
    metrics={"m": 0.5},
    params={"p": "x"},
    tags=TAGS,
)
MODEL = Model(name="m", version="1", run_id="r1", path="model", flavors=("sklearn",), uri="u")
LATER = ("run.best_child_id", "run.children.", "champion.")  # read only where they are named
TYPES = {Kind.NUMBER: float, Kind.COUNT: int, Kind.TEXTS: list}


def test_the_page_is_what_the_command_prints() -> None:
    assert relay("facts") == (0, PAGE, "")


def test_every_fact_that_a_run_can_have_is_in_the_table_as_what_it_is() -> None:
    known = building.of(EVENT, RUN, Outcome.COMPLETED, "https://studio")
    known["model"] = building.of_model(MODEL)
    del known[building.UNREAD]
    found = {}
    for root, below in known.items():
        for name, value in below.items():
            family = (root, name) in vocabulary.FAMILIES
            found[f"{root}.{name}{'.*' if family else ''}"] = [*value.values()] if family else value
    own = [f for f in vocabulary.TABLE if not f.name.startswith(LATER)]
    of_runs = [f for f in own if f.path[0] not in {"endpoint", "drift", "pipeline", "join"}]
    assert found.keys() == {fact.name for fact in of_runs}
    for fact in of_runs:
        value = found[fact.name]
        for one in value if fact.is_family else [value]:
            assert type(one) is TYPES.get(fact.kind, str), fact.name


def test_every_fact_of_a_model_event_is_in_the_table() -> None:
    told = {f"{kind.root}.{name}" for kind in KINDS.values() for name in kind.facts}
    assert told <= {*FACTS}
    assert {f for f in FACTS if f.split(".")[0] in {"endpoint", "drift"}} <= told


@pytest.mark.parametrize("fact", vocabulary.TABLE, ids=lambda fact: fact.name)
def test_every_fact_can_be_asked_about_and_named(fact: vocabulary.Fact) -> None:
    name = fact.name.replace("*", "x")
    assert unknown(name) is None
    assert not gate_of(f"has({name}) && {name} == {name}").mistakes
    assert fact.source
    assert fact.absent


def test_each_gate_that_the_page_calls_a_mistake_is_one_and_what_it_says_to_write_is_right() -> (
    None
):
    told = (line.split(" | ") for line in GATES.splitlines() if line.startswith("| `"))
    rows = [[cell.replace("\\|", "|") for cell in row] for row in told]
    assert len(rows) > 12
    for wrong, _, right in rows:
        for text in re.findall("`([^`]+)`", wrong):
            on_route = "on a route" in wrong or "run.metric." in text
            assert on_route or judged(text), text
        for text in re.findall(
            "`([^`]+)`", right.replace("timestamp(…)", "timestamp('2026-01-01T00:00:00Z')")
        ):
            assert text.startswith("outcome:") or not judged(text), text


def judged(text: str) -> tuple[str, ...]:
    try:
        return gate_of(text).mistakes
    except GateRefused as refused:
        return refused.problems


def test_the_schema_shows_gates_that_are_right() -> None:
    schema = json.loads((ROOT / "routes.schema.json").read_text("utf-8"))
    when = schema["properties"]["routes"]["items"]["properties"]["when"]
    assert [text for text in when["examples"] if judged(text)] == []
    assert "docs/facts.md" in when["description"]
    assert when["patternErrorMessage"]
