"""Waits for a run to end: looks often at first and seldom later, and gives up when it should."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from relay.waiting.job import Kind, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.terms.deadline import Clock
    from functions.core.terms.words import Outcome
    from relay.waiting.statuses import Status

FIRST = 2.0  # seconds until the second look, and until the next one after each change
GROWTH = 1.5
LONGEST_ASKED = 300.0  # seconds that a service may ask to be left alone


class Watched(Protocol):
    """A run that can be looked at."""

    def status(self) -> Status:
        """Its status now; raises Trouble."""


class Limits(NamedTuple):
    """In seconds: how long there may be no clear answer, and the most between two looks."""

    patience: float
    every: float


class Elapsed:
    """Seconds since the wait began, and those that are left of it."""

    def __init__(self, clock: Clock, timeout: float | None) -> None:
        self._clock = clock
        self._began = clock.monotonic()
        self._timeout = timeout

    @property
    def seconds(self) -> float:
        """Since the wait began."""
        return self._clock.monotonic() - self._began

    @property
    def left(self) -> float:
        """Until the time is up; endless where there is no timeout."""
        return float("inf") if self._timeout is None else self._timeout - self.seconds


class TimedOut(Exception):
    """The time is up, and the run goes on or cannot be read."""


class End(NamedTuple):
    """How a run ended: the outcome, and the service's word for it."""

    outcome: Outcome
    word: str


class Tell(NamedTuple):
    """What is told while it waits: each change of status, and each new trouble with reading it."""

    changed: Callable[[Status], None]
    troubled: Callable[[str], None]


class Polling:
    """Waits for one run. `sure`: the run is known to be there, so that a 404 may pass."""

    def __init__(
        self,
        run: Watched,
        elapsed: Elapsed,
        limits: Limits,
        tell: Tell,
        pause: Callable[[float], None],
        *,
        sure: bool = False,
    ) -> None:
        self._run = run
        self._elapsed = elapsed
        self._limits = limits
        self._tell = tell
        self._pause = pause
        self._sure = sure
        self._status: Status | None = None
        self._trouble = ""
        self._unclear_since: float | None = None
        self._next = min(FIRST, limits.every)
        self._asked_for = 0.0

    def ended(self) -> End:
        """Return once the run has ended; raises TimedOut, and Trouble once patience is over."""
        while True:
            status = self._look()
            if status and status.outcome:
                return End(status.outcome, status.word)
            self._rest()

    def _look(self) -> Status | None:
        try:
            status = self._run.status()
        except Trouble as trouble:
            self._note(trouble)
            return None
        self._see(status)
        return status

    def _see(self, status: Status) -> None:
        if status != self._status or self._trouble:
            self._tell.changed(status)
            self._next = min(FIRST, self._limits.every)
        self._status, self._trouble, self._asked_for = status, "", 0.0
        if status.is_clear:
            self._unclear_since = None
        else:
            self._lose_patience(Trouble(Kind.UNREADABLE, f"its status is still {status}"))

    def _note(self, trouble: Trouble) -> None:
        known = self._status is not None or (self._sure and trouble.kind is Kind.NOT_FOUND)
        if trouble.kind is not Kind.UNREADABLE and not known:
            raise trouble
        self._asked_for = min(trouble.retry_after or 0.0, LONGEST_ASKED)
        self._lose_patience(trouble)
        if trouble.detail != self._trouble:
            self._tell.troubled(trouble.detail)
        self._trouble = trouble.detail

    def _lose_patience(self, trouble: Trouble) -> None:
        now = self._elapsed.seconds
        if self._unclear_since is None:
            self._unclear_since = now
        if now - self._unclear_since >= self._limits.patience:
            raise trouble

    def _rest(self) -> None:
        if self._elapsed.left <= 0:
            raise TimedOut
        wait = max(self._next, self._asked_for)
        self._next = min(self._next * GROWTH, self._limits.every)
        self._pause(min(wait, self._elapsed.left))
