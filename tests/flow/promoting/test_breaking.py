"""Promotions where a sweep dies, another one runs beside it, or what is wanted changes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.terms.errors import LedgerUnavailable
from local.cloud import WORKSPACE
from tests.flow.promoting.registries import ALIAS, follow, following, promoted, registered, swept
from tests.flow.rounds.sweeps import lines, sweep
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from functions.core.ports.ledger import Shared
    from local.cloud import Cloud
    from tests.stage.azure import Stage


class Dies(Exception):
    """The process ends here."""


class Dying(Wrapped):
    """A ledger at which a sweep dies: before or after a write of what is promoted, or a claim."""

    def __init__(self, real: Any, at: str) -> None:
        super().__init__(real)
        self.at = at

    def share(self, row: Shared, value: Mapping[str, object]) -> Shared:
        if not row.name.startswith("promotions/"):
            return self.real.share(row, value)  # type: ignore[no-any-return]
        what = "owed" if value["owed"] else "settled"
        if self.at == f"before {what}":
            raise Dies
        written = self.real.share(row, value)
        if self.at == f"after {what}":
            raise Dies
        return written  # type: ignore[no-any-return]

    def claim(self, *given: Any) -> Any:
        if self.at == "before a claim":
            raise Dies
        claimed = self.real.claim(*given)
        if self.at == "after a claim":
            raise Dies
        return claimed


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path) -> Stage:
    """An app that has looked at four versions, of which the third is promoted."""
    stage = following(cloud, tmp_path)
    registered(stage, 1, 2, 3, 4)
    stage.aml.set_alias("defects", "production", 3)
    assert swept(stage) == []
    return stage


@pytest.mark.parametrize(
    "at",
    [
        *("before owed", "after owed", "before a claim", "after a claim"),
        *("before settled", "after settled"),
    ],
)
@pytest.mark.parametrize("moves_on", [False, True], ids=["stays", "moves on"])
def test_a_sweep_that_dies_at_any_write_leaves_it_to_the_next_which_starts_it_once(
    stage: Stage, at: str, *, moves_on: bool
) -> None:
    stage.aml.set_alias("defects", "production", 4)
    stage.build(ledger=Dying(stage.ports.ledger, at))
    swept(stage)
    stage.build()
    if moves_on:
        stage.aml.set_alias("defects", "production", 2)
    swept(stage)
    stage.reconcile(hours=1)
    was_seen = at != "before owed"
    four = ["defects:4"] if was_seen or not moves_on else []
    assert sorted(promoted(stage)) == sorted([*four, *(["defects:2"] if moves_on else [])])
    assert sorted(swept(stage)) == sorted(promoted(stage))


def test_of_two_sweeps_at_a_time_one_starts_it(stage: Stage) -> None:
    stage.aml.set_alias("defects", "production", 4)
    ledger = stage.ports.ledger

    class Beside(Wrapped):
        """Another instance sweeps between this one's look and its first write."""

        begun = False

        def share(self, row: Shared, value: Mapping[str, object]) -> Shared:
            if row.name.startswith("promotions/") and not self.begun:
                self.begun = True
                stage.build()
                stage.aml.set_alias("defects", "production", 2)  # it even sees another one
                stage.app.sweep.sweep()
            return ledger.share(row, value)

    stage.build(ledger=Beside(ledger))
    sweep(stage, hours=1)
    assert promoted(stage) == ["defects:2"]
    assert swept(stage) == ["defects:2"]


def test_a_ledger_that_fails_at_a_claim_costs_nothing(stage: Stage) -> None:
    class Failing(Wrapped):
        def claim(self, *_: Any) -> Any:
            raise LedgerUnavailable

    stage.aml.set_alias("defects", "production", 4)
    stage.build(ledger=Failing(stage.ports.ledger))
    sweep(stage, hours=1)
    stage.build()
    assert swept(stage) == ["defects:4"]


def test_a_route_whose_text_changes_is_new(stage: Stage) -> None:
    stage.aml.set_alias("defects", "live", 2)
    follow(stage, "{alias: live}")
    assert (swept(stage), swept(stage)) == ([], [])
    stage.aml.set_alias("defects", "live", 1)
    assert swept(stage) == ["defects:1"]


def test_a_route_that_was_taken_away_and_brought_back_is_new(stage: Stage) -> None:
    stage.routes(ROUTES)
    swept(stage)
    stage.aml.set_alias("defects", "production", 4)
    follow(stage, ALIAS)
    assert (swept(stage), swept(stage)) == ([], [])


def test_a_gate_that_is_edited_makes_no_new_route(stage: Stage) -> None:
    stage.aml.set_alias("defects", "production", 4)
    follow(stage, ALIAS, "when: model.version != '9'")
    assert swept(stage) == ["defects:4"]


def test_while_the_sweep_is_off_nothing_is_owed(stage: Stage) -> None:
    stage.deploy(SWEEP="off")
    swept(stage)
    stage.aml.set_alias("defects", "production", 4)
    swept(stage)
    stage.deploy(SWEEP="start")
    assert (swept(stage), swept(stage)) == ([], [])
    stage.aml.set_alias("defects", "production", 2)
    assert swept(stage) == ["defects:2"]


