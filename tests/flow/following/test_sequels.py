"""A route goes on by the end of the pipeline run that it started: once, with what it knows."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.operators.replaying import Replaying
from functions.core.terms.pipelines import PipelineEnd
from functions.core.terms.reasons import Reason
from functions.core.terms.words import Ending, State
from local.devops.pipelines.defined import RunRequest
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT
from tests.flow.following.after import (
    ANNOUNCE,
    CHAIN,
    DEPLOY,
    PARAMETERS,
    ROLL_BACK,
    SENT,
    asked,
    ended,
    finish,
    sequel,
    set_up,
)
from tests.flow.following.ends import how, started
from tests.flow.following.test_versions import write
from tests.stage.azure import ROUTES, changed, completed

if TYPE_CHECKING:
    from local.devops.pipelines.runs import Result
    from tests.stage.azure import Stage


@pytest.fixture(name="stage")
def with_a_sequel(stage: Stage) -> Stage:
    return set_up(stage)


def test_what_succeeded_is_followed_by_the_next_pipeline_with_what_the_end_tells(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    build = ended(stage, "succeeded")
    assert asked(stage) == [42, DEPLOY]
    first = sequel(stage, "register")
    assert stage.devops.runs[1].template_parameters == {
        "run_id": "r1",
        "after": str(build),
        "end": "succeeded",
        "page": first.url,
        "of": "register",
        "experiment": EXPERIMENT,
    }
    deployed = sequel(stage, "register.succeeded")
    assert first.ended is not None
    assert deployed.event.time == first.ended.at  # from which its latency is counted
    assert (deployed.state, deployed.key.outcome) == (State.STARTED, "Completed")
    assert deployed.history[0].detail == f"then, after register: pipeline run {build} succeeded"
    (line,) = [m for m in caplog.messages if m.startswith("then=")]
    assert line == (
        "then=claimed route=register.succeeded run=r1 outcome=Completed "
        f"pipeline_run={build} ended=succeeded"
    )


@pytest.mark.parametrize(
    ("result", "then"),
    [("failed", [ANNOUNCE]), ("canceled", []), ("partiallySucceeded", [])],
)
def test_every_end_has_its_own_and_what_is_not_named_starts_nothing(
    stage: Stage, result: Result, then: list[int]
) -> None:
    ended(stage, result)
    assert asked(stage) == [42, *then]


def test_what_goes_on_may_be_followed_by_something_itself(stage: Stage) -> None:
    ended(stage, "succeeded")
    second = stage.devops.runs[1].id
    finish(stage, second, "failed")
    assert asked(stage) == [42, DEPLOY, ROLL_BACK]
    sent = stage.devops.runs[2].template_parameters
    assert (sent["after"], sent["of"]) == (str(second), "register.succeeded")
    finish(stage, stage.devops.runs[2].id, "failed")
    assert len(stage.devops.runs) == 3


def test_another_event_about_the_run_starts_nothing_again(stage: Stage) -> None:
    ended(stage, "succeeded")
    stage.deliver(completed("r1"))
    stage.deliver({**completed("r1"), "id": "another"})
    stage.reconcile(minutes=5)
    assert asked(stage) == [42, DEPLOY]


def test_a_route_without_then_goes_on_by_no_end(stage: Stage) -> None:
    stage.routes(ROUTES)
    ended(stage, "succeeded")
    assert (how(stage), stage.only("r1").then, asked(stage)) == ("succeeded", "", [42])


def test_the_route_file_of_the_moment_says_what_goes_on(stage: Stage) -> None:
    (build,) = started(stage)
    stage.routes(ROUTES)
    finish(stage, build, "succeeded")
    stage.routes(CHAIN)
    for _ in range(3):
        stage.reconcile(hours=1)
    assert asked(stage) == [42]
    stage.deploy()
    stage.reconcile(hours=1)
    assert asked(stage) == [42]  # that nothing goes on was decided with the end


def unfollowed(stage: Stage) -> None:
    """One was started, and its pipeline run has ended, while its route wanted to see no end."""
    stage.routes(ROUTES.replace("name: register", "name: register\n    follow: false"))
    stage.deploy()
    (build,) = started(stage)
    finish(stage, build, "succeeded")


@pytest.mark.parametrize("anew", [True, False], ids=["deployed", "read again"])
def test_a_then_that_is_added_starts_nothing_for_what_nobody_followed(
    stage: Stage, *, anew: bool
) -> None:
    """All that was started within a day would go on at once."""
    unfollowed(stage)
    stage.routes(CHAIN)
    if anew:
        stage.deploy()
    for _ in range(6):
        stage.reconcile(minutes=30)
    assert asked(stage) == [42]


def test_nor_where_somebody_replays_it_who_is_told_that_it_was_started(stage: Stage) -> None:
    unfollowed(stage)
    stage.clock.forward(days=2)
    stage.routes(CHAIN)
    stage.deploy()
    stage.reconcile()
    assert Replaying(stage.ledger, stage.clock, "ada").replay(stage.only("r1").key).done
    for _ in range(6):
        stage.reconcile(minutes=1)
    assert asked(stage) == [42]


def test_while_the_route_file_is_unreadable_no_end_is_looked_for(stage: Stage) -> None:
    (build,) = started(stage)
    stage.devops.finish(build, "succeeded")
    stage.routes("version: 2")
    for _ in range(3):
        stage.reconcile(minutes=5)
    assert how(stage) == ""
    stage.routes(CHAIN)
    for _ in range(4):
        stage.reconcile(minutes=5)
    assert asked(stage) == [42, DEPLOY]


def test_a_paused_app_claims_what_goes_on_and_starts_it_later(stage: Stage) -> None:
    (build,) = started(stage)
    stage.deploy(PAUSED="1")
    finish(stage, build, "succeeded")
    assert asked(stage) == [42]
    assert sequel(stage, "register.succeeded").reason is Reason.PAUSED
    stage.deploy(PAUSED="0")
    stage.reconcile(minutes=1)
    assert asked(stage) == [42, DEPLOY]


def test_a_sequel_has_its_own_limit(stage: Stage) -> None:
    stage.mid_hour()
    limited = CHAIN.replace(
        "succeeded:\n        start:", "succeeded:\n        limit: 1/h\n        start:"
    )
    assert limited != CHAIN
    stage.routes(limited)
    ended(stage, "succeeded", "r1")
    ended(stage, "succeeded", "r2")
    assert (asked(stage, "r1"), asked(stage, "r2")) == ([42, DEPLOY], [42])
    assert sequel(stage, "register.succeeded", "r2").reason is Reason.LIMIT
    for _ in range(3):
        stage.reconcile(minutes=30)
    assert asked(stage, "r2") == [42, DEPLOY]


def test_a_sequel_may_wait_for_its_group(stage: Stage) -> None:
    grouped = CHAIN.replace(
        "succeeded:\n        start:",
        "succeeded:\n        concurrency: {group: deploy}\n        start:",
    )
    stage.routes(grouped)
    ended(stage, "succeeded", "r1")
    ended(stage, "succeeded", "r2")
    assert (asked(stage, "r1"), asked(stage, "r2")) == ([42, DEPLOY], [42])
    assert sequel(stage, "register.succeeded", "r2").reason is Reason.CONCURRENCY
    finish(stage, stage.devops.runs[1].id, "succeeded")
    assert asked(stage, "r2") == [42, DEPLOY]


def test_a_sequel_has_its_own_gate_which_may_ask_of_the_end(stage: Stage) -> None:
    gate = 'when: run.metrics.accuracy > 0.9 && pipeline.end == "succeeded" && pipeline.run > 0'
    stage.routes(
        CHAIN.replace("succeeded:\n        start:", f"succeeded:\n        {gate}\n        start:")
    )
    for run, accuracy in (("r1", 0.95), ("r2", 0.5)):
        stage.aml.add_run(run, experiment=EXPERIMENT, metrics={"accuracy": accuracy})
        stage.deliver(completed(run))
    stage.reconcile(minutes=3)
    for build in list(stage.devops.runs):
        finish(stage, build.id, "succeeded")
    assert (asked(stage, "r1"), asked(stage, "r2")) == ([42, DEPLOY], [42])
    held = sequel(stage, "register.succeeded", "r2")
    assert (held.state, held.reason) == (State.HELD, Reason.GATE)


def test_a_lost_answer_to_what_goes_on_is_looked_for_as_any_other(stage: Stage) -> None:
    (build,) = started(stage)
    stage.devops.finish(build, "succeeded")
    stage.devops.server.faults.add(Fault("POST", "*/pipelines/51/runs", drop="after"))
    for _ in range(12):
        stage.reconcile(minutes=1)
    assert asked(stage) == [42, DEPLOY]
    found = sequel(stage, "register.succeeded")
    assert (found.state, found.reason, found.sends) == (State.STARTED, Reason.FOUND, 1)


def test_the_run_is_not_judged_again_but_for_its_being_there(stage: Stage) -> None:
    stage.routes(
        CHAIN.replace('match: {experiment: "defect-*"}', 'match: {tags: {stage: "prod"}}', 1)
    )
    stage.aml.add_run("r1", experiment=EXPERIMENT, tags={"stage": "prod"})
    stage.deliver(completed("r1", runTags={"stage": "prod"}))
    stage.reconcile(seconds=121)
    stage.aml.add_run("r1", experiment=EXPERIMENT, tags={"stage": "test"})
    finish(stage, stage.devops.runs[0].id, "succeeded")
    assert asked(stage) == [42, DEPLOY]


@pytest.mark.parametrize(
    "since",
    [
        {"status": "Running"},  # the pipeline writes what it found into the run itself
        {"status": "Failed"},
        {"tags": {"mlflow.parentRunId": "r0"}},
    ],
    ids=str,
)
def test_nor_by_what_became_of_it_since(stage: Stage, since: dict[str, Any]) -> None:
    (build,) = started(stage)
    stage.aml.add_run("r0", experiment=EXPERIMENT)
    stage.aml.add_run("r1", experiment=EXPERIMENT, **since)
    finish(stage, build, "succeeded")
    assert asked(stage) == [42, DEPLOY]


def test_a_run_that_did_not_respond_and_ended_since_has_its_sequel(stage: Stage) -> None:
    stage.routes(CHAIN.replace("name: register\n", "name: register\n    outcome: NotResponding\n"))
    stage.aml.add_run("r1", status="Running", experiment=EXPERIMENT)
    stage.deliver(changed("r1", "NotResponding"))
    stage.reconcile(seconds=121)
    stage.aml.add_run("r1", status="Completed", experiment=EXPERIMENT)
    finish(stage, stage.devops.runs[0].id, "succeeded")
    assert asked(stage) == [42, DEPLOY]


def test_an_end_that_another_version_names_starts_nothing(stage: Stage) -> None:
    started(stage)
    write(stage, ended=PipelineEnd(how=Ending("timed_out"), at=stage.clock.now()))
    for _ in range(3):
        stage.reconcile(minutes=10)
    assert asked(stage) == [42]


def test_of_two_pipeline_runs_the_one_that_ended_is_told(stage: Stage) -> None:
    (first,) = started(stage)
    run = stage.devops.runs[0]
    again = RunRequest(template_parameters=run.template_parameters)
    second = stage.devops.queue(run.pipeline, again).id
    write(stage, duplicates=(second,))
    stage.devops.finish(first, "canceled")
    finish(stage, second, "succeeded")
    sent = stage.devops.runs[-1].template_parameters
    assert (asked(stage)[-1], sent["after"]) == (DEPLOY, str(second))
    assert sent["page"].endswith(f"={second}")


MODELS = f"""
version: 1
defaults: {{organization: contoso, project: mlops}}
routes:
  - name: test-model
    event: ModelRegistered
    start: {{pipeline: 42, parameters: {{run_id: "{{{{ model.name }}}}"}}}}
    then:
      succeeded:
        start:
          pipeline: {DEPLOY}
          parameters: {{run_id: "{{{{ model.name }}}}", of: "{{{{ model.version }}}}",
                       after: "{{{{ pipeline.run }}}}"}}
