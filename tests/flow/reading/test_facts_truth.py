"""A fact is whole, and of one thing, or it is not known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.arm.jobs import Job, JobOutput
from local.cloud import WORKSPACE
from tests.flow.asking import EXPERIMENT, asked, calls, route
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

HISTORY = json.dumps(
    [
        {"run_id": "r1", "artifact_path": path, "utc_time_created": f"2026-11-21 10:00:0{second}"}
        for second, path in enumerate(("model", "scaler"))
    ]
)
MODEL = ("name", "version", "uri")


def trained(stage: Stage, *fields: str) -> None:
    """A run that logged `model` and then `scaler`, and a route that asks for these fields."""
    route(stage, **{field: f"{{{{ model.{field} }}}}" for field in fields})
    stage.aml.add_run("r1", tags={"mlflow.log-model.history": HISTORY}, experiment=EXPERIMENT)


def test_the_model_that_was_registered_counts_and_not_the_one_last_logged(stage: Stage) -> None:
    trained(stage, *MODEL)
    stage.aml.add_model_version("defects", 3, "r1", source="runs:/r1/model")
    stage.deliver(completed("r1"))
    assert asked(stage) == {"name": "defects", "version": "3", "uri": "runs:/r1/model"}


def test_the_path_that_is_told_is_that_of_the_model_which_was_registered(stage: Stage) -> None:
    trained(stage, "name", "path")
    stage.aml.add_model_version("defects", 3, "r1", source="runs:/r1/model")
    stage.deliver(completed("r1"))
    assert asked(stage) == {"name": "defects", "path": "model"}


def test_the_path_of_one_model_is_not_told_with_the_name_of_another(stage: Stage) -> None:
    trained(stage, "name", "path")
    stage.aml.add_model_version("defects", 3, "r1", source="models:/m-1")
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.OPEN, Reason.FACTS_MISSING, 0)
    assert "model.path" in row.detail


def test_the_name_and_the_path_of_the_same_model_are_told_together(stage: Stage) -> None:
    trained(stage, "name", "path", "uri")
    stage.aml.add_model_version("scalers", 3, "r1", source="azureml://jobs/r1/outputs/scaler/")
    stage.deliver(completed("r1"))
    assert asked(stage) == {"name": "scalers", "path": "scaler", "uri": "runs:/r1/scaler"}


def test_of_several_models_among_the_outputs_none_is_taken(stage: Stage) -> None:
    route(stage, name="{{ model.name }}")
    outputs = {n: JobOutput("mlflow_model", f"azureml://{n}", n, "1") for n in ("one", "two")}
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.cloud.arm.add_job(WORKSPACE, Job("r1", outputs=outputs))
    stage.deliver(completed("r1"))
    assert (stage.only("r1").reason, stage.posts()) == (Reason.AMBIGUOUS, 0)


def test_a_property_too_long_to_keep_is_missing_and_not_cut(stage: Stage) -> None:
    route(stage, value="{{ run.properties.parameters }}")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1", runProperties={"parameters": "x" * 5000}))
    assert (stage.only("r1").reason, stage.posts()) == (Reason.FACTS_MISSING, 0)


def test_a_tag_too_long_for_the_event_is_taken_whole_from_the_run(stage: Stage) -> None:
    route(stage, value="{{ run.tags.notes }}")
    notes = "x" * 5000
    stage.aml.add_run("r1", tags={"notes": notes}, experiment=EXPERIMENT)
    stage.deliver(completed("r1", runTags={"notes": notes}))
    assert asked(stage) == {"value": notes}


def test_a_property_of_several_lines_is_passed_on_as_it_is(stage: Stage) -> None:
    route(stage, value="{{ run.properties.notes }}")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1", runProperties={"notes": "a\nb"}))
    assert asked(stage) == {"value": "a\nb"}


def add_children(stage: Stage, number: int) -> None:
    for count in range(number):
        stage.aml.add_run(f"c{count}", parent="r1", experiment=EXPERIMENT)


def test_a_metric_sought_among_too_many_children_to_read_is_ambiguous(stage: Stage) -> None:
    route(stage, accuracy="{{ run.metrics.accuracy }}")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.aml.add_run("train", parent="r1", metrics={"accuracy": 0.9}, experiment=EXPERIMENT)
    add_children(stage, 1000)
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.HELD, Reason.AMBIGUOUS, 0)
    assert "1000 children or more" in row.detail
    assert "`step`" in row.detail


def test_among_too_many_children_the_step_is_still_found(stage: Stage) -> None:
    route(stage, "step: train", accuracy="{{ run.metrics.accuracy }}")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    add_children(stage, 1000)
    stage.aml.add_run("train", parent="r1", metrics={"accuracy": 0.9}, experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert asked(stage) == {"accuracy": "0.9"}


def test_a_model_is_not_searched_for_on_more_than_twenty_children(stage: Stage) -> None:
    route(stage, name="{{ model.name }}")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    add_children(stage, 21)
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.HELD, Reason.AMBIGUOUS)
    assert "21 children" in row.detail
    assert calls(stage).count("registered-models/search") == 1
