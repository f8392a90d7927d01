"""Real host processes are killed and frozen at every point of the path, with either ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.kept.summary import EVER
from functions.core.terms.words import State
from tests.crash.points import Later, Point
from tests.crash.theatre import FREEZE, KILL, cut, dead, reconcile, told, until, wake
from tests.soak.team import AFTER_ALL
from tests.stage.azure import completed

if TYPE_CHECKING:
    import threading

    from functions.core.kept.continuation import Continuation
    from tests.crash.theatre import Theatre
    from tests.stage.hosted import Hosted


def cut_at_a_delivery(theatre: Theatre, point: Point, how: str) -> tuple[Hosted, threading.Thread]:
    """A host that is cut at the point, in a delivery."""
    return cut(theatre, point, how, told(**completed("r1")))


def assert_started_once(theatre: Theatre, end: Continuation) -> None:
    (run,) = theatre.stage.devops.runs
    assert (end.state, end.pipeline_run, end.duplicates) == (State.STARTED, run.id, ())


# Who was frozen comes back to the same rows on either ledger: of one it is shown by `make proofs`.
EITHER = pytest.mark.parametrize(
    "stage", ["table", pytest.param("sqlite", marks=pytest.mark.proof)], indirect=True
)


@pytest.mark.parametrize("point", list(Point))
def test_a_killed_host_neither_loses_nor_repeats_a_start(theatre: Theatre, point: Point) -> None:
    host, delivery = cut_at_a_delivery(theatre, point, KILL)
    dead(host, delivery)
    second = theatre.host()
    assert second.deliver("on_run_completed", completed("r1")).status_code == 202
    assert_started_once(theatre, theatre.await_end(second))


@EITHER
@pytest.mark.parametrize("point", list(Point))
def test_a_frozen_host_that_wakes_up_late_does_no_harm(theatre: Theatre, point: Point) -> None:
    host, delivery = cut_at_a_delivery(theatre, point, FREEZE)
    second = theatre.host()
    end = theatre.await_end(second)
    theatre.stage.devops.server.faults.clear()
    wake(host, delivery)
    assert_started_once(theatre, end)
    (after,) = theatre.stage.ledger.of_run(*theatre.run())
    assert_started_once(theatre, after)


def cut_while_following(
    theatre: Theatre, point: Later, how: str
) -> tuple[Hosted, threading.Thread]:
    """Start with a host that is cut when it follows, end the build, and wait until it is cut."""

    def starts_and_follows(host: Hosted) -> None:
        if not theatre.stage.devops.runs:
            assert host.deliver("on_run_completed", completed("r1")).status_code == 202
            (build,) = theatre.stage.devops.runs
            theatre.stage.devops.finish(build.id, "failed")
        reconcile(host)

    return cut(theatre, point, how, starts_and_follows)


def until_nothing_is_followed(theatre: Theatre, host: Hosted) -> Continuation:
    """Let the reconciler of this host run until an end is there, and nothing is left to do."""

    def is_over() -> bool:
        host.fire("reconcile")
        ledger, (found,) = theatre.stage.ledger, theatre.stage.ledger.of_run(*theatre.run())
        return (
            found.ended is not None
            and not ledger.followed.keys()
            and not ledger.backlog(AFTER_ALL).open
        )

    until(is_over)
    (found,) = theatre.stage.ledger.of_run(*theatre.run())
    return found


def assert_ended_once(theatre: Theatre, end: Continuation) -> None:
    assert_started_once(theatre, end)
    assert end.ended is not None
    assert (end.ended.how, [step.what for step in end.history].count("ended")) == ("failed", 1)
    (shown,) = theatre.stage.ledger.listed(EVER, 9)
    assert shown.ended == "failed"


@pytest.mark.parametrize("point", list(Later))
def test_a_host_that_is_killed_while_it_follows_loses_no_end(
    theatre: Theatre, point: Later
) -> None:
    host, last = cut_while_following(theatre, point, KILL)
    dead(host, last)
    assert_ended_once(theatre, until_nothing_is_followed(theatre, theatre.host()))


@pytest.mark.parametrize("point", [Later.LOOKED, Later.ENDED])
def test_a_host_that_was_frozen_while_it_followed_changes_no_end(
    theatre: Theatre, point: Later
) -> None:
    host, last = cut_while_following(theatre, point, FREEZE)
    end = until_nothing_is_followed(theatre, theatre.host())
    wake(host, last)
    (after,) = theatre.stage.ledger.of_run(*theatre.run())
    assert after.ended == end.ended
    assert_ended_once(theatre, after)
