"""Nothing that anyone writes makes the reader fail in a way that nobody handles."""

from __future__ import annotations

import math
import re
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.facts.placeholders import LONGEST_TEXT, MissingFact, render
from functions.core.gates.gate import GateRefused, gate_of
from functions.core.routes.file.interpreting import decode
from functions.core.terms.errors import RoutesUnreadable
from tests.routes.files import FULL

often = settings(max_examples=150, deadline=None, print_blob=True)

WORDS = st.sampled_from(
    [
        *("version", "defaults", "routes", "name", "outcome", "event", "match", "when", "start"),
        *("limit", "mode", "complete", "step", "pipeline", "parameters", "variables", "value"),
        *("organization", "project", "correlation", "tags", "Completed", "NotResponding", "a"),
        *("run.metrics.x > 1", "{{ run.id }}", "{{ x", "10m", "20/h", "refs/heads/main", "on"),
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS
TREES = st.recursive(
    LEAVES,
    lambda below: (
        st.lists(below, max_size=4)
        | st.dictionaries(WORDS | st.text(max_size=5), below, max_size=5)
    ),
    max_leaves=30,
)


def refusal(text: str) -> tuple[str, ...]:
    """Why the text is refused; a line that says nothing where it is decoded."""
    try:
        decode(text)
    except RoutesUnreadable as refused:
        return refused.problems
    return ("routes.yaml: fine",)


def says_where(problems: tuple[str, ...]) -> bool:
    """Whether every problem is one line about the file, and there is one at least."""
    return bool(problems) and all(
        "\n" not in problem and problem.startswith("routes.yaml:") for problem in problems
    )


@often
@given(st.text())
def test_any_text_is_decoded_or_refused(text: str) -> None:
    assert says_where(refusal(text))


@often
@given(TREES)
def test_any_yaml_is_decoded_or_refused(data: object) -> None:
    assert says_where(refusal(yaml.safe_dump(data)))


@often
@given(st.lists(st.dictionaries(WORDS, TREES, max_size=6), max_size=3), TREES)
def test_anything_that_looks_like_routes_is_decoded_or_refused(
    routes: list[object], defaults: object
) -> None:
    assert says_where(
        refusal(yaml.safe_dump({"version": 1, "defaults": defaults, "routes": routes}))
    )


@often
@given(st.integers(0, len(FULL)), st.integers(0, 40), st.text(max_size=10) | WORDS)
def test_a_good_file_with_a_piece_exchanged_is_decoded_or_refused(
    at: int, length: int, piece: str
) -> None:
    assert says_where(refusal(FULL[:at] + piece + FULL[at + length :]))


@often
@given(TREES, st.dictionaries(st.sampled_from(["run", "model", "event"]), TREES))
def test_any_value_renders_to_bounded_text_or_misses_a_fact(
    value: object, facts: dict[str, Any]
) -> None:
    try:
        text = render(value, facts)
    except MissingFact as missing:
        text = missing.name

    assert len(text) <= LONGEST_TEXT
    assert text.encode("utf-8").decode("utf-8") == text


@often
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_metric_is_a_plain_decimal_that_says_the_same(value: float) -> None:
    for given_as in ("{{ run.metrics.a }}", value):
        text = render(given_as, {"run": {"metrics": {"a": value}}})
        assert re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text)
        assert math.copysign(1, float(text)) == math.copysign(1, value)
        assert float(text) == value


@often
@given(
    st.sampled_from(
        ["run.x > 1", "run.metrics.a == model.b", "has(run.x) ? run.x : event.y", "size(run) > 0"]
    ),
    st.dictionaries(
        st.sampled_from(["run", "model", "event"]), st.dictionaries(WORDS | st.just("x"), TREES)
    ),
)
def test_a_gate_always_gives_a_verdict(expression: str, facts: dict[str, Any]) -> None:
    verdict = gate_of(expression).evaluate(facts)

    assert not (verdict.holds and (verdict.missing or verdict.error))


@often
@given(st.text(alphabet="run.metics[]\"'\\()`{}<>=!&|?:0123 \n/x", max_size=60))
def test_any_expression_is_compiled_or_refused(expression: str) -> None:
    try:
        said = gate_of(expression).text
    except GateRefused as refused:
        said = str(refused).replace("\n", "A LINE BREAK")

    assert "A LINE BREAK" not in said
