"""Metrics that are no numbers, texts that MLflow cut, and gates that could not be right."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from functions.core.operators.explaining import explained
from functions.core.operators.replaying import Replaying
from functions.core.terms.policy import Policy
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.flow.asking import EXPERIMENT, asked, route
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

NAN, INFINITE = math.nan, math.inf
DIVERGED = "run.metrics.loss is NaN: the training diverged"


def ended(stage: Stage, **metrics: float) -> tuple[State, Reason, str]:
    """What becomes of r1 with these metrics."""
    stage.aml.add_run("r1", metrics=metrics, experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    return row.state, row.reason, row.detail


HELD_BY_NAN = [
    "run.metrics.loss < 0.5",
    "!(run.metrics.loss > 0.5)",
    "run.metrics.loss != 0.5",
    "!has(run.metrics.loss) || run.metrics.loss < 0.5",
    "has(run.metrics.loss) ? run.metrics.loss < 0.5 : true",
    "run.metrics.accuracy > 0.9 || run.metrics.loss < 0.5",
    "run.metrics['loss'] < 0.5",
    "run.metrics.all(k, run.metrics[k] < 1.0 || run.metrics.accuracy > 0.9)",
    "run.metrics.all(k, k != 'other')",
    "run.metrics.exists(k, run.metrics[k] > 0.9)",
    "[run.metrics.loss].all(x, !(x > 0.5))",
    "string(run.metrics.loss) != '0.5'",
    "is_nan(run.metrics.accuracy) || run.metrics.loss < 0.5",
    "is_finite(run.metrics.loss > 0.5 ? 0.0 : 1.0)",
    "is_finite(run.metrics.loss - 1.0) || run.metrics.accuracy > 0.9",
    "['accuracy'].all(k, is_finite(run.metrics[k])) && run.metrics.loss != 0.5",
]


@pytest.mark.parametrize("gate", HELD_BY_NAN)
def test_a_gate_that_reads_a_metric_that_is_nan_holds_whatever_is_around_it(
    stage: Stage, gate: str
) -> None:
    route(stage, f'when: "{gate}"')
    assert ended(stage, loss=NAN, accuracy=0.95) == (State.HELD, Reason.NOT_A_NUMBER, DIVERGED)
    assert stage.posts() == 0


def test_a_division_by_a_metric_that_is_zero_starts_nothing_and_is_told(stage: Stage) -> None:
    route(stage, "when: run.metrics.auc / run.metrics.before > 1")
    state, reason, detail = ended(stage, auc=0.5, before=0.0)
    assert (state, reason, stage.posts()) == (State.HELD, Reason.NOT_A_NUMBER, 0)
    assert detail.startswith("`run.metrics.auc / run.metrics.before` is infinite; run.metrics.auc")


@pytest.mark.parametrize("value", [INFINITE, -INFINITE])
@pytest.mark.parametrize("gate", ["run.metrics.loss >= 0.9", "run.metrics.loss < 0.9", "LIST"])
def test_an_infinite_metric_is_never_a_good_one(stage: Stage, gate: str, value: float) -> None:
    gate = gate.replace("LIST", "run.metrics.exists(k, run.metrics[k] > 0.0)")
    route(stage, f"when: {gate}")
    said = "run.metrics.loss is infinite: the training diverged"
    assert ended(stage, loss=value) == (State.HELD, Reason.NOT_A_NUMBER, said)
    assert stage.posts() == 0


@pytest.mark.parametrize(
    ("gate", "starts"),
    [
        ("is_nan(run.metrics.loss)", {NAN}),
        ("is_finite(run.metrics.loss) && run.metrics.loss < 0.5", {0.1}),
        ("!is_finite(run.metrics.loss)", {NAN, INFINITE}),
        ("!is_finite(run.metrics.loss) || run.metrics.loss > 10.0", {NAN, INFINITE}),
        ("run.metrics.exists(k, !is_finite(run.metrics[k]))", {NAN, INFINITE}),
        ("math.isNaN(run.metrics.loss)", {NAN}),
        ("has(run.metrics.loss)", {NAN, INFINITE, 0.1}),
        ("'loss' in run.metrics && size(run.metrics) == 1", {NAN, INFINITE, 0.1}),
        ("run.name == 'r1'", {NAN, INFINITE, 0.1}),
    ],
)
@pytest.mark.parametrize("value", [NAN, INFINITE, 0.1])
def test_a_gate_may_ask_on_purpose_whether_a_metric_is_a_number(
    stage: Stage, gate: str, starts: set[float], value: float
) -> None:
    route(stage, f'when: "{gate}"')
    state, reason, _ = ended(stage, loss=value)
    assert (state is State.STARTED) == any(value is one for one in starts)
    assert reason is not Reason.NOT_A_NUMBER


@pytest.mark.parametrize(
    ("gate", "value"),
    [
        ("!is_nan(run.metrics.loss) && run.metrics.loss > 0.05", INFINITE),
        ("is_nan(run.metrics.loss) || run.metrics.loss > 0.05", INFINITE),
        ("!math.isNaN(run.metrics.loss) && run.metrics.loss > 0.05", INFINITE),
        ("run.metrics.all(k, !is_nan(run.metrics[k]) && run.metrics[k] > 0.05)", INFINITE),
        ("!math.isInf(run.metrics.loss) && !(run.metrics.loss < 0.05)", NAN),
    ],
)
def test_who_asks_for_the_one_kind_is_not_let_past_the_other(
    stage: Stage, gate: str, value: float
) -> None:
    route(stage, f'when: "{gate}"')
    assert ended(stage, loss=value)[:2] == (State.HELD, Reason.NOT_A_NUMBER)
    assert stage.posts() == 0


@pytest.mark.parametrize("gate", ["!is_nan(run.metrics.loss)", "!math.isInf(run.metrics.loss)"])
def test_who_asks_for_one_kind_alone_is_answered(stage: Stage, gate: str) -> None:
    route(stage, f'when: "{gate}"')
    assert ended(stage, loss=NAN if "Inf" in gate else INFINITE)[0] is State.STARTED


def test_whether_a_metric_is_nan_waits_for_it_to_be_there(stage: Stage) -> None:
    route(stage, "when: is_nan(run.metrics.loss)")
    assert ended(stage)[:2] == (State.OPEN, Reason.FACTS_MISSING)


def test_a_metric_that_is_no_number_is_not_taken_from_a_child_instead(stage: Stage) -> None:
    route(stage, "when: run.metrics.loss < 0.5")
    stage.aml.add_run("c1", parent="r1", metrics={"loss": 0.1}, experiment=EXPERIMENT)
    assert ended(stage, loss=NAN) == (State.HELD, Reason.NOT_A_NUMBER, DIVERGED)


def test_of_two_children_one_with_nan_is_as_ambiguous_as_any_two(stage: Stage) -> None:
    route(stage, "when: run.metrics.loss < 0.5")
    for name, loss in (("c1", 0.1), ("c2", NAN)):
        stage.aml.add_run(name, parent="r1", metrics={"loss": loss}, experiment=EXPERIMENT)
    assert ended(stage)[:2] == (State.HELD, Reason.AMBIGUOUS)


@pytest.mark.parametrize(("value", "said"), [(NAN, "NaN"), (INFINITE, "infinite")])
def test_a_metric_that_is_no_number_is_never_a_parameter(
    stage: Stage, value: float, said: str
) -> None:
    route(stage, loss="{{ run.metrics.loss }}")
    told = f"run.metrics.loss is {said}: the training diverged"
    assert ended(stage, loss=value) == (State.HELD, Reason.NOT_A_NUMBER, told)
    assert stage.posts() == 0


def test_an_operator_may_start_it_all_the_same_without_its_gate(stage: Stage) -> None:
    route(stage, "when: run.metrics.loss < 0.5")
    ended(stage, loss=NAN)
    row = stage.only("r1")
    assert "--ignore-gate" in explained(row, stage.clock.now(), Policy()).do
    assert Replaying(stage.ledger, stage.clock, "me").replay(row.key, ignore_gate=True).done
    stage.reconcile(minutes=1)
    assert stage.only("r1").state is State.STARTED


def test_the_log_says_it(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    route(stage, "when: run.metrics.loss < 0.5")
    ended(stage, loss=NAN)
    (line,) = [r.getMessage() for r in caplog.records if "continuation=held" in r.getMessage()]
    assert "reason=not_a_number" in line
    assert DIVERGED in line


@pytest.mark.parametrize(
    ("kind", "name", "length"), [("params", "config", 6_000), ("tags", "note", 8_000)]
)
@pytest.mark.parametrize("where", ["gate", "parameter"])
def test_a_text_that_mlflow_may_have_cut_is_not_passed_on_as_whole(
    stage: Stage, kind: str, name: str, length: int, where: str
) -> None:
    fact = f"run.{kind}.{name}"
    if where == "gate":
        route(stage, f"when: \"!{fact}.contains('secret')\"")
    else:
        route(stage, text=f"{{{{ {fact} }}}}")
    for run, more in (("whole", -1), ("cut", 0)):
        given = {kind: {name: "x" * (length + more)}}
        params, tags = given.get("params"), given.get("tags")
        stage.aml.add_run(run, experiment=EXPERIMENT, params=params, tags=tags)
        stage.deliver(completed(run))
    row = stage.only("cut")
    assert stage.only("whole").state is State.STARTED
    assert (row.state, row.reason) == (State.HELD, Reason.CUT)
    assert row.detail == f"{fact} has {length} characters, where MLflow cuts: it may not be whole"


@pytest.mark.parametrize(
    ("value", "sent"),
    [(2e-05, "0.00002"), (1e22, "10000000000000000000000"), (0.95, "0.95"), (3.0, "3.0")],
)
def test_a_number_is_sent_as_a_plain_decimal(stage: Stage, value: float, sent: str) -> None:
    route(stage, text="{{ run.metrics.rate }}")
    ended(stage, rate=value)
    assert asked(stage) == {"text": sent}


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("run.params.lr == 0.01", "compares text with a number, which is never true"),
        ("run.params.lr != 0.01", "compares text with a number, which is always true"),
        ("run.status == 'completed'", "did you mean Completed?"),
        ("run.metrics.a * 2 > 1", "write `run.metrics.a * 2.0`"),
        ("'x' in run.tags.t", 'write `run.tags.t.contains("x")`'),
        ("run.name == 'other' && run.name.matches('[')", "missing ]"),
    ],
)
def test_a_deployed_gate_that_could_not_be_right_holds_its_route_in_the_words_of_check(
    stage: Stage, gate: str, said: str
) -> None:
    route(stage, f'when: "{gate}"')
    params, tags = {"lr": "0.01"}, {"t": "axb"}
    stage.aml.add_run("r1", experiment=EXPERIMENT, params=params, tags=tags, metrics={"a": 0.9})
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.HELD, Reason.GATE_ERROR, 0)
    assert said in row.detail
    assert f"when: {gate}" in row.detail