"""


def test_news_about_a_model_has_sequels_as_well(stage: Stage) -> None:
    stage.routes(MODELS)
    event = completed("r1")
    event["eventType"] = "Microsoft.MachineLearningServices.ModelRegistered"
    event["data"] = {"ModelName": "fraud", "ModelVersion": "7"}
    stage.deliver(event)
    stage.reconcile(seconds=121)
    build = stage.devops.runs[0].id
    finish(stage, build, "succeeded")
    sent = stage.devops.runs[1].template_parameters
    assert (sent["run_id"], sent["of"], sent["after"]) == ("fraud", "7", str(build))


def test_a_sequel_is_sent_with_its_own_secret_alone(stage: Stage) -> None:
    stage.cloud.vault.put("deployments", "a token that nobody takes")
    stage.routes(CHAIN.replace("pipeline: 51", "secret: deployments\n          pipeline: 51", 1))
    ended(stage, "succeeded")
    refused = sequel(stage, "register.succeeded")
    assert (asked(stage), refused.reason) == ([42], Reason.CREDENTIAL_REFUSED)
    stage.devops.keys.accept("a token of its own")
    stage.cloud.vault.put("deployments", "a token of its own")
    for _ in range(3):
        stage.reconcile(minutes=2)
    assert asked(stage) == [42, DEPLOY]


def test_the_parameters_that_a_sequel_names_are_all_there() -> None:
    assert all(f"{name}: " in SENT for name in PARAMETERS)
