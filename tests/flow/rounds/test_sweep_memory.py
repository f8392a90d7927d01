"""The sweep starts nothing that ended before it was wanted, and nothing that was decided."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.ledger.rowledger import RowLedger
from functions.core.memory.first_seen import ROUTES_IN_A_ROW
from functions.core.memory.known_since import ROUTES as ROUTE_ROW
from functions.core.memory.known_since import WORKSPACES
from functions.core.memory.visits import VISITS
from functions.core.ports import shared
from functions.core.terms.errors import LedgerUnavailable
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.aml.memory import MemoryAML
from local.cloud import WORKSPACE
from tests.flow.rounds.sweeps import DEFECT, end, lines, milliseconds, settled, sweep
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES, Stage, changed, completed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.cloud import Cloud

SECOND = WORKSPACE.replace("ml-prod", "ml-second")
TAGGED = ROUTES.replace('{experiment: "defect-*"}', "{tags: {stage: production}}", 1)
FEW = timedelta(minutes=1)


@pytest.fixture
def old(cloud: Cloud, tmp_path: Path) -> Stage:
    """An app that has been there for two days, and heard of no workspace."""
    return settled(cloud, tmp_path)


@pytest.fixture
def swept(cloud: Cloud, tmp_path: Path) -> Stage:
    """The same, with a workspace that is swept."""
    return settled(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)


@pytest.fixture
def tagged(swept: Stage) -> Stage:
    """The same, with a route that wants a tag."""
    swept.routes(TAGGED)
    swept.reconcile()
    swept.clock.forward(days=1)
    return swept


@pytest.fixture
def second(cloud: Cloud) -> Iterator[MemoryAML]:
    """Another workspace, which has been at work for a day."""
    aml = MemoryAML(SECOND, cloud.identity.accepts, cloud.tls)
    with aml:
        cloud.arm.add_workspace(SECOND, aml.tracking_uri)
        yield aml


def end_in(aml: MemoryAML, stage: Stage, run: str, ago: timedelta) -> None:
    at = milliseconds(stage.clock.now() - ago)
    aml.add_run(run, experiment=DEFECT, start_time=at - 1000, end_time=at)


def started(stage: Stage) -> list[str]:
    return sorted(run for _, run in stage.started())


# --- workspaces


def test_a_workspace_named_later_starts_nothing_old(old: Stage, second: MemoryAML) -> None:
    end_in(second, old, "old", timedelta(hours=3))
    old.deploy(SWEEP_WORKSPACES=SECOND)
    sweep(old)
    end_in(second, old, "new", timedelta(minutes=-5))
    sweep(old, hours=1)
    assert started(old) == ["new"]


def test_a_workspace_that_is_heard_of_counts_from_its_first_event(
    old: Stage, second: MemoryAML
) -> None:
    end_in(second, old, "old", timedelta(hours=1))
    end_in(second, old, "first", timedelta())
    old.deliver({**completed("first"), "topic": SECOND})
    end_in(second, old, "lost", -FEW)
    old.reconcile(minutes=9)  # which is when the workspace is written down
    sweep(old)
    assert started(old) == ["first", "lost"]


def test_a_workspace_that_is_named_no_more_and_again_is_new(swept: Stage) -> None:
    sweep(swept)
    swept.deploy(SWEEP_WORKSPACES=SECOND)
    sweep(swept, hours=1)
    end(swept, "r1")
    swept.deploy(SWEEP_WORKSPACES=WORKSPACE)
    sweep(swept, hours=1)
    sweep(swept, hours=1)
    assert swept.started() == []


def test_a_workspace_that_the_last_version_knew_is_known_since_the_ledgers_birth(
    old: Stage,
) -> None:
    today = old.clock.now().date().isoformat()
    shared.change(old.ledger, WORKSPACES, lambda _: {WORKSPACE: today})
    end(old, "r1", timedelta(hours=3))
    sweep(old)
    assert started(old) == ["r1"]


def test_a_workspace_that_the_last_version_meets_beside_this_one_is_new(
    swept: Stage, second: MemoryAML
) -> None:
    """A roll-out: the row of this version is there, and an older instance writes only its own."""
    today = swept.clock.now().date().isoformat()
    shared.change(swept.ledger, WORKSPACES, lambda value: {**value, SECOND: today})
    end_in(second, swept, "old", timedelta(hours=3))
    sweep(swept)
    end_in(second, swept, "new", -FEW)
    sweep(swept, hours=1)
    assert started(swept) == ["new"]


def test_the_rows_that_the_last_version_reads_stay_as_it_reads_them(swept: Stage) -> None:
    end(swept, "r1")
    began = swept.clock.now().date()
    swept.deliver(completed("r1"))
    swept.reconcile(minutes=3)
    sweep(swept)
    ((known, day),) = swept.ledger.shared(WORKSPACES).value.items()
    assert known == WORKSPACE
    assert began <= date.fromisoformat(day) <= swept.clock.now().date()
    routes = swept.ledger.shared(ROUTE_ROW).value
    assert datetime.fromisoformat(routes["born"]).tzinfo == UTC
    assert {name: datetime.fromisoformat(at).tzinfo for name, at in routes["routes"].items()} == {
        "register": UTC,
        "report": UTC,
    }


def test_what_the_last_version_writes_of_routes_is_taken_over(swept: Stage) -> None:
    """It leaves out what it does not know, and the routes keep their times."""

    def as_before(value: Any) -> dict[str, Any]:
        return {"born": value["born"], "routes": value["routes"]}

    shared.change(swept.ledger, ROUTE_ROW, as_before)
    end(swept, "r1")
    sweep(swept)
    assert started(swept) == ["r1"]


# --- routes


def test_a_route_that_matches_something_else_starts_nothing_old(swept: Stage) -> None:
    end(swept, "r1", experiment="churn")
    swept.deliver(completed("r1", experimentName="churn"))
    swept.routes(ROUTES.replace('"defect-*"', '"*"'))
    swept.reconcile(minutes=1)
    end(swept, "r2", -FEW, experiment="churn")
    sweep(swept, hours=1)
    assert started(swept) == ["r2"]


def test_a_route_whose_gate_and_start_change_keeps_what_it_was_owed(swept: Stage) -> None:
    end(swept, "r1")
    swept.routes(ROUTES.replace("pipeline: 42", "pipeline: 43"))
    sweep(swept, hours=1)
    assert swept.started() == [(43, "r1")]


def many(count: int) -> str:
    routes = "".join(
        f"  - {{name: team-{n:04}-{'x' * 50}, match: {{experiment: 'team-{n:04}'}},"
        " start: {pipeline: 42, parameters: {run_id: '{{ run.id }}'}}}\n"
        for n in range(count)
    )
    return ROUTES.rstrip() + "\n" + routes


def test_so_many_routes_are_remembered_and_forgotten_one_by_one(
    swept: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    count = 3 * ROUTES_IN_A_ROW
    swept.routes(many(count))
    swept.reconcile()
    assert lines(caplog, "chronicle") == []  # no error
    swept.clock.forward(hours=1)
    end(swept, "kept", experiment=f"team-{count - 1:04}")
    end(swept, "gone", experiment=f"team-{count - 2:04}")
    text = many(count).splitlines(keepends=True)
    swept.routes("".join(text[:-2] + text[-1:]))
    swept.reconcile(minutes=1)
    swept.routes(many(count))
    swept.reconcile(minutes=1)
    sweep(swept, hours=1)
    assert started(swept) == ["kept"]


def test_routes_that_shrink_and_grow_again_are_new(swept: Stage) -> None:
    """What a row that is not read any more still says of them is not believed."""
    count = 2 * ROUTES_IN_A_ROW
    for text in (many(count), ROUTES):
        swept.routes(text)
        swept.reconcile(minutes=1)
    end(swept, "r1", -FEW, experiment=f"team-{count - 1:04}")
    swept.clock.forward(hours=1)
    swept.routes(many(count))
    swept.reconcile(minutes=1)
    sweep(swept, hours=1)
    assert started(swept) == []


def test_routes_that_come_and_go_are_told(swept: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    swept.routes(ROUTES.replace("name: report", "name: tell"))
    swept.reconcile()
    assert lines(caplog, "chronicle") == ["chronicle=routes new=1 gone=1"]


# --- decisions


def test_a_near_miss_leaves_a_trace_that_says_why(tagged: Stage) -> None:
    tagged.deliver(completed("r1", runTags={"stage": "test"}))
    trace = tagged.only("r1")
    assert (trace.state, trace.reason) == (State.SKIPPED, Reason.NOT_MATCHED)
    assert trace.detail == "its filter tags.stage wants production, and the run has test"
    assert tagged.outgoing() == []


@pytest.mark.parametrize(
    "event",
    [
        completed("r1", runTags={"mlflow.parentRunId": "r0"}),
        completed("r1", runType="azureml.StepRun"),
        changed("r1", "Canceled", experimentName="churn"),
        changed("r1", "NotResponding"),
    ],
)
def test_what_no_tag_could_let_match_leaves_no_trace(tagged: Stage, event: dict[str, Any]) -> None:
    tagged.deliver(event)
    assert tagged.of_run("r1") == {}


def test_what_the_sweep_cannot_find_leaves_no_trace(tagged: Stage) -> None:
    only_event = "{run_type: '*', tags: {stage: production}}"
    tagged.routes(TAGGED.replace("{tags: {stage: production}}", only_event))
    tagged.deliver(completed("r1", runTags={"stage": "test"}))
    assert tagged.of_run("r1") == {}


def test_the_sweep_decides_for_good_too(tagged: Stage) -> None:
    end(tagged, "r1", tags={"stage": "test"})  # whose event never came
    sweep(tagged)
    tagged.aml._runs["r1"].tags["stage"] = "production"  # noqa: SLF001
    sweep(tagged, hours=1)
    assert tagged.started() == []
    assert tagged.only("r1").reason is Reason.NOT_MATCHED


def test_a_sweep_that_only_reports_leaves_no_trace(tagged: Stage) -> None:
    tagged.deploy(SWEEP="report")
    end(tagged, "r1", tags={"stage": "test"})
    sweep(tagged)
    assert tagged.of_run("r1") == {}


def test_another_event_that_does_fit_is_followed(tagged: Stage) -> None:
    """The trace binds the sweep alone: what two events say of one end may differ."""
    end(tagged, "r1", tags={"stage": "production"})
    tagged.deliver(completed("r1", runTags={"stage": "test"}))
    tagged.deliver(changed("r1", "Completed", runTags={"stage": "production"}))
    tagged.deliver(changed("r1", "Completed", runTags={"stage": "production"}))
    assert tagged.started() == [(42, "r1")]
    assert [step.what for step in tagged.only("r1").history[:2]] == ["passed over", "claimed"]


def test_a_run_that_was_followed_gets_no_trace_by_another_event(tagged: Stage) -> None:
    end(tagged, "r1", tags={"stage": "production"})
    tagged.deliver(completed("r1", runTags={"stage": "production"}))
    tagged.deliver(changed("r1", "Completed", runTags={"stage": "test"}))
    assert tagged.only("r1").state is State.STARTED


class Full(Wrapped):
    """A store that takes no trace, once."""

    broken = True

    def insert(self, place: Any, row: Any) -> Any:
        if self.broken:
            self.broken = False
            raise LedgerUnavailable("an outage")
        return self.real.insert(place, row)


def test_a_trace_that_cannot_be_written_fails_the_delivery_and_comes_again(tagged: Stage) -> None:
    event = completed("r1", runTags={"stage": "test"})
    rows = Full(tagged.ledger._rows())  # type: ignore[attr-defined]  # noqa: SLF001
    tagged.build(ledger=RowLedger(lambda: rows))
    with pytest.raises(LedgerUnavailable):
        tagged.deliver(event)
    assert tagged.of_run("r1") == {}
    tagged.deliver(event)
    assert tagged.only("r1").reason is Reason.NOT_MATCHED


def test_a_run_that_failed_first_and_then_completed_is_followed_for_both(swept: Stage) -> None:
    end(swept, "r1", status="Failed")
    swept.deliver(changed("r1", "Failed"))
    end(swept, "r1", -FEW)  # and the event of that was lost
    sweep(swept, hours=1)
    assert swept.started() == [(43, "r1"), (42, "r1")]


def test_two_sweeps_at_once_start_a_run_once_and_remember_the_later(swept: Stage) -> None:
    end(swept, "r1")
    first = swept.app
    swept.deploy()
    first.sweep.sweep()
    seen = swept.ledger.shared(VISITS).value
    sweep(swept, minutes=1)
    first.sweep.sweep()
    (before,), (after,) = (
        row["workspaces"].values() for row in (seen, swept.ledger.shared(VISITS).value)
    )
    assert swept.started() == [(42, "r1")]
    assert after["seen"] > before["seen"]
    assert after["since"] == before["since"]


def test_a_paused_app_claims_what_the_sweep_finds_and_starts_it_later(swept: Stage) -> None:
    swept.deploy(PAUSED="1")
    end(swept, "r1")
    sweep(swept)
    assert (swept.started(), swept.only("r1").reason) == ([], Reason.PAUSED)
    swept.deploy(PAUSED="0")
    swept.reconcile(hours=1)
    assert swept.started() == [(42, "r1")]


def test_a_route_that_comes_to_want_child_runs_is_owed_its_root_runs_only(swept: Stage) -> None:
    end(swept, "root")
    end(swept, "step", parent="root")
    swept.deliver(completed("step", runTags={"mlflow.parentRunId": "root"}))
    first = 'match: {experiment: "defect-*"}'
    swept.routes(ROUTES.replace(first, f"{first}\n    children: true", 1))
    swept.reconcile(minutes=1)
    end(swept, "step2", -FEW, parent="root")
    sweep(swept, hours=1)
    assert started(swept) == ["root", "step2"]
