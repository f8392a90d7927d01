"""Real host processes are killed and frozen at every point of the path, with either ledger."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from functions.core.kept.summary import EVER
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.crash.fuse import Later, Point
from tests.soak.team import AFTER_ALL
from tests.stage import azurite
from tests.stage.azure import Stage, completed
from tests.stage.hosted import Hosted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from functions.core.kept.continuation import Continuation
    from local.cloud import Cloud
    from tests.crash.fuse import Anywhere

APP = Path(__file__).parent / "app"
ROUNDS = 400
SHORT = {
    "CLAIM_LEASE_SECONDS": "1",
    "IN_DOUBT_GRACE_SECONDS": "1",
    "RETRY_FIRST_SECONDS": "0.2",
}


@pytest.fixture(params=["sqlite", "table"])
def stage(request: pytest.FixtureRequest, cloud: Cloud, tmp_path: Path) -> Stage:
    if request.param == "sqlite":
        return Stage(cloud, tmp_path, **SHORT)
    connection = azurite.connection_string(request.getfixturevalue("azurite"))
    table = {"AzureWebJobsStorage": connection, "LEDGER_TABLE": f"t{uuid.uuid4().hex}"}
    return Stage(cloud, tmp_path, LEDGER_URL="", **SHORT, **table)


class Theatre:
    """Hosts that come and go over one ledger."""

    def __init__(self, stage: Stage, fuse: Path) -> None:
        self.stage = stage
        self.fuse = fuse
        self.hosts: list[Hosted] = []

    def host(self, point: Anywhere | None = None, how: str = "SIGKILL") -> Hosted:
        """Another host process, with a fuse at that point."""
        fuse = {"FUSE_POINT": point or "", "FUSE_SIGNAL": how, "FUSE_FILE": str(self.fuse)}
        self.hosts.append(Hosted({**self.stage.environ, **fuse}, APP))
        return self.hosts[-1]

    def await_end(self, host: Hosted) -> Continuation:
        """Let the reconciler of this host run until nothing is open."""
        for _ in range(ROUNDS):
            host.fire("reconcile")
            found = self.stage.ledger.of_run(*self.run())
            if found and not any(c.is_open for c in found):
                return found[0]
            time.sleep(0.1)  # the next round of the timer
        raise AssertionError(f"still open: {self.stage.ledger.of_run(*self.run())}")

    @staticmethod
    def run() -> tuple[str, str]:
        """Workspace and run that the theatre is about."""
        return completed("r1")["topic"].lower(), "r1"


@pytest.fixture
def theatre(stage: Stage, tmp_path: Path) -> Iterator[Theatre]:
    stage.aml.add_run("r1", experiment="defect-detection")
    made = Theatre(stage, tmp_path / "fuse")
    yield made
    stage.devops.server.faults.clear()
    for host in made.hosts:
        host.stop()


def until(reached: Callable[[], bool]) -> None:
    for _ in range(ROUNDS * 10):
        if reached():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to that")


def deliver_aside(host: Hosted) -> threading.Thread:
    """Deliver without waiting for an answer that may never come."""

    def deliver() -> None:
        with suppress(requests.RequestException):
            host.deliver("on_run_completed", completed("r1"))

    thread = threading.Thread(target=deliver)
    thread.start()
    return thread


def cut(theatre: Theatre, point: Point, how: str) -> tuple[Hosted, threading.Thread]:
    """Deliver to a host that is cut at the point, and wait until it is."""
    if point is not Point.SENT:
        host = theatre.host(point, how)
        delivery = deliver_aside(host)
        until(theatre.fuse.exists)
        return host, delivery
    host = theatre.host()
    hang = Fault(method="POST", path="*/runs", hang=True, after=True)
    theatre.stage.devops.server.faults.add(hang)
    delivery = deliver_aside(host)
    until(lambda: bool(theatre.stage.devops.runs))
    os.kill(host.process.pid, signal.Signals[how])
    return host, delivery


def assert_started_once(theatre: Theatre, end: Continuation) -> None:
    (run,) = theatre.stage.devops.runs
    assert (end.state, end.pipeline_run, end.duplicates) == (State.STARTED, run.id, ())


@pytest.mark.parametrize("point", list(Point))
def test_a_killed_host_neither_loses_nor_repeats_a_start(theatre: Theatre, point: Point) -> None:
    host, delivery = cut(theatre, point, "SIGKILL")
    host.ended()
    delivery.join()
    second = theatre.host()
    assert second.deliver("on_run_completed", completed("r1")).status_code == 202
    assert_started_once(theatre, theatre.await_end(second))


@pytest.mark.parametrize("point", list(Point))
def test_a_frozen_host_that_wakes_up_late_does_no_harm(theatre: Theatre, point: Point) -> None:
    host, delivery = cut(theatre, point, "SIGSTOP")
    second = theatre.host()
    end = theatre.await_end(second)
    theatre.stage.devops.server.faults.clear()
    os.kill(host.process.pid, signal.SIGCONT)
    delivery.join()
    assert_started_once(theatre, end)
    (after,) = theatre.stage.ledger.of_run(*theatre.run())
    assert_started_once(theatre, after)


def fire_aside(host: Hosted) -> threading.Thread:
    """Fire the reconciler without waiting for a round that may never end."""

    def fire() -> None:
        with suppress(requests.RequestException):
            host.fire("reconcile")

    thread = threading.Thread(target=fire)
    thread.start()
    return thread


def rounds_until_it_is_cut(theatre: Theatre, host: Hosted) -> threading.Thread:
    """Let it do one round after the other until one of them is cut, which is the last."""
    rounds = [fire_aside(host)]

    def is_cut() -> bool:
        if not rounds[-1].is_alive() and not theatre.fuse.exists():
            rounds.append(fire_aside(host))
        return theatre.fuse.exists()

    until(is_cut)
    return rounds[-1]


def cut_while_following(
    theatre: Theatre, point: Later, how: str
) -> tuple[Hosted, threading.Thread]:
    """Start with a host that is cut when it follows, end the build, and wait until it is cut."""
    host = theatre.host(point, how)
    assert host.deliver("on_run_completed", completed("r1")).status_code == 202
    (build,) = theatre.stage.devops.runs
    theatre.stage.devops.finish(build.id, "failed")

    return host, rounds_until_it_is_cut(theatre, host)


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
    host, last = cut_while_following(theatre, point, "SIGKILL")
    host.ended()
    last.join()
    assert_ended_once(theatre, until_nothing_is_followed(theatre, theatre.host()))


@pytest.mark.parametrize("point", [Later.LOOKED, Later.ENDED])
def test_a_host_that_was_frozen_while_it_followed_changes_no_end(
    theatre: Theatre, point: Later
) -> None:
    host, last = cut_while_following(theatre, point, "SIGSTOP")
    end = until_nothing_is_followed(theatre, theatre.host())
    os.kill(host.process.pid, signal.SIGCONT)
    last.join()
    (after,) = theatre.stage.ledger.of_run(*theatre.run())
    assert after.ended == end.ended
    assert_ended_once(theatre, after)
