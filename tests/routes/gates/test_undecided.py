"""Gates whose answer hangs on what is no value: a division by zero, a cut text, no metrics."""

from __future__ import annotations

import math
import operator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.facts.unusable import Unusable
from functions.core.gates.gate import Verdict, gate_of
from functions.core.terms.reasons import Reason

CUT = "x" * 8_000


def judged(gate: str, **more: Any) -> Verdict:
    """What the gate says of a run with one metric that is 0, and a champion that logged none."""
    run = {
        "name": "n",
        "status": "Completed",
        "metrics": {"a": 0.5, "zero": 0.0},
        "params": {"n": "y" * 6_000, "inf": "inf", "lr": "0.1", "diverged": "nan"},
        "tags": {"Stage": "x", "big": CUT},
    }
    champion = {"exists": True, "version": "3", "metrics": {}, "run": {"params": {}}}
    assert gate_of(gate).mistakes == ()
    return gate_of(gate).evaluate({"run": run | more, "champion": champion})


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("run.metrics.a / run.metrics.zero > 1", "`run.metrics.a / run.metrics.zero` is infinite"),
        ("run.metrics.a > 0.9 || run.metrics.a / run.metrics.zero > 0.9", "is infinite"),
        ("!(run.metrics.zero / run.metrics.zero > 0.9)", "is NaN"),
        ("run.metrics.zero / run.metrics.zero > 0.9", "is NaN"),
        ("run.metrics.zero / run.metrics.zero != 1.0", "is NaN"),
        ("(run.metrics.a / run.metrics.zero > 0.9) == true", "is infinite"),
        ("(run.metrics.zero == 0.0 ? run.metrics.a / run.metrics.zero : 1.0) > 0.5", "is infinite"),
        ("math.greatest(run.metrics.a / run.metrics.zero, 1.0) > 0.5", "is infinite"),
        ("!is_nan(run.metrics.a / run.metrics.zero) && run.metrics.a / run.metrics.zero > 0.9",
         "is infinite"),
        ("run.metrics.exists(k, run.metrics[k] / run.metrics.zero > 0.9)",
         "`run.metrics[k] / run.metrics.zero` is "),
        ("['diverged', 'lr'].all(k, !(double(run.params[k]) > 0.5))",
         "`double(run.params[k])` is NaN"),
        ("run.params.exists(k, k == 'diverged' && double(run.params[k]) != 0.5)", "is NaN"),
        ("run.metrics.map(k, run.metrics[k] * 1e308 * 10.0).all(v, v > 0.9 || v == 0.0)",
         "is infinite"),
        ("!(math.sqrt(run.metrics.a - 1.0) < 0.5)", "`math.sqrt(run.metrics.a - 1.0)` is NaN"),
        ("double(run.params.inf) > 0.5", "`double(run.params.inf)` is infinite"),
        ("run.metrics.a * 1e308 * 10.0 > 0.5", "is infinite"),
    ],
)  # fmt: skip
def test_what_is_worked_out_to_no_number_is_never_a_good_one(gate: str, said: str) -> None:
    verdict = judged(gate)
    assert not verdict.holds
    assert isinstance(verdict.unusable, Unusable)
    assert verdict.unusable.reason is Reason.NOT_A_NUMBER
    assert said in verdict.unusable.detail
    assert f"when: {gate[:20]}" in verdict.told(gate)


SUMS = {"+": operator.add, "-": operator.sub, "*": operator.mul}
FINITE = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(
    [0.0, -0.0, 1e308, -1e308]
)


@settings(max_examples=300, deadline=None, print_blob=True)
@given(FINITE, FINITE, st.sampled_from([*SUMS, "/"]), st.booleans(), st.booleans())
def test_of_all_finite_metrics_only_a_finite_number_decides(
    a: float, b: float, sign: str, negated: bool, either: bool
) -> None:
    asked = f"run.metrics.a {sign} run.metrics.b > 0.5"
    gate = f"!({asked})" if negated else asked
    gate = f"{gate} || run.name == 'other'" if either else gate
    verdict = gate_of(gate).evaluate({"run": {"name": "n", "metrics": {"a": a, "b": b}}})
    worked_out = SUMS[sign](a, b) if sign in SUMS else a / b if b else math.nan
    if math.isfinite(worked_out):
        assert (verdict.unusable, verdict.holds) == (None, (worked_out > 0.5) is not negated)
    else:
        assert verdict.unusable is not None
        assert not verdict.holds


