"""A run that ended starts its pipeline, once, and only where a route wants it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.bootstrap import App
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES, Stage, as_cloud_event, changed, completed

if TYPE_CHECKING:
    from pathlib import Path

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Entry
    from functions.core.terms.runs import Run


def test_a_completed_run_starts_the_pipeline_of_its_route(stage: Stage) -> None:
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.deliver(completed("r1"))
    assert stage.started() == [(42, "r1")]
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.STARTED, Reason.ANSWERED)
    assert row.pipeline_run == stage.devops.runs[0].id
    assert row.url.endswith(f"/contoso/mlops/_build/results?buildId={row.pipeline_run}")


def test_the_request_carries_all_that_the_route_says(stage: Stage) -> None:
    stage.devops.add_pipeline(
        "contoso",
        "ml ops",
        7,
        "release",
        parameters={"run_id": None, "config": None, "relay_id": None},
        settable_variables=["MODEL"],
        branches=["refs/heads/main", "refs/heads/release"],
        stages=["Build", "Deploy"],
    )
    stage.routes("""
version: 1
routes:
  - name: release
    start:
      organization: contoso
      project: ml ops
      pipeline: 7
      pipeline_version: 1
      branch: refs/heads/release
      parameters: {run_id: "{{ run.id }}", config: {run: "{{ run.id }}", keep: true}}
      correlation: relay_id
      variables: {MODEL: "of {{ run.experiment }}"}
      skip_stages: [Deploy]
