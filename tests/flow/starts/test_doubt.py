"""A POST whose answer never came: look before asking again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from functions.core.events import parsing
from functions.core.kept.history import LONGEST_HISTORY
from functions.core.starts import steps
from functions.core.terms.errors import InDoubt, Retryable, Unreadable
from functions.core.terms.policy import Policy
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import TEXT, WORKSPACE
from local.devops.pipelines.catalogue import Project
from local.devops.pipelines.defined import RunRequest
from local.serving.faults import Fault
from tests.ledger.counted import counted
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES, completed
from tests.stage.proxies import Proxy, behind

if TYPE_CHECKING:
    from functions.core.terms.runs import Key
    from tests.stage.azure import Stage

RUNS = "*/_apis/pipelines/42/runs"
ALSO = """
  - name: also
    match: {experiment: "defect-*"}
    start: {organization: fabrikam, pipeline: 7, parameters: {run_id: "{{ run.id }}"}}
"""


def post_fault(stage: Stage, **fault: object) -> None:
    stage.devops.server.faults.add(Fault(method="POST", path=RUNS, **fault))  # type: ignore[arg-type]


def deliver(stage: Stage) -> None:
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.deliver(completed("r1"))
    assert stage.only("r1").reason is Reason.IN_DOUBT


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "answer",
    ["9" * 400, "9" * 5_000, "1e400", "NaN", "18446744073709551616", "[" * 101 + "]" * 101],
    ids=lambda answer: answer[:9],
)
def test_an_answer_whose_id_no_ledger_could_keep_is_in_doubt(stage: Stage, answer: str) -> None:
    post_fault(stage, status=200, body=f'{{"id": {answer}}}', headers=JSON)
    deliver(stage)
    stage.reconcile(seconds=31)
    stage.reconcile(minutes=11)
    assert stage.only("r1").state is State.STARTED
    assert stage.started() == [(42, "r1")]


@pytest.mark.parametrize(
    "fault", [{"drop": "after"}, {"status": 500, "after": True}, {"status": 503, "after": True}]
)
def test_a_run_that_was_queued_is_found_and_not_asked_for_again(
    stage: Stage, fault: dict[str, object]
) -> None:
    post_fault(stage, **fault)
    deliver(stage)
    stage.reconcile(seconds=31)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.STARTED, Reason.FOUND)
    assert row.pipeline_run == stage.devops.runs[0].id
    assert stage.posts() == 1


def test_behind_a_proxy_too_a_run_that_was_queued_is_not_asked_for_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy() as proxy:
        behind(proxy.url, monkeypatch)
        stage.build()
        post_fault(stage, drop="after")
        deliver(stage)
        stage.reconcile(seconds=31)
        stage.build()
    assert any(asked.startswith("POST ") for asked in proxy.asked)
    assert (stage.only("r1").state, stage.only("r1").reason) == (State.STARTED, Reason.FOUND)
    assert stage.started() == [(42, "r1")]


def test_the_redelivered_event_of_a_doubtful_start_sends_nothing(stage: Stage) -> None:
    post_fault(stage, drop="after")
    deliver(stage)
    stage.deliver(completed("r1"))
    assert stage.posts() == 1


@pytest.mark.parametrize("fault", [{"drop": "before"}, {"status": 502}])
def test_a_run_that_was_not_queued_is_asked_for_again_after_the_grace(
    stage: Stage, fault: dict[str, object]
) -> None:
    post_fault(stage, **fault)
    deliver(stage)
    stage.reconcile(seconds=31)
    assert stage.devops.runs == []
    stage.reconcile(minutes=5)
    assert stage.devops.runs == []
    stage.reconcile(minutes=6)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.STARTED, Reason.ANSWERED)
    assert stage.started() == [(42, "r1")]


def test_the_stored_request_is_sent_again_whatever_the_routes_say_by_then(stage: Stage) -> None:
    post_fault(stage, status=502)
    deliver(stage)
    other = "{name: x, start: {organization: o, project: p, pipeline: 1}}"
    stage.routes(f"version: 1\nroutes: [{other}]")
    stage.reconcile(seconds=31)
    stage.reconcile(minutes=11)
    assert stage.started() == [(42, "r1")]


def test_after_three_posts_without_a_trace_it_is_held(stage: Stage) -> None:
    post_fault(stage, status=500, times=9)
    deliver(stage)
    for _ in range(12):
        stage.reconcile(minutes=11)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.HELD, Reason.IN_DOUBT)
    assert row.sends == 3
    assert stage.devops.runs == []


class Alternating(Wrapped):
    """The pipelines, where a POST is refused and left without an answer in turns."""

    posts = 0

    def start(self, *_: object) -> None:
        self.posts += 1
        if self.posts % 2:
            raise Retryable(Reason.REFUSED, "403")
        raise InDoubt(Reason.IN_DOUBT, "503")


def test_what_is_refused_and_in_doubt_in_turns_ends(stage: Stage) -> None:
    pipelines = Alternating(stage.ports.pipelines)
    stage.build(pipelines=pipelines)
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.deliver(completed("r1"))
    for _ in range(30):
        stage.reconcile(minutes=31)
    row = stage.only("r1")
    assert (row.state, row.reason, pipelines.posts) == (State.HELD, Reason.IN_DOUBT, 6)


def test_a_request_that_cannot_be_told_apart_is_held_and_never_adopted(stage: Stage) -> None:
    stage.devops.add_pipeline("contoso", "mlops", 42, "next")
    stage.routes(
        "version: 1\nroutes: [{name: next, start: {organization: contoso, project: mlops,"
        " pipeline: 42}}]"
    )
    stage.aml.add_run("r1", experiment="defect-detection")
    post_fault(stage, drop="after")
    stage.deliver(completed("r1"))
    stage.reconcile(minutes=11)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.HELD, Reason.IN_DOUBT)
    assert stage.posts() == 1


def test_a_correlation_lets_a_lost_answer_be_found(stage: Stage) -> None:
    stage.routes(
        "version: 1\nroutes: [{name: next, start: {organization: contoso, project: mlops,"
        " pipeline: 42, correlation: relay_id}}]"
    )
    stage.aml.add_run("other", experiment="defect-detection")
    stage.deliver(completed("other"))
    post_fault(stage, drop="after")
    deliver(stage)
    stage.reconcile(seconds=31)
    row = stage.only("r1")
    assert (row.reason, row.pipeline_run) == (Reason.FOUND, stage.devops.runs[1].id)
    assert stage.posts() == 2


def test_a_pipeline_that_is_missing_answers_500_and_is_held_in_the_end(stage: Stage) -> None:
    stage.routes(
        "version: 1\nroutes: [{name: next, start: {organization: contoso, project: mlops,"
        ' pipeline: 4711, parameters: {run_id: "{{ run.id }}"}}}]'
    )
    deliver(stage)
    for _ in range(12):
        stage.reconcile(minutes=11)
    row = stage.only("r1")
    assert (row.state, row.reason, row.sends) == (State.HELD, Reason.IN_DOUBT, 3)
    assert "never found" in row.detail


def test_builds_that_show_no_parameters_in_the_list_are_read_singly(stage: Stage) -> None:
    stage.devops.builds_list_without_parameters = True
    post_fault(stage, drop="after")
    deliver(stage)
    stage.reconcile(seconds=31)
    assert stage.only("r1").reason is Reason.FOUND


def test_builds_that_never_show_parameters_are_no_answer(stage: Stage) -> None:
    stage.devops.builds_never_show_parameters = True
    post_fault(stage, drop="after")
    deliver(stage)
    for _ in range(4):
        stage.reconcile(minutes=15)
    assert (stage.only("r1").state, stage.only("r1").reason) == (State.OPEN, Reason.LOOK_FAILED)
    assert stage.posts() == 1


def test_all_pages_of_builds_are_looked_through(stage: Stage) -> None:
    stage.devops.page_size = 2
    for number in range(5):
        stage.aml.add_run(f"other{number}", experiment="defect-detection")
        stage.deliver(completed(f"other{number}"))
    post_fault(stage, drop="after")
    deliver(stage)
    stage.reconcile(seconds=31)
    assert stage.only("r1").reason is Reason.FOUND


@pytest.mark.parametrize("minutes", [-4, 4])
def test_clocks_may_differ_by_minutes(stage: Stage, minutes: int) -> None:
    stage.devops.clock_skew = minutes * 60
    post_fault(stage, drop="after")
    deliver(stage)
    stage.reconcile(seconds=31)
    assert stage.only("r1").reason is Reason.FOUND


def test_a_second_run_that_shows_up_later_is_told_as_a_duplicate(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.devops.queue_later(3600)
    deliver(stage)
    stage.reconcile(seconds=31)
    stage.reconcile(minutes=11)
    assert stage.only("r1").state is State.STARTED
    stage.devops.queue_now()
    stage.reconcile(minutes=61)
    row = stage.only("r1")
    assert {row.pipeline_run, *row.duplicates} == {run.id for run in stage.devops.runs}
    assert len(stage.devops.runs) == 2
    assert "duplicate=register" in caplog.text


def test_a_build_without_parameters_is_no_obstacle(stage: Stage) -> None:
    post_fault(stage, drop="before")
    deliver(stage)
    pipeline = stage.devops.catalogue.pipeline(Project("contoso", "mlops"), 42)
    stage.devops.queue(pipeline, RunRequest())  # by a push, or by hand
    stage.reconcile(seconds=31)
    stage.reconcile(minutes=12)
    assert stage.only("r1").state is State.STARTED
    assert [run.template_parameters for run in stage.devops.runs] == [{}, {"run_id": "r1"}]


def test_a_build_that_somebody_deleted_is_found(stage: Stage) -> None:
    post_fault(stage, drop="after")
    deliver(stage)
    stage.devops.delete(stage.devops.runs[0].id)
    stage.reconcile(seconds=31)
    assert (stage.only("r1").reason, stage.posts()) == (Reason.FOUND, 1)


def test_another_organization_s_build_of_the_same_number_is_another(stage: Stage) -> None:
    stage.routes(ROUTES + ALSO)
    stage.devops.add_pipeline("fabrikam", "mlops", 7, "also", parameters={"run_id": TEXT})
    lost = Fault("POST", "/fabrikam/*", drop="after")
    stage.devops.server.faults.add(lost)
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.deliver(completed("r1"))
    assert len({run.id for run in stage.devops.runs}) == 1
    stage.reconcile(seconds=31)
    stage.reconcile(minutes=12)
    assert sorted(stage.started()) == [(7, "r1"), (42, "r1")]
    assert {c.state for c in stage.of_run("r1").values()} == {State.STARTED}


def test_who_looks_by_a_clock_that_is_ahead_waits_the_grace_too(stage: Stage) -> None:
    post_fault(stage, drop="after")
    stage.devops.hide_builds_younger_than(5)
    deliver(stage)
    stage.reconcile(minutes=11)
    stage.reconcile(minutes=1)
    assert stage.posts() == 1


def test_an_answer_that_was_lost_costs_no_more_the_more_is_scheduled(stage: Stage) -> None:
    """Those that may have the pipeline run are told by their run ids, before any is read."""
    for n in range(80):
        stage.aml.add_run(f"other-{n}", experiment="defect-detection")
        stage.deliver(completed(f"other-{n}"))
    post_fault(stage, drop="after")
    deliver(stage)
    rows = counted(stage.ledger)
    stage.build(ledger=rows.ledger)
    stage.reconcile(seconds=31)
    assert stage.only("r1").reason is Reason.FOUND
    assert rows.calls["get"] <= 12
    assert rows.calls["find"] <= 13


def test_what_cannot_be_read_in_another_workspace_hinders_no_look(stage: Stage) -> None:
    class Blind(Wrapped):
        def read(self, key: Key) -> object:
            if key.workspace != WORKSPACE.lower():
                raise Unreadable("a row of a newer version")
            return self.real.read(key)

    event = parsing.parse({**completed("r1"), "topic": WORKSPACE.replace("ml-prod", "ml-new")})
    opened = steps.opened(event.key("register"), event, stage.clock.now(), Policy().lease)
    stage.ledger.claim(opened)
    post_fault(stage, drop="after")
    deliver(stage)
    stage.build(ledger=Blind(stage.ledger))
    stage.reconcile(seconds=31)
    assert stage.only("r1").reason is Reason.FOUND


def test_each_line_of_one_in_doubt_says_so_whatever_its_reason_is(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    post_fault(stage, drop="after")
    deliver(stage)
    stage.devops.refuse(stage.cloud.pat)
    stage.reconcile(minutes=1)
    lines = [line for line in caplog.messages if line.startswith("continuation=")]
    said = [re.findall("reason=[a-z_]+|in_doubt=yes", line) for line in lines]
    assert said == [
        ["reason=in_doubt", "in_doubt=yes"],
        ["reason=credential_refused", "in_doubt=yes"],
    ]


def test_what_was_looked_for_in_many_tries_still_says_what_its_gate_saw(stage: Stage) -> None:
    """It was read late, and Azure DevOps could not tell for a day: a history keeps 40 steps."""
    when = "    when: run.metrics.accuracy > 0.9\n    start:\n      pipeline: 42"
    stage.routes(ROUTES.replace("    start:\n      pipeline: 42", when))
    stage.aml.add_run("r1", experiment="defect-detection", metrics={"accuracy": 0.95})
    stage.aml.server.faults.add(Fault(status=503, times=999))
    stage.deliver(completed("r1"))
    for _ in range(3):
        stage.reconcile(minutes=40)
    stage.aml.server.faults.clear()
    post_fault(stage, drop="after")
    stage.devops.clock_skew = stage.clock.moved.total_seconds() + 40 * 60
    stage.reconcile(minutes=40)
    assert stage.only("r1").reason is Reason.IN_DOUBT
    stage.devops.server.faults.add(Fault("GET", "*/builds*", status=503, times=999))
    for _ in range(30):
        stage.reconcile(minutes=40)
    stage.devops.server.faults.clear()
    stage.reconcile(minutes=40)
    c = stage.only("r1")
    assert (c.state, c.reason) == (State.STARTED, Reason.FOUND)
    assert c.gate_asked.saw == "run.metrics.accuracy = 0.95"
    assert "in_doubt no answer from Azure DevOps: ProtocolError" in {s.detail for s in c.history}
    assert len(c.history) == LONGEST_HISTORY
