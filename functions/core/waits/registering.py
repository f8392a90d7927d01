"""Agentless tasks that wait for runs: registered, answered once when the runs are over.

    registered ──► waiting ──► answering ──► completed     the pipeline went on, or failed
                      │            └───────► lost          it could not be answered
                      └─ not over yet, or not readable: looked at again within half an hour

A task is known by its plan, its job and its TaskInstanceId. Its token is kept sealed, and only
until it is answered. A task that registers again once it was answered (a check that is evaluated
again) waits again, unless its own record says that it is over.
https://learn.microsoft.com/azure/devops/pipelines/process/invoke-checks
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.core.kept.tasks import Wait, WaitState
from functions.core.limits.turns import in_turn
from functions.core.ports.services import Level
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import (
    InDoubt,
    LedgerUnavailable,
    Lost,
    Permanent,
    Retryable,
    RoutesUnreadable,
)
from functions.core.texts.bounds import bounded
from functions.core.waits import judging
from functions.core.waits.admitting import MOST_WAITS, Refused
from functions.core.waits.answering import Answers
from functions.core.waits.ending import WaitSettling

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from functions.core.kept.tasks import Registration
    from functions.core.memory.known_since import KnownSince
    from functions.core.ports.services import Ports
    from functions.core.ports.waits import Waiting
    from functions.core.terms.policy import Policy
    from functions.core.terms.runs import RunEvent, Workspace
    from functions.core.waits.admitting import Entrance

MOST_TRIES = 3  # to write a row that others write
COPIED = timedelta(minutes=5)  # nobody repeats one call for longer
REGISTERING_SECONDS = 12.0
GIVEN_UP_AFTER = 20.0  # seconds, by a task, of its call
EACH_SECONDS = 20.0
WHOLE_SECONDS = 60.0


class Waits:
    """Takes registrations, and has the tasks answered."""

    def __init__(
        self,
        ports: Ports,
        policy: Policy,
        known_since: KnownSince,
        named: Sequence[Workspace],
        entrance: Entrance,
    ) -> None:
        self._book, self._log, self._clock = ports.ledger.waits, ports.journal, ports.clock
        self._tasks, self._seal, self._routes = ports.tasks, ports.seal, ports.routes
        self._judge = judging.Judge(ports, policy)
        self._answers, self._settling = Answers(ports, policy), WaitSettling(ports)
        self._policy = policy
        self._known_since = known_since
        self._named = named
        self._entrance = entrance

    def register(self, registration: Registration) -> None:
        """Let a task wait; what is over already is answered before this returns.

        Raises Refused: nothing was sent but the one question whether the token is that of its
        own plan, and not even that where the plan's address is not allowed. No run is read for a
        task of an organization that nobody names.
        """
        deadline = Deadline(self._clock, REGISTERING_SECONDS)
        self._prove(registration, deadline)
        try:
            self._entrance.check_named(registration.task)
            workspace = self._workspace(registration)
            self._judge.admit(workspace, registration.runs, deadline)
            self._entrance.check_room(registration.task)
            sealed = self._seal.sealed(registration.token, deadline)
            file = self._routes.routes().file
            wait = registration.wait(workspace, sealed, self._clock.now(), file)
            entry = self._enrolled(wait, registration.token, deadline)
        except judging.Unfit as error:
            raise Refused(422, str(error), told=True) from None
        except (InDoubt, LedgerUnavailable, Permanent, Retryable, RoutesUnreadable) as error:
            raise Refused(503, str(error), told=True) from None
        if entry:
            self._settling.say(entry.wait, "registered", Level.INFO)
            self._answers.attempt(entry, deadline, early=True)

    def _enrolled(self, wait: Wait, token: str, deadline: Deadline) -> Waiting | None:
        """The wait, written; None where the task waits for the same already, or is over.

        A row that is there gives way to what the task says now, whatever became of it: only the
        task's own record tells a late copy of its call from one that wants an answer again.
        """
        for _ in range(MOST_TRIES):
            if deadline.elapsed > GIVEN_UP_AFTER:  # it may have asked for something else since
                raise Refused(503, "the task has given up this call: try again", told=True)
            entry, fresh = self._book.enroll(wait)
            if fresh:
                return entry
            if self._is_known(entry.wait, wait, token, deadline):
                return None
            with suppress(Lost):
                return self._book.change(entry, wait)
        raise Refused(503, "the task is being answered just now: try again", told=True)

    def _is_known(self, old: Wait, new: Wait, token: str, deadline: Deadline) -> bool:
        """Whether it is a copy of a call that was taken already, or comes after the task's end."""
        waits = old.state is WaitState.WAITING
        same = (old.runs, old.workspace.key) == (new.runs, new.workspace.key)
        if waits and same and new.created_at - old.created_at < COPIED:
            return True
        if waits and not old.result:
            return False
        with suppress(Retryable):
            return bool(self._tasks.result(new.task, token, deadline))
        return False  # an answer too many is refused, and harms nobody

    def _prove(self, registration: Registration, deadline: Deadline) -> None:
        """Raises Refused, which tells nothing, unless the token is that of the task's plan."""
        try:
            self._tasks.prove(registration.task, registration.token, deadline)
        except Permanent as error:
            raise Refused(403, error.detail) from None
        except Retryable as error:
            raise Refused(503, error.detail) from None

    def refused(self, why: str) -> None:
        """A registration was not taken: whoever sent it is told little, the log is told why."""
        self._log.write(Level.WARNING, {"wait": "refused", "detail": bounded(why)})

    def ended(self, event: RunEvent, deadline: Deadline) -> None:
        """A run ended: answer who waits for it. Raises nothing; the reconciler does the rest.

        Whom there is no time for it takes next. What is judged already is given as it is due. Whom
        another put off meanwhile, who may have looked before the end, is told once more.
        """
        began = self._clock.now()
        those = self._who_waits(event, began)
        if those and self._tell(those, deadline):
            self._tell(self._who_waits(event, began), deadline)

    def _who_waits(self, event: RunEvent, since: datetime) -> list[Waiting]:
        """Those that wait for the run, and were not told of it since then."""
        waiting = ((entry, entry.wait) for entry in self._waiting())
        return [
            entry
            for entry, wait in waiting
            if event.run in wait.runs
            and wait.workspace.key == event.workspace.key
            and not (wait.result or (wait.told_at and wait.told_at >= since))
        ]

    def _tell(self, those: Sequence[Waiting], deadline: Deadline) -> bool:
        """Whether another was faster with one, and there is time left."""
        lost = False
        for done, entry in enumerate(those):
            if not deadline.allows_post:
                self._settling.call(those[done:])
                return False
            lost |= not self._answers.attempt(entry, deadline, told=True)
        return lost

    def look(
        self, seconds: float = WHOLE_SECONDS, each: Callable[[], Deadline] | None = None
    ) -> bool:
        """Look at all whose time has come, one of each team in turn. Raises nothing.

        Returns whether there was no time for some.

        What is slow to read or to answer is so for one workspace or project. One look may begin
        however few `seconds` are left. `each` is the time of one.
        """
        whole = Deadline(self._clock, min(seconds, WHOLE_SECONDS))
        now = self._clock.now()
        due = in_turn((e for e in self._waiting() if e.wait.due_at <= now), _team)
        for done, entry in enumerate(due, start=1):
            self._answers.attempt(entry, each() if each else Deadline(self._clock, EACH_SECONDS))
            if whole.has_passed:
                return done < len(due)
        return False

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
        known = self._known_since.workspaces(since, self._named)
        if len(known) == 1:
            return known[0]
        names = ", ".join(workspace.name for workspace in known[:10]) or "none"
        raise judging.Unfit(f"name the `workspace`: known are {names}")


def _team(entry: Waiting) -> tuple[str, str, str]:
    wait = entry.wait
    return wait.workspace.key, wait.task.url.lower(), wait.task.project
