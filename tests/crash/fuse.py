"""Ports that die or freeze: the production code knows nothing of it."""

from __future__ import annotations

import functools
import os
import signal
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions import bootstrap, connections
from functions.configuration import settings
from functions.core.kept import after
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


EVENTS = frozenset({42, 43})  # the pipelines that an event starts; the others go on by an end


class Point(StrEnum):
    """Where the path can be cut. Between leaving and answer, the test cuts from outside."""

    CLAIMED = "after the claim"
    READ = "after the run is read"
    SECRET = "after the secret"
    ASKED = "after the ask and before the POST"
    SENT = "after the POST left and before its answer"
    ANSWERED = "after the answer and before the settling"
    SETTLED = "after the settling and before the acknowledgement"


class Later(StrEnum):
    """The same in a round that follows what was started to its end."""

    FOLLOWED = "after it is followed and before it leaves the schedule"
    LOOKED = "after its build has ended and before that is written"
    ENDED = "after its end is written and before that is listed"
    SHOWN = "after its end is listed and before it is told"


class Queued(StrEnum):
    """The same where only one of a group may go on at once."""

    PLACED = "after the group's place is taken and before the mark"
    CALLED = "after a place is taken for one that waits and before it waits no more"
    SUPERSEDED = "after one is superseded and before it leaves the schedule"


class Telling(StrEnum):
    """The same where people are told."""

    NOTICED = "after it is noticed and before it leaves the schedule"
    LEAVES = "after the channel's row says what leaves and before the POST"
    SENT = "after the POST and before the ledger knows"
    KNOWN = "after the ledger knows and before the channel is let go"


class Going(StrEnum):
    """The same where something goes on by an end."""

    CLAIMED = "after it is claimed and before the end is told"
    ASKED = "after its ask and before its POST"
    ANSWERED = "after the answer to it and before its settling"
    SETTLED = "after its settling and before it leaves the schedule"


Anywhere = Point | Later | Queued | Telling | Going


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
    """The same for the ledger, and for its lists of what is followed and of what is to be told."""

    @property
    def followed(self) -> After:
        book = After(
            self._port.followed, follow=lambda _: Later.FOLLOWED, show=lambda _: Later.SHOWN
        )
        book.fuse = self.fuse
        return book

    @property
    def notices(self) -> After:
        book = After(
            self._port.notices, keep=lambda _: Telling.NOTICED, settle=lambda *_: Telling.KNOWN
        )
        book.fuse = self.fuse
        return book


def _shared(row: Any, value: Any) -> Anywhere | None:
    """The first that takes a place is not called; whoever takes it over from another is."""
    if row.name.startswith("notify/"):
        return Telling.LEAVES if value.get("sending") and value.get("lease") else None
    if not row.name.startswith("group/"):
        return None
    return Queued.CALLED if row.version and value["taken"] else Queued.PLACED


def _written(_entry: object, changed: Any) -> Anywhere | None:
    if changed.reason is Reason.SUPERSEDED:
        return Queued.SUPERSEDED
    if changed.ended:
        return Later.ENDED
    goes_on = after.before(changed) is not None
    if changed.state is State.STARTED:
        return Going.SETTLED if goes_on else Point.SETTLED
    if not (changed.is_asked and changed.history[-1].what == "asked"):
        return None
    return Going.ASKED if goes_on else Point.ASKED


def _claimed(new: Any, *_: object) -> Anywhere:
    return Going.CLAIMED if after.before(new) else Point.CLAIMED


def _started(request: Any, *_: object) -> Anywhere:
    return Point.ANSWERED if request.pipeline in EVENTS else Going.ANSWERED


@functools.cache
def _app(given: tuple[tuple[str, str], ...]) -> bootstrap.App:
    environ = dict(given)
    read = settings.read(environ)
    ports = connections.connect(read)
    wrapped = ports._replace(
        ledger=AfterLedger(ports.ledger, claim=_claimed, write=_written, share=_shared),
        runs=After(ports.runs, read=lambda *_: Point.READ),
        credentials=After(ports.credentials, read=lambda *_: Point.SECRET),
        pipelines=After(ports.pipelines, start=_started, ends=lambda *_: Later.LOOKED),
        messenger=After(ports.messenger, send=lambda *_: Telling.SENT),
    )
    for port in wrapped:
        if isinstance(port, After):
            port.fuse = Fuse(environ)
    return bootstrap.App(read, wrapped)


def fused(environ: Mapping[str, str]) -> bootstrap.App:
    """The app of this process, with its fuse."""
    return _app(tuple(sorted(environ.items())))
