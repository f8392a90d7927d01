"""Whether a waiting task succeeded: all its runs Completed, and the gates of their routes hold."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec.structs import replace

from functions.core.facts import building
from functions.core.kept.task_answer import TaskAnswer
from functions.core.reading.collecting import Reading
from functions.core.routes import deciding, filters
from functions.core.terms.errors import Ambiguous, RelayError, Retryable
from functions.core.terms.policy import REFUSED_FOR
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import RunEvent
from functions.core.terms.words import Outcome
from functions.core.texts.bounds import bounded, visible
from functions.core.waits.ends import Ends
from functions.core.waits.whose import Whose

if TYPE_CHECKING:
    from collections.abc import Iterable

    from functions.core.kept.tasks import Wait
    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Route
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.policy import Policy
    from functions.core.terms.runs import Workspace


class Unfit(RelayError):
    """No route with `complete: true` could ever answer for the run; the message says why."""


class Pending(StrEnum):
    """There is no answer yet."""

    RUNS = "a run goes on"
    FACTS = "a fact is not visible yet"
    ROUTES = "another version of the app may answer it"
    PIPELINE = "the pipeline that it leads to goes on"


_FIRST = (Pending.FACTS, Pending.ROUTES, Pending.RUNS, Pending.PIPELINE)  # of several is told


class Judge:
    """Reads the runs that are waited for, and asks the routes."""

    def __init__(self, ports: Ports, policy: Policy) -> None:
        self._runs, self._routes, self._clock = ports.runs, ports.routes, ports.clock
        self._studio = policy.studio
        self._ends, self._whose = Ends(ports.ledger), Whose(ports)

    def admit(self, workspace: Workspace, runs: Iterable[str], deadline: Deadline) -> None:
        """Raises Unfit for a run that no route could answer for, Retryable if one is unreadable."""
        if not self._completing():
            raise Unfit("no route has `complete: true`")
        for run in runs:
            try:
                reading = self._reading(workspace, run, deadline)
                if reading.run.deleted:
                    raise Unfit(f"run {bounded(run)} was deleted")
                self._fitting(reading.event)
            except Retryable as error:
                if error.reason is Reason.RUN_NOT_FOUND:
                    raise Unfit(error.detail) from None
                raise

    def answer(self, wait: Wait, deadline: Deadline) -> TaskAnswer | Pending:
        """The answer, once all runs are over or one has failed.

        Raises Retryable for a run that cannot be read, unless another has failed; and
        RoutesUnreadable.
        """
        told: list[TaskAnswer | Pending] = []
        unread: list[Retryable] = []
        for run in wait.runs:
            try:
                told.append(self._of_run(wait, run, deadline))
            except Retryable as error:
                unread.append(error)
        judged = [one for one in told if isinstance(one, TaskAnswer)]
        failed = any(not one.succeeded for one in judged)
        if unread and not failed:
            raise unread[0]
        if len(judged) < len(told) and not failed:
            return next(pending for pending in _FIRST if pending in told)
        return TaskAnswer.of(judged)

    def _of_run(self, wait: Wait, run: str, deadline: Deadline) -> TaskAnswer | Pending:
        try:
            reading = self._reading(wait.workspace, run, deadline)
        except Retryable as error:
            gone = error.reason is Reason.RUN_NOT_FOUND
            if gone and self._clock.now() - wait.created_at > REFUSED_FOR:
                return _no(f"run {run}: {error.detail}")
            raise
        outcome, deleted = reading.run.outcome, reading.run.deleted
        if (deleted or outcome) and self._whose.is_newer_ones(wait):
            return Pending.ROUTES
        is_fine = outcome is Outcome.COMPLETED and not deleted
        if not (is_fine or self._went_on(reading.event)):
            return _unfinished(run, outcome, deleted=deleted)
        try:
            routes = self._fitting(reading.event)
        except Unfit as error:
            left = self._whose.is_left(wait, reading.run)
            return Pending.ROUTES if left else _no(str(error))
        return self._gated(wait, reading, routes)

    def _gated(self, wait: Wait, reading: Reading, routes: list[Route]) -> TaskAnswer | Pending:
        """Completed: now all gates must hold, and what is to end first must have succeeded."""
        said = [(route.name, self._said(wait, route, reading)) for route in routes]
        known = [(name, answer) for name, answer in said if not isinstance(answer, Pending)]
        holds = all(answer[0] for _, answer in known)
        if holds and len(known) < len(said):
            left = [answer for _, answer in said]
            return Pending.FACTS if Pending.FACTS in left else Pending.PIPELINE
        ended = f"run {reading.run.id} ended as Completed"
        lines = (visible(f"{ended}; route {name}: {why}") for name, (_, why) in known)
        return TaskAnswer(holds, tuple(lines))

    def _said(self, wait: Wait, route: Route, reading: Reading) -> tuple[bool, str] | Pending:
        """What a route says; of one that answers by an end its gate is asked before the start."""
        if not route.answers_after:
            return self._gate(route, reading)
        ended = reading.run.known_to_last_until or wait.created_at
        since = max(ended, wait.created_at)
        is_known, answer = self._ends.of(reading.event, route, since, self._clock.now())
        if answer is not None:
            return answer
        asked = None if is_known else self._gate(route, reading)
        return asked if isinstance(asked, tuple) and not asked[0] else Pending.PIPELINE

    def _gate(self, route: Route, reading: Reading) -> tuple[bool, str] | Pending:
        """Whether it holds and what it saw; pending while a fact may still come."""
        if route.gate is None:
            return True, "it has no gate"
        asked = deciding.only_gate(route)
        try:
            known = reading.facts(asked, Outcome.COMPLETED, self._studio)
        except Ambiguous as error:
            return False, str(error)
        verdict = route.gate.evaluate(known)
        if not verdict.missing:
            said = "holds" if verdict.holds else "does not hold"
            return verdict.holds, f"its gate {said}: {verdict.told(route.when)}"
        ended = reading.run.end_time or reading.run.start_time
        if ended and self._clock.now() - ended > route.wait_for_facts:
            return False, f"{verdict.missing} is not known{building.unread(verdict.missing, known)}"
        return Pending.FACTS

    def _completing(self) -> list[Route]:
        routes = self._routes.routes().routes
        return [route for route in routes if route.complete and not route.shadow]

    def _fitting(self, event: RunEvent) -> list[Route]:
        """The routes that may answer for it; raises Unfit, naming the filter of each other one."""
        tried = [(route, _misfit(event, route)) for route in self._completing()]
        went_on = (route for route, misfit in tried if not misfit or self._has_begun(route, event))
        if fitting := list(went_on):
            return fitting
        why = "; ".join(
            f"{route.name} wants {misfit.filter} {misfit.wanted}, it is {misfit.found}"
            for route, misfit in tried
            if misfit
        )
        raise Unfit(bounded(f"run {event.run}: no route completes it: {why}"))

    def _went_on(self, event: RunEvent) -> bool:
        """Whether a pipeline was started since it was Completed: that may have written into it."""
        return any(self._has_begun(route, event) for route in self._completing())

    def _has_begun(self, route: Route, event: RunEvent) -> bool:
        """The same of one route that answers by its end: it judges the run no more."""
        return route.answers_after and self._ends.has_begun(event, route)

    def _reading(self, workspace: Workspace, run: str, deadline: Deadline) -> Reading:
        """The run, with what an event will tell if it completes; raises Retryable."""
        bare = RunEvent(
            id=f"wait-{run}",
            type="wait",
            subject="",
            time=None,
            workspace=workspace,
            run=run,
            outcome=Outcome.COMPLETED,
        )
        reading = Reading(self._runs, bare, deadline)
        read, experiment = reading.run, ""
        if any(route.match.experiment for route in self._completing()):
            experiment = self._runs.experiment(workspace, read, deadline)
        tags = None if read.outcome is None else dict(read.tags)  # it may still set some
        own = replace(bare, run=read.id)  # as its continuations have it
        reading.event = replace(own, time=read.end_time, tags=tags, experiment=experiment)
        return reading


def _misfit(event: RunEvent, route: Route) -> filters.Misfit | None:
    if route.when and deciding.only_gate(route).needs.only_event:
        return filters.Misfit("facts", "that only an event tells, in its gate", "no event")
    return filters.misfit(event, route)


def _no(why: str) -> TaskAnswer:
    return TaskAnswer(succeeded=False, lines=(visible(why),))


def _unfinished(run: str, outcome: Outcome | None, *, deleted: bool) -> TaskAnswer | Pending:
    """What a run comes to that has not Completed, or was deleted since."""
    if deleted:
        return _no(f"run {run} was deleted")
    return Pending.RUNS if outcome is None else _no(f"run {run} ended as {outcome}")
