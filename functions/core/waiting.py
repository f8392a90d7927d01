"""Agentless tasks that wait for runs: registered, answered once when the runs are over.

    registered ──► waiting ──► answering ──► completed     the pipeline went on, or failed
                      │            └───────► lost          its token expired, or its plan is gone
                      └─ not over yet, or not readable: looked at again within half an hour

A task is known by its plan, its job and its TaskInstanceId. Its token is kept sealed, and only
until it is answered.
https://learn.microsoft.com/azure/devops/pipelines/process/invoke-checks
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from functions.core import judging
from functions.core.deadline import Deadline
from functions.core.errors import (
    InDoubt,
    LedgerUnavailable,
    Lost,
    Permanent,
    RelayError,
    Retryable,
    RoutesUnreadable,
)
from functions.core.ports import Level
from functions.core.values import bounded
from functions.core.waits import Answered, Wait

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.chronicle import Chronicle
    from functions.core.policy import Policy
    from functions.core.ports import Ports, Waiting
    from functions.core.values import RunEvent, Workspace
    from functions.core.waits import Registration, Task

MOST_WAITS = 5000
MOST_OF_A_PLAN = 100
SOONEST, LATEST = timedelta(seconds=30), timedelta(minutes=30)
LONGEST = timedelta(days=7)
ANSWERING = timedelta(seconds=90)  # longer than an answer takes
REMEMBERED = timedelta(hours=2)  # a late copy of the registration is still the same task's
REGISTERING_SECONDS = 12.0  # the task gives up its call after 20
EACH_SECONDS = 20.0
WHOLE_SECONDS = 60.0


class Refused(RelayError):
    """A registration is not taken. `told`: whoever sent it proved to be a task, and is told why."""

    def __init__(self, status: int, why: str, *, told: bool = False) -> None:
        super().__init__(why)
        self.status = status
        self.told = told


class Waits:
    """Takes registrations, and answers the tasks."""

    def __init__(
        self, ports: Ports, policy: Policy, chronicle: Chronicle, named: Sequence[Workspace]
    ) -> None:
        self._book, self._log, self._clock = ports.ledger.waits, ports.journal, ports.clock
        self._tasks, self._seal = ports.tasks, ports.seal
        self._judge = judging.Judge(ports, policy)
        self._policy = policy
        self._chronicle = chronicle
        self._named = named

    def register(self, registration: Registration) -> None:
        """Let a task wait; what is over already is answered before this returns.

        Raises Refused: nothing was sent but the one question whether the token is that of its
        own plan, and not even that where the plan's address is not allowed.
        """
        deadline = Deadline(self._clock, REGISTERING_SECONDS)
        self._prove(registration, deadline)
        try:
            workspace = self._workspace(registration)
            self._judge.admit(workspace, registration.runs, deadline)
            self._make_room(registration.task)
            sealed = self._seal.sealed(registration.token, deadline)
            now = self._clock.now()
            entry, fresh = self._book.enroll(registration.wait(workspace, sealed, now))
        except judging.Unfit as error:
            raise Refused(422, str(error), told=True) from None
        except (InDoubt, LedgerUnavailable, Permanent, Retryable, RoutesUnreadable) as error:
            raise Refused(503, str(error), told=True) from None
        if fresh:
            self._say(entry.wait, "registered")
            self._attempt(entry, deadline)
        elif entry.wait.state is Answered.LOST:
            raise Refused(409, "the task was given up: run it again", told=True)

    def _prove(self, registration: Registration, deadline: Deadline) -> None:
        """Raises Refused, which tells nothing, unless the token is that of the task's plan."""
        try:
            self._tasks.prove(registration.task, registration.token, deadline)
        except Permanent as error:
            raise Refused(403, error.detail) from None
        except Retryable as error:
            raise Refused(503, error.detail) from None

    def _make_room(self, task: Task) -> None:
        """Raises Refused where too many wait; one that waits already has its place."""
        waiting = [entry.wait.task for entry in self._book.waiting(MOST_WAITS)]
        if any(other.key == task.key for other in waiting):
            return
        if sum(other.plan == task.plan for other in waiting) >= MOST_OF_A_PLAN:
            raise Refused(429, f"{MOST_OF_A_PLAN} tasks of this plan wait already", told=True)
        if len(waiting) >= MOST_WAITS:
            raise Refused(429, f"{MOST_WAITS} tasks wait already: try later", told=True)

    def refused(self, why: str) -> None:
        """A registration was not taken: whoever sent it is told little, the log is told why."""
        self._log.write(Level.WARNING, {"wait": "refused", "detail": bounded(why)})

    def ended(self, event: RunEvent, deadline: Deadline) -> None:
        """A run ended: answer who waits for it. Raises nothing; the reconciler does the rest."""
        key = event.workspace.key
        for entry in self._waiting():
            wait = entry.wait
            if event.run in wait.runs and wait.workspace.key == key:
                if not deadline.allows_post:
                    return
                self._attempt(entry, deadline, told=True)

    def look(self) -> None:
        """Look at all whose time has come. Raises nothing."""
        whole, now = Deadline(self._clock, WHOLE_SECONDS), self._clock.now()
        for entry in self._waiting():
            if entry.wait.due_at <= now and not whole.has_passed:
                self._attempt(entry, Deadline(self._clock, EACH_SECONDS))

    def _waiting(self) -> Sequence[Waiting]:
        try:
            return self._book.waiting(MOST_WAITS)
        except LedgerUnavailable as error:
            self._log.write(Level.ERROR, {"ledger": "unavailable", "detail": error})
            return ()

    def _workspace(self, registration: Registration) -> Workspace:
        if registration.workspace is not None:
            return registration.workspace
        since = self._clock.now() - self._policy.kept_for
        known = self._chronicle.workspaces(since, self._named)
        if len(known) == 1:
            return known[0]
        names = ", ".join(workspace.name for workspace in known[:10]) or "none"
        raise judging.Unfit(f"name the `workspace`: known are {names}")

    def _attempt(self, entry: Waiting, deadline: Deadline, *, told: bool = False) -> None:
        """One look at its runs; whatever goes wrong, it is looked at again.

        `told`: an event says that one is over, so that what is not visible yet soon will be.
        """
        try:
            self._try(entry, deadline, told=told)
        except (LedgerUnavailable, Lost):  # another is at it, or the clock will be
            return
        except Exception as error:  # noqa: BLE001 - the outermost edge of one wait
            why = (
                str(error) if isinstance(error, RelayError) else f"{type(error).__name__}: {error}"
            )
            with suppress(LedgerUnavailable, Lost):
                self._book.change(entry, self._put_off(entry.wait, why))

    def _try(self, entry: Waiting, deadline: Deadline, *, told: bool) -> None:
        wait = entry.wait
        if wait.result:  # noted by one that may have died: the same answer again
            given = judging.Verdict(succeeded=wait.result == judging.SUCCEEDED, lines=wait.lines)
            return self._answer(entry, given, deadline)
        if self._policy.paused:
            self._book.change(entry, self._put_off(wait, "PAUSED=1"))
            return None
        verdict = self._judge.verdict(wait, deadline)
        if isinstance(verdict, judging.Verdict):
            return self._answer(entry, verdict, deadline)
        if self._clock.now() - wait.created_at > LONGEST:
            why = f"it waits for more than {LONGEST.days} days"
            return self._answer(entry, judging.Verdict(succeeded=False, lines=(why,)), deadline)
        soon = told or verdict is judging.Pending.FACTS
        later = replace(wait, due_at=self._clock.now() + LATEST, attempts=0)
        self._book.change(entry, self._put_off(wait, str(verdict)) if soon else later)
        return None

    def _answer(self, entry: Waiting, verdict: judging.Verdict, deadline: Deadline) -> None:
        """Note the answer, give it, and forget the token. Raises Retryable and InDoubt.

        The note comes first, so that whoever goes on gives the same. A refusal does not tell
        whether an earlier try arrived: the task's own record does.
        """
        try:
            token = self._seal.opened(entry.wait.token, deadline)
        except Permanent as error:
            return self._end(entry, Answered.LOST, error.detail)
        due, result = self._clock.now() + ANSWERING, verdict.result
        noted = replace(entry.wait, result=result, lines=verdict.lines, why=verdict.why, due_at=due)
        entry = self._book.change(entry, noted)
        try:
            self._tasks.complete(noted.task, token, verdict)
        except Permanent as error:
            result = self._tasks.result(noted.task, token, deadline)
            if not result:
                return self._end(entry, Answered.LOST, error.detail)
        return self._end(entry, Answered.COMPLETED, verdict.why, result)

    def _put_off(self, wait: Wait, why: str) -> Wait:
        """The same, to be looked at after a pause that doubles."""
        pause = min(SOONEST * 2 ** min(wait.attempts, 10), LATEST)
        due = self._clock.now() + pause
        return replace(wait, due_at=due, attempts=wait.attempts + 1, why=bounded(why))

    def _end(self, entry: Waiting, state: Answered, why: str, result: str = "") -> None:
        """It is over; `result` is what the task ended with, which may be that it was canceled."""
        until, told = self._clock.now() + REMEMBERED, result or entry.wait.result
        ended = replace(entry.wait, state=state, result=told, token="", why=why, until=until)
        self._book.change(entry, ended)
        self._say(ended, ended.result if state is Answered.COMPLETED else "lost")

    def _say(self, wait: Wait, what: str) -> None:
        line: dict[str, object] = {"wait": what, "task": wait.task.id, "runs": ",".join(wait.runs)}
        line |= {"workspace": wait.workspace.name, "plan": wait.task.plan}
        level = Level.ERROR if what == "lost" else Level.INFO
        self._log.write(level, {**line, "detail": wait.why or None})
