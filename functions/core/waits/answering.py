"""One look at the runs of a waiting task, and the answer: judged, noted, given, or put off.

    judged ──► noted ──► given ──► completed
       │          └─ not taken ───► put off, for three days at most, then lost
       └─ not over, not readable ─► put off, for seven days at most, then the answer is no

Each time a task is put off the row says why, and the log as well. What is written goes on from the
version that was written last, so that whoever fails after the note keeps the note.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from functions.core.kept.task_answer import SUCCEEDED, TaskAnswer
from functions.core.kept.tasks import WaitState
from functions.core.ports.services import Level
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import (
    InDoubt,
    LedgerUnavailable,
    Lost,
    Permanent,
    RelayError,
    Retryable,
    in_words,
)
from functions.core.terms.policy import NOT_FINAL_FOR
from functions.core.terms.reasons import Reason
from functions.core.texts.bounds import bounded
from functions.core.waits import judging
from functions.core.waits.ending import WaitSettling

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.kept.tasks import Wait
    from functions.core.ports.services import Ports
    from functions.core.ports.waits import Waiting
    from functions.core.terms.policy import Policy

LONGEST = timedelta(days=7)
GIVEN_FOR = timedelta(days=3)  # an answer that nobody takes; no job's token is good for longer
ANSWERING = timedelta(seconds=90)  # longer than an answer takes
GIVEN_WITHIN = timedelta(seconds=30)  # of its note: who is later may not be the only one at it
LOOKING_SECONDS = 5.0


class Answers:
    """Answers tasks that wait. Nothing here raises: what goes wrong is put off, or lost."""

    def __init__(self, ports: Ports, policy: Policy) -> None:
        self._book, self._clock = ports.ledger.waits, ports.clock
        self._settling = WaitSettling(ports)
        self._tasks, self._seal = ports.tasks, ports.seal
        self._judge = judging.Judge(ports, policy)
        self._policy = policy

    def attempt(
        self, entry: Waiting, deadline: Deadline, *, told: bool = False, early: bool = False
    ) -> bool:
        """One look at its runs, and the answer if there is one; whether no other was faster.

        `told`: an event says that one is over, so that what is not visible yet soon will be.
        `early`: the task's own call still goes on, so that it may not be known to wait yet.
        """
        if told:
            entry = entry._replace(wait=replace(entry.wait, told_at=self._clock.now()))
        return self._guarded(entry, lambda: self._try(entry, deadline, early=early))

    def _try(self, entry: Waiting, deadline: Deadline, *, early: bool) -> None:
        wait = entry.wait
        if self._policy.paused:
            return self._settling.hold(entry)
        if wait.result:  # noted by one that may have died: the same answer again
            given = TaskAnswer(succeeded=wait.result == SUCCEEDED, lines=wait.lines)
            return self._answer(entry, given, deadline, early=early)
        judged = self._judged(wait, deadline)
        if isinstance(judged, TaskAnswer):
            return self._answer(entry, judged, deadline, early=early)
        return self._wait_on(entry, judged)

    def _judged(self, wait: Wait, deadline: Deadline) -> TaskAnswer | judging.Pending:
        """What the runs say; after seven days without an answer it is no, and says why."""
        too_old = self._clock.now() - wait.created_at > LONGEST
        try:
            judged = self._judge.answer(wait, deadline)
        except Exception as error:
            if not too_old:
                raise
            why = f": {in_words(error)}"
        else:
            if not too_old or isinstance(judged, TaskAnswer):
                return judged
            why = f": {judged}"
        told = bounded(f"it waits for more than {LONGEST.days} days{why}")
        return TaskAnswer(succeeded=False, lines=(told,))

    def _answer(
        self, entry: Waiting, answer: TaskAnswer, deadline: Deadline, *, early: bool
    ) -> None:
        """Note the answer, then give it, so that whoever goes on after a crash gives the same."""
        wait, now = entry.wait, self._clock.now()
        noted = self._book.change(
            entry,
            replace(
                wait,
                result=answer.result,
                lines=answer.lines,
                why=answer.why,
                due_at=now + ANSWERING,
                noted_at=wait.noted_at or now,
            ),
        )
        self._guarded(noted, lambda: self._give(noted, answer, deadline, early=early))

    def _give(self, entry: Waiting, answer: TaskAnswer, deadline: Deadline, *, early: bool) -> None:
        """Give it, and forget the token.

        A failure does not tell whether a try has arrived: the task's own record does.
        """
        try:
            token = self._seal.opened(entry.wait.token, deadline)
        except Permanent as error:
            return self._settling.end(entry, WaitState.LOST, error.detail)
        noted = entry.wait.due_at - ANSWERING
        if self._clock.now() - noted > GIVEN_WITHIN:
            raise Retryable(Reason.LATE, f"no answer was sent so long after its note, of {noted}")
        result = answer.result
        try:
            self._tasks.complete(entry.wait.task, token, answer)
        except (InDoubt, Permanent, Retryable) as error:
            result = self._recorded(entry.wait, token, error)
            final = isinstance(error, Permanent) and not early
            if not result and final:
                return self._settling.end(entry, WaitState.LOST, error.detail)
            if not result:
                raise
        return self._settling.end(entry, WaitState.COMPLETED, answer.why, result)

    def _recorded(self, wait: Wait, token: str, refused: InDoubt | Permanent | Retryable) -> str:
        """The result in the task's own record, "" where it goes on.

        Who asks to be left alone, or is not there, is not asked.
        """
        deadline = Deadline(self._clock, LOOKING_SECONDS)
        if isinstance(refused, Permanent):
            return self._tasks.result(wait.task, token, deadline)
        if refused.retry_after is None and refused.reason is not Reason.NOT_SENT:
            with suppress(Retryable):
                return self._tasks.result(wait.task, token, deadline)
        return ""

    def _wait_on(self, entry: Waiting, pending: judging.Pending) -> None:
        """Look again: soon if something is about to show, else in half an hour."""
        told_at, now = entry.wait.told_at, self._clock.now()
        about_to = told_at is not None and now - told_at < NOT_FINAL_FOR
        if about_to or pending in {judging.Pending.FACTS, judging.Pending.ROUTES}:
            return self._settling.put_off(entry, str(pending), Level.INFO)
        return self._settling.later(entry, str(pending))

    def _guarded(self, entry: Waiting, act: Callable[[], None]) -> bool:
        with self._settling.written() as lost:
            try:
                act()
            except (LedgerUnavailable, Lost):
                raise
            except Exception as error:  # noqa: BLE001 - the outermost edge of one wait
                self._failed(entry, error)
        return not lost

    def _failed(self, entry: Waiting, error: Exception) -> None:
        """Put it off, unless that has lasted too long."""
        wait, why = entry.wait, in_words(error)
        since = wait.noted_at or wait.created_at + LONGEST
        if self._clock.now() - since > GIVEN_FOR:
            why = bounded(f"not answered for {GIVEN_FOR.days} days: {why}")
            return self._settling.end(entry, WaitState.LOST, why)
        level = Level.WARNING if isinstance(error, RelayError) else Level.ERROR
        return self._settling.put_off(entry, why, level, getattr(error, "retry_after", None))