@settings(max_examples=200, deadline=None, print_blob=True)
@given(
    st.dictionaries(st.sampled_from("abc"), st.floats(), min_size=1), st.booleans(), st.booleans()
)
def test_what_a_macro_works_out_decides_only_as_far_as_it_is_a_number(
    params: dict[str, float], every: bool, negated: bool
) -> None:
    asked = "!(double(run.params[k]) < 0.5)" if negated else "double(run.params[k]) < 0.5"
    gate = f"run.params.{'all' if every else 'exists'}(k, {asked})"
    verdict = gate_of(gate).evaluate({"run": {"params": {k: repr(v) for k, v in params.items()}}})
    each = {(v < 0.5) is not negated if math.isfinite(v) else None for v in params.values()}
    decides = not every
    decided = decides if decides in each else None if None in each else every
    assert (verdict.holds, verdict.unusable is None) == (decided is True, decided is not None)


@pytest.mark.parametrize(
    ("gate", "holds"),
    [
        ("run.metrics.zero == 0.0 || run.metrics.a / run.metrics.zero > 0.5", True),
        ("run.metrics.zero != 0.0 && run.metrics.a / run.metrics.zero > 0.5", False),
        ("(run.metrics.zero != 0.0 ? run.metrics.a / run.metrics.zero : 1.0) > 0.5", True),
        ("!is_finite(run.metrics.a / run.metrics.zero)", True),
        ("['diverged', 'lr'].exists(k, double(run.params[k]) < 0.5)", True),
        (
            "run.metrics.all(k, k == 'a' || run.metrics.a / run.metrics[k] < 1.0 || k == 'zero')",
            True,
        ),
        ("is_finite(double(run.params.inf)) && double(run.params.inf) > 0.5", False),
        ("run.metrics.a / 2.0 > 0.1 && double(run.params.lr) * 2.0 < 1.0", True),
    ],
)
def test_a_division_that_a_condition_keeps_from_zero_is_right(gate: str, holds: bool) -> None:
    verdict = judged(gate)
    assert (verdict.holds, verdict.error, verdict.unusable) == (holds, "", None)


@pytest.mark.parametrize(
    "gate",
    [
        "run.metrics.all(k, run.metrics[k] < 1.0)",
        "run.metrics.exists(k, run.metrics[k] > 0.9)",
        "!run.metrics.exists(k, run.metrics[k] > 0.9)",
        "run.metrics.filter(k, k != 'loss').all(k, run.metrics[k] < 1.0)",
        "run.name == 'n' && run.metrics.all(k, run.metrics[k] < 1.0)",
    ],
)
def test_a_macro_over_metrics_waits_for_the_first_one(gate: str) -> None:
    assert judged(gate, metrics={}).missing == "run.metrics"
    assert not judged(gate).missing


@pytest.mark.parametrize(
    "gate",
    [
        "champion.metrics.all(k, run.metrics[k] >= champion.metrics[k])",
        "!champion.exists || champion.metrics.all(k, k in run.metrics)",
    ],
)
def test_a_champion_without_metrics_is_beaten_by_nobody(gate: str) -> None:
    assert judged(gate).missing == "champion.metrics"


@pytest.mark.parametrize(
    "gate",
    [
        "run.metrics.filter(k, k.startsWith('val_')).all(k, run.metrics[k] > 0.9)",
        "run.metrics.filter(k, k.startsWith('val_')).filter(k, k != 'val_').all(k, k != '')",
        "run.metrics.map(k, k.startsWith('val_'), run.metrics[k]).all(v, v > 0.9)",
        "!run.metrics.filter(k, k in ['auc', 'f1']).exists(k, run.metrics[k] < 0.9)",
    ],
)
def test_a_macro_waits_for_the_first_metric_of_those_that_it_picks(gate: str) -> None:
    """There are others already: of what it asks for nothing is known."""
    assert judged(gate).missing == "run.metrics (of those that the macro picks)"
    assert not judged(gate, metrics={"val_auc": 0.95, "auc": 0.95}).missing


@pytest.mark.parametrize(
    "gate",
    [
        "run.metrics.filter(k, run.metrics[k] > 0.9).all(k, k != 'loss')",
        "size(run.metrics.filter(k, k.startsWith('val_'))) == 0",
        "['auc'].filter(k, k in run.metrics).all(k, run.metrics[k] > 0.9)",
    ],
)
def test_what_a_value_or_a_question_picked_out_may_be_nothing(gate: str) -> None:
    assert judged(gate).holds