""")
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.deliver(completed("r1"))
    (sent,) = stage.devops.server.received("POST", "/_apis/pipelines/7/runs")
    assert sent.path.startswith("/contoso/ml ops/")
    assert sent.query == {"api-version": "7.1", "pipelineVersion": "1"}
    assert json.loads(sent.body) == {
        "resources": {"repositories": {"self": {"refName": "refs/heads/release"}}},
        "templateParameters": {
            "run_id": "r1",
            "config": '{"run":"r1","keep":true}',
            "relay_id": stage.only("r1").key.hash,
        },
        "variables": {"MODEL": {"value": "of defect-detection", "isSecret": False}},
        "stagesToSkip": ["Deploy"],
    }


def test_the_same_news_in_any_form_starts_nothing_twice(stage: Stage) -> None:
    stage.aml.add_run("r1", experiment="defect-detection")
    event = completed("r1")
    news = [event, event, as_cloud_event(event), changed("r1", "Completed")]
    for payload in news:
        stage.deliver(payload)
    assert stage.posts() == 1


def test_twenty_deliveries_at_once_start_one_pipeline(stage: Stage) -> None:
    stage.aml.add_run("r1", experiment="defect-detection")
    news = [completed("r1"), changed("r1", "Completed")] * 5
    news += [as_cloud_event(event) for event in news]
    with ThreadPoolExecutor(len(news)) as pool:
        list(pool.map(stage.deliver, news))
    assert stage.posts() == 1


@pytest.mark.parametrize(
    "payload",
    [
        completed("step", runType="azureml.StepRun"),
        completed("step", runTags={"azureml.pipelinerunid": "root"}),
        completed("step", runProperties={"azureml.pipelinerunid": "root"}),
        completed("step", runProperties={"azureml.rootpipelinerunid": "root"}),
        completed("trial", runType=None, runProperties={"runTemplate": "automl_child"}),
        completed("other", experimentName="churn"),
        changed("r1", "Running"),
        {**completed("m"), "eventType": "Microsoft.MachineLearningServices.ModelRegistered"},
        {**completed("r1"), "topic": "/subscriptions/x/resourceGroups/y"},
        {"no": "event"},
    ],
)
def test_what_no_route_wants_causes_no_request_at_all(stage: Stage, payload: object) -> None:
    stage.deliver(payload)
    assert stage.outgoing() == []
    assert not stage.ledger.recent(stage.clock.now().replace(year=2020), 10)


def test_a_child_that_only_the_run_read_back_shows_is_skipped(stage: Stage) -> None:
    stage.aml.add_run("child", parent="root", experiment="defect-detection")
    stage.deliver(completed("child"))
    assert stage.posts() == 0
    assert stage.only("child").reason is Reason.NOT_ROOT


def test_a_route_for_children_takes_them(stage: Stage) -> None:
    stage.routes("""
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - {name: steps, children: true, start: {pipeline: 42, parameters: {run_id: "{{ run.id }}"}}}
""")
    stage.aml.add_run("child", parent="root", experiment="defect-detection")
    stage.deliver(completed("child", runType="azureml.StepRun"))
    assert stage.started() == [(42, "child")]


@pytest.mark.parametrize("status", ["Failed", "Canceled"])
def test_a_run_that_did_not_succeed_takes_the_failure_route(stage: Stage, status: str) -> None:
    stage.aml.add_run("r1", status=status, experiment="defect-detection")
    stage.deliver(changed("r1", status.lower()))
    assert stage.started() == [(43, "r1")]
    assert stage.devops.runs[0].template_parameters["status"] == status


def test_the_run_read_back_counts_and_not_the_event(stage: Stage) -> None:
    stage.aml.add_run("r1", status="Failed", experiment="defect-detection")
    stage.deliver(completed("r1"))
    rows = stage.of_run("r1")
    assert rows["register"].reason is Reason.OUTCOME_CHANGED
    assert rows["report"].state is State.STARTED
    assert stage.started() == [(43, "r1")]


def test_a_run_that_ended_otherwise_claims_nothing_on_a_route_that_starts_nothing(
    stage: Stage,
) -> None:
    stage.routes(f"{ROUTES}  - {{name: wait, complete: true}}\n")
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.deliver(changed("r1", "Failed"))
    assert sorted(stage.of_run("r1")) == ["register", "report"]
    assert stage.started() == [(42, "r1")]


def test_a_run_that_still_goes_on_is_waited_for(stage: Stage) -> None:
    stage.aml.add_run("r1", status="Finalizing", experiment="defect-detection")
    stage.deliver(completed("r1"))
    assert (stage.only("r1").state, stage.only("r1").reason) == (State.OPEN, Reason.NOT_FINAL)
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.reconcile(seconds=31)
    assert stage.started() == [(42, "r1")]


def test_a_run_that_never_ends_is_held_after_ten_minutes(stage: Stage) -> None:
    stage.aml.add_run("r1", status="Running", experiment="defect-detection")
    stage.deliver(completed("r1"))
    for _ in range(9):
        stage.reconcile(minutes=2)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.HELD, Reason.NOT_FINAL)
    assert stage.posts() == 0


def test_not_responding_is_believed_while_the_run_reads_as_running(stage: Stage) -> None:
    stage.routes(
        "version: 1\nroutes: [{name: lost, outcome: NotResponding, start: {organization: contoso,"
        ' project: mlops, pipeline: 43, parameters: {run_id: "{{ run.id }}"}}}]'
    )
    stage.aml.add_run("r1", status="Running", experiment="defect-detection")
    stage.deliver(changed("r1", "NotResponding"))
    assert stage.started() == [(43, "r1")]


def test_tags_the_event_left_out_are_taken_from_the_run(stage: Stage) -> None:
    stage.routes(
        "version: 1\nroutes: [{name: prod, match: {tags: {Stage: prod*}}, start: {organization:"
        ' contoso, project: mlops, pipeline: 42, parameters: {run_id: "{{ run.id }}"}}}]'
    )
    stage.aml.add_run("yes", tags={"stage": "production"}, experiment="defect-detection")
    stage.aml.add_run("no", tags={"stage": "test"}, experiment="defect-detection")
    for run in ("yes", "no"):
        stage.deliver(completed(run, runTags=None))
    assert stage.started() == [(42, "yes")]
    assert stage.only("no").reason is Reason.NOT_MATCHED


def test_shadow_records_what_it_would_have_started(stage: Stage) -> None:
    stage.routes(ROUTES.replace("name: register", "name: register\n    mode: shadow"))
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.SKIPPED, Reason.SHADOW, 0)
    assert 'contoso/mlops/42 {"templateParameters": {"run_id": "r1"}}' in row.detail


def test_paused_claims_and_starts_nothing_until_it_is_over(stage: Stage) -> None:
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.deploy(PAUSED="1")
    stage.deliver(completed("r1"))
    assert (stage.only("r1").reason, stage.posts()) == (Reason.PAUSED, 0)
    stage.deploy(PAUSED="0")
    stage.reconcile(minutes=2)
    assert stage.started() == [(42, "r1")]


def test_a_limit_lets_the_rest_wait_for_the_next_hour(stage: Stage) -> None:
    stage.routes(ROUTES.replace("name: register", "name: register\n    limit: 2/h"))
    stage.mid_hour()
    for run in ("a", "b", "c"):
        stage.aml.add_run(run, experiment="defect-detection")
        stage.deliver(completed(run))
    assert stage.posts() == 2
    assert stage.only("c").reason is Reason.LIMIT
    stage.reconcile(hours=1)
    assert stage.started() == [(42, "a"), (42, "b"), (42, "c")]


def test_routes_that_cannot_be_read_send_events_to_the_inbox(stage: Stage) -> None:
    good = stage.routes_file.read_text()
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.routes("routes: [")
    stage.deliver(completed("r1"))
    stage.deliver(completed("r1"))
    assert [letter.event.run for letter in stage.ledger.letters(10)] == ["r1"]
    stage.routes(good)
    stage.reconcile()
    assert stage.started() == [(42, "r1")]
    assert stage.ledger.letters(10) == []


def test_of_two_events_in_the_inbox_the_one_that_fits_is_followed(stage: Stage) -> None:
    """As it is while the routes can be read: the first of them was sent before the tag was set."""
    stage.aml.add_run("r1", experiment="defect-detection", tags={"purpose": "release"})
    tagged = stage.routes_file.read_text().replace(
        'match: {experiment: "defect-*"}', 'match: {experiment: "defect-*", tags: {purpose: "*"}}'
    )
    stage.routes("routes: [")
    stage.deliver(completed("r1"))
    stage.deliver(changed("r1", "Completed", runTags={"purpose": "release"}))
    stage.routes(tagged)
    stage.reconcile()
    assert stage.started() == [(42, "r1")]
    assert stage.ledger.letters(10) == []


def test_a_removed_route_fails_what_it_left_open(stage: Stage) -> None:
    stage.aml.add_run("r1", status="Running", experiment="defect-detection")
    stage.deliver(completed("r1"))
    stage.routes(stage.routes_file.read_text().replace("name: register", "name: renamed"))
    stage.reconcile(minutes=1)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.FAILED, Reason.ROUTE_REMOVED)


def test_a_continuation_abandoned_after_its_claim_is_finished_by_the_reconciler(
    stage: Stage,
) -> None:
    stage.aml.add_run("r1", experiment="defect-detection")

    class Crash(BaseException):
        pass

    class CrashingRuns:
        def begin(self, *_: object) -> None:
            pass

        def read(self, *_: object) -> Run:
            raise Crash

    stage.deploy()
    stage.build(runs=CrashingRuns())
    with pytest.raises(Crash):
        stage.deliver(completed("r1"))
    stage.deploy()
    stage.deliver(completed("r1"))
    assert stage.posts() == 0
    stage.reconcile(seconds=121)
    assert stage.started() == [(42, "r1")]


def test_a_post_that_could_not_begin_in_time_is_not_sent(stage: Stage) -> None:
    class SlowToAsk:
        """The ledger, but the first ask takes six seconds."""

        def __init__(self) -> None:
            self.slow = True

        def __getattr__(self, name: str) -> object:
            return getattr(stage.ports.ledger, name)

        def write(self, entry: Entry, changed: Continuation) -> Entry:
            written = stage.ports.ledger.write(entry, changed)
            if changed.asked_at and self.slow:
                self.slow = False
                stage.clock.forward(seconds=6)
            return written

    stage.aml.add_run("r1", experiment="defect-detection")
    stage.build(ledger=SlowToAsk())
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason, row.asked_at) == (State.OPEN, Reason.LATE, None)
    assert stage.posts() == 0
    stage.reconcile()
    assert stage.started() == [(42, "r1")]


def test_a_request_that_is_too_large_to_record_fails_before_it_is_sent(stage: Stage) -> None:
    stage.routes(
        "version: 1\nroutes: [{name: big, start: {organization: contoso, project: mlops, pipeline:"
        ' 42, parameters: {run_id: "{{ run.id }}", status: "{{ run.tags.big }}"}}}]'
    )
    stage.aml.add_run("r1", tags={"big": "x" * 40_000}, experiment="defect-detection")
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.FAILED, Reason.TOO_LARGE, 0)


@pytest.mark.parametrize(
    ("payload", "line"),
    [
        (
            {**completed("r1"), "eventType": "Microsoft.Storage.BlobCreated"},
            'event=event-r1-completed ignored="not a run event" type=Microsoft.Storage.BlobCreated',
        ),
        (
            {**completed("r1"), "topic": "/subscriptions/s"},
            'event=event-r1-completed ignored="the topic is no AML workspace id: /subscriptions/s"',
        ),
        (changed("r1", "Running"), 'ignored="the run goes on: Running"'),
        (
            completed("r1", experimentName="churn"),
            'ignored="no route matches: register wants experiment defect-*, not churn; report ',
        ),
    ],
)
def test_an_event_that_starts_nothing_leaves_a_line_that_says_why(
    stage: Stage, caplog: pytest.LogCaptureFixture, payload: dict[str, object], line: str
) -> None:
    caplog.set_level("DEBUG", "run_relay")
    stage.deliver(payload)
    (said,) = [r.getMessage() for r in caplog.records if r.name == "run_relay"]
    assert line in said


def test_an_older_version_of_the_app_does_not_end_what_a_newer_one_claimed(
    stage: Stage, tmp_path: Path
) -> None:
    (tmp_path / "older").mkdir()
    older = Stage(stage.cloud, tmp_path / "older")
    older.routes(ROUTES.replace("name: register", "name: before"))
    older.deploy(LEDGER_URL=stage.environ["LEDGER_URL"])
    older.reconcile()
    stage.clock.forward(minutes=5)
    stage.aml.add_run("r1", experiment="defect-detection", status="Running")
    stage.deliver(completed("r1"))
    older.reconcile(minutes=6)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.OPEN, Reason.ROUTE_REMOVED)
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.reconcile(minutes=6)
    assert stage.started() == [(42, "r1")]


class Frozen(Wrapped):
    """The process freezes in its POST, until the reconciler of another has held and retired it."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.ports.pipelines)
        self._stage = stage

    def start(self, *given: Any) -> Any:
        run = self.real.start(*given)
        other = App(self._stage.read, self._stage.ports)
        for _ in range(3):
            self._stage.clock.forward(minutes=3)
            other.reconciler.reconcile()
        assert self._stage.only("r1").state is State.HELD
        return run


