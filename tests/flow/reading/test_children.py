"""`run.children.*`: a parent reads Completed although what it submitted failed.

https://github.com/MicrosoftDocs/azure-docs/issues/63784
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT, asked, calls, route
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

NONE_FAILED = "when: run.children.failed == 0"


class Begins(Fault):
    """No fault: a child that begins when the second page of a search is asked for."""

    def __init__(self, stage: Stage, number: int) -> None:
        super().__init__(probability=0.0)
        self._stage, self._number = stage, number

    def hits(self, method: str, path: str, body: bytes = b"") -> bool:
        if self._number and b"page_token" in body:
            child, self._number = f"c{self._number}", 0
            self._stage.aml.add_run(child, parent="r1", status="Failed", experiment=EXPERIMENT)
            self.times = 0
        return super().hits(method, path, body)


def family(stage: Stage, *statuses: str) -> None:
    """A run that Completed, and its children with these statuses."""
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    for number, status in enumerate(statuses):
        stage.aml.add_run(f"c{number}", parent="r1", status=status, experiment=EXPERIMENT)


def test_a_parent_whose_child_failed_is_held_by_a_gate_that_says_so(stage: Stage) -> None:
    route(stage, NONE_FAILED)
    family(stage, "Completed", "Failed")
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.HELD, Reason.GATE, 0)
    assert row.detail == "run.children.failed = 1; when: run.children.failed == 0"


def test_a_parent_whose_children_completed_is_followed(stage: Stage) -> None:
    route(stage, NONE_FAILED)
    family(stage, "Completed", "Completed")
    stage.deliver(completed("r1"))
    assert stage.only("r1").state is State.STARTED


def test_the_counts_are_parameters(stage: Stage) -> None:
    names = ("total", "failed", "canceled")
    route(stage, **{name: f"{{{{ run.children.{name} }}}}" for name in names})
    family(stage, "Completed", "Failed", "Failed", "Canceled")
    stage.deliver(completed("r1"))
    assert asked(stage) == {"total": "4", "failed": "2", "canceled": "1"}


def test_a_run_without_children_has_none_that_failed(stage: Stage) -> None:
    route(stage, NONE_FAILED, total="{{ run.children.total }}")
    family(stage)
    stage.deliver(completed("r1"))
    assert asked(stage) == {"total": "0"}


def test_how_many_failed_is_not_known_while_one_goes_on(stage: Stage) -> None:
    route(stage, NONE_FAILED)
    family(stage, "Completed", "Running")
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.OPEN, Reason.FACTS_MISSING)
    assert row.detail == "run.children.failed: c1 of 2 children did not end yet"
    family(stage, "Completed", "Failed")
    stage.reconcile(minutes=1)
    assert stage.only("r1").reason is Reason.GATE


def test_a_deleted_child_does_not_count(stage: Stage) -> None:
    route(stage, NONE_FAILED, total="{{ run.children.total }}")
    family(stage, "Completed", "Failed")
    stage.aml.delete_run("c1")
    stage.deliver(completed("r1"))
    assert asked(stage) == {"total": "1"}


def test_more_children_than_are_read_are_not_counted(stage: Stage) -> None:
    route(stage, "wait_for_facts: 1m", NONE_FAILED)
    family(stage, *["Completed"] * 1001)
    stage.deliver(completed("r1"))
    stage.reconcile(minutes=2)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.HELD, Reason.FACTS_MISSING)
    assert "1000 children or more" in row.detail


@pytest.mark.parametrize(
    ("line", "searched"), [(NONE_FAILED, 1), ('when: run.status == "Completed"', 0)]
)
def test_children_are_read_only_where_they_are_named(
    stage: Stage, line: str, searched: int
) -> None:
    route(stage, line)
    family(stage, "Completed")
    stage.deliver(completed("r1"))
    assert calls(stage).count("runs/search") == searched


def test_the_children_that_have_the_metric_are_those_that_are_counted(stage: Stage) -> None:
    route(stage, "when: run.children.failed == 0 && run.metrics.accuracy > 0.5")
    family(stage, "Completed")
    stage.aml.add_run("c0", parent="r1", metrics={"accuracy": 0.9}, experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert stage.only("r1").state is State.STARTED
    assert calls(stage) == ["runs/get", "runs/search"]


@pytest.mark.parametrize("gate", ["[run].all(r, r.children.failed == 0)",
                                  "run['child' + 'ren'].failed == 0"])  # fmt: skip
def test_a_gate_that_looks_them_up_in_the_run_does_not_wait_for_ever(
    stage: Stage, gate: str
) -> None:
    route(stage, f'when: "{gate}"')
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.aml.add_run("c1", parent="r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert stage.started() == [(42, "r1")]


@pytest.mark.parametrize("runs", ["null", '"none"', "{}"])
def test_an_answer_that_is_no_list_is_not_taken_for_no_children(stage: Stage, runs: str) -> None:
    route(stage, NONE_FAILED)
    fault = Fault(path="*/runs/search", status=200, body=f'{{"runs": {runs}}}', times=9)
    stage.aml.server.faults.add(fault)
    family(stage, "Failed")
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.OPEN, Reason.RUN_UNREADABLE)
    stage.aml.server.faults.clear()
    stage.reconcile(hours=1)
    assert (stage.only("r1").reason, stage.posts()) == (Reason.GATE, 0)


def test_a_child_that_begins_between_two_pages_makes_no_wrong_count(stage: Stage) -> None:
    """It comes first: all others move on by one, and what ended the first page is on both."""
    route(stage, NONE_FAILED)
    family(stage, *["Completed"] * 201)
    stage.aml.server.faults.add(Begins(stage, 201))
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.OPEN, Reason.FACTS_MISSING, 0)
    assert "they changed while they were read" in row.detail
    stage.reconcile(minutes=1)
    assert stage.only("r1").detail.startswith("run.children.failed = 1;")


def test_a_child_that_is_on_two_pages_is_no_reason_to_hold_its_parent(stage: Stage) -> None:
    route(stage, "when: run.metrics.accuracy > 0.5")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    for number in range(201):
        metrics = {"accuracy": 0.9} if number == 1 else {}
        at: dict[str, Any] = {
            "start_time": 1_700_000_000_000 + number,
            "end_time": 1_700_000_001_000,
        }
        stage.aml.add_run(f"c{number}", parent="r1", metrics=metrics, experiment=EXPERIMENT, **at)
    stage.aml.server.faults.add(Begins(stage, 201))
    stage.deliver(completed("r1"))
    assert stage.only("r1").state is State.STARTED
