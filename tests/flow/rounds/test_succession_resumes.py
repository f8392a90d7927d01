"""Two route files on one ledger: with what the newer one claimed the older one does not go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions import threads
from functions.core.terms.reasons import Reason
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT
from tests.flow.rounds.test_succession import Counting, Fleet, claims, rounds
from tests.flow.rounds.test_succession import fleet as fleet  # noqa: PLC0414 - a fixture
from tests.stage.azure import ROUTES, completed

if TYPE_CHECKING:
    import pytest

    from tests.stage.azure import Stage

MOVED = ROUTES.replace("pipeline: 42", "pipeline: 43")
JOIN = "join: {by: run.tags.batch, all_of: [defect-detection, defect-b], within: 12h}"
JOINED = ROUTES.replace("name: register", f"name: register\n    {JOIN}").replace(
    '{run_id: "{{ run.id }}"}', '{batch: "{{ join.by }}"}'
)


def ends(stage: Stage, run: str = "r1", **facts: Any) -> None:
    """AML shows that the run has ended."""
    stage.aml.add_run(run, experiment=EXPERIMENT, **facts)


def rolled_out(fleet: Fleet, newer: str) -> tuple[Stage, Stage]:
    """An instance of the older file, and one of the newer, which has claimed a run."""
    old = fleet.start(ROUTES)
    old.reconcile()
    new = fleet.start(newer)
    new.reconcile(minutes=1)
    claims(new)
    return old, new


def test_an_old_instance_starts_nothing_by_its_own_file(fleet: Fleet) -> None:
    old, new = rolled_out(fleet, MOVED)
    ends(new)
    for _ in range(3):
        old.reconcile(minutes=2)
    assert old.started() == []
    new.reconcile(minutes=2)
    assert new.started() == [(43, "r1")]


def test_nor_alone_what_the_new_version_joins(fleet: Fleet) -> None:
    """The new instance died behind its claim, before it knew whether the run had ended."""
    old, new = rolled_out(fleet, JOINED)
    ends(new, tags={"batch": "b1"})
    for _ in range(3):
        old.reconcile(minutes=2)
    assert old.started() == []
    new.reconcile(minutes=2)
    assert new.of_run("r1")["register"].reason is Reason.JOINED


def test_so_it_is_where_nobody_has_met_the_newer_file_yet(fleet: Fleet) -> None:
    old = fleet.start(ROUTES)
    old.reconcile()
    new = fleet.start(MOVED)
    claims(new)
    ends(new)
    for _ in range(3):
        old.reconcile(minutes=2)
    assert old.started() == []


def test_after_the_minutes_of_a_roll_out_whoever_is_left_goes_on(fleet: Fleet) -> None:
    old, new = rolled_out(fleet, MOVED)
    ends(new)
    rounds(old, hours=1)
    assert old.started() == [(42, "r1")]


def test_the_new_version_goes_on_at_once_with_what_the_old_one_claimed(fleet: Fleet) -> None:
    old = fleet.start(ROUTES)
    old.reconcile()
    claims(old)
    ends(old)
    new = fleet.start(MOVED)
    new.reconcile(minutes=2)
    assert new.started() == [(43, "r1")]


def test_what_the_new_version_asked_for_is_looked_for_by_the_old_one_too(fleet: Fleet) -> None:
    old = fleet.start(ROUTES)
    old.reconcile()
    new = fleet.start(f"# with a word more\n{ROUTES}")
    new.reconcile(minutes=1)
    new.devops.server.faults.add(Fault(path="*/42/runs", method="POST", drop="after"))
    ends(new)
    new.deliver(completed("r1"))
    old.reconcile(minutes=3)
    assert old.only("r1").pipeline_run == old.devops.runs[0].id


def test_however_many_they_are_it_asks_once_which_file_is_the_newer(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "RESUMED_AT_ONCE", 1)  # several at once may each ask
    old, new = rolled_out(fleet, MOVED)
    ledger = Counting(old.ports.ledger)
    old.build(ledger=ledger)
    claims(new, "r1")
    old.reconcile(minutes=2)  # the process's own first look at the files, and the workspace's news
    asked = []
    for runs in (range(0), range(2, 7)):
        for n in runs:
            claims(new, f"r{n}")
        ledger.calls.clear()
        old.reconcile(minutes=2)
        asked.append(ledger.calls.copy())
    assert asked[0]
    assert asked[1] == asked[0]


def test_what_an_old_instance_leaves_is_the_new_one_s_with_its_next_round(fleet: Fleet) -> None:
    """Their rounds come in turns, as where two apps share a ledger, or it is worked in parts."""
    old, new = rolled_out(fleet, MOVED)
    ends(new)
    for _ in range(2):
        old.reconcile(seconds=31)
        new.reconcile(seconds=31)
    assert new.started() == [(43, "r1")]
