"""A model starts its pipeline only where it beats the champion, or where there is none yet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.arm.jobs import Job, JobOutput
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT, asked, calls, route
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

BETTER = "when: '!champion.exists || run.metrics.auc > champion.metrics.auc + 0.01'"
ALIAS = "champion: {alias: champion}"
TAG = "champion: {tag: {stage: production}}"
NEWEST = "champion: newest"
FORMS = pytest.mark.parametrize("form", [ALIAS, TAG, NEWEST], ids=["alias", "tag", "newest"])
BY_ALIAS, VERSIONS = "*/registered-models/alias", "*/model-versions/search"
LISTED = [VERSIONS, "*/registered-models/search"]


def judged(stage: Stage, auc: float | None, form: str, *, champion: float | None = 0.90) -> None:
    """Version 4 of r1 is judged against version 3 of b1, which the alias and the tag name."""
    route(stage, BETTER, form, "model: defects")
    registered(stage, champion=champion)
    stage.aml.add_run("r1", metrics={} if auc is None else {"auc": auc}, experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 4, "r1")
    stage.deliver(completed("r1"))


def registered(stage: Stage, *, champion: float | None = 0.90) -> None:
    metrics = {} if champion is None else {"auc": champion}
    stage.aml.add_run("b1", metrics=metrics, experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 3, "b1", tags={"stage": "production"})
    stage.aml.set_alias("defects", "champion", 3)


def stands(stage: Stage) -> tuple[State, Reason]:
    row = stage.only("r1")
    return row.state, row.reason


def waits_saying(stage: Stage, *words: str) -> None:
    """It waits for a fact with these words, and is held with them in the end."""
    for _ in range(2):
        row = stage.only("r1")
        assert row.reason is Reason.FACTS_MISSING, row
        assert [word for word in words if word not in row.detail] == [], row.detail
        if row.state is State.HELD:
            break
        assert row.state is State.OPEN
        stage.reconcile(minutes=11)
    assert (stands(stage), stage.posts()) == ((State.HELD, Reason.FACTS_MISSING), 0)


@FORMS
def test_a_better_model_starts_its_pipeline(stage: Stage, form: str) -> None:
    judged(stage, 0.92, form)
    assert stage.started() == [(42, "r1")]
    saw = stage.only("r1").history
    assert any("champion.metrics.auc = 0.9" in step.detail for step in saw), saw


@FORMS
@pytest.mark.parametrize("auc", [0.85, 0.90], ids=["worse", "equal"])
def test_a_model_that_is_no_better_is_held(stage: Stage, form: str, auc: float) -> None:
    judged(stage, auc, form)
    assert stands(stage) == (State.HELD, Reason.GATE)
    assert "champion.exists = true" in stage.only("r1").detail
    assert "champion.metrics.auc = 0.9" in stage.only("r1").detail


@FORMS
def test_the_first_model_has_nothing_to_beat(stage: Stage, form: str) -> None:
    route(stage, BETTER, form, "model: defects")
    stage.aml.add_run("r1", metrics={"auc": 0.5}, experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 1, "r1")
    stage.deliver(completed("r1"))
    assert stage.started() == [(42, "r1")]


@FORMS
def test_the_first_model_may_not_even_be_registered(stage: Stage, form: str) -> None:
    """The pipeline that follows registers what is better."""
    route(stage, BETTER, form, "model: defects")
    stage.aml.add_run("r1", metrics={"auc": 0.5}, experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert stage.started() == [(42, "r1")]


@FORMS
def test_what_is_not_registered_is_judged_all_the_same(stage: Stage, form: str) -> None:
    route(stage, BETTER, form, "model: defects")
    registered(stage)
    stage.aml.add_run("r1", metrics={"auc": 0.5}, experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert stands(stage) == (State.HELD, Reason.GATE)


@FORMS
def test_a_mistyped_model_of_a_run_that_registered_another_is_no_first_one(
    stage: Stage, form: str
) -> None:
    route(stage, BETTER, form, "model: defcts")
    registered(stage)
    stage.aml.add_run("r1", metrics={"auc": 0.5}, experiment=EXPERIMENT)
    stage.aml.add_run("s1", parent="r1", experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 4, "s1")
    stage.deliver(completed("r1"))
    waits_saying(
        stage, "champion.exists: the registry has no model defcts, and the run registered defects"
    )


def test_without_a_guard_no_champion_is_said_in_words(stage: Stage) -> None:
    route(stage, "when: run.metrics.auc > champion.metrics.auc", ALIAS, "model: defects")
    stage.aml.add_run("r1", metrics={"auc": 0.5}, experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 1, "r1")
    stage.deliver(completed("r1"))
    words = "there is no champion: alias champion of model defects is not set"
    waits_saying(stage, "champion.metrics.auc", words)


def test_an_alias_at_the_version_itself_names_no_champion(stage: Stage) -> None:
    route(stage, "when: run.metrics.auc > champion.metrics.auc", ALIAS, "model: defects")
    registered(stage)
    stage.aml.add_run("r1", metrics={"auc": 0.5}, experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 4, "r1")
    stage.aml.set_alias("defects", "champion", 4)
    stage.deliver(completed("r1"))
    waits_saying(stage, "no champion", "is at version 4, which is under judgement itself")


def test_an_alias_at_itself_lets_the_guarded_gate_pass(stage: Stage) -> None:
    route(stage, BETTER, ALIAS, "model: defects")
    registered(stage)
    stage.aml.add_run("r1", metrics={"auc": 0.5}, experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 4, "r1")
    stage.aml.set_alias("defects", "champion", 4)
    stage.deliver(completed("r1"))
    assert stage.started() == [(42, "r1")]


def test_a_version_without_a_run_is_itself_by_its_number(stage: Stage) -> None:
    """A job's output is registered without the run's id; the job tells the version."""
    route(stage, BETTER, ALIAS)
    own(stage)
    stage.aml.add_model_version("defects", 4)
    stage.aml.set_alias("defects", "champion", 4)
    stage.deliver(completed("r1"))
    assert stage.started() == [(42, "r1")]


def test_an_alias_that_moves_while_a_fact_is_waited_for_names_the_new_one(stage: Stage) -> None:
    judged(stage, 0.92, ALIAS, champion=None)
    assert stands(stage) == (State.OPEN, Reason.FACTS_MISSING)
    stage.aml.add_run("b2", metrics={"auc": 0.95}, experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 5, "b2")
    stage.aml.set_alias("defects", "champion", 5)
    stage.reconcile(minutes=1)
    assert stands(stage) == (State.HELD, Reason.GATE)
    assert "champion.metrics.auc = 0.95" in stage.only("r1").detail


@FORMS
def test_a_metric_that_the_champion_lacks_is_said_to_be_its_own(stage: Stage, form: str) -> None:
    judged(stage, 0.92, form, champion=None)
    words = "run b1 behind version 3 of defects has none of that name"
    waits_saying(stage, "champion.metrics.auc", words)


def test_a_metric_of_the_champion_that_is_no_number_is_said(stage: Stage) -> None:
    judged(stage, 0.92, ALIAS, champion=float("nan"))
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.HELD, Reason.NOT_A_NUMBER)
    assert row.detail == "champion.metrics.auc is NaN"


@FORMS
def test_a_champion_whose_run_was_deleted_is_said(stage: Stage, form: str) -> None:
    route(stage, BETTER, form, "model: defects")
    registered(stage)
    stage.aml.delete_run("b1")
    stage.aml.add_run("r1", metrics={"auc": 0.92}, experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 4, "r1")
    stage.deliver(completed("r1"))
    waits_saying(stage, "run b1 behind version 3 of defects was deleted")


def test_a_champion_whose_run_was_deleted_is_not_beaten_metric_by_metric(stage: Stage) -> None:
    """Over none of its metrics `all(…)` would hold."""
    gate = "when: champion.metrics.all(k, run.metrics[k] >= champion.metrics[k])"
    route(stage, gate, ALIAS, "model: defects")
    registered(stage)
    stage.aml.delete_run("b1")
    stage.aml.add_run("r1", metrics={"auc": 0.5}, experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 4, "r1")
    stage.deliver(completed("r1"))
    waits_saying(stage, "champion.metrics: run b1 behind version 3 of defects was deleted")


@pytest.mark.parametrize(
    ("run", "words"),
    [("nowhere", "run nowhere behind version 3 of defects is not there"),
     (None, "version 3 of defects names no run that made it")],
)  # fmt: skip
def test_a_champion_whose_run_cannot_be_read_is_said(
    stage: Stage, run: str | None, words: str
) -> None:
    route(stage, BETTER, TAG, "model: defects")
    stage.aml.add_model_version("defects", 3, run, tags={"stage": "production"})
    stage.aml.add_run("r1", metrics={"auc": 0.92}, experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 4, "r1")
    stage.deliver(completed("r1"))
    waits_saying(stage, words)


@pytest.mark.parametrize("status", [503, 500, 429, 403])
@pytest.mark.parametrize(("form", "path"), [(ALIAS, BY_ALIAS), (NEWEST, VERSIONS)])
def test_a_registry_in_trouble_is_asked_again(
    stage: Stage, form: str, path: str, status: int
) -> None:
    stage.aml.server.faults.add(Fault(path=path, status=status, times=99))
    judged(stage, 0.92, form)
    assert stands(stage) == (State.OPEN, Reason.RUN_UNREADABLE)
    assert str(status) in stage.only("r1").detail
    stage.aml.server.faults.clear()
    stage.reconcile(hours=1)
    assert stage.started() == [(42, "r1")]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (503, "", "run b1: answered 503"),
        (200, {"run": {"info": {"run_id": "b2", "status": "FINISHED"}}}, "run b1: the answer is"),
    ],
    ids=["busy", "another run"],
)
def test_trouble_while_the_champion_s_run_is_read_is_no_missing_metric(
    stage: Stage, status: int, body: object, words: str
) -> None:
    path, told = "*/runs/get", json.dumps(body)
    stage.aml.server.faults.add(Fault(path=path))  # the run itself is answered as it is
    stage.aml.server.faults.add(Fault(path=path, status=status, body=told, times=99))
    judged(stage, 0.92, ALIAS)
    assert stands(stage) == (State.OPEN, Reason.RUN_UNREADABLE)
    assert words in stage.only("r1").detail
    stage.aml.server.faults.clear()
    stage.reconcile(hours=1)
    assert stage.started() == [(42, "r1")]


@pytest.mark.parametrize("status", [400, 404, 405, 501])
@pytest.mark.parametrize(
    "body",
    [
        "",
        '{"error_code": "ENDPOINT_NOT_FOUND", "message": "no"}',
        '{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "registered-models/alias not found"}',
    ],
    ids=["empty", "no endpoint", "no such call"],
)
def test_a_registry_without_aliases_says_so(stage: Stage, status: int, body: str) -> None:
    """Never is that taken for a model without a champion."""
    stage.aml.server.faults.add(Fault(path=BY_ALIAS, status=status, body=body, times=99))
    judged(stage, 0.92, ALIAS)
    waits_saying(stage, f"alias champion of model defects: answered {status}", "`newest`")


@pytest.mark.parametrize("body", ["", "{}", "[]", '{"error_code": "X", "message": "not found"}'])
def test_versions_that_cannot_be_searched_are_not_none(stage: Stage, body: str) -> None:
    """The run's own version, which the job tells, must be among them."""
    route(stage, "when: '!champion.exists'", NEWEST)
    own(stage)
    status = 200 if body in {"{}", "[]"} else 404
    stage.aml.server.faults.add(Fault(path=VERSIONS, status=status, body=body, times=99))
    stage.deliver(completed("r1"))
    assert stands(stage)[0] is State.OPEN
    assert stage.posts() == 0


