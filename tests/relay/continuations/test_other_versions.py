"""Rows of a newer version of the app, which stand in a state that this one does not know."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from functions.core.operators.lists.wanted import Wanted
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from functions.web.data import listing as as_json
from functions.web.detail import detail
from functions.web.listing import listing
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from relay import exits
from tests.flow.operators.test_replay import ALIKE
from tests.page.reader import Reader
from tests.saying.refusals import POST_RUN
from tests.saying.wrapped import Wrapped
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.relay.conftest import Desk
    from tests.stage.azure import Stage

OTHER = "approving"
KEY = "register/r1/Completed"


def database(stage: Stage) -> sqlite3.Connection:
    return sqlite3.connect(stage.read.ledger_url.removeprefix("sqlite:///"))


def becomes(stage: Stage, state: str, *, scheduled: bool = True) -> None:
    """As the newer version leaves it; it writes the truth first, and then what schedules it."""
    rewrite(stage, scheduled=scheduled, state=state)


def rewrite(stage: Stage, *, scheduled: bool, **words: str) -> None:
    """Put these words into every continuation's row, and into those of the schedule."""
    update = "UPDATE ledger SET columns = ? WHERE partition = ? AND key = ?"
    with closing(database(stage)) as file:
        found = file.execute("SELECT partition, key, columns FROM ledger").fetchall()
        for partition, key, columns in found:
            row = json.loads(columns)
            if more := row.get("more"):
                row |= {**words, "more": json.dumps({**json.loads(more), **words})}
            elif partition == "open" and scheduled:
                row |= words
            file.execute(update, (json.dumps(row), partition, key))
        file.commit()


def rows(stage: Stage) -> list[Any]:
    with closing(database(stage)) as file:
        return file.execute("SELECT * FROM ledger WHERE partition <> 'shared'").fetchall()


@pytest.fixture
def waits(desk: Desk) -> Desk:
    """One that is open and due."""
    desk.stage.deploy(PAUSED="1")
    desk.end("r1")
    desk.stage.deliver(completed("r1"))
    desk.stage.deploy(PAUSED="0")
    desk.stage.clock.forward(hours=1)
    return desk


@pytest.mark.parametrize("scheduled", [True, False])
def test_the_reconciler_changes_nothing_of_it(
    waits: Desk, scheduled: bool, caplog: pytest.LogCaptureFixture
) -> None:
    becomes(waits.stage, OTHER, scheduled=scheduled)
    before = rows(waits.stage)
    for _ in range(3):
        waits.stage.reconcile(minutes=1)
    waits.stage.app.sweep.sweep()
    assert rows(waits.stage) == before
    assert waits.stage.started() == []
    said = [m for m in caplog.messages if OTHER in m]
    assert len(said) == scheduled  # once for each process


def test_the_version_that_knows_it_goes_on_with_the_next_round(waits: Desk) -> None:
    becomes(waits.stage, OTHER)
    waits.stage.reconcile(minutes=1)
    becomes(waits.stage, "open")  # which stands for: another version knows the state
    waits.stage.reconcile(minutes=1)
    assert waits.stage.started() == [(42, "r1")]


def test_many_of_them_leave_room_for_what_is_known(waits: Desk) -> None:
    becomes(waits.stage, OTHER)
    waits.stage.aml.add_run("r2", experiment="defect-detection", status="Running")
    waits.stage.deliver(completed("r2"))
    keys = waits.stage.ledger.due(waits.stage.clock.now().replace(year=2999), 1)
    assert [key.run for key in keys] == ["r2"]


def test_another_event_about_it_starts_nothing(waits: Desk) -> None:
    becomes(waits.stage, OTHER)
    before = rows(waits.stage)
    waits.stage.deliver(completed("r1"))
    assert (waits.stage.started(), rows(waits.stage)) == ([], before)


@pytest.mark.parametrize("more", [(), ("--ignore-gate",), ("--again",), ("--as-started", "1042")])
def test_no_replay_touches_it(waits: Desk, more: tuple[str, ...]) -> None:
    becomes(waits.stage, OTHER)
    before = rows(waits.stage)
    said = waits.type("replay", KEY, *more)
    assert said.code == 1
    assert OTHER in said.out + said.err
    assert rows(waits.stage) == before


def test_it_is_listed_shown_and_explained(waits: Desk) -> None:
    becomes(waits.stage, OTHER)
    (one,) = json.loads(waits.type("list", "--json").out)["continuations"]
    assert (one["state"], one["key"]) == (OTHER, f"{KEY}@{WORKSPACE.lower()}")
    assert OTHER in waits.type("list").out
    for words in (("show", KEY), ("why", "r1")):
        said = waits.type(*words)
        assert f"{OTHER}\n  means    another version of the app knows what this means" in said.out
        assert said.code == (exits.NOT_YET if "why" in words else 0)
    (told,) = json.loads(waits.type("why", "r1", "--json").out)["routes"][:1]
    assert told["state"] == OTHER
    coverage = waits.type("coverage", "--since", "24h")
    assert f"it is {OTHER}" in coverage.out


