"""Processes of the app that die in the middle of what they do: in process, as a seed has it."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from functions import bootstrap, connections
from functions.core.operators.replaying import Replaying
from tests.saying.wrapped import Wrapped

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from random import Random

    from functions.bootstrap import App
    from functions.core.operators.decisions import Answer
    from tests.stage.azure import MovableClock, Stage

WRITES = {"claim", "write", "schedule", "retire", "share", "keep", "discard", "record", "put_off"}
WRITES |= {"follow", "move", "drop", "show", "settle"}
BOOKS = {"followed", "notices"}  # parts of the ledger, whose calls are such as well
POSTS = {"start", "send"}
MOST_WRONG = 240  # seconds: less than the app takes into account


class Died(BaseException):
    """A process ended here. Nothing may catch it, as nothing catches SIGKILL."""


class Mortal:
    """A port of a process: now and then a call that changes something is its last one.

    The call is then not made, or made and its answer never read. A dead process does no more.
    """

    def __init__(self, real: Any, fate: Fate) -> None:
        self._real, self._fate = real, fate

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name in BOOKS:
            return Mortal(found, self._fate)
        return self._fate.guarded(found, name) if callable(found) else found


class Fate:
    """When one process dies. A POST is lost to it once a process, so that a third never follows.

    Before and after a call that changes something it may `stand_still` while others go on.
    """

    def __init__(
        self,
        random: Random,
        share: Callable[[], float],
        stand_still: Callable[[], None] = lambda: None,
    ) -> None:
        self._random, self._share = random, share
        self._stand_still = stand_still
        self.dead = False

    def guarded(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        """The call, which may be the last one."""

        def made(*given: Any, **named: Any) -> Any:
            if self.dead:
                raise Died
            changes = name in WRITES | POSTS
            if changes:
                self._stand_still()
            ends = changes and self._random.random() < self._share()
            if ends and (name in POSTS or self._random.random() < 0.5):
                if name in POSTS:
                    self._lost(call, *given, **named)
                self.dead = True
                raise Died
            answer = call(*given, **named)
            if changes:
                self._stand_still()
            if ends:
                self.dead = True
                raise Died
            return answer

        return made

    @staticmethod
    def _lost(call: Callable[..., Any], *given: Any, **named: Any) -> None:
        """The request was on its way: it arrives, whatever becomes of its answer."""
        with suppress(Exception):
            call(*given, **named)


class Skewed(Wrapped):
    """The clock of a machine that is wrong about the time of day."""

    def __init__(self, real: MovableClock, by: timedelta) -> None:
        super().__init__(real)
        self._by = by

    def now(self) -> datetime:
        right: datetime = self.real.now()
        return right + self._by


class Processes:
    """So many processes over one ledger, each with a clock of its own; who died is replaced.

    `share`: of the calls that change something, how many are a process's last. At `frozen` of them
    the process stands still, and `meanwhile` is done by others.
    """

    def __init__(self, stage: Stage, size: int, random: Random) -> None:
        self._stage, self._random = stage, random
        self.share, self.died = 0.0, 0
        self.frozen, self.stood_still = 0.0, 0
        self.meanwhile: Callable[[], None] = lambda: None
        self._still = False
        self._living = [self._new() for _ in range(size)]

    def do(self, work: Callable[[App], None]) -> bool:
        """Have one of them do it; whether it lived to the end and nothing failed.

        What Event Grid sees of a delivery that raises, or of a process that dies: no answer.
        """
        place = self._random.randrange(len(self._living))
        try:
            work(self._living[place])
        except Died:
            self.died += 1
            self._living[place] = self._new()
            return False
        except Exception:  # noqa: BLE001 - the host answers 500, and the event comes again
            return False
        return True

    def type(self, command: Callable[[Replaying], Answer]) -> Answer:
        """Have an operator type a command until one lived to its end; what it answered."""
        while True:
            ledger: Any = Mortal(self._stage.ledger, self._fate())
            with suppress(Died):
                return command(Replaying(ledger, self._stage.clock, "ada"))
            self.died += 1

    def _stands_still(self) -> None:
        """One at a time: what others do meanwhile they do to the end."""
        if self._still or not self.frozen or self._random.random() >= self.frozen:
            return
        self._still = True
        self.stood_still += 1
        try:
            self.meanwhile()
        finally:
            self._still = False

    def _new(self) -> App:
        wrong = timedelta(seconds=self._random.randint(-MOST_WRONG, MOST_WRONG))
        clock = Skewed(self._stage.clock, wrong)
        ports, fate = connections.connect(self._stage.read, clock), self._fate()
        mortal = {n: Mortal(getattr(ports, n), fate) for n in ("ledger", "pipelines", "messenger")}
        return bootstrap.App(self._stage.read, ports._replace(**mortal))

    def _fate(self) -> Fate:
        return Fate(self._random, lambda: self.share, self._stands_still)
