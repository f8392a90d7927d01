"""Whose place counts: of what goes on, whoever took back its mark or named another pipeline run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.operators.replaying import Replaying
from functions.core.terms.pipelines import PipelineRun
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.devops.pipelines.defined import RunRequest
from local.serving.faults import Fault
from tests.conftest import PAT
from tests.flow.limits.groups import (
    ONE,
    TEAMS,
    TWO,
    failed,
    finish,
    one_at_a_time,  # noqa: F401 - the fixture
    rounds,
    started,
    trained,
)
from tests.saying.refusals import says
from tests.saying.wrapped import Wrapped

if TYPE_CHECKING:
    from tests.stage.azure import Stage

LIKE_OTHERS = ONE.replace('{run_id: "{{ run.id }}"}', '{run_id: "of {{ run.id }}"}')


def test_who_was_refused_has_no_place_beside_another_once_only_one_may_go_on(stage: Stage) -> None:
    stage.routes(TWO)
    stage.devops.server.faults.add(says(403))
    trained(stage, "a", "b")
    assert started(stage) == ["b"]
    stage.routes(ONE)
    stage.reconcile(minutes=31)
    waits = stage.only("a")
    build = stage.only("b").pipeline_run
    said = f"1 of 1 of the group defects: register/b/Completed (pipeline run {build})"
    assert (waits.reason, waits.detail, started(stage)) == (Reason.CONCURRENCY, said, ["b"])
    finish(stage, "b")
    rounds(stage)
    assert started(stage) == ["b", "a"]


class Late(Wrapped):
    """Azure DevOps, whose answer comes when an operator has said that nothing was queued."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.ports.pipelines)
        self._stage, self._other = stage, stage.app

    def start(self, *given: Any) -> Any:
        run = self.real.start(*given)
        self._stage.clock.forward(minutes=3)
        self._other.reconciler.reconcile()
        held = self._stage.only("a")
        assert held.state is State.HELD
        assert Replaying(self._stage.ledger, self._stage.clock, "ada").ask_anew(held.key).done
        return run


def test_what_was_queued_against_an_operators_word_is_followed_and_has_its_place(
    stage: Stage,
) -> None:
    stage.routes(LIKE_OTHERS)
    stage.build(pipelines=Late(stage))
    trained(stage, "a")
    stage.build()
    trained(stage, "b")
    rounds(stage)
    assert started(stage) == ["of a"]
    finish(stage, "of a")
    end = stage.only("a").ended
    assert end
    rounds(stage)
    assert (end.how, started(stage)) == ("succeeded", ["of a", "of b"])


def test_whose_end_was_another_pipeline_runs_has_its_place_again(stage: Stage) -> None:
    stage.routes(LIKE_OTHERS)
    stage.devops.server.faults.add(Fault("POST", "*/42/runs", drop="after"))
    trained(stage, "a", "b")
    rounds(stage)
    (right,) = stage.devops.runs
    wrong = stage.devops.queue(right.pipeline, RunRequest(template_parameters={"run_id": "hand"}))
    person = Replaying(stage.ledger, stage.clock, "ada")
    assert person.name(stage.only("a").key, PipelineRun(id=wrong.id)).done
    stage.devops.finish(wrong.id, "succeeded")
    while stage.only("b").state is State.OPEN:
        stage.reconcile(minutes=1)
    assert person.name(stage.only("a").key, PipelineRun(id=right.id)).done
    trained(stage, "c")
    finish(stage, "of b")
    rounds(stage, 3)
    assert started(stage) == ["of a", "hand", "of b"]
    stage.devops.finish(right.id, "succeeded")
    rounds(stage, 90)
    assert started(stage) == ["of a", "hand", "of b", "of c"]


def test_what_was_in_doubt_until_its_place_was_let_go_is_not_sent_again(stage: Stage) -> None:
    """Its secret was refused for 36 days, so that nobody could look for it."""
    stage.cloud.vault.put("theirs", "another-pat")
    stage.devops.accept("another-pat")
    stage.routes(TEAMS)
    stage.deploy()
    stage.devops.server.faults.add(Fault("POST", "*/42/runs", drop="before"))
    trained(stage, "a")
    failed(stage, "b")
    stage.devops.refuse(PAT)
    for _ in range(19):
        stage.reconcile(days=2)
    assert started(stage) == ["b"]
    assert stage.only("a").asked_at
    stage.cloud.vault.put("azure-devops-pat", "another-pat")
    rounds(stage, 40)
    assert started(stage) == ["b"]
    assert (stage.only("a").state, stage.only("a").reason) == (State.HELD, Reason.IN_DOUBT)


def test_what_is_sent_again_after_weeks_has_its_place_until_that_one_ends(stage: Stage) -> None:
    """Its secret was refused for thirty days; the group's row is as old as its first request."""
    stage.cloud.vault.put("theirs", "another-pat")
    stage.devops.accept("another-pat")
    stage.routes(TEAMS)
    stage.deploy()
    stage.devops.server.faults.add(Fault("POST", "*/42/runs", drop="before"))
    trained(stage, "a")
    stage.devops.refuse(PAT)
    for _ in range(15):
        stage.reconcile(days=2)
    stage.cloud.vault.put("azure-devops-pat", "another-pat")
    rounds(stage, 40)
    assert started(stage) == ["a"]
    for _ in range(4):
        stage.reconcile(days=2)
        stage.app.sweep.sweep()
    failed(stage, "b")
    rounds(stage)
    assert started(stage) == ["a"]
    finish(stage, "a")
    rounds(stage)
    assert started(stage) == ["a", "b"]
