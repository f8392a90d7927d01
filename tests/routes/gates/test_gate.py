"""What a gate answers, and how it explains itself."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from functions.core.gates.gate import Gate, GateRefused, Verdict, gate_of

ROOT = Path(__file__).resolve().parents[3]


def run(**facts: object) -> dict[str, Any]:
    """Facts of a run."""
    return {"run": facts}


def test_a_gate_that_holds_says_what_it_saw() -> None:
    verdict = Gate("run.metrics.accuracy >= 0.9").evaluate(run(metrics={"accuracy": 0.95}))

    assert verdict == Verdict(holds=True, explain="run.metrics.accuracy = 0.95")


def test_a_gate_that_does_not_hold_says_what_it_saw() -> None:
    gate = Gate('run.metrics.accuracy >= 0.9 && run.tags["a.b"] == "x"')

    assert gate.evaluate(run(metrics={"accuracy": 0.7}, tags={"a.b": "y"})) == Verdict(
        explain="run.metrics.accuracy = 0.7, run.tags.a.b = y"
    )


@pytest.mark.parametrize("metrics", [{}, {"accuracy": None}, None])
def test_a_fact_that_is_not_there_yet_is_missing_and_no_false(metrics: object) -> None:
    assert Gate("run.metrics.accuracy >= 0.9").evaluate(run(metrics=metrics or {})) == Verdict(
        missing="run.metrics.accuracy", explain="run.metrics.accuracy = not known"
    )


def test_no_facts_at_all_are_missing_too() -> None:
    assert Gate('model.version == "1"').evaluate({}).missing == "model.version"


def test_a_missing_key_that_is_computed_is_named_as_far_as_possible() -> None:
    assert Gate("run.metrics[run.name] > 1").evaluate(run(name="x", metrics={})).missing == "x"


def test_a_gate_may_ask_whether_a_fact_is_there() -> None:
    gate = Gate("has(run.metrics.auc) && run.metrics.auc > 0.5")

    assert gate.evaluate(run(metrics={})) == Verdict(explain="run.metrics.auc = not known")


def test_a_clash_of_types_that_nobody_could_foresee_is_an_error_in_the_words_of_check() -> None:
    gate = Gate("run[run.name].lr > 0.1")
    verdict = gate.evaluate(run(name="params", params={"lr": "0.3"}))

    assert not verdict.holds
    assert verdict.error == (
        "`run[run.name].lr > 0.1` compares text with a number: write "
        "`double(run[run.name].lr) > 0.1`"
    )
    assert "run.name = params" in verdict.explain


def test_an_answer_that_is_neither_true_nor_false_is_an_error() -> None:
    verdict = Gate("run[run.name]").evaluate(run(name="x", x="NOT_FOUND: Key not found in map : x"))

    assert verdict.error == "gave string, neither true nor false"
    assert not verdict.missing


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        (2**80, True),
        (-(2**80), False),
        (1, True),
    ],
)
def test_odd_numbers_are_compared_and_crash_nothing(value: float, holds: bool) -> None:
    verdict = Gate("run.metrics.x > 0.5").evaluate(run(metrics={"x": value}))

    assert (verdict.holds, verdict.error, verdict.missing) == (holds, "", "")


@pytest.mark.parametrize("value", ["a\ud800", object(), {1: 2}, ("x", None), {"a": {"b": None}}])
def test_odd_values_crash_nothing(value: object) -> None:
    verdict = Gate("run.name == run.name").evaluate(run(name=value))

    assert verdict.holds


def test_an_explanation_is_one_short_line() -> None:
    verdict = Gate('run.name != "" && size(run.tags) > 0').evaluate(
        run(name="a\nb" + "x" * 900, tags={str(n): "y" * 99 for n in range(99)})
    )

    assert verdict.holds
    assert "\n" not in verdict.explain
    assert len(verdict.explain) < 300


@pytest.mark.parametrize(
    "text", ["", "run.", "nosuch == 1", "run.nosuch()", "1 + 1", '"a"', "(" * 99, "\ud800", "\x00"]
)
def test_what_can_never_be_a_gate_is_refused(text: str) -> None:
    with pytest.raises(GateRefused):
        Gate(text)


def test_an_expression_is_compiled_once() -> None:
    assert gate_of("run.id == 'x'") is gate_of("run.id == 'x'")


def test_many_threads_may_ask_one_gate() -> None:
    gate = Gate("run.metrics.x > 500.0")
    asked = [float(n) for n in range(1000)]
    with ThreadPoolExecutor(16) as pool:
        answers = pool.map(lambda x: gate.evaluate(run(metrics={"x": x})), asked)

    assert [answer.holds for answer in answers] == [x > 500 for x in asked]


def test_cel_is_loaded_only_for_a_route_with_a_gate() -> None:
    script = (
        "import sys\n"
        "import functions.adapters.routefile\n"
        "before = 'yaml' in sys.modules\n"
        "from functions.core.routes.file.interpreting import decode\n"
        "head = 'version: 1\\ndefaults: {organization: o, project: p}\\nroutes: '\n"
        "decode(head + '[{name: a, start: {pipeline: 1}}]')\n"
        "without = 'cel_expr_python' in sys.modules\n"
        "decode(head + '[{name: a, when: run.id == \"x\", start: {pipeline: 1}}]')\n"
        "print(before, without, 'cel_expr_python' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["False", "False", "True"]
