"""One at a time: who comes waits for whoever goes on in its group, and is started after its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.operators.replaying import Replaying
from functions.core.routes.group_names import row
from functions.core.terms.pipelines import PipelineRun
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.flow.limits.groups import (
    BOTH,
    GROUP,
    ONE,
    TWO,
    Result,
    failed,
    finish,
    one_at_a_time,  # noqa: F401 - the fixture
    rounds,
    started,
    trained,
)
from tests.ledger.counted import counted
from tests.saying.refusals import WRONG, says
from tests.stage.azure import ROUTES

if TYPE_CHECKING:
    from tests.stage.azure import Stage


def test_who_comes_while_another_goes_on_waits_and_says_for_whom(stage: Stage) -> None:
    trained(stage, "a", "b")
    trained(stage, "c", model="cracks")
    assert started(stage) == ["a", "c"]
    waits = stage.only("b")
    assert (waits.state, waits.reason) == (State.OPEN, Reason.CONCURRENCY)
    build = stage.only("a").pipeline_run
    said = f"1 of 1 of the group defects: register/a/Completed (pipeline run {build})"
    assert waits.detail == said


def test_those_who_wait_are_started_one_after_the_other_as_they_were_claimed(stage: Stage) -> None:
    trained(stage, "a", "b", "c")
    rounds(stage, 3)
    assert started(stage) == ["a"]
    finish(stage, "a")
    rounds(stage)
    assert started(stage) == ["a", "b"]
    finish(stage, "b")
    rounds(stage)
    assert started(stage) == ["a", "b", "c"]


@pytest.mark.parametrize("result", ["succeeded", "partiallySucceeded", "failed", "canceled"])
def test_it_is_the_end_that_counts_however_it_ended(stage: Stage, result: Result) -> None:
    trained(stage, "a", "b")
    finish(stage, "a", result)
    rounds(stage)
    assert started(stage) == ["a", "b"]


def test_who_comes_after_the_end_is_started_at_once(stage: Stage) -> None:
    trained(stage, "a")
    finish(stage, "a")
    trained(stage, "b", "c")
    assert started(stage) == ["a", "b"]
    assert stage.only("c").reason is Reason.CONCURRENCY


def test_who_comes_after_the_end_lines_up_behind_who_waits(stage: Stage) -> None:
    trained(stage, "a", "b")
    finish(stage, "a")
    trained(stage, "c")
    assert started(stage) == ["a"]
    assert stage.only("c").detail == "others of the group defects wait for its turn before"
    rounds(stage)
    assert started(stage) == ["a", "b"]


def test_a_group_is_of_all_routes_that_name_it(stage: Stage) -> None:
    stage.routes(BOTH)
    trained(stage, "a")
    failed(stage, "b")
    failed(stage, "c", model="cracks")
    assert started(stage) == ["a", "c"]
    finish(stage, "a")
    rounds(stage)
    assert started(stage) == ["a", "c", "b"]


def test_as_many_go_on_as_may(stage: Stage) -> None:
    stage.routes(TWO)
    trained(stage, "a", "b", "c", "d")
    assert started(stage) == ["a", "b"]
    finish(stage, "b")
    rounds(stage)
    assert started(stage) == ["a", "b", "c"]
    finish(stage, "c")
    finish(stage, "a")
    rounds(stage)
    assert started(stage) == ["a", "b", "c", "d"]


# what was not started


@pytest.mark.parametrize("fault", [says(400, WRONG), says(403), says(429)])
def test_what_azure_devops_refused_keeps_nobody_waiting(stage: Stage, fault: Fault) -> None:
    stage.devops.server.faults.add(fault)
    trained(stage, "a")
    stage.clock.forward(minutes=20)
    trained(stage, "b")
    assert started(stage) == ["b"]


def test_what_may_have_been_started_keeps_its_place_until_its_end(stage: Stage) -> None:
    stage.devops.server.faults.add(Fault("POST", "*/42/runs", drop="after"))
    trained(stage, "a", "b")
    assert (stage.only("a").reason, stage.only("b").reason) == ("in_doubt", "concurrency")
    assert stage.only("b").detail.endswith("register/a/Completed (open, in_doubt)")
    rounds(stage, 3)
    assert (stage.only("a").reason, started(stage)) == (Reason.FOUND, ["a"])
    finish(stage, "a")
    rounds(stage)
    assert started(stage) == ["a", "b"]


def test_what_was_never_queued_is_sent_again_with_the_place_that_it_has(stage: Stage) -> None:
    stage.devops.server.faults.add(Fault("POST", "*/42/runs", drop="before"))
    trained(stage, "a", "b")
    for _ in range(4):
        stage.reconcile(minutes=6)
    assert started(stage) == ["a"]
    assert stage.only("b").reason is Reason.CONCURRENCY


@pytest.fixture
def held(stage: Stage) -> Stage:
    """`a` is held in doubt, and `b` waits for it."""
    stage.routes(ONE.replace('{run_id: "{{ run.id }}"}', '{run_id: "of {{ run.id }}"}'))
    stage.devops.server.faults.add(Fault("POST", "*/42/runs", drop="after"))
    trained(stage, "a", "b")
    rounds(stage)
    assert (stage.only("a").state, stage.only("b").reason) == ("held", "concurrency")
    return stage


def replaying(stage: Stage) -> Replaying:
    return Replaying(stage.ledger, stage.clock, "somebody")


def test_who_is_held_in_doubt_keeps_its_place_until_a_person_says_it_was_started(
    held: Stage,
) -> None:
    (build,) = held.devops.runs
    assert replaying(held).name(held.only("a").key, PipelineRun(id=build.id)).done
    rounds(held)
    assert len(held.devops.runs) == 1
    finish(held, "of a")
    rounds(held)
    assert started(held) == ["of a", "of b"]


def test_who_is_held_in_doubt_gives_its_place_up_once_a_person_says_it_was_not_started(
    held: Stage,
) -> None:
    assert replaying(held).ask_anew(held.only("a").key).done
    held.reconcile(seconds=61)
    assert started(held) in (["of a", "of b"], ["of a", "of a"])  # the person was wrong
    assert {held.only(run).state for run in "ab"} == {State.STARTED, State.OPEN}


def test_a_place_is_let_go_35_days_after_its_request_whatever_became_of_it(
    held: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    held.reconcile(days=34)
    assert held.only("b").reason is Reason.CONCURRENCY
    for _ in range(3):
        held.reconcile(days=1)
    assert started(held) == ["of a", "of b"]
    said = 'place="let go" group=defects of=register/a/Completed'
    assert any(line.startswith(said) for line in caplog.messages)


def test_what_nobody_sees_end_is_lost_in_the_end_and_waited_for_no_more(stage: Stage) -> None:
    trained(stage, "a", "b")
    rounds(stage, 3)
    for _ in range(5):
        stage.reconcile(days=8)
    end = stage.only("a").ended
    assert end
    assert (end.how, started(stage)) == ("lost", ["a", "b"])


# beside other things


def test_who_waits_for_its_limit_keeps_no_place_in_its_group(stage: Stage) -> None:
    stage.routes(
        BOTH.replace(f"name: register\n    {GROUP}", f"name: register\n    {GROUP}\n    limit: 1/h")
    )
    stage.mid_hour()
    trained(stage, "first", model="cracks")
    trained(stage, "a")
    assert stage.only("a").reason is Reason.LIMIT
    failed(stage, "b")
    assert started(stage) == ["first", "b"]
    stage.reconcile(hours=1)
    assert stage.only("a").reason is Reason.CONCURRENCY
    finish(stage, "b")
    rounds(stage)
    assert started(stage) == ["first", "b", "a"]


def test_what_has_a_place_is_followed_whatever_its_route_says_by_then(stage: Stage) -> None:
    trained(stage, "a", "b")
    stage.routes(ROUTES.replace("name: register", "name: register\n    follow: false"))
    finish(stage, "a")
    stage.routes(ONE)
    rounds(stage)
    assert started(stage) == ["a", "b"]


def test_who_waits_is_started_once_its_route_has_no_group_any_more(stage: Stage) -> None:
    trained(stage, "a", "b")
    stage.routes(ROUTES)
    rounds(stage)
    assert started(stage) == ["a", "b"]


def test_another_process_calls_who_waits(stage: Stage) -> None:
    trained(stage, "a", "b")
    finish(stage, "a")
    stage.deploy()
    rounds(stage)
    assert started(stage) == ["a", "b"]


def test_a_tag_that_is_not_there_is_waited_for(stage: Stage) -> None:
    trained(stage, "a", model="")
    waits = stage.only("a")
    assert (waits.reason, waits.detail) == (Reason.FACTS_MISSING, "run.tags.model is not known")


@pytest.mark.parametrize(
    "name",
    ["x" * 4000, "a\nb", "a\u202eb", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "~", "Prüfung/模型 #1"],
)
def test_a_group_is_one_whatever_its_name_is_and_that_can_be_shown(stage: Stage, name: str) -> None:
    trained(stage, "a", "b", model=name)
    trained(stage, "c", model=f"{name}!")
    assert started(stage) == ["a", "c"]
    waits = stage.only("b")
    assert waits.waits_on == row(name)
    assert len(waits.waits_on) < 40
    assert waits.waits_on.isprintable()
    finish(stage, "a")
    rounds(stage)
    assert started(stage) == ["a", "c", "b"]


def test_a_group_is_named_in_any_case_and_no_name_can_be_made_to_be_anothers() -> None:
    long = "x" * 100
    assert row(" Defects ") == row("defects")
    assert row(long) != row(row(long).removeprefix("group/"))


# what it costs


def test_a_route_without_a_group_asks_the_ledger_nothing_more(stage: Stage) -> None:
    stage.routes(ROUTES)
    rows = counted(stage.ledger)
    stage.build(ledger=rows.ledger)
    trained(stage, "a")
    rows.spent()
    trained(stage, "b")
    assert rows.spent() == 4


def test_a_start_in_a_group_asks_three_more_and_one_for_each_that_has_a_place(
    stage: Stage,
) -> None:
    rows = counted(stage.ledger)
    stage.build(ledger=rows.ledger)
    trained(stage, "warm", model="other")
    rows.spent()
    trained(stage, "a")
    assert rows.spent() == 4 + 3
    trained(stage, "b")
    assert rows.spent() == 2 + 2 + 2  # claimed, the row and who has the place, parked
    finish(stage, "a")
    rounds(stage)
    finish(stage, "b")
    rows.spent()
    trained(stage, "c")
    assert rows.spent() == 4 + 4


def test_a_group_whose_places_are_taken_costs_three_requests_a_round(stage: Stage) -> None:
    trained(stage, "a")
    rounds(stage, 4)
    rows = counted(stage.ledger)
    stage.build(ledger=rows.ledger)
    rounds(stage)
    rows.spent()
    stage.reconcile(seconds=1)
    idle = rows.spent()
    trained(stage, "b")
    stage.reconcile(seconds=1)
    rows.spent()
    stage.reconcile(seconds=1)
    assert rows.spent() == idle + 3


def test_a_row_is_forgotten_once_nobody_can_need_a_place_in_it(stage: Stage) -> None:
    trained(stage, "a")
    finish(stage, "a")
    stage.clock.forward(days=30)
    stage.ledger.forget(stage.clock.now(), 99)
    assert stage.ledger.shared("group/defects").version
    stage.clock.forward(days=10)
    stage.ledger.forget(stage.clock.now(), 99)
    assert stage.ledger.shared("group/defects").version is None
