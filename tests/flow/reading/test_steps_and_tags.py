"""Steps that were tried again, metrics that are no numbers, tags in any case, the longest names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.gates.gate import gate_of
from functions.core.operators.explaining import explained
from functions.core.terms.policy import Policy
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.flow.asking import EXPERIMENT, asked, route
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

ACCURACY = {"accuracy": "{{ run.metrics.accuracy }}"}


def tries(stage: Stage, *statuses: str, names: tuple[str, ...] = ()) -> None:
    """A run whose step was tried so often, and ended so each time."""
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    for number, status in enumerate(statuses, start=1):
        stage.aml.add_run(
            f"s{number}",
            name=names[number - 1] if names else "train",
            parent="r1",
            experiment=EXPERIMENT,
            status=status,
            metrics={"accuracy": number / 10},
        )
    stage.deliver(completed("r1"))


@pytest.mark.parametrize("step", [("step: train",), ()], ids=["named", "not named"])
@pytest.mark.parametrize("order", [("Failed", "Completed"), ("Completed", "Failed", "Canceled")])
def test_of_several_tries_the_one_that_completed_counts(
    stage: Stage, step: tuple[str, ...], order: tuple[str, ...]
) -> None:
    route(stage, *step, **ACCURACY)
    tries(stage, *order)
    assert asked(stage) == {"accuracy": str((order.index("Completed") + 1) / 10)}


@pytest.mark.parametrize("order", [("Failed", "Failed"), ("Completed", "Completed")])
def test_steps_of_one_name_are_not_to_be_told_apart_by_that_name(
    stage: Stage, order: tuple[str, ...]
) -> None:
    route(stage, "step: train", **ACCURACY)
    tries(stage, *order)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.HELD, Reason.AMBIGUOUS)
    assert "train (s1), train (s2); they have one name" in row.detail
    assert "with `step`" not in row.detail


def test_steps_of_several_names_are_told_apart_by_step(stage: Stage) -> None:
    route(stage, **ACCURACY)
    tries(stage, "Failed", "Completed", names=("train", "refine"))
    row = stage.only("r1")
    assert row.reason is Reason.AMBIGUOUS
    advice = "name one with `step`, or in the tag best_child_run_id of r1"
    assert row.detail.endswith(f"refine, train; {advice}")


def test_a_metric_that_is_nan_is_called_so(stage: Stage) -> None:
    route(stage, "when: run.metrics.loss < 0.5")
    stage.aml.add_run("r1", experiment=EXPERIMENT, metrics={"loss": float("nan")})
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.HELD, Reason.NOT_A_NUMBER)
    assert row.detail == "run.metrics.loss is NaN: the training diverged"
    assert (
        "is no number: a metric, or what its gate"
        in explained(row, stage.clock.now(), Policy()).means
    )


@pytest.mark.parametrize(
    "when",
    [
        "run.tags.stage == 'production'",
        "run.tags['stage'] == 'production'",
        "has(run.tags.stage) && run.tags.STAGE == 'production'",
        "'stage' in run.tags",
        '"STAGE" in run.tags && size(run.tags) == 1',
        "run.properties.source == 'x' && 'SOURCE' in run.properties",
        "run.tags.Stage == run.tags.stage",
    ],
)
def test_a_gate_finds_a_tag_in_any_case_as_match_and_parameters_do(stage: Stage, when: str) -> None:
    route(
        stage,
        "match: {tags: {stage: production}, properties: {SOURCE: x}}",
        f'when: "{when}"' if '"' not in when else f"when: '{when}'",
        tag="{{ run.tags.stage }}",
        source="{{ run.properties.source }}",
    )
    stage.aml.add_run("r1", experiment=EXPERIMENT, tags={"Stage": "production"})
    told = {"runTags": {"Stage": "production"}, "runProperties": {"Source": "x"}}
    stage.deliver(completed("r1", **told))
    assert asked(stage) == {"tag": "production", "source": "x"}


def test_all_of_them_find_the_same_one_of_two(stage: Stage) -> None:
    """The one that is named exactly, whichever comes first."""
    tags = {"STAGE": "test", "stage": "production", "Stage": "other"}
    route(
        stage,
        "match: {tags: {stage: production}}",
        "when: run.tags.stage == 'production'",
        tag="{{ run.tags.stage }}",
    )
    stage.aml.add_run("r1", experiment=EXPERIMENT, tags=tags)
    stage.deliver(completed("r1", runTags=tags))
    assert asked(stage) == {"tag": "production"}


def test_a_tag_that_is_not_there_is_missed_by_the_name_that_the_gate_gives_it() -> None:
    facts = {"run": {"tags": {"Stages": "x"}}}
    assert gate_of("run.tags.stage == 'x'").evaluate(facts).missing == "run.tags.stage"
    assert not gate_of("'stage' in run.tags").evaluate(facts).holds
    assert facts == {"run": {"tags": {"Stages": "x"}}}


def test_metrics_and_parameters_are_found_by_their_exact_name_alone() -> None:
    facts = {"run": {"metrics": {"Loss": 1}, "params": {"Rate": "1"}}}
    assert gate_of("run.metrics.loss > 0.0").evaluate(facts).missing == "run.metrics.loss"
    assert gate_of("run.params.rate == '1'").evaluate(facts).missing == "run.params.rate"


def test_the_longest_model_name_is_news(stage: Stage) -> None:
    stage.routes(
        "version: 1\nroutes: [{name: deploy, event: ModelRegistered, start: {organization: contoso,"
        " project: mlops, pipeline: 42, correlation: relay_id,"
        ' parameters: {model_name: "{{ model.name }}"}}}]'
    )
    parameters = {"model_name": None, "relay_id": None}
    stage.devops.add_pipeline("contoso", "mlops", 42, "next", parameters=parameters)
    stage.deploy()
    name = "m" * 255
    event = {
        **completed("x"),
        "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
        "data": {"ModelName": name, "ModelVersion": "2" * 255},
    }
    stage.deliver(event)
    stage.deliver({**event, "id": "again"})
    (run,) = stage.devops.runs
    assert run.template_parameters["model_name"] == name
    assert stage.only(f"{name}:{'2' * 255}").state is State.STARTED
