"""Ports that die or freeze: the production code knows nothing of it."""

from __future__ import annotations

import functools
import os
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions import bootstrap, connections
from functions.adapters.clock import SystemClock
from functions.configuration import settings
from functions.core.kept import after
from functions.core.kept.tasks import WaitState
from functions.core.rounds.expecting.row import telling
from functions.core.routes.joins.members import members
from functions.core.terms.reasons import Reason
from functions.core.terms.words import Outcome, State
from tests.crash.points import (
    Answering,
    Anywhere,
    Expecting,
    Going,
    Joining,
    Later,
    Point,
    Promoting,
    Queued,
    Telling,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

SKIPPED: dict[Reason, Anywhere] = {
    Reason.SUPERSEDED: Queued.SUPERSEDED,
    Reason.JOINED: Joining.ENDED,
}
THEN = frozenset({51, 52, 53})  # the pipelines that go on by an end; the others news start


class Moved(SystemClock):
    """The machine's clock, moved on by so many seconds as stand in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self._by())

    def monotonic(self) -> float:
        return super().monotonic() + self._by()

    def _by(self) -> float:
        return float(self._file.read_text())


class Fuse:
    """Burns once: leaves its file, then signals its own process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._point = environ.get("FUSE_POINT", "")
        self._signal = signal.Signals[environ.get("FUSE_SIGNAL", "SIGKILL")]
        self._file = Path(environ.get("FUSE_FILE", os.devnull))

    def at(self, point: Anywhere) -> None:
        """Burn, if this is the point and it has not burnt yet."""
        if point == self._point and not self._file.exists():
            self._file.write_text(point)
            os.kill(os.getpid(), self._signal)
            time.sleep(0.2)  # a thread may run on for a moment before the whole process stops


class After:
    """A port that lets the fuse burn after some of its calls."""

    def __init__(self, port: Any, **points: Callable[..., Anywhere | None]) -> None:
        self._port = port
        self._points = points
        self.fuse: Fuse

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._port, name)
        if name not in self._points:
            return call

        @functools.wraps(call)
        def fused_call(*args: Any, **named: Any) -> Any:
            found = call(*args, **named)
            if point := self._points[name](*args):
                self.fuse.at(point)
            return found

        return fused_call


class AfterLedger(After):
    """The same for the ledger, and for each of its books."""

    @property
    def followed(self) -> After:
        return self._book(
            self._port.followed,
            follow=lambda _: Later.FOLLOWED,
            show=lambda _: Later.SHOWN,
            drop=lambda _: Later.DROPPED,
        )

    @property
    def notices(self) -> After:
        told = {"keep": lambda _: Telling.NOTICED, "settle": lambda *_: Telling.KNOWN}
        return self._book(self._port.notices, **told)

    @property
    def waits(self) -> After:
        return self._book(self._port.waits, change=_answered)

    def _book(self, port: Any, **points: Callable[..., Anywhere | None]) -> After:
        book = After(port, **points)
        book.fuse = self.fuse
        return book


def _answered(_entry: object, changed: Any) -> Anywhere | None:
    if changed.state is WaitState.WAITING:
        return Answering.NOTED if changed.result else None
    return Answering.KNOWN


def _shared(row: Any, value: Any) -> Anywhere | None:
    """The first that takes a place is not called; whoever takes it over from another is."""
    if row.name.startswith("promotions/"):
        return Promoting.OWED if value["owed"] else Promoting.PAID
    if row.name.startswith("expect/"):
        heard = Expecting.HEARD if telling(row.value) else Expecting.AWAITED
        return Expecting.LATE if telling(value) else heard
    if row.name.startswith("notify/"):
        return Telling.LEAVES if value.get("sending") and value.get("lease") else None
    if not row.name.startswith("group/"):
        return None
    return Queued.CALLED if row.version and value["taken"] else Queued.PLACED


def _written(entry: Any, changed: Any) -> Anywhere | None:
    if changed.ended:
        return Later.ENDED
    if members(changed.event) != members(entry.continuation.event):
        return Joining.TAKEN_IN
    return SKIPPED[changed.reason] if changed.reason in SKIPPED else _going(changed)


def _going(changed: Any) -> Anywhere | None:
    goes_on = after.before(changed) is not None
    if changed.state is State.STARTED:
        return Going.SETTLED if goes_on else Point.SETTLED
    if changed.is_asked and changed.history[-1].what == "asked":
        return Going.ASKED if goes_on else Point.ASKED
    return Joining.RESUMED if _is_joint(changed.key) and not changed.is_asked else None


def _claimed(new: Any, *_: object) -> Anywhere:
    if _is_joint(new.key):
        return Joining.BEGUN
    return Going.CLAIMED if after.before(new) else Point.CLAIMED


def _is_joint(key: Any) -> bool:
    return bool(key.outcome is Outcome.JOINED)


def _started(request: Any, *_: object) -> Anywhere:
    return Going.ANSWERED if request.pipeline in THEN else Point.ANSWERED


@functools.cache
def _app(given: tuple[tuple[str, str], ...]) -> bootstrap.App:
    environ = dict(given)
    read = settings.read(environ)
    ports = connections.connect(read, Moved(Path(environ["FUSE_CLOCK"])))
    wrapped = ports._replace(
        ledger=AfterLedger(
            ports.ledger,
            claim=_claimed,
            read=lambda key: Joining.SEEN if _is_joint(key) else None,
            write=_written,
            schedule=lambda c: Joining.SCHEDULED if _is_joint(c.key) else None,
            share=_shared,
        ),
        runs=After(ports.runs, read=lambda *_: Point.READ, promoted=lambda *_: Promoting.LOOKED),
        credentials=After(ports.credentials, read=lambda *_: Point.SECRET),
        pipelines=After(ports.pipelines, start=_started, ends=lambda *_: Later.LOOKED),
        tasks=After(ports.tasks, complete=lambda *_: Answering.GIVEN),
        messenger=After(ports.messenger, send=lambda *_: Telling.SENT),
    )
    for port in wrapped:
        if isinstance(port, After):
            port.fuse = Fuse(environ)
    return bootstrap.App(read, wrapped)


def fused(environ: Mapping[str, str]) -> bootstrap.App:
    """The app of this process, with its fuse."""
    return _app(tuple(sorted(environ.items())))
