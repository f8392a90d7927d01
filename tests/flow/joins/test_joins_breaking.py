"""Whatever dies, or stands still, between any two requests: a join goes on once, and with all."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.kept.summary import EVER
from functions.core.routes.joins import members
from functions.core.starts.joins import joining as of_joins
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.flow.following.test_breaking import Died, dies_in_a_round, mortal
from tests.flow.joins.several import (
    A,
    B,
    C,
    add,
    event,
    joining,
    joint,
    key,
    sent,
    set_up,
    stands,
    told,
    trained,
)
from tests.soak.team import AFTER_ALL
from tests.stage.azure import now

if TYPE_CHECKING:
    from tests.stage.azure import Stage


@pytest.fixture(name="stage")
def with_a_join(stage: Stage) -> Stage:
    return set_up(stage)


def dies_at_a_delivery(stage: Stage, n: int, of: dict[str, object]) -> bool:
    """Whether a process that may ask the ledger so often dies of it; if so, it is sent again."""
    rows = mortal(stage)
    rows.dies_before(n)
    try:
        stage.deliver(of)
    except Died:
        return True
    finally:
        stage.deploy()
    return False


@pytest.mark.parametrize("which", [0, 1, 2], ids=["first", "between", "last"])
def test_a_process_that_dies_at_a_member_neither_loses_it_nor_starts_twice(
    stage: Stage, which: int
) -> None:
    n, dies = 0, True
    while dies:
        batch, runs = f"b{n}", tuple(f"r{n}.{of}" for of in range(3))
        for of, experiment in enumerate((A, B, C)):
            add(stage, runs[of], experiment, batch=batch)
            news = event(runs[of], experiment, batch=batch)
            if of == which:
                dies = dies_at_a_delivery(stage, n, news)
            stage.deliver(news)
        for _ in range(4):
            stage.reconcile(minutes=3)
        (one,) = (one for one in sent(stage) if one["run_id"] == batch)
        assert sorted(json.loads(one["runs"])) == sorted(runs), n
        assert stands(stage, *runs) == ["skipped: joined"] * 3
        n += 1
    assert n > 6


def test_a_process_that_dies_in_the_round_that_goes_on_neither_loses_nor_repeats_it(
    stage: Stage,
) -> None:
    n, dies = 0, True
    while dies:
        batch, runs = f"b{n}", tuple(f"r{n}.{of}" for of in range(3))
        for run, experiment in zip(runs, (A, B, C), strict=True):
            trained(stage, run, experiment, batch=batch)
        stage.devops.clock_skew = stage.clock.moved.total_seconds()
        dies = dies_in_a_round(stage, n, seconds=1)
        for _ in range(5):
            stage.reconcile(minutes=3)
        assert [one for one in sent(stage) if one["run_id"] == batch] == [told(batch, runs)], n
        n += 1
    assert n > 6


def test_a_lost_answer_is_looked_for_as_any_other(stage: Stage) -> None:
    for run, experiment in (("r1", A), ("r2", B), ("r3", C)):
        trained(stage, run, experiment)
    stage.devops.server.faults.add(Fault("POST", "*/pipelines/61/runs", drop="after"))
    for _ in range(12):
        stage.reconcile(minutes=1)
    assert len(sent(stage)) == 1
    found = joint(stage)
    assert (found.state, found.reason, found.sends) == (State.STARTED, Reason.FOUND, 1)


def test_what_may_have_been_queued_takes_nobody_in(stage: Stage) -> None:
    stage.routes(joining(if_one_fails="start"))
    trained(stage, "r1", A)
    trained(stage, "r2", B, "Failed")
    trained(stage, "r3", C)
    stage.devops.server.faults.add(Fault("POST", "*/pipelines/61/runs", drop="after"))
    stage.reconcile(seconds=1)
    assert joint(stage).is_asked
    trained(stage, "r4", B)
    assert stands(stage, "r4") == ["skipped: not_joined"]
    for _ in range(12):
        stage.reconcile(minutes=1)
    assert sent(stage) == [told(runs=("r1", "r3"), failed=("r2",))]


def test_two_that_are_last_at_once_are_both_there(stage: Stage) -> None:
    trained(stage, "r1", A)
    rows = mortal(stage)
    between: list[str] = []

    def another_comes(kind: str, *_: object) -> None:
        if kind == "replace" and not between:
            between.append(kind)
            own = stage.app
            stage.build()
            trained(stage, "r3", C)
            stage.app = own

    rows.before = another_comes
    trained(stage, "r2", B)
    stage.reconcile(seconds=1)
    assert (between, sent(stage)) == (["replace"], [told(runs=("r1", "r3", "r2"))])


def test_who_stood_still_before_it_begins_a_join_does_not_put_it_off(stage: Stage) -> None:
    """Its late write of the schedule says when the waiting would end; the row says: now."""
    rows = mortal(stage)
    between: list[str] = []

    def others_come(kind: str, place: object, *_: object) -> None:
        if kind == "put" and "Joined" in str(place) and not between:
            between.append(kind)
            own = stage.app
            stage.build()
            trained(stage, "r2", B)
            trained(stage, "r3", C)
            add(stage, "r1", A)
            stage.deliver({**event("r1", A), "id": "again"})
            stage.app = own

    rows.before = others_come
    trained(stage, "r1", A)
    stage.deploy()
    stage.reconcile(seconds=1)
    stage.reconcile(seconds=130)
    assert between == ["put"]
    assert [one["missing"] for one in sent(stage)] == ["0"]


@pytest.mark.parametrize("which", [1, 2], ids=["it begins", "its first member comes"])
def test_who_stood_still_while_a_join_went_on_leaves_no_row_that_says_it_is_open(
    stage: Stage, which: int
) -> None:
    """Its late write of the schedule says when the waiting would end, which may be in months."""
    rows = mortal(stage)
    puts: list[str] = []

    def it_goes_on(kind: str, place: object, *_: object) -> None:
        if kind != "put" or "Joined" not in str(place):
            return
        puts.append(kind)
        if len(puts) == which:
            own = stage.app
            stage.build()
            trained(stage, "r2", B)
            trained(stage, "r3", C)
            add(stage, "r1", A)
            for seconds in (1, 130, 130, 130):
                stage.reconcile(seconds=seconds)
            assert joint(stage).state is State.STARTED
            stage.app = own

    rows.before = it_goes_on
    trained(stage, "r1", A)
    stage.deploy()
    stage.reconcile(seconds=1)
    stage.reconcile(seconds=130)
    assert len(sent(stage)) == 1
    assert stage.ledger.backlog(AFTER_ALL).open == 0
    shown = [one.state for one in stage.ledger.listed(EVER, 9, "compare") if one.key == key()]
    assert shown == [State.STARTED]


def test_a_member_that_comes_between_the_decision_and_the_mark_goes_with_the_others(
    stage: Stage,
) -> None:
    stage.routes(joining(if_one_fails="start"))
    trained(stage, "r1", A)
    trained(stage, "r2", B)
    rows = mortal(stage)
    seen: list[str] = []

    def the_last_comes(kind: str, *given: Any) -> None:
        if (
            kind == "replace" and not seen and '"asked_at":"' in given[1].get("more", "")
        ):  # the mark
            seen.append(kind)
            own = stage.app
            stage.build()
            trained(stage, "r3", C)
            stage.app = own

    rows.before = the_last_comes
    stage.reconcile(hours=13)
    stage.deploy()
    stage.reconcile(minutes=3)
    assert seen
    assert sent(stage) == [told(runs=("r1", "r2", "r3"))]


def test_who_waits_for_the_others_survives_a_new_process_and_an_outage_of_a_day(
    stage: Stage,
) -> None:
    trained(stage, "r1", A)
    trained(stage, "r2", B)
    stage.deploy()
    stage.clock.forward(hours=24)
    trained(stage, "r3", C)  # which nobody looked for before it came
    stage.reconcile(seconds=1)
    assert sent(stage) == [told(runs=("r1", "r2", "r3"))]


def test_more_joins_than_a_route_may_have_wait_for_room(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_joins, "MOST_OPEN", 2)
    for n, batch in enumerate(("b1", "b2", "b3")):
        trained(stage, f"r{n}", A, batch=batch)
    waits = stage.only("r2")
    assert (waits.state, waits.reason) == (State.OPEN, Reason.INCOMPLETE)
    assert waits.detail == "2 joins of compare wait for others"
    assert stage.ledger.read(key("b3")) is None
    trained(stage, "s1", B, batch="b1")
    trained(stage, "s2", C, batch="b1")
    stage.reconcile(seconds=1)
    stage.reconcile(minutes=5)
    assert joint(stage, "b3").detail == "1 of 3; waits for train-b, train-c"


def test_joins_that_are_stirred_at_random_each_start_once_with_all(stage: Stage) -> None:
    seed = random.randrange(2**32)  # noqa: S311 - no secret
    print(f"seed {seed}")  # noqa: T201 - for who has to repeat it
    drawn = random.Random(seed)  # noqa: S311 - the same
    stage.routes(joining(if_one_fails="start"))
    news, ends = [], {}
    for n in range(25):
        for experiment in (A, B, C):
            run, status = f"{experiment}.{n}", drawn.choice(["Completed", "Completed", "Failed"])
            ends[run] = status
            add(stage, run, experiment, status, f"b{n}")
            news += [event(run, experiment, status, f"b{n}")] * drawn.choice([1, 1, 2])
    drawn.shuffle(news)
    for one in news:
        rows = mortal(stage)
        if drawn.random() < 0.3:
            rows.dies_before(drawn.randrange(12))
        try:
            stage.deliver(one)
        except Died:
            stage.deploy()
            stage.deliver(one)
        stage.devops.clock_skew = stage.clock.moved.total_seconds()
        if drawn.random() < 0.2:
            dies_in_a_round(stage, drawn.randrange(30), seconds=drawn.choice([1, 130]))
    stage.deploy()
    for _ in range(6):
        stage.reconcile(minutes=3)
    assert sorted(one["run_id"] for one in sent(stage)) == sorted(f"b{n}" for n in range(25)), seed
    assert {one["missing"] for one in sent(stage)} == {"0"}, seed
    for n in range(25):
        there = members.members(joint(stage, f"b{n}").event)
        assert {one.run: one.outcome for one in there} == {
            run: status for run, status in ends.items() if run.endswith(f".{n}")
        }, seed
    assert stage.ledger.backlog(now()).open == 0