def test_report_tells_of_it_and_start_starts_it(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.deploy(SWEEP="report")
    stage.aml.set_alias("defects", "production", 4)
    with caplog.at_level(logging.WARNING):
        assert swept(stage) == []
    (line,) = lines(caplog, "missed")
    assert "defects:4:production:" in line
    assert "routes=deploy" in line
    stage.deploy(SWEEP="start")
    assert swept(stage) == ["defects:4"]


def test_a_workspace_that_was_not_there_is_new(cloud: Cloud, tmp_path: Path) -> None:
    stage = following(cloud, tmp_path)
    registered(stage, 3, 4)
    stage.aml.set_alias("defects", "production", 3)
    swept(stage)
    gone = cloud.arm._workspaces.pop(WORKSPACE.lower())  # noqa: SLF001
    stage.deploy()
    for _ in range(4):  # for longer than three days
        swept(stage)
        stage.clock.forward(days=1)
    cloud.arm._workspaces[WORKSPACE.lower()] = gone  # noqa: SLF001
    stage.aml.set_alias("defects", "production", 4)
    for _ in range(4):
        swept(stage)
        stage.clock.forward(days=1)
    assert promoted(stage) == []
    stage.aml.set_alias("defects", "production", 3)
    assert swept(stage) == ["defects:3"]


def test_what_nobody_changes_is_remembered_however_long(stage: Stage) -> None:
    for _ in range(3):  # a row that nobody renews is forgotten in the last of these
        stage.clock.forward(days=25)
        swept(stage)
    stage.aml.set_alias("defects", "production", 4)
    assert swept(stage) == ["defects:4"]


def test_a_sweep_that_finds_nothing_new_writes_nothing(stage: Stage) -> None:
    written: list[str] = []

    class Counting(Wrapped):
        def share(self, row: Shared, value: Mapping[str, object]) -> Any:
            written.append(row.name)
            return self.real.share(row, value)

    stage.build(ledger=Counting(stage.ports.ledger))
    swept(stage)
    assert [name for name in written if name.startswith("promotions/")] == []


def test_a_first_look_by_a_clock_that_is_behind_counts_all_the_same(
    cloud: Cloud, tmp_path: Path
) -> None:
    stage = following(cloud, tmp_path)
    registered(stage, 3, 4)
    stage.aml.set_alias("defects", "production", 3)
    stage.clock.forward(minutes=4)
    stage.reconcile()  # who writes down since when the route is known is that far ahead
    stage.clock.forward(minutes=-4)
    sweep(stage)
    stage.aml.set_alias("defects", "production", 4)
    assert swept(stage) == ["defects:4"]


def test_what_was_found_for_a_route_that_is_about_another_promotion_by_then_starts_nothing(
    stage: Stage,
) -> None:
    class Slow(Wrapped):
        def promoted(self, *given: Any) -> Any:
            found = self.real.promoted(*given)
            follow(stage, "{alias: staging}")
            return found

    stage.aml.set_alias("defects", "production", 4)
    stage.build(runs=Slow(stage.ports.runs))
    assert [swept(stage), swept(stage)] == [[], []]
    stage.aml.set_alias("defects", "staging", 2)
    assert swept(stage) == ["defects:2"]


def test_what_a_sweep_owes_is_told_and_not_started_once_sweeps_only_report(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.aml.set_alias("defects", "production", 4)
    stage.build(ledger=Dying(stage.ports.ledger, "before a claim"))
    swept(stage)
    stage.deploy(SWEEP="report")
    with caplog.at_level(logging.WARNING):
        assert swept(stage) == []
    (line,) = lines(caplog, "missed")
    assert "defects:4:production:" in line
    stage.deploy(SWEEP="start")
    assert (swept(stage), swept(stage)) == (["defects:4"], ["defects:4"])


def test_what_is_only_reported_for_months_starts_once_sweeps_start(stage: Stage) -> None:
    stage.deploy(SWEEP="report")
    stage.aml.set_alias("defects", "production", 4)
    for _ in range(5):
        stage.clock.forward(days=25)
        assert swept(stage) == []
    stage.deploy(SWEEP="start")
    assert swept(stage) == ["defects:4"]


def test_routes_that_there_is_no_time_for_are_told_and_come_first_in_the_next_sweep(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    class Slow(Wrapped):
        def promoted(self, *given: Any) -> Any:
            found = self.real.promoted(*given)
            stage.clock.forward(hours=1)
            return found

    text = stage.routes_file.read_text("utf-8")
    one = text.partition("routes:\n")[2]
    others = "".join(
        "\n" + one.replace("name: deploy", f"name: {name}").replace("production", name)
        for name in ("canary", "shadowed")
    )
    stage.routes(text + others)
    stage.build(runs=Slow(stage.ports.runs))
    with caplog.at_level(logging.WARNING):
        swept(stage)
    (line,) = [one for one in lines(caplog, "sweep") if "lacking=" in one and "promotions" in one]
    assert "route=canary complete=no" in line
    assert "no time was left for 2 routes" in line
    for _ in range(4):  # each of them has its first look, and its second
        swept(stage)
    for number, alias in enumerate(("production", "canary", "shadowed"), 1):
        stage.aml.set_alias("defects", alias, number)
    for _ in range(3):
        swept(stage)
    assert sorted(promoted(stage)) == ["defects:1", "defects:2", "defects:3"]


def test_what_a_sweep_owed_when_it_was_switched_off_is_told_and_not_started(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """It died before its claim; nothing is owed from before the sweep was off."""
    stage.aml.set_alias("defects", "production", 4)
    stage.build(ledger=Dying(stage.ports.ledger, "after owed"))
    swept(stage)
    stage.deploy(SWEEP="off")
    assert swept(stage) == []
    stage.deploy(SWEEP="start")
    caplog.set_level(logging.INFO)
    assert swept(stage) == []
    (told,) = lines(caplog, "missed")
    assert "defects:4" in told
    caplog.clear()
    assert swept(stage) == []
    assert lines(caplog, "missed") == []
