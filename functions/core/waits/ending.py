"""Every write that puts a waiting task off or ends it, each with its line in the log.

What is written goes on from the version that was read or written last: a write that lost against
another is dropped, since the other one knows more.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from functions.core.kept.continuation import PARKED
from functions.core.kept.tasks import WaitState
from functions.core.ports.services import Level
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import LedgerUnavailable, Lost
from functions.core.terms.policy import BY_SETTING, backoff
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from functions.core.kept.tasks import Wait
    from functions.core.ports.services import Ports
    from functions.core.ports.waits import Waiting

SOONEST, LATEST = timedelta(seconds=30), timedelta(minutes=30)
LONGEST_AFTER = timedelta(hours=6)  # a service that asks for more is asked again anyway
REMEMBERED = timedelta(hours=2)  # a late copy of the registration is still the same task's
MARKING_SECONDS = 5.0  # hundreds of rows


class WaitSettling:
    """Writes what becomes of a waiting task, to its row and to the log.

    All but `call` raise Lost and LedgerUnavailable; `written` takes both.
    """

    def __init__(self, ports: Ports) -> None:
        self._book, self._log, self._clock = ports.ledger.waits, ports.journal, ports.clock

    def call(self, entries: Sequence[Waiting]) -> None:
        """A run of theirs is over, and there is no time left: the reconciler takes them next."""
        limit, now = Deadline(self._clock, MARKING_SECONDS), self._clock.now()
        for done, entry in enumerate(entries):
            if limit.has_passed:
                more = {"left": len(entries) - done, "detail": "looked at within half an hour"}
                return self._log.write(Level.WARNING, {"wait": PARKED, **more})
            why = "a run is over, and too many wait for it to be answered at once"
            called = replace(entry.wait, due_at=now, told_at=now, attempts=0, why=why)
            with self.written():
                self._book.change(entry, called)
                self.say(called, PARKED, Level.INFO)
        return None

    def hold(self, entry: Waiting) -> None:
        """It stays due, so that it is looked at as soon as the app goes on; said once."""
        if entry.wait.why != BY_SETTING:
            held = replace(entry.wait, due_at=self._clock.now(), why=BY_SETTING)
            self._book.change(entry, held)
            self.say(held, PARKED, Level.INFO)

    def later(self, entry: Waiting, why: str) -> None:
        """Nothing is amiss: look again in half an hour."""
        due = self._clock.now() + LATEST
        later = replace(entry.wait, due_at=due, attempts=0, why=why)
        self._book.change(entry, later)
        self.say(later, PARKED, Level.DEBUG)

    def put_off(self, entry: Waiting, why: str, level: Level, after: float | None = None) -> None:
        """Look again after so many seconds, or after a pause that doubles."""
        wait = entry.wait
        pause = backoff(SOONEST, wait.attempts, LATEST)
        if after is not None:
            pause = max(SOONEST, min(timedelta(seconds=after), LONGEST_AFTER))
        due, attempts = self._clock.now() + pause, wait.attempts + 1
        later = replace(wait, due_at=due, attempts=attempts, why=bounded(why))
        self._book.change(entry, later)
        self.say(later, PARKED, level)

    def end(self, entry: Waiting, state: WaitState, why: str, result: str = "") -> None:
        """It is over; `result` is what the task ended with, which may be that it was canceled."""
        until, told = self._clock.now() + REMEMBERED, result or entry.wait.result
        ended = replace(entry.wait, state=state, result=told, token="", why=why, until=until)
        self._book.change(entry, ended)
        if state is WaitState.COMPLETED:
            return self.say(ended, ended.result, Level.INFO)
        return self.say(ended, "lost", Level.ERROR)

    @contextmanager
    def written(self) -> Iterator[list[Lost]]:
        """Take what may go wrong with a write: another was faster, as is told, or it stays due."""
        lost: list[Lost] = []
        try:
            yield lost
        except Lost as error:  # another is at it
            lost.append(error)
        except LedgerUnavailable as error:  # the row stays due, and is looked at again
            self._log.write(Level.ERROR, {"ledger": "unavailable", "detail": error})

    def say(self, wait: Wait, what: str, level: Level) -> None:
        """One line of the log about a task."""
        line: dict[str, object] = {"wait": what, "task": wait.task.id, "runs": ",".join(wait.runs)}
        line |= {"workspace": wait.workspace.name, "plan": wait.task.plan}
        line |= {"detail": wait.why or None}
        if what == PARKED:
            line |= {"due": wait.due_at, "attempts": wait.attempts}
        self._log.write(level, line)
