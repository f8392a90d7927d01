"""For every gate that `check` accepts and all facts of the declared kinds: never a type's error."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given, note, settings
from hypothesis import strategies as st

from functions.core.facts import vocabulary
from functions.core.facts.vocabulary import Fact, Kind
from functions.core.gates.asking import TYPE_ERROR
from functions.core.gates.gate import Gate, GateRefused, gate_of

often = settings(max_examples=400, deadline=None, print_blob=True)

NAMES = ("a", "b", "mlflow.user")
PATHS = [
    f"{'.'.join(fact.path)}[{name!r}]" if fact.is_family else fact.name
    for fact in vocabulary.TABLE
    for name in (NAMES if fact.is_family else ("",))
]
CONSTANTS = [
    "0",
    "1",
    "2.5",
    "-1.0",
    "'a'",
    "'1'",
    "'Completed'",
    "true",
    "null",
    "['a']",
    "[1]",
    "1e999",
]
CALLS = ["size({})", "int({})", "double({})", "string({})", "timestamp({})", "dyn({})", "{}.size()"]
VALUES = st.recursive(
    st.sampled_from([*PATHS, *PATHS, *CONSTANTS, "run['params'].a", "run.params[run.name]"]),
    lambda below: (
        st.builds(lambda call, x: call.format(x), st.sampled_from(CALLS), below)
        | st.builds("({} {} {})".format, below, st.sampled_from(["+", "-", "*", "/", "%"]), below)
    ),
    max_leaves=3,
)
SIGNS = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in"])
ATOMS = (
    st.builds("{} {} {}".format, VALUES, SIGNS, VALUES)
    | st.builds("has({})".format, st.sampled_from(["run.metrics.a", "run.params.b", "run.name"]))
    | st.builds("{}.matches({})".format, VALUES, VALUES)
    | st.builds("{}.startsWith({})".format, VALUES, VALUES)
    | st.builds("is_nan({})".format, VALUES)
    | st.builds("run.metrics.all(k, run.metrics[k] {} {})".format, SIGNS, VALUES)
    | st.builds("run.tags.exists(k, run.tags[k] {} {})".format, SIGNS, VALUES)
    | VALUES
)
GATES = st.recursive(
    ATOMS,
    lambda below: (
        st.builds("({} {} {})".format, below, st.sampled_from(["&&", "||"]), below)
        | st.builds("!({})".format, below)
        | st.builds("({} ? {} : {})".format, below, below, below)
    ),
    max_leaves=4,
)
TEXTS = st.sampled_from(["a", "1", "0.5", "", "[", "params", "2026-01-01T00:00:00Z"]) | st.text(
    max_size=5
)
OF_KIND: dict[Kind, Any] = {
    Kind.NUMBER: st.floats(),
    Kind.COUNT: st.integers(0, 9),
    Kind.NAME: st.sampled_from(["Completed", "Failed", "Canceled", "NotResponding"]),
    Kind.TRUTH: st.booleans(),
    Kind.TIME: st.just("2026-01-01T00:00:00Z"),
    Kind.TEXTS: st.lists(TEXTS, max_size=2),
    Kind.TEXT: TEXTS,
}


def _values(fact: Fact) -> st.SearchStrategy[Any]:
    kind = OF_KIND[fact.kind]
    return st.none() | (st.dictionaries(st.sampled_from(NAMES), kind) if fact.is_family else kind)


def _nested(drawn: dict[Fact, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for fact, value in drawn.items():
        at = found
        for name in fact.path[:-1]:
            at = at.setdefault(name, {})
        at[fact.path[-1]] = {} if fact.is_family and value is None else value
    return found


FACTS = st.fixed_dictionaries({fact: _values(fact) for fact in vocabulary.TABLE}).map(_nested)
"""Any facts of the declared kinds, some of them not there."""


@often
@given(GATES, FACTS)
def test_what_check_accepts_never_errs_for_a_types_reason(text: str, known: Any) -> None:
    try:
        gate = gate_of(text)
    except GateRefused:
        return
    verdict = gate.evaluate(known)
    note(f"{text}: {gate.mistakes or verdict}")
    if gate.mistakes:
        assert verdict.error or verdict.unusable
        assert not verdict.holds
        return
    assert not TYPE_ERROR.search(verdict.error)
    assert "compares" not in verdict.error
    assert "neither true nor false" not in verdict.error


@often
@given(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.floats(), st.booleans())
def test_no_threshold_is_passed_by_what_is_no_number(
    sign: str, value: float, negated: bool
) -> None:
    asked = f"run.metrics.loss {sign} 0.5"
    text = f"!({asked})" if negated else asked
    verdict = Gate(text).evaluate({"run": {"metrics": {"loss": value}}})
    assert (verdict.unusable is None) == math.isfinite(value)
    assert not (verdict.unusable and verdict.holds)
