"""Real host processes over one ledger, which are killed or frozen while others go on."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from local.serving.faults import Fault
from tests.crash.points import Point
from tests.stage.azure import completed
from tests.stage.hosted import Hosted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from functions.core.kept.continuation import Continuation
    from local.devops import DevOps
    from local.github import GitHub
    from tests.crash.points import Anywhere
    from tests.stage.azure import Stage

APP = Path(__file__).parent / "app"
ROUNDS = 400
SHORT = {
    "CLAIM_LEASE_SECONDS": "1",
    "IN_DOUBT_GRACE_SECONDS": "1",
    "RETRY_FIRST_SECONDS": "0.2",
}
KILL, FREEZE = "SIGKILL", "SIGSTOP"


class Theatre:
    """Hosts that come and go over one ledger. Their clocks are the stage's, wherever that is."""

    def __init__(self, stage: Stage, directory: Path) -> None:
        self.stage = stage
        self.fuse, self._clock = directory / "fuse", directory / "clock"
        self.hosts: list[Hosted] = []
        self.service: DevOps | GitHub = stage.devops  # at which things are started
        self.forward()

    def host(self, point: Anywhere | None = None, how: str = KILL) -> Hosted:
        """Another host process, with a fuse at that point."""
        fuse = {"FUSE_POINT": point or "", "FUSE_SIGNAL": how, "FUSE_FILE": str(self.fuse)}
        fuse["FUSE_CLOCK"] = str(self._clock)
        self.hosts.append(Hosted({**self.stage.environ, **fuse}, APP))
        return self.hosts[-1]

    def forward(self, **by: float) -> None:
        """Time goes by, for all processes and for Azure DevOps."""
        self.stage.clock.forward(**by)
        moved = self.stage.clock.moved.total_seconds()
        self.stage.devops.clock_skew = moved
        new = self._clock.with_suffix(".new")
        new.write_text(str(moved))
        new.replace(self._clock)

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
        """Workspace and run that most plays are about."""
        return completed("r1")["topic"].lower(), "r1"


@contextmanager
def playing(stage: Stage, directory: Path) -> Iterator[Theatre]:
    """A theatre whose hosts are all ended afterwards."""
    made = Theatre(stage, directory)
    try:
        yield made
    finally:
        made.service.server.faults.clear()
        for host in made.hosts:
            host.stop()


def until(reached: Callable[[], bool]) -> None:
    """Wait for it, and fail where it never comes."""
    for _ in range(ROUNDS * 10):
        if reached():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to that")


def aside(act: Callable[[], object]) -> threading.Thread:
    """Do it without waiting for an answer that may never come."""

    def done() -> None:
        with suppress(requests.RequestException):
            act()

    thread = threading.Thread(target=done)
    thread.start()
    return thread


def cut(
    theatre: Theatre, point: Anywhere, how: str, act: Callable[[Hosted], object]
) -> tuple[Hosted, threading.Thread]:
    """Have a host that does so, again and again, until it is cut at the point, and what it does.

    Between a request and its answer it is cut from outside.
    """
    sent = point is Point.SENT
    host = theatre.host(None if sent else point, how)
    if sent:
        for path in ("*/runs", "*/dispatches"):
            hang = Fault(method="POST", path=path, hang=True, after=True)
            theatre.service.server.faults.add(hang)
    there = len(theatre.service.runs)
    tries = [aside(lambda: act(host))]

    def is_cut() -> bool:
        done = len(theatre.service.runs) > there if sent else theatre.fuse.exists()
        if not done and not tries[-1].is_alive():
            tries.append(aside(lambda: act(host)))
        return done

    until(is_cut)
    if sent:
        os.kill(host.process.pid, signal.Signals[how])
    return host, tries[-1]


def wake(host: Hosted, doing: threading.Thread) -> None:
    """Let one that was frozen go on, and end what it was at."""
    os.kill(host.process.pid, signal.SIGCONT)
    doing.join()


def dead(host: Hosted, doing: threading.Thread) -> None:
    """Wait until one that was killed is gone."""
    host.ended()
    doing.join()


def reconcile(host: Hosted) -> None:
    """One round."""
    host.fire("reconcile")


def sweep(host: Hosted) -> None:
    """One sweep."""
    host.fire("sweep")


def told(**event: Any) -> Callable[[Hosted], object]:
    """The delivery of this event."""
    return lambda host: host.deliver("on_run_completed", event)
