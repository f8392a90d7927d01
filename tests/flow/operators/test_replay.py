"""An operator replays what ended without a pipeline run; the reconciler does the work."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from functions.core.operators.decisions import Answer
from functions.core.operators.explaining import explained
from functions.core.operators.replaying import Replaying, Wanted, wanted
from functions.core.starts.settling import Work
from functions.core.terms.deadline import each
from functions.core.terms.errors import LedgerUnavailable
from functions.core.terms.pipelines import PipelineRun
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Key
from functions.core.terms.words import Outcome, State
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.flow.asking import thousand_since
from tests.ledger.samples import opened
from tests.saying.refusals import WRONG, says
from tests.saying.wrapped import Wrapped
from tests.stage.azure import completed

if TYPE_CHECKING:
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from tests.stage.azure import Stage

RUNS = "*/_apis/pipelines/42/runs"
KEY = Key(WORKSPACE.lower(), "r1", Outcome.COMPLETED, "register")
WHEN = """
version: 1
routes:
- name: register
  when: run.metrics.accuracy >= 0.9
  start: {organization: contoso, project: mlops, pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
"""
LIMITED = WHEN.replace("when: run.metrics.accuracy >= 0.9", "limit: 1/h")
NO = {"WWW-Authenticate": "Basic realm=x"}
ALIKE = """
version: 1
routes: [{name: register, start: {organization: contoso, project: mlops, pipeline: 42}}]
"""


def operator(stage: Stage, who: str = "ada@desk") -> Replaying:
    return Replaying(stage.ledger, stage.clock, who)


def ran(stage: Stage, **metrics: float) -> Continuation:
    stage.aml.add_run("r1", experiment="defect-detection", metrics=metrics)
    stage.deliver(completed("r1"))
    return stage.only("r1")


def held_by_the_gate(stage: Stage, **metrics: float) -> None:
    stage.routes(WHEN)
    row = ran(stage, **metrics)
    assert (row.state, row.reason) == (State.HELD, Reason.GATE)


def rejected(stage: Stage) -> None:
    stage.devops.server.faults.add(says(400, WRONG))
    assert ran(stage).state is State.FAILED


def held_in_doubt(stage: Stage, **fault: object) -> Continuation:
    """Its request cannot be told from others, so that no look-up settles it."""
    stage.devops.add_pipeline("contoso", "mlops", 42, "next")
    stage.routes(ALIKE)
    stage.devops.server.faults.add(Fault(method="POST", path=RUNS, **fault))  # type: ignore[arg-type]
    row = ran(stage)
    assert (row.state, row.reason) == (State.HELD, Reason.IN_DOUBT)
    return row


def told(stage: Stage) -> list[str]:
    return [f"{s.what} {s.detail}" for s in stage.only("r1").history if s.what == "replayed"]


def test_what_the_gate_held_starts_once_an_operator_ignores_the_gate(stage: Stage) -> None:
    held_by_the_gate(stage, accuracy=0.5)
    assert operator(stage).replay(KEY, ignore_gate=True).done
    assert stage.started() == []
    stage.reconcile()
    stage.reconcile(minutes=5)
    assert stage.started() == [(42, "r1")]
    row = stage.only("r1")
    assert row.state is State.STARTED
    assert ("asked", "the gate was ignored, as an operator asked") in [
        (s.what, s.detail) for s in row.history
    ]
    assert told(stage) == ["replayed by ada@desk, ignoring the gate"]


def test_an_ignored_gate_needs_no_facts(stage: Stage) -> None:
    stage.routes(WHEN)
    row = ran(stage)
    assert row.reason is Reason.FACTS_MISSING
    stage.reconcile(minutes=11)
    assert stage.only("r1").state is State.HELD
    operator(stage).replay(KEY, ignore_gate=True)
    stage.reconcile()
    assert stage.started() == [(42, "r1")]


def test_a_gate_that_still_says_no_holds_a_plain_replay_again(stage: Stage) -> None:
    held_by_the_gate(stage, accuracy=0.5)
    assert operator(stage).replay(KEY).done
    stage.reconcile()
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.HELD, Reason.GATE, 0)


def test_an_ignored_gate_counts_again_at_the_next_plain_replay(stage: Stage) -> None:
    held_by_the_gate(stage, accuracy=0.5)
    operator(stage).replay(KEY, ignore_gate=True)
    stage.devops.server.faults.add(says(400, WRONG))
    stage.reconcile()
    assert stage.only("r1").state is State.FAILED
    answer = operator(stage).replay(KEY)
    assert answer.what.endswith(
        "its gate, which was left out before; --ignore-gate leaves it out again"
    )
    stage.reconcile()
    assert stage.only("r1").reason is Reason.GATE
    assert stage.started() == []


def test_a_rejected_start_is_replayed_once_the_pipeline_is_mended(stage: Stage) -> None:
    rejected(stage)
    answers = [operator(stage).replay(KEY), operator(stage).replay(KEY)]
    assert [a.done for a in answers] == [True, True]
    assert answers[1].what == "due already; the reconciler takes it up"
    stage.reconcile()
    stage.reconcile(minutes=5)
    assert stage.started() == [(42, "r1")]
    assert len(told(stage)) == 1


def test_a_replay_has_all_the_patience_again(stage: Stage) -> None:
    stage.routes(WHEN)
    ran(stage)
    stage.reconcile(minutes=11)
    assert stage.only("r1").state is State.HELD
    operator(stage).replay(KEY)
    stage.reconcile()
    row = stage.only("r1")
    assert (row.state, row.reason, row.attempts) == (State.OPEN, Reason.FACTS_MISSING, 1)
    stage.aml.add_run("r1", experiment="defect-detection", metrics={"accuracy": 0.95})
    stage.reconcile(minutes=9)
    assert stage.started() == [(42, "r1")]


def test_what_was_started_is_told_with_its_pipeline_run_and_left_alone(stage: Stage) -> None:
    before = ran(stage)
    answer = operator(stage).replay(KEY, ignore_gate=True)
    assert answer == Answer(f"started, pipeline run {before.pipeline_run} {before.url}", done=True)
    assert stage.only("r1") == before
    for refused in (
        operator(stage).ask_anew(KEY),
        operator(stage).name(KEY, PipelineRun(id=999_999)),
    ):
        assert not refused.done
    stage.reconcile(minutes=5)
    assert stage.only("r1") == before
    assert stage.posts() == 1


def parked(stage: Stage, fault: Fault) -> Continuation:
    stage.devops.server.faults.add(fault)
    row = ran(stage)
    assert row.state is State.OPEN
    return row


def test_what_waits_is_tried_at_once_with_all_that_is_known_of_it(stage: Stage) -> None:
    before = parked(stage, says(403))
    assert before.due_at > stage.clock.now() + timedelta(minutes=20)
    answer = operator(stage).replay(KEY)
    assert answer == Answer("tried again at once; the reconciler takes it up", done=True)
    row = stage.only("r1")
    assert (row.reason, row.since, row.open_since) == (
        Reason.REFUSED,
        before.since,
        before.open_since,
    )
    assert [(s.what, s.detail) for s in row.history][-1] == ("hastened", "by ada@desk")
    stage.reconcile()
    stage.reconcile(minutes=5)
    assert stage.started() == [(42, "r1")]


def test_asking_twice_for_what_waits_is_asking_once(stage: Stage) -> None:
    parked(stage, says(403))
    answers = [operator(stage).replay(KEY), operator(stage).replay(KEY)]
    assert [a.done for a in answers] == [True, True]
    assert answers[1].what == "due already; the reconciler takes it up"
    assert [s.what for s in stage.only("r1").history].count("hastened") == 1
    stage.reconcile()
    assert stage.posts() == 1


def test_a_refused_secret_is_tried_once_more_where_an_operator_wants_it(stage: Stage) -> None:
    stage.devops.server.faults.add(Fault(method="POST", path=RUNS, status=401, times=2, headers=NO))
    assert ran(stage).reason is Reason.CREDENTIAL_REFUSED
    stage.reconcile(minutes=1)
    assert stage.posts() == 0  # it is left alone
    assert operator(stage).replay(KEY).done
    stage.reconcile(seconds=15)
    assert stage.started() == [(42, "r1")]


def test_who_asked_to_slow_down_is_left_alone_also_by_an_operator(stage: Stage) -> None:
    slow = {"Retry-After": "600", "X-TFS-ServiceError": "slow"}
    before = parked(stage, Fault(method="POST", path=RUNS, status=429, headers=slow))
    answer = operator(stage).replay(KEY)
    assert (answer.done, "left alone until then, as it asked" in answer.what) == (False, True)
    assert stage.only("r1") == before


def test_what_a_process_is_at_work_on_is_left_to_it(stage: Stage) -> None:
    stage.ledger.claim(opened("r1", at=stage.clock.now()))
    (before,) = stage.ledger.recent(stage.clock.now() - timedelta(hours=1), 9)
    answer = operator(stage).replay(before.key)
    assert (answer.done, "a process is at work on it" in answer.what) == (False, True)
    assert [*stage.ledger.recent(stage.clock.now() - timedelta(hours=1), 9)] == [before]


def test_what_is_looked_for_is_looked_for_at_once_and_asked_again_no_sooner(stage: Stage) -> None:
    before = parked(stage, Fault(method="POST", path=RUNS, drop="before"))
    for _ in range(4):
        answer = operator(stage).replay(KEY)
        assert answer == Answer("looked for at once; the reconciler takes it up", done=True)
        stage.reconcile()
    assert (stage.posts(), stage.only("r1").sends) == (0, before.sends)
    stage.reconcile(minutes=11)
    stage.reconcile(minutes=11)
    assert stage.started() == [(42, "r1")]


@pytest.mark.parametrize(
    ("given", "said"),
    [({"PAUSED": "1"}, "it starts once the app goes on (PAUSED=0)"), ({}, "it starts in its turn")],
)
def test_what_waits_for_its_turn_is_told_so_and_keeps_its_place(
    stage: Stage, given: dict[str, str], said: str
) -> None:
    stage.deploy(**given)
    if not given:
        stage.mid_hour()
        stage.routes(LIMITED)
        stage.aml.add_run("r0", experiment="defect-detection")
        stage.deliver(completed("r0"))
        assert stage.posts() == 1
    before = ran(stage)
    answer = operator(stage).replay(KEY)
    assert (answer.done, said in answer.what) == (False, True)
    assert stage.only("r1") == before


def test_a_wish_that_is_only_tried_writes_nothing(stage: Stage) -> None:
    before = parked(stage, says(403))
    dry = Replaying(stage.ledger, stage.clock, "ada@desk", dry=True)
    would = "would be tried again at once; the reconciler takes it up"
    assert dry.replay(KEY) == Answer(would, done=True)
    assert stage.only("r1") == before
    stage.reconcile()
    assert stage.posts() == 0


def test_a_pipeline_run_that_was_named_by_mistake_is_corrected(stage: Stage) -> None:
    held_in_doubt(stage, drop="after")
    (queued,) = stage.devops.runs
    assert operator(stage).name(KEY, PipelineRun(id=999_999)).done
    assert operator(stage, "bob").name(KEY, PipelineRun(id=queued.id, url="https://x.example")).done
    row = stage.only("r1")
    assert (row.state, row.pipeline_run, row.url) == (State.STARTED, queued.id, "https://x.example")
    assert told(stage) == [
        "replayed as started, by ada@desk: pipeline run 999999",
        f"replayed as started, by bob, instead of 999999: pipeline run {queued.id}",
    ]
    assert operator(stage).name(KEY, PipelineRun(id=7)).done
    stage.reconcile(minutes=5)
    assert stage.posts() == 1


class Died(BaseException):
    """Nothing of a process runs on after this."""


class DiesAtAnEnd(Wrapped):
    """The ledger of a process that dies before it writes that something was started."""

    def write(self, entry: Any, changed: Continuation) -> Any:
        if changed.state is State.STARTED:
            raise Died
        return self.real.write(entry, changed)


def test_a_pipeline_run_that_another_is_adopting_is_not_named(stage: Stage) -> None:
    """The other has said so, and its process died before it was written."""
    stage.devops.server.faults.add(Fault("POST", RUNS, drop="after", times=2))
    for run in ("r1", "r2"):
        stage.aml.add_run(run, experiment="defect-detection")
        stage.deliver(completed(run))
    first, second = (build.id for build in stage.devops.runs)
    entry = stage.ledger.read(stage.only("r2").key)
    assert entry is not None
    stage.build(ledger=DiesAtAnEnd(stage.ledger))
    with pytest.raises(Died):
        stage.app.relay.resume(Work(entry, each(stage.clock)))
    stage.build()
    answer = operator(stage).name(KEY, PipelineRun(id=second))
    assert answer.done is False
    assert f"pipeline run {second} was started for register/r2/Completed" in answer.what
    stage.reconcile(minutes=3)
    assert [stage.only(run).pipeline_run for run in ("r1", "r2")] == [first, second]


def test_what_was_skipped_stays_skipped(stage: Stage) -> None:
    stage.routes(WHEN.replace("when: run.metrics.accuracy >= 0.9", "mode: shadow"))
    assert ran(stage).state is State.SKIPPED
    answer = operator(stage).replay(KEY)
    assert not answer.done
    assert "only what is open, held or failed is replayed" in answer.what
    stage.reconcile()
    assert stage.posts() == 0


def test_what_is_in_doubt_is_not_just_replayed(stage: Stage) -> None:
    before = held_in_doubt(stage, drop="after")
    answer = operator(stage).replay(KEY, ignore_gate=True)
    assert not answer.done
    for said in ("contoso/mlops/42", "--as-started BUILD_ID", "--again"):
        assert said in answer.what
    assert stage.only("r1") == before
    stage.reconcile(minutes=5)
    assert stage.posts() == 1


def test_what_is_in_doubt_becomes_started_with_the_named_pipeline_run(stage: Stage) -> None:
    held_in_doubt(stage, drop="after")
    (queued,) = stage.devops.runs
    assert operator(stage).name(KEY, PipelineRun(id=queued.id)).done
    stage.reconcile(minutes=5)
    row = stage.only("r1")
    assert (row.state, row.reason, row.pipeline_run) == (State.STARTED, Reason.FOUND, queued.id)
    assert told(stage) == [f"replayed as started, by ada@desk: pipeline run {queued.id}"]
    assert [c.state for c in stage.ledger.recent(row.created_at, 10)] == [State.STARTED]
    assert stage.posts() == 1


def test_another_continuations_pipeline_run_cannot_be_named(stage: Stage) -> None:
    held_in_doubt(stage, drop="before")
    stage.aml.add_run("r2", experiment="defect-detection")
    stage.deliver(completed("r2"))
    taken = stage.only("r2").pipeline_run
    assert taken
    answer = operator(stage).name(KEY, PipelineRun(id=taken))
    assert answer.what.startswith(f"pipeline run {taken} was started for register/r2/Completed")
    assert stage.only("r1").state is State.HELD


def test_nor_can_one_that_was_started_before_the_last_thousand(stage: Stage) -> None:
    held_in_doubt(stage, drop="before")
    stage.aml.add_run("r2", experiment="defect-detection")
    stage.deliver(completed("r2"))
    stage.reconcile(minutes=3)
    other = stage.only("r2")
    assert other.pipeline_run
    thousand_since(stage, other)
    answer = operator(stage).name(KEY, PipelineRun(id=other.pipeline_run))
    assert (answer.done, "register/r2/Completed" in answer.what) == (False, True)


def test_what_is_in_doubt_starts_anew_if_the_operator_says_so(stage: Stage) -> None:
    held_in_doubt(stage, drop="before")
    assert operator(stage).ask_anew(KEY).done
    row = stage.only("r1")
    assert (row.is_asked, row.sends) == (False, 0)
    stage.reconcile()
    stage.reconcile(minutes=5)
    assert stage.only("r1").state is State.STARTED
    assert len(stage.devops.runs) == 1
    again, replayed = told(stage)
    assert again.startswith("replayed again, by ada@desk: the request of ")
    assert replayed == "replayed by ada@desk"


@pytest.mark.parametrize("again", [False, True])
def test_what_was_let_go_without_its_gate_is_asked_anew_without_it(
    stage: Stage, *, again: bool
) -> None:
    """Whoever looked and found no build says nothing of the gate: another let it go without."""
    held_by_the_gate(stage, accuracy=0.5)
    stage.routes(WHEN.replace(', parameters: {run_id: "{{ run.id }}"}', ""))
    stage.devops.server.faults.add(Fault(method="POST", path=RUNS, drop="before"))
    operator(stage).replay(KEY, ignore_gate=True)
    stage.reconcile(minutes=1)
    assert stage.only("r1").reason is Reason.IN_DOUBT
    answer = operator(stage, "grace").ask_anew(KEY, ignore_gate=again)
    assert answer.what.endswith(" and leaves the gate out")
    stage.reconcile(minutes=1)
    assert stage.only("r1").state is State.STARTED
    assert len(stage.devops.runs) == 1
    said = ", ignoring the gate" if again else ""
    assert told(stage)[-1] == f"replayed by grace{said}"


def test_what_is_still_looked_for_can_be_named_but_not_asked_anew(stage: Stage) -> None:
    stage.devops.server.faults.add(Fault(method="POST", path=RUNS, drop="after"))
    assert ran(stage).reason is Reason.IN_DOUBT
    refused = operator(stage).ask_anew(KEY)
    assert (refused.done, "still being looked for" in refused.what) == (False, True)
    assert operator(stage).name(KEY, PipelineRun(id=stage.devops.runs[0].id)).done
    stage.reconcile(minutes=1)
    assert stage.only("r1").state is State.STARTED
    assert stage.posts() == 1


def test_what_cannot_be_looked_for_any_more_can_be_asked_anew(stage: Stage) -> None:
    stage.devops.server.faults.add(Fault(method="POST", path=RUNS, drop="before"))
    assert ran(stage).reason is Reason.IN_DOUBT
    stage.cloud.vault.put("renamed", stage.cloud.pat)
    stage.cloud.vault.delete("azure-devops-pat")
    stage.deploy(DEVOPS_PAT_SECRET="renamed")
    stage.reconcile(minutes=61)
    assert stage.only("r1").reason is Reason.SECRET_UNREADABLE
    assert operator(stage).ask_anew(KEY).done
    stage.reconcile(minutes=1)
    assert stage.started() == [(42, "r1")]


@pytest.mark.parametrize("method", ["ask_anew", "name"])
def test_what_is_not_in_doubt_is_not_settled_as_if_it_were(stage: Stage, method: str) -> None:
    held_by_the_gate(stage, accuracy=0.5)
    before = stage.only("r1")
    run = [PipelineRun(id=7)] if method == "name" else []
    answer = getattr(operator(stage), method)(KEY, *run)
    assert (answer.done, "it is not in doubt" in answer.what) == (False, True)
    assert stage.only("r1") == before


class Unscheduled:
    """A ledger whose process dies between the truth and its schedule."""

    def __init__(self, stage: Stage) -> None:
        self.read, self.write = stage.ledger.read, stage.ledger.write

    def schedule(self, continuation: Continuation) -> None:
        raise LedgerUnavailable(f"gone before {continuation.key.text} was scheduled")


def test_a_replay_that_died_half_way_is_repaired_by_asking_again(stage: Stage) -> None:
    rejected(stage)
    stage.reconcile(minutes=5)  # it has left the schedule
    with pytest.raises(LedgerUnavailable):
        Replaying(Unscheduled(stage), stage.clock, "ada@desk").replay(KEY)  # type: ignore[arg-type]
    stage.reconcile(minutes=5)
    assert stage.started() == []
    (listed,) = failures(stage, stage.only("r1").created_at)
    assert operator(stage).replay(listed.key).what.startswith("due already; ")
    stage.reconcile()
    assert stage.started() == [(42, "r1")]


def test_so_is_one_that_died_after_it_took_a_request_for_not_queued(stage: Stage) -> None:
    held_in_doubt(stage, drop="before")
    stage.reconcile(minutes=5)
    with pytest.raises(LedgerUnavailable):
        Replaying(Unscheduled(stage), stage.clock, "ada@desk").ask_anew(KEY)  # type: ignore[arg-type]
    stage.reconcile(minutes=5)
    assert stage.devops.runs == []
    answer = operator(stage).ask_anew(KEY)
    assert answer == Answer("due already; the reconciler takes it up", done=True)
    stage.reconcile()
    assert len(stage.devops.runs) == 1


def test_who_wants_it_without_its_gate_after_all_is_not_told_that_it_is_due(stage: Stage) -> None:
    """Its gate would be asked, and might say no by now."""
    held_in_doubt(stage, drop="before")
    stage.reconcile(minutes=5)
    assert operator(stage).ask_anew(KEY).done
    answer = operator(stage, "bob@desk").ask_anew(KEY, ignore_gate=True)
    assert "leaves the gate out" in answer.what
    assert stage.only("r1").gate_ignored_by == "bob@desk"
    stage.reconcile()
    assert len(stage.devops.runs) == 1


def failures(stage: Stage, since: datetime) -> list[Continuation]:
    return list(wanted(stage.ledger, Wanted(frozenset({State.FAILED}), since)).those)


def test_what_failed_lately_is_listed_however_long_ago_it_was_claimed(stage: Stage) -> None:
    stage.devops.server.faults.add(says(403, times=999))
    ran(stage)
    for _ in range(8):
        stage.reconcile(hours=12)
    row = stage.only("r1")
    assert row.state is State.FAILED
    assert [c.key for c in failures(stage, row.updated_at)] == [KEY]
    assert failures(stage, stage.clock.now()) == []
    assert row.updated_at - row.created_at > timedelta(hours=72)


def test_two_operators_at_once_start_it_once(stage: Stage) -> None:
    rejected(stage)
    together = threading.Barrier(2)

    def ask(who: str) -> None:
        together.wait()
        assert operator(stage, who).replay(KEY).done

    both = [threading.Thread(target=ask, args=(who,)) for who in ("ada", "bob")]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    stage.reconcile()
    stage.reconcile(minutes=5)
    assert stage.started() == [(42, "r1")]
    assert len(told(stage)) == 1


def test_a_replay_between_another_ones_read_and_write_is_seen(stage: Stage) -> None:
    rejected(stage)

    class Slower(Unscheduled):
        """Its first read is overtaken by another operator."""

        def __init__(self, stage: Stage) -> None:
            super().__init__(stage)
            self.schedule = stage.ledger.schedule  # type: ignore[method-assign]
            self.first = True
            self.read = self.overtaken  # type: ignore[assignment]

        def overtaken(self, key: Key) -> object:
            entry = stage.ledger.read(key)
            if self.first:
                self.first = False
                operator(stage, "bob").replay(key)
            return entry

    answer = Replaying(Slower(stage), stage.clock, "ada").replay(KEY)  # type: ignore[arg-type]
    assert answer.what == "due already; the reconciler takes it up"
    assert told(stage) == ["replayed by bob"]


def test_who_replayed_it_is_remembered_through_a_long_outage(stage: Stage) -> None:
    rejected(stage)
    operator(stage, "x" * 500 + "\n").replay(KEY)
    stage.devops.server.faults.add(says(429, times=999))
    for _ in range(60):
        stage.reconcile(minutes=40)
    assert len(stage.only("r1").history) == 40
    (line,) = told(stage)
    assert line == f"replayed by {'x' * 99}…"


def test_a_row_of_before_replays_existed_has_its_gate(stage: Stage) -> None:
    held_by_the_gate(stage, accuracy=0.5)
    row = stage.only("r1")
    known = msgspec.to_builtins(row)
    del known["ignore_gate"]
    assert msgspec.convert(known, type(row)) == row


def test_what_was_refused_after_a_doubtful_request_is_still_in_doubt(stage: Stage) -> None:
    stage.devops.server.faults.add(Fault(method="POST", path=RUNS, status=502))
    assert ran(stage).reason is Reason.IN_DOUBT
    stage.devops.server.faults.add(says(400, WRONG))
    stage.reconcile(seconds=31)
    stage.reconcile(minutes=11)
    assert stage.only("r1").state is State.FAILED
    answer = operator(stage).replay(KEY)
    assert (answer.done, "may have been queued" in answer.what) == (False, True)


def test_a_gate_that_was_asked_before_a_lost_request_is_not_said_to_be_ignored(
    stage: Stage,
) -> None:
    """The request is the same, whatever an operator wants of its gate by then."""
    stage.routes(WHEN)
    stage.devops.server.faults.add(Fault("POST", RUNS, drop="after"))
    ran(stage, accuracy=0.95)
    answer = operator(stage).replay(KEY, ignore_gate=True)
    assert (answer.done, "gate" in answer.what) == (True, False)
    stage.reconcile(seconds=1)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.STARTED, Reason.FOUND)
    told = explained(row, stage.clock.now(), stage.read.policy)
    assert (row.gate_ignored_by, "ignored" in told.means) == ("", False)