def own(stage: Stage) -> None:
    """A run whose job registered version 4."""
    stage.aml.add_run("r1", metrics={"auc": 0.5}, experiment=EXPERIMENT)
    output = JobOutput("mlflow_model", None, "defects", "4")
    stage.cloud.arm.add_job(WORKSPACE, Job("r1", outputs={"model": output}))


ANOTHER = {
    "name of another model": {"name": "others", "version": "3", "run_id": "b1"},
    "no name": {"version": "3", "run_id": "b1"},
    "another alias": {"name": "defects", "version": "3", "run_id": "b1", "aliases": ["old"]},
    "no version": {"name": "defects", "run_id": "b1"},
}


@pytest.mark.parametrize("version", ANOTHER.values(), ids=ANOTHER)
def test_an_answer_about_something_else_is_not_believed(
    stage: Stage, version: dict[str, str]
) -> None:
    body = json.dumps({"model_version": version})
    stage.aml.server.faults.add(Fault(path=BY_ALIAS, status=200, body=body, times=99))
    judged(stage, 0.92, ALIAS)
    assert stands(stage) == (State.OPEN, Reason.RUN_UNREADABLE)
    stage.aml.server.faults.clear()
    stage.reconcile(hours=1)
    assert stage.started() == [(42, "r1")]