@pytest.mark.parametrize(
    ("gate", "family"),
    [
        ("run.params.all(k, double(run.params[k]) < 0.5)", "run.params"),
        ("run.params.all(k, run.params[k] != 'debug')", "run.params"),
        ("[run.metrics].all(m, m.all(k, m[k] < 1.0))", "run.metrics"),
        ("(run.name == 'n' ? run.metrics : run.metrics).all(k, k != 'x')", "run.metrics"),
    ],
)
def test_a_macro_that_reads_values_waits_for_the_first_of_any_family(
    gate: str, family: str
) -> None:
    assert judged(gate, params={}, metrics={}).missing == family


@pytest.mark.parametrize(
    "gate",
    [
        "!run.params.exists(k, k.startsWith('debug'))",
        "run.params.all(k, k != 'debug')",
        "size(run.params) == 0 || run.params.all(k, run.params[k] != 'debug')",
    ],
)
def test_a_macro_that_asks_for_names_alone_is_answered_over_none(gate: str) -> None:
    assert judged(gate, params={}).holds


def test_who_asks_whether_there_are_metrics_is_answered() -> None:
    for family in ("run", "champion"):
        gate = f"size({family}.metrics) == 0 || {family}.metrics.all(k, {family}.metrics[k] < 1.0)"
        assert judged(gate, metrics={}).holds


@pytest.mark.parametrize(
    ("gate", "of"),
    [
        ("run.tags.exists(k, run.tags[k] == 'y')", "run.tags.big"),
        ("run.tags.all(k, run.tags[k] != 'y')", "run.tags.big"),
        ("run.tags.map(k, run.tags[k]).all(v, v != 'y')", "run.tags.big"),
        ("run.params[run.name] != 'x'", "run.params.n"),
        ("['lr', 'n'].all(k, run.params[k] != 'x')", "run.params.n"),
        ("[run.params].all(p, p.n != 'x')", "run.params.n"),
        ("{'of': run}.of.tags.big != 'x'", "run.params.n"),
        ("run[run.name == 'n' ? 'params' : 'tags'].n != 'x'", "run.params.n"),
    ],
)
def test_a_text_that_was_cut_is_not_read_by_a_macro_or_a_name_worked_out(
    gate: str, of: str
) -> None:
    verdict = judged(gate)
    assert not verdict.holds
    assert verdict.unusable is not None
    assert verdict.unusable.reason is Reason.CUT
    assert verdict.unusable.detail.startswith(f"{of} has ")


@pytest.mark.parametrize(
    "gate",
    [
        "run.tags.all(k, k != 'skip')",
        "run.tags.exists(k, run.tags[k] == 'x')",
        "run.params['l' + 'r'] == '0.1'",
        "['lr', 'inf'].all(k, run.params[k] != 'x')",
        "run.name == 'n' || run.tags.exists(k, run.tags[k] == 'y')",
        "size(run.tags) > 1 && 'big' in run.tags",
        "['a'].all(k, !(k in champion.run.params) || champion.run.params[k] == run.name)",
    ],
)
def test_a_text_that_was_cut_is_in_nobody_s_way_who_does_not_need_it(gate: str) -> None:
    assert judged(gate).holds


@pytest.mark.parametrize(
    "gate", ["'stage' in run.tags", "'stage' in run['tags']", "('stage') in run.tags"]
)
def test_whether_a_tag_is_there_is_asked_in_any_case(gate: str) -> None:
    assert judged(gate).holds


@pytest.mark.parametrize("what", ["none: x", "number: x", "cut: run.tags 1"])
def test_a_text_that_speaks_as_the_gate_does_to_itself_is_not_believed(what: str) -> None:
    verdict = judged("run.name.matches(run.tags.t)", tags={"t": f"(OUT_OF_RANGE: relay {what}"})
    assert (verdict.missing, verdict.unusable) == ("", None)
    assert "invalid regular expression" in verdict.error


def test_a_text_that_only_may_have_been_cut_is_held_without_its_name() -> None:
    gate = "run[run.name == 'n' ? 'properties' : 'tags'].p != 'x'"
    verdict = judged(gate, properties={"p": "x" * 6_000})
    assert verdict.unusable is not None
    assert verdict.unusable.detail.startswith("a text of run is as long as those that MLflow cuts")
