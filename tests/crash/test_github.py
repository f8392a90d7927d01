"""Hosts are killed and frozen while they start a workflow of GitHub, and follow it to its end.

On a ledger in a file: what a store must do for it is tried on each in test_crashes.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.terms.words import State
from tests.crash.points import Later, Point
from tests.crash.theatre import (
    FREEZE,
    KILL,
    SHORT,
    cut,
    dead,
    playing,
    reconcile,
    told,
    until,
    wake,
)
from tests.flow.github.hub import Hub
from tests.soak.team import AFTER_ALL
from tests.stage.azure import completed

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from pathlib import Path

    from functions.core.kept.continuation import Continuation
    from local.cloud import Cloud
    from tests.crash.theatre import Theatre
    from tests.stage.hosted import Hosted

HOW = pytest.mark.parametrize("how", [KILL, pytest.param(FREEZE, marks=pytest.mark.proof)])


@pytest.fixture
def hub(cloud: Cloud, tmp_path: Path) -> Hub:
    return Hub(cloud, tmp_path, **SHORT)


@pytest.fixture
def theatre(hub: Hub, tmp_path: Path) -> Iterator[Theatre]:
    hub.aml.add_run("r1", experiment="defect-detection")
    with playing(hub, tmp_path) as made:
        made.service = hub.hub
        yield made


def after_it(theatre: Theatre, host: Hosted, doing: threading.Thread, how: str) -> Continuation:
    """What another host makes of it, and what is left when the first one wakes up or is dead."""
    if how == KILL:
        dead(host, doing)
    second = theatre.host()
    second.deliver("on_run_completed", completed("r1"))
    theatre.await_end(second)
    theatre.service.server.faults.clear()
    if how == FREEZE:
        wake(host, doing)
    (found,) = theatre.stage.ledger.of_run(*theatre.run())
    return found


@HOW
@pytest.mark.parametrize("point", list(Point))
def test_a_workflow_is_started_once_whoever_dies_or_stands_still(
    theatre: Theatre, hub: Hub, point: Point, how: str
) -> None:
    host, delivery = cut(theatre, point, how, told(**completed("r1")))
    end = after_it(theatre, host, delivery, how)
    (run,) = hub.runs
    assert (end.state, end.pipeline_run, end.duplicates) == (State.STARTED, run.id, ())


@HOW
@pytest.mark.parametrize("point", [Point.ASKED, Point.SENT, Point.SETTLED])
def test_what_a_server_takes_without_an_id_is_started_once_as_well(
    theatre: Theatre, hub: Hub, point: Point, how: str
) -> None:
    hub.hub.details = "ignored"

    def starts_and_looks(host: Hosted) -> None:
        told(**completed("r1"))(host)
        reconcile(host)

    host, delivery = cut(theatre, point, how, starts_and_looks)
    end = after_it(theatre, host, delivery, how)
    (run,) = hub.runs
    assert (end.state, end.pipeline_run, end.duplicates) == (State.STARTED, run.id, ())


@HOW
@pytest.mark.parametrize("point", [Later.FOLLOWED, Later.LOOKED, Later.ENDED, Later.SHOWN])
def test_its_end_is_told_once(theatre: Theatre, hub: Hub, point: Later, how: str) -> None:
    def starts_and_follows(host: Hosted) -> None:
        if not hub.runs:
            assert host.deliver("on_run_completed", completed("r1")).status_code == 202
            hub.hub.finish(hub.runs[0].id, "failure")
        reconcile(host)

    host, last = cut(theatre, point, how, starts_and_follows)
    if how == KILL:
        dead(host, last)
    second = theatre.host()

    def is_over() -> bool:
        second.fire("reconcile")
        ledger, (found,) = theatre.stage.ledger, theatre.stage.ledger.of_run(*theatre.run())
        over = found.ended is not None and not ledger.backlog(AFTER_ALL).open
        return over and not ledger.followed.keys()

    until(is_over)
    if how == FREEZE:
        wake(host, last)
    (found,) = theatre.stage.ledger.of_run(*theatre.run())
    assert found.ended is not None
    assert found.ended.how == "failed"
    assert [step.what for step in found.history].count("ended") == 1
    assert len(hub.runs) == 1
