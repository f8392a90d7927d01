"""Two route files on one ledger: a roll-out, a roll-back, and who ends what.

No test here depends on when a process started or read its file: instances of any version may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.memory.file_order import FILES, MOST_FILES, note
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from tests.flow.asking import EXPERIMENT
from tests.flow.rounds.sweeps import end
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES, Stage, completed

if TYPE_CHECKING:
    from pathlib import Path

    from functions.core.kept.continuation import Continuation
    from local.cloud import Cloud

OLD = ROUTES
NEW = f"""{ROUTES}
  - name: announce
    match: {{experiment: "defect-*"}}
    start: {{pipeline: 43, parameters: {{run_id: "{{{{ run.id }}}}"}}}}
"""
NEWER = f"# the same, with a word more\n{NEW}"
ONLY_ANSWERS = NEW.replace("start: {pipeline: 43, parameters: {run_id: ", "complete: true #")


class Fleet:
    """One ledger, and as many instances of any version as are started."""

    def __init__(self, cloud: Cloud, directory: Path) -> None:
        self._cloud, self._directory = cloud, directory
        self._ledger = f"sqlite:///{directory / 'ledger.db'}"
        self._first: Stage | None = None
        self._count = 0

    def start(self, routes: str, **given: str) -> Stage:
        """Another instance with this file; all have the time of the first."""
        self._count += 1
        folder = self._directory / str(self._count)
        folder.mkdir()
        instance = Stage(self._cloud, folder, LEDGER_URL=self._ledger, **given)
        instance.routes(routes)
        self._first = self._first or instance
        instance.clock = self._first.clock
        self._cloud.identity.clock = lambda: instance.clock.now().timestamp()
        instance.deploy()
        return instance


@pytest.fixture
def fleet(cloud: Cloud, tmp_path: Path) -> Fleet:
    return Fleet(cloud, tmp_path)


def claims(instance: Stage, run: str = "r1") -> None:
    """The instance is told of a run's end, which AML does not show yet."""
    instance.aml.add_run(run, experiment=EXPERIMENT, status="Running")
    instance.deliver(completed(run))


def announced(instance: Stage, run: str = "r1") -> Continuation:
    return instance.of_run(run)["announce"]


def rounds(instance: Stage, **lasting: float) -> None:
    """The instance's timer fires each half hour for so long."""
    ends = instance.clock.now() + type(instance.clock.moved)(**lasting)
    while instance.clock.now() < ends:
        instance.reconcile(minutes=31)


def test_an_old_instance_that_starts_late_leaves_it_to_the_new_ones(fleet: Fleet) -> None:
    fleet.start(OLD).reconcile()
    new = fleet.start(NEW, PAUSED="1")
    new.reconcile(minutes=20)
    new.aml.add_run("r1", experiment=EXPERIMENT)
    new.deliver(completed("r1"))
    late = fleet.start(OLD)
    rounds(late, hours=6)
    row = announced(late)
    assert (row.state, row.reason) == (State.OPEN, Reason.ROUTE_REMOVED)
    assert "another version of the app may start the route announce" in row.detail
    new.deploy(PAUSED="0")
    rounds(new, hours=1)
    assert sorted(new.started()) == [(42, "r1"), (43, "r1")]


def test_so_does_one_of_a_version_that_the_ledger_has_never_met(fleet: Fleet) -> None:
    new = fleet.start(NEW, PAUSED="1")
    new.aml.add_run("r1", experiment=EXPERIMENT)
    new.deliver(completed("r1"))
    late = fleet.start(OLD)
    rounds(late, hours=6)
    assert announced(late).state is State.OPEN
    new.deploy(PAUSED="0")
    rounds(new, hours=1)
    assert (43, "r1") in new.started()


def test_a_new_version_ends_what_only_the_old_one_had_within_minutes(fleet: Fleet) -> None:
    old = fleet.start(NEW)
    old.reconcile()
    claims(old)
    newest = fleet.start(OLD)
    newest.reconcile(minutes=1)
    assert announced(newest).state is State.OPEN  # the others may still claim
    for _ in range(4):
        newest.reconcile(minutes=5)
    row = announced(newest)
    assert (row.state, row.reason) == (State.FAILED, Reason.ROUTE_REMOVED)


