"""`champion` of a route, as it is written and as it is refused."""

from __future__ import annotations

import pytest

from functions.core.gates.gate import GateRefused
from functions.core.terms.standing import Choice
from relay.waiting.required import Requirement
from tests.routes.files import problems_in, route

WHEN = "when: champion.exists"
START = "start: {pipeline: 1}"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("newest", Choice()),
        ("{alias: champion}", Choice(alias="champion")),
        ("{tag: {stage: production}}", Choice(tags={"stage": "production"})),
    ],
)
def test_each_form_is_understood(written: str, meant: Choice) -> None:
    assert route(f"- {{name: a, {WHEN}, champion: {written}, {START}}}").champion == meant


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("oldest", "`oldest` is not known; allowed: newest"),
        ("3", "must be text or a mapping, not a whole number"),
        ("{}", "names either an `alias` or a `tag`, or is `newest`"),
        ("{alias: a, tag: {b: c}}", "names either an `alias` or a `tag`, or is `newest`"),
        ("{tag: {}}", "is empty: {stage: production}, or `champion: newest`"),
        ("{tag: {stage: 1}}", "must be text"),
        ("{alias: latest}", "`latest` does not fit: alias of a version"),
        ("{alias: v3}", "`v3` does not fit: alias of a version"),
        ("{alias: 'a b'}", "`a b` does not fit: alias of a version"),
        ("{stage: production}", "is no known key"),
    ],
)
def test_other_forms_are_refused_with_those_that_are_known(written: str, words: str) -> None:
    found = problems_in(f"- {{name: a, {WHEN}, champion: {written}, {START}}}")
    assert any("routes[0].champion" in line and words in line for line in found), found


@pytest.mark.parametrize(
    "text",
    [
        f"- {{name: a, when: champion.metrics.auc < 1, {START}}}",
        "- {name: a, start: {pipeline: 1, parameters: {x: '{{ champion.version }}'}}}",
    ],
)
def test_a_champion_that_is_named_must_be_chosen(text: str) -> None:
    (line,) = problems_in(text)
    assert "names `champion`, and the route does not say which: `champion: newest`" in line


@pytest.mark.parametrize("asked", ["champion.exists == true", "champion.exists in [true]"])
def test_whether_there_is_one_may_be_compared(asked: str) -> None:
    found = route(f"- {{name: a, when: '{asked}', champion: newest, {START}}}")
    assert found.gate is not None
    verdict = found.gate.evaluate({"champion": {"exists": True}})
    assert (verdict.holds, verdict.error) == (True, "")


def test_a_champion_that_is_chosen_must_be_named() -> None:
    (line,) = problems_in(f"- {{name: a, champion: newest, when: 'true', {START}}}")
    assert "routes[0].champion: is asked of nothing" in line


@pytest.mark.parametrize("fact", ["champion.metric.auc", "champion.run.status", "champion.auc"])
def test_a_fact_that_a_champion_has_not_is_refused(fact: str) -> None:
    lines = problems_in(f"- {{name: a, champion: newest, when: {fact} == 1, {START}}}")
    assert any(fact.rpartition(".")[0] in line and "is no fact" in line for line in lines), lines


def test_a_model_event_has_no_champion() -> None:
    lines = problems_in(f"- {{name: a, event: ModelRegistered, champion: newest, {START}}}")
    assert any("is about runs" in line for line in lines)


def test_a_requirement_on_the_command_line_has_no_champion() -> None:
    with pytest.raises(GateRefused, match="only a route can choose"):
        Requirement("metrics.auc > champion.metrics.auc")