def test_what_was_started_late_is_listed_as_started(stage: Stage) -> None:
    stage.routes(ROUTES.replace('run_id: "{{ run.id }}"}', 'run_id: "x"}'))
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.build(pipelines=Frozen(stage))
    stage.deliver(completed("r1"))
    stage.build()
    stage.reconcile(minutes=5)
    (listed,) = stage.ledger.listed(stage.clock.now() - timedelta(days=1), 9)
    assert (listed.state, listed.reason) == (State.STARTED, Reason.ANSWERED)


class Asleep(Wrapped):
    """The process stands still between its ask and its POST, until another has sent it again."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.ports.pipelines)
        self._stage = stage

    def start(self, *given: Any) -> Any:
        other = App(self._stage.read, self._stage.ports)
        while not self._stage.posts():
            self._stage.clock.forward(minutes=3)
            other.reconciler.reconcile()
        return self.real.start(*given)


def test_who_stood_still_before_its_post_for_longer_than_others_wait_sends_nothing(
    stage: Stage,
) -> None:
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.build(pipelines=Asleep(stage))
    stage.deliver(completed("r1"))
    assert stage.posts() == 1
    row = stage.only("r1")
    assert (row.state, row.pipeline_run) == (State.STARTED, stage.devops.runs[0].id)