def test_what_the_old_one_claims_while_it_gives_way_is_ended_too(fleet: Fleet) -> None:
    old = fleet.start(NEW)
    old.reconcile()
    newest = fleet.start(OLD)
    newest.reconcile(minutes=1)
    old.clock.forward(minutes=3)
    claims(old)
    rounds(newest, hours=1)
    assert announced(newest).state is State.FAILED


def test_a_rollback_ends_within_a_day_what_only_the_version_before_had(fleet: Fleet) -> None:
    old = fleet.start(OLD)
    old.reconcile()
    new = fleet.start(NEW)
    new.reconcile(minutes=20)
    claims(new)
    back = fleet.start(OLD)
    rounds(back, hours=23)
    assert announced(back).state is State.OPEN
    rounds(back, hours=2)
    row = announced(back)
    assert (row.state, row.reason) == (State.FAILED, Reason.ROUTE_REMOVED)


def test_who_is_left_over_from_before_a_rollback_ends_nothing_of_it(fleet: Fleet) -> None:
    """The version that is rolled back has another route than the one that is deployed again."""
    first = fleet.start(NEW, PAUSED="1")
    first.reconcile()
    bad = fleet.start(OLD)
    bad.reconcile(minutes=20)
    back = fleet.start(NEW)
    back.clock.forward(hours=30)
    claims(back)
    rounds(bad, hours=2)
    assert announced(bad).state is State.OPEN
    back.aml.add_run("r1", experiment=EXPERIMENT)
    rounds(back, hours=1)
    assert (43, "r1") in back.started()


def test_a_day_counts_from_when_nobody_had_the_route_any_more(fleet: Fleet) -> None:
    """Both versions stay for days: whoever has the route says so each time it looks."""
    old = fleet.start(OLD)
    old.reconcile()
    new = fleet.start(NEW, PAUSED="1")
    new.reconcile(minutes=20)
    new.aml.add_run("r1", experiment=EXPERIMENT)
    new.deliver(completed("r1"))
    for _ in range(5):
        rounds(old, hours=12)
        rounds(new, hours=1)
    assert announced(new).reason is Reason.PAUSED


def test_a_replay_is_not_ended_again_by_the_version_that_removed_the_route(fleet: Fleet) -> None:
    first = fleet.start(NEW)
    first.reconcile()
    claims(first)
    without = fleet.start(OLD)
    rounds(without, hours=1)
    assert announced(without).state is State.FAILED
    again = fleet.start(NEWER)
    from functions.core.operators.replaying import Replaying  # noqa: PLC0415 - of an operator

    assert Replaying(again.ledger, again.clock, "me").replay(announced(again).key).done
    rounds(without, hours=2)
    assert announced(without).state is State.OPEN
    again.aml.add_run("r1", experiment=EXPERIMENT)
    rounds(again, hours=1)
    assert (43, "r1") in again.started()


def test_a_row_of_an_earlier_version_names_no_file_and_is_left_for_a_day(fleet: Fleet) -> None:
    old = fleet.start(NEW)
    old.reconcile()
    claims(old)
    found = old.ledger.read(announced(old).key)
    assert found is not None
    from msgspec.structs import replace  # noqa: PLC0415 - once

    old.ledger.write(found, replace(found.continuation, file=""))
    newest = fleet.start(OLD)
    rounds(newest, hours=20)
    assert announced(newest).state is State.OPEN
    rounds(newest, hours=6)
    assert announced(newest).state is State.FAILED


def test_an_old_instance_does_not_hold_what_the_new_version_starts(fleet: Fleet) -> None:
    """The old file has a route of that name, which only answers tasks."""
    fleet.start(ONLY_ANSWERS).reconcile()
    new = fleet.start(NEW, PAUSED="1")
    new.reconcile(minutes=20)
    new.aml.add_run("r1", experiment=EXPERIMENT)
    new.deliver(completed("r1"))
    late = fleet.start(ONLY_ANSWERS)
    rounds(late, hours=6)
    assert announced(late).state is State.OPEN
    rounds(late, hours=24)
    row = announced(late)
    assert (row.state, row.reason) == (State.HELD, Reason.NOT_SERVED)


