"""Hosts are killed and frozen while they find what was promoted: it is started, and once.

On a ledger in a file: what a store must do for it is tried on each in tests/ledger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.kept.summary import EVER
from functions.core.terms.words import State
from tests.crash.points import Point, Promoting
from tests.crash.theatre import FREEZE, KILL, SHORT, cut, dead, playing, sweep, until, wake
from tests.flow.promoting.registries import following, promoted, registered, swept
from tests.soak.team import AFTER_ALL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.cloud import Cloud
    from tests.crash.points import Anywhere
    from tests.crash.theatre import Theatre
    from tests.stage.azure import Stage
    from tests.stage.hosted import Hosted

OF_A_SWEEP = [
    Promoting.LOOKED,
    Promoting.OWED,
    Point.CLAIMED,
    Point.SECRET,
    Point.ASKED,
    Point.SENT,
    Point.ANSWERED,
    Point.SETTLED,
    Promoting.PAID,
]
SWEEPS = pytest.mark.parametrize("point", OF_A_SWEEP)


def tell_apart(stage: Stage) -> None:
    """Send what tells each start from every other, so that a lost answer can be looked for."""
    asked = dict.fromkeys(["id", "name", "version"])
    stage.devops.add_pipeline("contoso", "mlops", 42, "next", parameters=asked)
    text = stage.routes_file.read_text("utf-8")
    stage.routes(text.replace("{name:", "{id: '{{ event.id }}', name:"))


@pytest.fixture
def theatre(cloud: Cloud, tmp_path: Path) -> Iterator[Theatre]:
    """An app that knows the third version as promoted; since then it is the fourth."""
    stage = following(cloud, tmp_path, **SHORT)
    tell_apart(stage)
    registered(stage, 1, 2, 3, 4)
    stage.aml.set_alias("defects", "production", 3)
    assert swept(stage) == []
    stage.aml.set_alias("defects", "production", 4)
    with playing(stage, tmp_path) as made:
        yield made


def hours_later(theatre: Theatre, host: Hosted) -> list[str]:
    """What was started, once this host has swept twice, and nothing is open."""
    for _ in range(2):
        theatre.forward(hours=1)
        host.fire("sweep")

    def is_over() -> bool:
        host.fire("reconcile")
        return not theatre.stage.ledger.backlog(AFTER_ALL).open

    until(is_over)
    return promoted(theatre.stage)


def assert_known(theatre: Theatre) -> None:
    """Each pipeline run stands in one row, and each row has one."""
    rows = theatre.stage.ledger.recent(EVER, 9)
    assert {(c.state, c.duplicates) for c in rows} == {(State.STARTED, ())}
    assert {c.pipeline_run for c in rows} == {run.id for run in theatre.stage.devops.runs}


@SWEEPS
def test_a_host_that_is_killed_in_a_sweep_neither_loses_a_promotion_nor_starts_it_twice(
    theatre: Theatre, point: Anywhere
) -> None:
    dead(*cut(theatre, point, KILL, sweep))
    assert hours_later(theatre, theatre.host()) == ["defects:4"]
    assert_known(theatre)


@pytest.mark.proof
@SWEEPS
def test_a_host_that_was_frozen_in_a_sweep_starts_nothing_again(
    theatre: Theatre, point: Anywhere
) -> None:
    frozen = cut(theatre, point, FREEZE, sweep)
    second = theatre.host()
    assert hours_later(theatre, second) == ["defects:4"]
    theatre.stage.devops.server.faults.clear()
    wake(*frozen)
    assert hours_later(theatre, second) == ["defects:4"]
    assert_known(theatre)


@SWEEPS
@pytest.mark.parametrize("how", [KILL, pytest.param(FREEZE, marks=pytest.mark.proof)])
def test_what_is_promoted_while_it_is_away_is_started_beside_what_was_written_down(
    theatre: Theatre, point: Anywhere, how: str
) -> None:
    host, last = cut(theatre, point, how, sweep)
    theatre.stage.aml.set_alias("defects", "production", 2)
    second = theatre.host()
    was_written = [] if point is Promoting.LOOKED else ["defects:4"]
    assert sorted(hours_later(theatre, second)) == sorted(["defects:2", *was_written])
    theatre.stage.devops.server.faults.clear()
    if how == FREEZE:
        wake(host, last)
    assert sorted(hours_later(theatre, second)) == sorted(["defects:2", *was_written])
    assert_known(theatre)
