"""Which model is meant where a run, or its job, tells of several; and which version."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from functions.adapters.aml.models.registered import MOST_NAMES
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.arm.jobs import Job, JobOutput
from local.cloud import WORKSPACE
from tests.flow.asking import EXPERIMENT, asked, calls, route
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

ALL = {field: f"{{{{ model.{field} }}}}" for field in ("name", "version", "path", "flavors")}
NAMED = {field: ALL[field] for field in ("name", "version")}


def logged(stage: Stage, *paths: str, run: str = "r1") -> None:
    """A run that logged models under these paths, one after the other, each of its own flavor."""
    told = [
        {
            "run_id": run,
            "artifact_path": path,
            "utc_time_created": f"2026-11-21 10:00:0{second}",
            "flavors": {f"flavor-of-{path}": {}},
        }
        for second, path in enumerate(paths)
    ]
    tags = {"mlflow.log-model.history": json.dumps(told)}
    stage.aml.add_run(run, tags=tags, experiment=EXPERIMENT)


def held_back(stage: Stage) -> tuple[State, Reason]:
    row = stage.only("r1")
    assert stage.posts() == 0
    return row.state, row.reason


def test_of_two_registered_models_none_is_taken(stage: Stage) -> None:
    route(stage, **NAMED)
    logged(stage, "model", "scaler")
    stage.aml.add_model_version("defects", 3, "r1", source="runs:/r1/model")
    stage.aml.add_model_version("scalers", 5, "r1", source="runs:/r1/scaler")
    stage.deliver(completed("r1"))
    assert held_back(stage) == (State.HELD, Reason.AMBIGUOUS)
    assert stage.only("r1").detail == (
        "run r1 registered several models: defects, scalers; name one with `model`"
    )


def test_the_route_names_the_one_that_is_meant(stage: Stage) -> None:
    route(stage, "model: defects", **ALL)
    logged(stage, "model", "scaler")
    stage.aml.add_model_version("defects", 3, "r1", source="runs:/r1/model")
    stage.aml.add_model_version("scalers", 5, "r1", source="runs:/r1/scaler")
    stage.deliver(completed("r1"))
    assert asked(stage) == {
        "name": "defects",
        "version": "3",
        "path": "model",
        "flavors": '["flavor-of-model"]',
    }
    assert sorted(calls(stage)) == ["model-versions/search", "runs/get"]


def test_the_flavors_of_one_model_are_not_told_with_the_name_of_another(stage: Stage) -> None:
    """A source that tells no path leaves open which of the two was registered."""
    route(stage, "model: defects", **ALL)
    logged(stage, "model", "scaler")
    stage.aml.add_model_version("defects", 3, "r1", source="models:/m-1")
    stage.deliver(completed("r1"))
    assert held_back(stage) == (State.OPEN, Reason.FACTS_MISSING)
    assert "model.path" in stage.only("r1").detail


def test_a_source_that_tells_no_path_is_of_the_only_model_there_is(stage: Stage) -> None:
    route(stage, **ALL)
    logged(stage, "model")
    stage.aml.add_model_version("defects", 3, "r1", source="models:/m-1")
    stage.deliver(completed("r1"))
    assert asked(stage)["path"] == "model"


def test_an_output_that_is_registered_is_not_told_with_the_path_of_a_logged_model(
    stage: Stage,
) -> None:
    route(stage, name=ALL["name"], path=ALL["path"])
    logged(stage, "scaler")
    output = JobOutput("mlflow_model", None, "defects", "3")
    stage.cloud.arm.add_job(WORKSPACE, Job("r1", outputs={"model": output}))
    stage.deliver(completed("r1"))
    assert held_back(stage) == (State.OPEN, Reason.FACTS_MISSING)
    assert "model.path" in stage.only("r1").detail


def test_of_two_registered_outputs_the_route_names_one(stage: Stage) -> None:
    route(stage, "model: two", **NAMED)
    outputs = {n: JobOutput("mlflow_model", f"azureml://{n}", n, "1") for n in ("one", "two")}
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.cloud.arm.add_job(WORKSPACE, Job("r1", outputs=outputs))
    stage.deliver(completed("r1"))
    assert asked(stage) == {"name": "two", "version": "1"}


def test_a_model_that_is_named_is_looked_for_below_the_root_that_has_another(stage: Stage) -> None:
    route(stage, "model: defects", **NAMED)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.aml.add_run("s1", parent="r1", experiment=EXPERIMENT)
    stage.aml.add_model_version("reports", 1, "r1")
    stage.aml.add_model_version("defects", 3, "s1")
    stage.deliver(completed("r1"))
    assert asked(stage) == {"name": "defects", "version": "3"}


def test_a_model_that_is_named_and_that_nobody_registered_is_waited_for(stage: Stage) -> None:
    route(stage, "model: defects", path=ALL["path"])
    logged(stage, "model")
    stage.aml.add_model_version("defects", 3, "another")
    stage.deliver(completed("r1"))
    assert held_back(stage) == (State.OPEN, Reason.FACTS_MISSING)
    stage.aml.add_model_version("defects", 4, "r1")
    stage.reconcile(minutes=1)
    assert asked(stage) == {"path": "model"}


def test_of_one_model_s_versions_the_newest_is_meant(stage: Stage) -> None:
    route(stage, "model: defects", **NAMED)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    for version in (9, 10):
        stage.aml.add_model_version("defects", version, "r1")
    stage.deliver(completed("r1"))
    assert asked(stage) == {"name": "defects", "version": "10"}


def superseded(stage: Stage, *names: str) -> None:
    """Versions that r1 made of these models, and newer ones of another run."""
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    for run in ("r1", "another"):
        for name in names:
            stage.aml.add_model_version(name, 3 if run == "r1" else 4, run)


def test_a_version_that_is_not_the_newest_is_found_by_its_name(stage: Stage) -> None:
    route(stage, "model: defects", **NAMED)
    superseded(stage, "defects")
    stage.deliver(completed("r1"))
    assert asked(stage) == {"name": "defects", "version": "3"}


def test_a_version_that_is_not_the_newest_is_found_without_its_name(stage: Stage) -> None:
    route(stage, **NAMED)
    superseded(stage, "defects")
    stage.deliver(completed("r1"))
    assert asked(stage) == {"name": "defects", "version": "3"}


def test_one_of_a_step_is_found_as_well(stage: Stage) -> None:
    route(stage, **NAMED)
    superseded(stage, "defects")
    stage.aml.add_run("root", experiment=EXPERIMENT)
    stage.aml.add_run("r1", parent="root", experiment=EXPERIMENT)
    stage.deliver(completed("root"))
    assert asked(stage) == {"name": "defects", "version": "3"}


def test_of_two_that_are_not_the_newest_none_is_taken(stage: Stage) -> None:
    route(stage, **NAMED)
    superseded(stage, "defects", "scalers")
    stage.deliver(completed("r1"))
    assert held_back(stage) == (State.HELD, Reason.AMBIGUOUS)


def test_models_that_nobody_renewed_since_the_run_began_are_not_searched(stage: Stage) -> None:
    route(stage, **NAMED)
    now = int(stage.clock.now().timestamp() * 1000)
    stage.aml.add_run("r1", experiment=EXPERIMENT, start_time=2**42, end_time=now)
    stage.aml.add_model_version("defects", 4, "another")
    stage.deliver(completed("r1"))
    assert held_back(stage) == (State.OPEN, Reason.FACTS_MISSING)
    assert calls(stage).count("model-versions/search") == 1  # by run, which is refused


def test_how_many_models_were_searched_in_vain_is_told(stage: Stage) -> None:
    route(stage, **NAMED)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    for number in range(MOST_NAMES + 3):
        stage.aml.add_model_version(f"m{number}", 4, "another")
    stage.deliver(completed("r1"))
    assert held_back(stage) == (State.OPEN, Reason.FACTS_MISSING)
    row = stage.only("r1")
    assert f"of {MOST_NAMES + 3} models with newer versions {MOST_NAMES} were" in row.detail
    assert "`model`" in row.detail
    assert calls(stage).count("model-versions/search") == MOST_NAMES + 1


def test_a_model_on_a_step_costs_what_it_always_did(stage: Stage) -> None:
    route(stage, **NAMED)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.aml.add_run("s1", parent="r1", experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 3, "s1")
    stage.deliver(completed("r1"))
    assert asked(stage) == {"name": "defects", "version": "3"}
    assert sorted(calls(stage)[:2]) == ["model-versions/search", "runs/get"]
    assert calls(stage)[2:] == [
        *("registered-models/search", "runs/search", "registered-models/search")
    ]


def test_a_model_that_another_run_logged_is_not_this_one_s(stage: Stage) -> None:
    """A tag can be copied with the job that it stands on."""
    history = json.dumps([{"run_id": "b1", "artifact_path": "model", "flavors": {"sklearn": {}}}])
    route(stage, uri="{{ model.uri }}")
    stage.aml.add_run("r1", tags={"mlflow.log-model.history": history}, experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert (stage.only("r1").reason, stage.posts()) == (Reason.FACTS_MISSING, 0)


def test_of_a_job_s_outputs_the_registered_one_is_meant(stage: Stage) -> None:
    """A job may keep a checkpoint beside the model that it registers."""
    route(stage, **NAMED)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    outputs = {
        "checkpoint": JobOutput("custom_model", "azureml://jobs/r1/outputs/checkpoint"),
        "model": JobOutput("mlflow_model", None, "defects", "4"),
    }
    stage.cloud.arm.add_job(WORKSPACE, Job("r1", outputs=outputs))
    stage.deliver(completed("r1"))
    assert asked(stage) == {"name": "defects", "version": "4"}