def test_a_file_that_is_changed_in_its_place_is_the_newer_one(fleet: Fleet) -> None:
    only = fleet.start(NEW)
    claims(only)
    only.routes(OLD)
    only.reconcile(minutes=1)
    assert announced(only).state is State.FAILED


# what it costs


class Counting(Wrapped):
    """The ledger; it counts the reads and writes of the files that were met."""

    def __init__(self, real: object) -> None:
        super().__init__(real)
        self.calls: list[str] = []

    def shared(self, name: str) -> object:
        self.calls += ["read"] * (name == FILES)
        return self.real.shared(name)

    def share(self, row: object, value: object) -> object:
        self.calls += ["write"] * (getattr(row, "name", "") == FILES)
        return self.real.share(row, value)


def test_a_start_asks_nothing_and_a_process_once(fleet: Fleet) -> None:
    instance = fleet.start(NEW)
    ledger = Counting(instance.ports.ledger)
    instance.build(ledger=ledger)
    instance.aml.add_run("r1", experiment=EXPERIMENT)
    instance.deliver(completed("r1"))
    assert ledger.calls == []
    for _ in range(3):
        instance.reconcile(minutes=1)
    assert ledger.calls == ["read", "write"]
    second = fleet.start(NEW)
    seen = Counting(second.ports.ledger)
    second.build(ledger=seen)
    for _ in range(3):
        second.reconcile(minutes=1)
    assert seen.calls == ["read"]


def test_only_so_many_files_are_remembered(fleet: Fleet) -> None:
    stage = fleet.start(NEW)
    for n in range(MOST_FILES + 5):
        files = note(stage.ledger, f"file-{n}", stage.clock.now())
    assert [file for file, _ in files] == [f"file-{n}" for n in range(5, MOST_FILES + 5)]


def test_two_that_meet_the_ledger_at_once_are_both_remembered(fleet: Fleet) -> None:
    class Raced(Wrapped):
        def shared(self, name: str) -> object:
            row = self.real.shared(name)
            if not raced:
                raced.append(note(self.real, "theirs", stage.clock.now()))
            return row

    raced: list[object] = []
    stage = fleet.start(NEW)
    files = note(Raced(stage.ledger), "mine", stage.clock.now())  # type: ignore[arg-type]
    assert [file for file, _ in files] == ["theirs", "mine"]


@pytest.mark.parametrize("late", [False, True])
def test_an_old_instance_takes_nothing_from_what_a_new_route_is_owed(
    fleet: Fleet, *, late: bool
) -> None:
    """It is told of a run that only the new route follows, and sweeps before the new one does."""
    old = fleet.start(OLD.replace("defect-*", "other-*"), SWEEP_WORKSPACES=WORKSPACE)
    old.reconcile()
    old.clock.forward(days=2)
    new = fleet.start(NEW, SWEEP_WORKSPACES=WORKSPACE)
    new.reconcile()
    new.clock.forward(minutes=3)
    end(old, "r1")
    old.deliver(completed("r1"))
    assert old.of_run("r1") == {}
    another = fleet.start(old.routes_file.read_text(), SWEEP_WORKSPACES=WORKSPACE)
    taker = another if late else old
    taker.clock.forward(minutes=2)
    taker.reconcile()
    taker.app.sweep.sweep()
    new.clock.forward(minutes=55)
    new.app.sweep.sweep()
    assert sorted(new.started()) == [(42, "r1"), (43, "r1")]


def test_a_file_that_is_rolled_back_registers_its_routes_when_the_roll_out_is_over(
    fleet: Fleet,
) -> None:
    first = fleet.start(NEW, SWEEP_WORKSPACES=WORKSPACE)
    first.reconcile()
    first.clock.forward(days=2)
    fleet.start(OLD, SWEEP_WORKSPACES=WORKSPACE).reconcile()
    first.clock.forward(minutes=11)
    back = fleet.start(NEW, SWEEP_WORKSPACES=WORKSPACE)
    end(back, "before")
    back.clock.forward(minutes=1)
    back.reconcile()
    back.clock.forward(minutes=1)
    end(back, "after")
    back.clock.forward(minutes=1)
    back.app.sweep.sweep()
    announced_for = sorted(run for pipeline, run in back.started() if pipeline == 43)
    assert announced_for == ["after"]