def test_versions_of_another_model_are_no_champions(stage: Stage) -> None:
    route(stage, BETTER, NEWEST, "model: defects")
    stage.aml.add_run("r1", metrics={"auc": 0.92}, experiment=EXPERIMENT)
    others = [{"name": "others", "version": "7", "run_id": "b1"}]
    body = json.dumps({"model_versions": others})
    stage.aml.server.faults.add(Fault(path=VERSIONS, status=200, body=body, times=99))
    stage.deliver(completed("r1"))
    assert stands(stage) == (State.OPEN, Reason.RUN_UNREADABLE)
    assert "the answer is about others" in stage.only("r1").detail


def test_of_tagged_versions_the_newest_other_one_is_the_champion(stage: Stage) -> None:
    route(stage, BETTER, TAG, "model: defects")
    for version, auc, stage_of in ((3, 0.9, "production"), (9, 0.7, "production"), (10, 0.99, "x")):
        stage.aml.add_run(f"b{version}", metrics={"auc": auc}, experiment=EXPERIMENT)
        stage.aml.add_model_version("defects", version, f"b{version}", tags={"stage": stage_of})
    stage.aml.add_run("r1", metrics={"auc": 0.8}, experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 11, "r1", tags={"stage": "production"})
    stage.deliver(completed("r1"))
    assert "champion.metrics.auc = 0.7" in str(stage.only("r1").history)
    assert stage.started() == [(42, "r1")]


