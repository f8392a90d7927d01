"""The same where one of a group goes on at a time: no host that dies or freezes lets two go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.kept.summary import EVER
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.crash.points import Queued
from tests.crash.theatre import FREEZE, KILL, cut, dead, reconcile, told, until, wake
from tests.soak.team import AFTER_ALL
from tests.stage.azure import ROUTES, completed

if TYPE_CHECKING:
    import threading

    from functions.core.kept.continuation import Continuation
    from tests.crash.theatre import Theatre
    from tests.stage.azure import Stage
    from tests.stage.hosted import Hosted

ONE = ROUTES.replace(
    "name: register", "name: register\n    concurrency: {group: deploy, queue: latest}"
)
RUNS = ("r1", "r2", "r3")


def trained(stage: Stage, host: Hosted, *runs: str) -> None:
    """Let these end, each a minute after the one before."""
    for run in runs:
        stage.aml.add_run(run, experiment="defect-detection")
        event = {**completed(run), "eventTime": f"2026-11-21T18:4{run[1:]}:00Z"}
        assert host.deliver("on_run_completed", event).status_code == 202


def cut_at(theatre: Theatre, point: Queued, how: str) -> tuple[Hosted, threading.Thread]:
    """Have a host that is cut at the point; which is the first of a group, or calls the second."""
    stage = theatre.stage
    stage.routes(ONE)
    if point is Queued.PLACED:
        return cut(theatre, point, how, told(**completed("r1")))
    first = theatre.host()
    trained(stage, first, "r1", "r2", *(["r3"] if point is Queued.SUPERSEDED else []))
    first.stop()
    if point is Queued.CALLED:
        stage.devops.finish(stage.devops.runs[0].id, "succeeded")
    return cut(theatre, point, how, reconcile)


def going(stage: Stage) -> list[str]:
    """Of which runs a pipeline run goes on."""
    builds = [build for build in stage.devops.runs if build.result is None]
    return [build.template_parameters["run_id"] for build in builds]


def to_the_end(theatre: Theatre, host: Hosted) -> dict[str, Continuation]:
    """Tell this host of all, and let it work until nothing is open; each build ends once alone."""
    stage = theatre.stage
    trained(stage, host, *RUNS)

    def is_over() -> bool:
        host.fire("reconcile")
        assert len(going(stage)) <= 1
        known = [stage.only(run) for run in RUNS]
        for build in stage.devops.runs:
            if build.result is None and any(c.pipeline_run == build.id for c in known):
                stage.devops.finish(build.id, "succeeded")
        done = [c.ended or c.state is State.SKIPPED for c in known]
        return all(done) and not stage.ledger.backlog(AFTER_ALL).open

    until(is_over)
    return {run: stage.only(run) for run in RUNS}


def assert_none_is_lost(theatre: Theatre, became: dict[str, Continuation]) -> None:
    """Each was started once or gave way to a later one, and lists say the same."""
    builds = sorted(run.template_parameters["run_id"] for run in theatre.stage.devops.runs)
    assert builds == [run for run, c in became.items() if c.state is State.STARTED]
    gone = {run for run, c in became.items() if c.reason is Reason.SUPERSEDED}
    assert gone <= {"r2"}
    assert {*builds} | gone == {*RUNS}
    listed = {one.key.run: one.state for one in theatre.stage.ledger.listed(EVER, 9)}
    assert listed == {run: c.state for run, c in became.items()}


@pytest.mark.parametrize("point", list(Queued))
def test_a_killed_host_keeps_no_place_and_lets_no_two_go_on(
    theatre: Theatre, point: Queued
) -> None:
    host, last = cut_at(theatre, point, KILL)
    dead(host, last)
    assert_none_is_lost(theatre, to_the_end(theatre, theatre.host()))


@pytest.mark.proof
@pytest.mark.parametrize("point", list(Queued))
def test_a_frozen_host_that_wakes_up_late_lets_no_two_go_on(
    theatre: Theatre, point: Queued
) -> None:
    host, last = cut_at(theatre, point, FREEZE)
    became = to_the_end(theatre, theatre.host())
    wake(host, last)
    assert going(theatre.stage) == []
    assert_none_is_lost(theatre, became)
    assert {run: theatre.stage.only(run) for run in RUNS} == became
