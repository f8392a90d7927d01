"""Facts of sweeps, AutoML and pipelines of such steps: those of the run that AML calls the best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.core.reading.below import MOST_LOOKS
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.aml.jobs import Jobs, Place
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT, asked, calls, route
from tests.stage.azure import changed, completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

GATED = "when: run.metrics.Accuracy >= 0.7"
ACCURACY = {"accuracy": "{{ run.metrics.Accuracy }}"}
TRIALS = ({"Accuracy": 0.71}, {"Accuracy": 0.75}, {"Accuracy": 0.68})


@pytest.fixture
def jobs(stage: Stage) -> Jobs:
    return Jobs(stage.aml, stage.cloud.arm, EXPERIMENT)


def deliver(stage: Stage, data: dict[str, Any]) -> None:
    stage.deliver(completed(data["runId"], **data))


def jobs_asked(stage: Stage) -> list[str]:
    """The jobs that Resource Manager was asked about."""
    asked = (request.path for request in stage.cloud.arm.server.requests)
    return [path.rpartition("/jobs/")[2] for path in asked if "/jobs/" in path]


# Sweeps


def test_a_sweep_is_followed_with_the_facts_of_its_best_trial(stage: Stage, jobs: Jobs) -> None:
    route(stage, GATED, **ACCURACY)
    deliver(stage, jobs.sweep("HD_1", TRIALS, best=1))
    assert asked(stage) == {"accuracy": "0.75"}
    assert calls(stage) == ["runs/get", "runs/get"]
    assert jobs_asked(stage) == []


def test_the_best_trial_has_the_model(stage: Stage, jobs: Jobs) -> None:
    route(stage, name="{{ model.name }}", run="{{ model.run_id }}")
    told = jobs.sweep("HD_1", TRIALS, best=1)
    for trial in range(3):
        stage.aml.add_model_version(f"model-{trial}", 1, f"HD_1_{trial}")
    deliver(stage, told)
    assert asked(stage) == {"name": "model-1", "run": "HD_1_1"}


def test_what_the_gate_saw_of_the_best_trial_is_told(stage: Stage, jobs: Jobs) -> None:
    route(stage, "when: run.metrics.Accuracy >= 0.9")
    deliver(stage, jobs.sweep("HD_1", TRIALS, best=1))
    row = stage.only("HD_1")
    assert row.reason is Reason.GATE
    assert row.detail == "run.metrics.Accuracy = 0.75; when: run.metrics.Accuracy >= 0.9"


def test_a_sweep_whose_event_never_came_is_asked_of_its_job(stage: Stage, jobs: Jobs) -> None:
    """What tells of it then, tags or the sweep of the app, has no properties."""
    route(stage, GATED, **ACCURACY)
    jobs.sweep("HD_1", TRIALS, best=1)
    stage.deliver(completed("HD_1"))
    assert asked(stage) == {"accuracy": "0.75"}
    assert jobs_asked(stage) == ["HD_1"]


def test_a_sweep_of_more_trials_than_are_read_is_asked_of_its_job(stage: Stage, jobs: Jobs) -> None:
    route(stage, **ACCURACY)
    jobs.sweep("HD_1", [{"Accuracy": n / 2000} for n in range(1100)], best=7)
    stage.deliver(completed("HD_1"))
    assert asked(stage) == {"accuracy": "0.0035"}


def test_a_model_among_more_trials_than_are_asked_is_that_of_the_best(
    stage: Stage, jobs: Jobs
) -> None:
    route(stage, name="{{ model.name }}")
    jobs.sweep("HD_1", [{"Accuracy": 0.5}] * 25, best=7)
    stage.aml.add_model_version("of-the-best", 1, "HD_1_7")
    stage.deliver(completed("HD_1"))
    assert asked(stage) == {"name": "of-the-best"}


def test_a_best_trial_that_is_not_told_yet_is_waited_for(stage: Stage, jobs: Jobs) -> None:
    route(stage, GATED, **ACCURACY)
    deliver(stage, jobs.sweep("HD_1", TRIALS, best=None))
    row = stage.only("HD_1")
    assert (row.state, row.reason) == (State.OPEN, Reason.FACTS_MISSING)
    assert row.detail == "run.metrics.Accuracy: HD_1 does not name its best child"
    jobs.sweep("HD_1", TRIALS, best=1)
    stage.reconcile(minutes=1)
    assert asked(stage) == {"accuracy": "0.75"}


def test_one_that_is_told_before_it_can_be_read_is_waited_for(stage: Stage, jobs: Jobs) -> None:
    """The trials that are there already are not meant."""
    route(stage, GATED, **ACCURACY)
    jobs.sweep("HD_1", TRIALS[:1], best=1)
    stage.deliver(completed("HD_1", runProperties={"best_child_run_id": "HD_1_1"}))
    row = stage.only("HD_1")
    assert (row.state, row.reason) == (State.OPEN, Reason.FACTS_MISSING)
    assert "the best child that HD_1 names, HD_1_1, is not there" in row.detail
    jobs.sweep("HD_1", TRIALS, best=1)
    stage.reconcile(minutes=1)
    assert asked(stage) == {"accuracy": "0.75"}


def test_one_that_is_never_told_holds_and_says_so(stage: Stage, jobs: Jobs) -> None:
    route(stage, GATED)
    jobs.sweep("HD_1", TRIALS, best=None)
    stage.deliver(completed("HD_1"))
    for _ in range(4):
        stage.reconcile(minutes=4)
    row = stage.only("HD_1")
    assert (row.state, row.reason, stage.posts()) == (State.HELD, Reason.FACTS_MISSING, 0)
    assert "HD_1 does not name its best child" in row.detail


def test_a_fact_that_others_have_and_the_best_trial_has_not_is_waited_for(
    stage: Stage, jobs: Jobs
) -> None:
    route(stage, f1="{{ run.metrics.f1 }}")
    trials = ({"Accuracy": 0.7, "f1": 0.3}, {"Accuracy": 0.9}, {"Accuracy": 0.6, "f1": 0.2})
    jobs.sweep("HD_1", trials, best=1)
    stage.deliver(completed("HD_1"))
    row = stage.only("HD_1")
    assert (row.state, row.reason) == (State.OPEN, Reason.FACTS_MISSING)
    assert "the best child HD_1_1 does not have it, others do" in row.detail


@pytest.mark.parametrize("best", [1, None], ids=["told", "not told yet"])
def test_the_only_trial_that_has_a_fact_is_not_taken_for_the_best(
    stage: Stage, jobs: Jobs, best: int | None
) -> None:
    """That of the best trial may not be visible yet, and no event told that these are trials."""
    route(stage, GATED, **ACCURACY)
    jobs.sweep("HD_1", ({"Accuracy": 0.71}, {}, {}), best=best)
    stage.deliver(completed("HD_1"))
    row = stage.only("HD_1")
    assert (row.state, row.reason) == (State.OPEN, Reason.FACTS_MISSING)
    jobs.sweep("HD_1", TRIALS, best=1)
    stage.reconcile(minutes=1)
    assert asked(stage) == {"accuracy": "0.75"}


@pytest.mark.parametrize("best", [0, None])
def test_of_a_step_s_trials_the_only_one_with_a_fact_is_not_taken_for_the_best(
    stage: Stage, jobs: Jobs, best: int | None
) -> None:
    route(stage, GATED, "step: tune", **ACCURACY)
    told = jobs.pipeline("plum_1", {"prep": {}})
    place = jobs.below("plum_1")
    trials: tuple[dict[str, float], ...] = ({"Accuracy": 0.71}, {}, {})
    jobs.sweep("sweep_1", trials, best=best, place=place, display="tune", tagged=True)
    deliver(stage, told)
    if best is None:
        row = stage.only("plum_1")
        assert (row.state, row.reason, stage.posts()) == (State.HELD, Reason.AMBIGUOUS, 0)
        assert "in the tag best_child_run_id of tune" in row.detail
    else:
        assert asked(stage) == {"accuracy": "0.71"}


def test_the_only_trial_of_a_step_needs_no_word(stage: Stage, jobs: Jobs) -> None:
    route(stage, GATED, "step: tune", **ACCURACY)
    told = jobs.pipeline("plum_1", {"prep": {}})
    place = jobs.below("plum_1")
    jobs.sweep("sweep_1", ({"Accuracy": 0.71},), best=None, place=place, display="tune")
    deliver(stage, told)
    assert asked(stage) == {"accuracy": "0.71"}


def test_a_canceled_sweep_starts_nothing_that_follows_what_completed(
    stage: Stage, jobs: Jobs
) -> None:
    route(stage, GATED)
    deliver(stage, jobs.sweep("HD_1", TRIALS, best=1, status="Canceled"))
    assert stage.posts() == 0
    assert {(c.state, c.reason) for c in stage.of_run("HD_1").values()} == {
        (State.SKIPPED, Reason.OUTCOME_CHANGED)
    }


def test_a_canceled_sweep_is_followed_by_whoever_asks_for_it(stage: Stage, jobs: Jobs) -> None:
    route(stage, "outcome: Canceled", GATED, **ACCURACY)
    told = jobs.sweep("HD_1", TRIALS, best=1, status="Canceled")
    stage.deliver(changed("HD_1", "Canceled", **told))
    assert asked(stage) == {"accuracy": "0.75"}


# What is named and not believed


def lie(stage: Stage, kind: str) -> None:
    """Another run in the place of the best trial."""
    experiment = "elsewhere" if kind == "experiment" else EXPERIMENT
    parent = "another" if kind == "parent" else "HD_1"
    stage.aml.add_run("HD_1_1", parent=parent, experiment=experiment, metrics={"Accuracy": 0.99})
    if kind == "deleted":
        stage.aml.delete_run("HD_1_1")


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("experiment", "is of another experiment"),
        ("parent", "is not below it"),
        ("deleted", "was deleted"),
    ],
)
def test_a_best_trial_that_cannot_be_one_is_not_believed(
    stage: Stage, jobs: Jobs, kind: str, why: str
) -> None:
    route(stage, GATED)
    told = jobs.sweep("HD_1", TRIALS, best=1)
    lie(stage, kind)
    deliver(stage, told)
    for _ in range(4):
        stage.reconcile(minutes=4)
    row = stage.only("HD_1")
    assert (row.state, row.reason, stage.posts()) == (State.HELD, Reason.FACTS_MISSING, 0)
    assert f"the best child that HD_1 names, HD_1_1, {why}" in row.detail


def test_a_run_that_calls_itself_its_best_child_is_not_believed(stage: Stage, jobs: Jobs) -> None:
    route(stage, GATED)
    told = jobs.sweep("HD_1", TRIALS, best=1)
    told["runProperties"]["best_child_run_id"] = "HD_1"
    deliver(stage, told)
    assert "HD_1, is not below it" in stage.only("HD_1").detail


def test_a_job_of_another_name_tells_nothing(stage: Stage, jobs: Jobs) -> None:
    route(stage, GATED)
    jobs.sweep("HD_1", TRIALS, best=1)
    body = '{"name": "HD_2", "properties": {"properties": {"best_child_run_id": "HD_1_1"}}}'
    stage.cloud.arm.server.faults.add(Fault(path="*/jobs/*", status=200, body=body, times=9))
    stage.deliver(completed("HD_1"))
    row = stage.only("HD_1")
    assert (row.state, row.reason) == (State.OPEN, Reason.RUN_UNREADABLE)


# Steps that are jobs themselves


def pipeline(stage: Stage, jobs: Jobs) -> Place:
    """A pipeline job without its training; the place of what is right below it."""
    del stage
    jobs.pipeline("plum_1", {"prep_data": {"rows": 10.0}})
    return jobs.below("plum_1")


def test_a_step_that_is_a_sweep_has_the_facts_of_its_best_trial(stage: Stage, jobs: Jobs) -> None:
    route(stage, "step: train_model", GATED, **ACCURACY)
    place = pipeline(stage, jobs)
    jobs.sweep("sweep_1", TRIALS, best=1, place=place, display="train_model", tagged=True)
    stage.deliver(completed("plum_1"))
    assert asked(stage) == {"accuracy": "0.75"}
    assert calls(stage) == ["runs/get", "runs/search", "runs/get"]


def test_a_step_that_is_a_sweep_and_names_no_best_trial_is_ambiguous(
    stage: Stage, jobs: Jobs
) -> None:
    route(stage, "step: train_model", GATED)
    jobs.sweep("sweep_1", TRIALS, best=1, place=pipeline(stage, jobs), display="train_model")
    stage.deliver(completed("plum_1"))
    row = stage.only("plum_1")
    assert (row.state, row.reason, stage.posts()) == (State.HELD, Reason.AMBIGUOUS, 0)
    assert row.detail == (
        "metric Accuracy on several child runs: train_model/sweep_1_0, train_model/sweep_1_1, "
        "train_model/sweep_1_2; name one with `step`, or in the tag best_child_run_id of "
        "train_model"
    )


def test_what_that_advises_can_be_followed(stage: Stage, jobs: Jobs) -> None:
    place = pipeline(stage, jobs)
    jobs.sweep("sweep_1", TRIALS, best=1, place=place, display="train_model")
    route(stage, "step: Train_Model/sweep_1_2", **ACCURACY)
    stage.deliver(completed("plum_1"))
    assert asked(stage) == {"accuracy": "0.68"}


def test_a_step_that_is_automl_has_the_facts_of_its_best_trial(stage: Stage, jobs: Jobs) -> None:
    route(stage, "step: train_model", GATED, model="{{ model.name }}", **ACCURACY)
    place = pipeline(stage, jobs)
    jobs.automl("automl_1", TRIALS, best=1, place=place, display="train_model")
    stage.aml.add_model_version("of-the-best", 1, "automl_1_1")
    stage.deliver(completed("plum_1"))
    assert asked(stage) == {"accuracy": "0.75", "model": "of-the-best"}


def test_automl_among_the_steps_needs_no_name(stage: Stage, jobs: Jobs) -> None:
    route(stage, GATED, **ACCURACY)
    jobs.automl("automl_1", TRIALS, best=1, place=pipeline(stage, jobs))
    stage.deliver(completed("plum_1"))
    assert asked(stage) == {"accuracy": "0.75"}


def test_a_step_that_is_a_pipeline_has_the_facts_of_its_steps(stage: Stage, jobs: Jobs) -> None:
    route(stage, "step: train", GATED, **ACCURACY)
    steps = {"fit": {"Accuracy": 0.8}, "report": {"pages": 3.0}}
    jobs.pipeline("inner", steps, place=pipeline(stage, jobs), display="train")
    stage.deliver(completed("plum_1"))
    assert asked(stage) == {"accuracy": "0.8"}


def test_of_the_steps_within_a_step_one_is_named_by_its_path(stage: Stage, jobs: Jobs) -> None:
    steps = {"fit": {"Accuracy": 0.8}, "tune": {"Accuracy": 0.9}}
    jobs.pipeline("inner", steps, place=pipeline(stage, jobs), display="train")
    route(stage, "step: train", **ACCURACY)
    stage.deliver(completed("plum_1"))
    row = stage.only("plum_1")
    assert row.reason is Reason.AMBIGUOUS
    assert "train/fit, train/tune; name one with `step`" in row.detail
    route(stage, "step: train/tune", **ACCURACY)
    stage.aml.server.requests.clear()
    jobs.pipeline("plum_2")
    jobs.pipeline("inner_2", steps, place=jobs.below("plum_2"), display="train")
    stage.deliver(completed("plum_2"))
    assert asked(stage) == {"accuracy": "0.9"}


def test_three_levels_below_the_root_the_best_trial_is_found(stage: Stage, jobs: Jobs) -> None:
    route(stage, "step: outer", GATED, model="{{ model.name }}", **ACCURACY)
    outer = pipeline(stage, jobs)
    jobs.pipeline("outer_1", place=outer, display="outer")
    inner = jobs.below("outer_1", outer)
    jobs.pipeline("inner_1", {"prepare": {}}, place=inner, display="inner")
    jobs.sweep("HD_1", TRIALS, best=1, place=jobs.below("inner_1", inner), tagged=True)
    stage.aml.add_model_version("of-the-best", 1, "HD_1_1")
    stage.deliver(completed("plum_1"))
    assert asked(stage) == {"accuracy": "0.75", "model": "of-the-best"}


def test_a_nested_best_child_of_another_root_is_not_believed(stage: Stage, jobs: Jobs) -> None:
    route(stage, "step: train_model", GATED)
    jobs.pipeline("other_1")
    jobs.step("far", jobs.below("other_1"), display="far", metrics={"Accuracy": 0.99})
    tags = {"best_child_run_id": "far"}
    jobs.step("train", pipeline(stage, jobs), display="train_model", tags=tags)
    stage.deliver(completed("plum_1"))
    row = stage.only("plum_1")
    assert (row.reason, stage.posts()) == (Reason.FACTS_MISSING, 0)
    assert "the best child that train names, far, is not below it" in row.detail


def test_a_best_child_deeper_below_the_step_is_believed(stage: Stage, jobs: Jobs) -> None:
    route(stage, "step: train_model", **ACCURACY)
    place = pipeline(stage, jobs)
    tags = {"best_child_run_id": "trial"}
    jobs.step("train", place, display="train_model", tags=tags)
    below = jobs.below("train", place)
    jobs.step("between", below, display="between")
    deeper = jobs.below("between", below)
    for name, accuracy in (("trial", 0.75), ("other", 0.1)):
        jobs.step(name, deeper, display=name, metrics={"Accuracy": accuracy})
    stage.deliver(completed("plum_1"))
    assert asked(stage) == {"accuracy": "0.75"}


def test_a_step_that_names_no_child_says_which_there_are(stage: Stage, jobs: Jobs) -> None:
    route(stage, "step: training", GATED)
    jobs.pipeline("plum_1", {"prep_data": {}, "train": {"Accuracy": 0.9}})
    stage.deliver(completed("plum_1"))
    row = stage.only("plum_1")
    assert (row.state, row.reason) == (State.OPEN, Reason.FACTS_MISSING)
    assert row.detail == (
        "run.metrics.Accuracy: no child of plum_1 is named training: there are prep_data, train"
    )


def test_two_steps_of_one_name_that_are_sweeps_are_ambiguous(stage: Stage, jobs: Jobs) -> None:
    route(stage, "step: train", GATED)
    place = pipeline(stage, jobs)
    for name in ("first", "second"):
        jobs.sweep(name, TRIALS, best=1, place=place, display="train", tagged=True)
    stage.deliver(completed("plum_1"))
    row = stage.only("plum_1")
    assert (row.state, row.reason) == (State.HELD, Reason.AMBIGUOUS)
    assert "name each step otherwise" in row.detail


def test_of_two_tries_at_a_step_the_one_that_completed_is_looked_into(
    stage: Stage, jobs: Jobs
) -> None:
    route(stage, "step: train", **ACCURACY)
    place = pipeline(stage, jobs)
    jobs.sweep("first", TRIALS, best=0, place=place, display="train", tagged=True, status="Failed")
    jobs.sweep("second", TRIALS, best=1, place=place, display="train", tagged=True)
    stage.deliver(completed("plum_1"))
    assert asked(stage) == {"accuracy": "0.75"}


def test_no_more_is_read_than_the_bound_allows(stage: Stage, jobs: Jobs) -> None:
    route(stage, "step: train", GATED)
    place = pipeline(stage, jobs)
    jobs.pipeline("train_1", {f"s{n}": {} for n in range(40)}, place=place, display="train")
    stage.deliver(completed("plum_1"))
    row = stage.only("plum_1")
    assert (row.state, row.reason, stage.posts()) == (State.HELD, Reason.AMBIGUOUS, 0)
    assert f"among the first {MOST_LOOKS} that were looked at below plum_1" in row.detail
    assert len(calls(stage)) == MOST_LOOKS + 1


def test_runs_that_call_each_other_the_best_are_looked_at_once(stage: Stage, jobs: Jobs) -> None:
    route(stage, "step: train", GATED)
    jobs.step("a", pipeline(stage, jobs), display="train")
    circle = {"best_child_run_id": "c", "mlflow.rootRunId": "c"}
    stage.aml.add_run("b", parent="a", experiment=EXPERIMENT, tags=circle)
    back = {"best_child_run_id": "b"}
    stage.aml.add_run("c", parent="b", experiment=EXPERIMENT, tags=back)
    stage.deliver(completed("plum_1"))
    assert stage.only("plum_1").reason is Reason.FACTS_MISSING
    assert len(calls(stage)) < 10


# What is there today costs no more


def test_a_metric_on_a_step_costs_what_it_always_did(stage: Stage, jobs: Jobs) -> None:
    route(stage, "step: train", GATED)
    jobs.pipeline("plum_1", {"prep_data": {}, "train": {"Accuracy": 0.9}})
    stage.deliver(completed("plum_1"))
    assert stage.only("plum_1").state is State.STARTED
    assert calls(stage) == ["runs/get", "runs/search"]
    assert len(stage.cloud.arm.server.requests) == 1
    assert WORKSPACE.lower() in stage.cloud.arm.server.requests[0].path.lower()


def test_a_metric_that_is_late_on_a_step_is_looked_for_as_it_always_was(
    stage: Stage, jobs: Jobs
) -> None:
    route(stage, GATED)
    jobs.pipeline("plum_1", {f"s{n}": {} for n in range(40)})
    stage.deliver(completed("plum_1"))
    assert stage.only("plum_1").reason is Reason.FACTS_MISSING
    assert calls(stage) == ["runs/get", "runs/search"]
    assert jobs_asked(stage) == []


def test_the_id_of_the_best_trial_is_a_parameter(stage: Stage, jobs: Jobs) -> None:
    route(stage, trial="{{ run.best_child_id }}")
    deliver(stage, jobs.sweep("HD_1", TRIALS, best=1))
    assert asked(stage) == {"trial": "HD_1_1"}


def test_one_that_is_not_named_is_no_parameter(stage: Stage) -> None:
    route(stage, trial="{{ run.best_child_id }}")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.OPEN, Reason.FACTS_MISSING)
    assert row.detail == "run.best_child_id is not known: r1 names none"


def test_a_step_that_the_route_names_goes_before_the_best_child_of_a_tag(
    stage: Stage, jobs: Jobs
) -> None:
    """The tag that one route's ambiguity asked for must not turn the facts of another's step."""
    route(stage, "step: evaluate", GATED, **ACCURACY)
    told = jobs.pipeline("plum_1", {"train": {"Accuracy": 0.99}, "evaluate": {"Accuracy": 0.71}})
    tags = {"best_child_run_id": "plum_1-train"}
    stage.aml.add_run("plum_1", tags=tags, experiment=EXPERIMENT)
    deliver(stage, told)
    assert asked(stage) == {"accuracy": "0.71"}