def test_what_is_known_of_the_champion_reaches_the_pipeline(stage: Stage) -> None:
    names = ("version", "run.id", "run.name", "run.params.rate", "run.tags.owner", "metrics.val.f1")
    told = {f"of_{name.replace('.', '_')}": f"{{{{ champion.{name} }}}}" for name in names}
    route(stage, ALIAS, "model: defects", **told)
    facts = {"params": {"rate": "0.1"}, "tags": {"owner": "me"}, "metrics": {"val.f1": 0.5}}
    stage.aml.add_run("b1", name="old", experiment=EXPERIMENT, **facts)  # type: ignore[arg-type]
    stage.aml.add_model_version("defects", 3, "b1")
    stage.aml.set_alias("defects", "champion", 3)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 4, "r1")
    stage.deliver(completed("r1"))
    assert list(asked(stage).values()) == ["3", "b1", "old", "0.1", "me", "0.5"]


@pytest.mark.parametrize(
    ("lines", "cost"),
    [
        (("when: run.metrics.auc > 0.5",), ["runs/get"]),
        (("model: defects", ALIAS, "when: champion.version == '3'"),
         ["runs/get", "model-versions/search", "registered-models/alias"]),
        (("model: defects", ALIAS, "when: champion.metrics.auc > 0.5"),
         ["runs/get", "model-versions/search", "registered-models/alias", "runs/get"]),
    ],
    ids=["none", "version", "metrics"],
)  # fmt: skip
def test_a_champion_is_read_only_as_far_as_it_is_named(
    stage: Stage, lines: tuple[str, ...], cost: list[str]
) -> None:
    route(stage, *lines)
    registered(stage)
    stage.aml.add_run("r1", metrics={"auc": 0.92}, experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 4, "r1")
    stage.deliver(completed("r1"))
    assert stage.started() == [(42, "r1")]
    assert sorted(calls(stage)) == sorted(cost)


def below(stage: Stage, form: str) -> None:
    """r1 registers version 4 in a step of a step, which no search for a model goes to."""
    route(stage, "when: '!champion.exists || run.metrics.auc >= champion.metrics.auc'", form,
          "model: defects")  # fmt: skip
    registered(stage)
    stage.aml.add_run("r1", metrics={"auc": 0.5}, experiment=EXPERIMENT)
    stage.aml.add_run("s1", parent="r1", experiment=EXPERIMENT)
    tags = {"mlflow.rootRunId": "r1"}
    stage.aml.add_run("t1", parent="s1", metrics={"auc": 0.5}, experiment=EXPERIMENT, tags=tags)
    stage.aml.add_model_version("defects", 4, "t1", tags={"stage": "production"})


@pytest.mark.parametrize("form", [TAG, NEWEST], ids=["tag", "newest"])
def test_what_a_step_below_a_step_registered_is_not_its_own_champion(
    stage: Stage, form: str
) -> None:
    below(stage, form)
    stage.deliver(completed("r1"))
    assert stands(stage) == (State.HELD, Reason.GATE)
    assert "champion.metrics.auc = 0.9" in stage.only("r1").detail


def test_an_alias_at_what_a_step_below_a_step_registered_names_no_champion(stage: Stage) -> None:
    below(stage, ALIAS)
    stage.aml.set_alias("defects", "champion", 4)
    stage.deliver(completed("r1"))
    assert "champion.exists = false" in str(stage.only("r1").history)