def test_the_page_shows_it_among_what_is_open(waits: Desk) -> None:
    becomes(waits.stage, OTHER)
    overview = waits.stage.app.overview
    seen = overview.look(Wanted())
    (one,) = json.loads(as_json(seen, 0, 50))["continuations"]
    assert one["state"] == OTHER
    page = Reader(listing(seen, 0)).text
    assert OTHER in page
    assert "another version of the app knows" in page
    assert "Ended" not in page
    whole = overview.one(f"{KEY}@{WORKSPACE}")
    assert whole.command.text == ""
    assert "None is needed, it goes on by itself" in Reader(detail(whole)).text


def test_it_stays_listed_however_old_and_is_not_pruned(waits: Desk) -> None:
    becomes(waits.stage, OTHER)
    waits.stage.clock.forward(days=500)
    waits.stage.app.sweep.sweep()
    (one,) = json.loads(waits.type("list", "--since", "1h", "--json").out)["continuations"]
    assert one["state"] == OTHER


def test_a_start_whose_row_another_version_took_is_told_and_the_row_left(
    waits: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    stage = waits.stage

    class Overtaken(Wrapped):
        def start(self, *given: Any) -> Any:
            becomes(stage, OTHER)
            with closing(database(stage)) as file:
                file.execute("UPDATE ledger SET version = 'theirs'")
                file.commit()
            return self.real.start(*given)

    stage.build(pipelines=Overtaken(stage.ports.pipelines))
    stage.reconcile(minutes=1)
    (pipeline_run,) = stage.devops.runs
    assert stage.only("r1").state == OTHER
    (line,) = [m for m in caplog.messages if m.startswith("unsettled=register")]
    assert f"pipeline_run={pipeline_run.id}" in line


def test_what_can_be_no_state_is_still_no_row(
    waits: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    becomes(waits.stage, "<script>")
    waits.stage.app.sweep.sweep()
    waits.stage.reconcile(minutes=1)
    assert waits.stage.of_run("r1") == {}
    assert any(m.startswith("ledger=unreadable") for m in caplog.messages)


def in_a_reason_of_another_version(stage: Stage) -> None:
    """As a newer version leaves it, which knows a reason that this one does not."""
    rewrite(stage, scheduled=False, reason="eclipsed")


@pytest.fixture
def doubtful(desk: Desk) -> Desk:
    """One that is held since nobody knows whether its request was queued. It was."""
    desk.stage.routes(ALIKE)
    desk.stage.devops.add_pipeline("contoso", "mlops", 42, "next")
    desk.stage.devops.server.faults.add(Fault("POST", POST_RUN, drop="after"))
    desk.end("r1")
    desk.stage.deliver(completed("r1"))
    assert desk.stage.only("r1").state is State.HELD
    in_a_reason_of_another_version(desk.stage)
    return desk


@pytest.mark.parametrize("more", [(), ("--ignore-gate",)])
def test_what_is_in_doubt_for_a_reason_of_another_version_is_not_just_replayed(
    doubtful: Desk, more: tuple[str, ...]
) -> None:
    before = rows(doubtful.stage)
    said = doubtful.type("replay", KEY, *more)
    assert (said.code, rows(doubtful.stage)) == (1, before)
    assert "may have been queued" in said.out
    assert "--as-started BUILD_ID, or --again" in said.out
    explained = doubtful.type("why", "r1").out
    assert "the reason is one of another version of the app" in " ".join(explained.split())
    assert "eclipsed" in explained
    assert "at work" not in explained


def test_the_page_says_of_no_end_that_somebody_is_at_work_on_it(doubtful: Desk) -> None:
    doubtful.stage.reconcile(minutes=1)
    page = Reader(listing(doubtful.stage.app.overview.look(Wanted()), 0)).text
    assert "the reason is one of another version of the app" in page
    assert "at work" not in page


def test_what_is_in_doubt_for_a_reason_of_another_version_can_be_settled(doubtful: Desk) -> None:
    (run,) = doubtful.stage.devops.runs
    assert doubtful.type("replay", KEY, "--as-started", str(run.id)).code == 0
    row = doubtful.stage.only("r1")
    assert (row.state, row.pipeline_run) == (State.STARTED, run.id)


def test_what_is_asked_and_has_lost_its_request_is_held_for_a_person(doubtful: Desk) -> None:
    """A version before this one replayed it, as if it had never been asked."""
    stage = doubtful.stage
    entry = stage.ledger.read(stage.only("r1").key)
    assert entry is not None
    opened = replace(entry.continuation, state=State.OPEN, request=None, due_at=stage.clock.now())
    stage.ledger.write(entry, opened)
    stage.ledger.schedule(opened)
    for _ in range(3):
        stage.reconcile(minutes=1)
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.HELD, Reason.IN_DOUBT, 1)