@pytest.mark.parametrize(
    "gate",
    ["!has(champion.version) || run.metrics.auc > champion.metrics.auc",
     "!has(champion.metrics.auc) || run.metrics.auc > champion.metrics.auc",
     "has(champion.run.id) ? run.metrics.auc > champion.metrics.auc : true",
     "!('auc' in champion.metrics) || run.metrics.auc > champion.metrics.auc",
     "!has(champion.exists)"],
)  # fmt: skip
def test_a_champion_of_whom_nobody_can_tell_is_not_taken_for_none(stage: Stage, gate: str) -> None:
    route(stage, f'when: "{gate}"', ALIAS, "model: defects")
    registered(stage)
    stage.aml.server.faults.add(Fault(path=BY_ALIAS, status=501, times=99))
    stage.aml.add_run("r1", metrics={"auc": 0.5}, experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    waits_saying(stage, "champion.exists: alias champion of model defects: answered 501")


def test_a_parameter_of_the_champion_that_was_cut_is_not_passed_on(stage: Stage) -> None:
    route(stage, ALIAS, "model: defects", of="{{ champion.run.params.config }}")
    stage.aml.add_run("b1", params={"config": "x" * 6_000}, experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 3, "b1")
    stage.aml.set_alias("defects", "champion", 3)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert (stands(stage), stage.posts()) == ((State.HELD, Reason.CUT), 0)


@FORMS
def test_a_tag_copied_from_the_champion_s_job_does_not_make_the_champion_its_own(
    stage: Stage, form: str
) -> None:
    """Who clones a job clones its tags: the best child that they name is of the job before."""
    route(stage, BETTER, form, "model: defects")
    stage.aml.add_run("h1", experiment=EXPERIMENT)
    registered(stage)
    stage.aml.add_run("b1", parent="h1", metrics={"auc": 0.9}, experiment=EXPERIMENT)
    stage.aml.add_run("r1", tags={"best_child_run_id": "b1"}, experiment=EXPERIMENT)
    stage.aml.add_run("c1", parent="r1", metrics={"auc": 0.5}, experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 4, "c1")
    stage.deliver(completed("r1"))
    assert stands(stage) == (State.HELD, Reason.GATE)
    assert "champion.metrics.auc = 0.9" in stage.only("r1").detail


@FORMS
def test_the_history_of_another_run_does_not_make_its_version_the_run_s_own(
    stage: Stage, form: str
) -> None:
    history = json.dumps([{"run_id": "b1", "artifact_path": "model", "flavors": {"sklearn": {}}}])
    route(stage, BETTER, form, "model: defects", path="{{ model.path }}")
    registered(stage)
    tags = {"mlflow.log-model.history": history}
    stage.aml.add_run("r1", metrics={"auc": 0.5}, tags=tags, experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 4, "r1")
    stage.deliver(completed("r1"))
    assert stage.posts() == 0
    assert "champion.exists = false" not in stage.only("r1").detail


def test_a_champion_s_tag_is_known_in_any_case_as_in_a_match(stage: Stage) -> None:
    route(stage, BETTER, "champion: {tag: {Stage: Production}}", "model: defects")
    registered(stage)
    stage.aml.add_run("r1", metrics={"auc": 0.5}, experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 4, "r1")
    stage.deliver(completed("r1"))
    assert stands(stage) == (State.HELD, Reason.GATE)
    assert "champion.metrics.auc = 0.9" in stage.only("r1").detail


@pytest.mark.parametrize("status", ["Ready", "SUCCEEDED", None])
def test_a_version_in_a_state_that_is_not_known_is_a_champion(
    stage: Stage, status: str | None
) -> None:
    """What is taken for unfinished would leave none to beat."""
    route(stage, BETTER, NEWEST, "model: defects")
    registered(stage)
    stage.aml.add_run("r1", metrics={"auc": 0.5}, experiment=EXPERIMENT)
    version = {"name": "defects", "version": "3", "run_id": "b1", "status": status}
    body = json.dumps({"model_versions": [version]})
    stage.aml.server.faults.add(Fault(path=VERSIONS, status=200, body=body, times=9))
    stage.deliver(completed("r1"))
    assert stands(stage) == (State.HELD, Reason.GATE)


def test_a_champion_that_fell_between_two_pages_is_beaten_all_the_same(stage: Stage) -> None:
    """A version was deleted while the list was read."""
    own = {"name": "defects", "version": "4", "run_id": "r1", "creation_timestamp": 2}
    old = {"name": "defects", "version": "1", "run_id": "b0", "creation_timestamp": 1}
    for _ in range(2):  # who looks for the run's own model reads them, too
        for page in ({"model_versions": [own], "next_page_token": "1"}, {"model_versions": [old]}):
            fault = Fault(path=VERSIONS, status=200, body=json.dumps(page))
            stage.aml.server.faults.add(fault)
    judged(stage, 0.5, TAG)
    assert stage.aml.server.faults.waiting == 0
    assert stands(stage) == (State.HELD, Reason.GATE)
