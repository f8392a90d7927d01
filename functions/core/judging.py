"""Whether a waiting task succeeded: all its runs Completed, and the gates of their routes hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from functions.core import routing
from functions.core.errors import Ambiguous, RelayError, Retryable
from functions.core.gathering import Reading
from functions.core.policy import REFUSED_FOR
from functions.core.reasons import Reason
from functions.core.values import Outcome, RunEvent, bounded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from functions.core.deadline import Deadline
    from functions.core.policy import Policy
    from functions.core.ports import Ports
    from functions.core.routes import Route
    from functions.core.values import Workspace
    from functions.core.waits import Wait


class Unfit(RelayError):
    """No route with `complete: true` could ever answer for the run; the message says why."""


class Verdict(NamedTuple):
    """The answer for a task, and a line for each run saying why."""

    succeeded: bool
    lines: tuple[str, ...]

    @property
    def why(self) -> str:
        """All lines in one."""
        return bounded("; ".join(self.lines))


class Judge:
    """Reads the runs that are waited for, and asks the routes."""

    def __init__(self, ports: Ports, policy: Policy) -> None:
        self._runs, self._routes, self._clock = ports.runs, ports.routes, ports.clock
        self._studio = policy.studio

    def admit(self, workspace: Workspace, runs: Iterable[str], deadline: Deadline) -> None:
        """Raises Unfit for a run that no route could answer for, Retryable if one is unreadable."""
        if not self._completing():
            raise Unfit("no route has `complete: true`")
        for run in runs:
            try:
                self._fitting(self._reading(workspace, run, deadline).event)
            except Retryable as error:
                if error.reason is Reason.RUN_NOT_FOUND:
                    raise Unfit(error.detail) from None
                raise

    def verdict(self, wait: Wait, deadline: Deadline) -> Verdict | None:
        """The answer, once all runs are over or one has failed; None: not yet.

        Raises Retryable and RoutesUnreadable.
        """
        told = [self._of_run(wait, run, deadline) for run in wait.runs]
        failed = [one for one in told if one is not None and not one.succeeded]
        if not failed and None in told:
            return None
        lines = [line for one in told if one is not None for line in one.lines]
        return Verdict(not failed, tuple(lines))

    def _of_run(self, wait: Wait, run: str, deadline: Deadline) -> Verdict | None:
        try:
            reading = self._reading(wait.workspace, run, deadline)
        except Retryable as error:
            gone = error.reason is Reason.RUN_NOT_FOUND
            if gone and self._clock.now() - wait.created_at > REFUSED_FOR:
                return Verdict(succeeded=False, lines=(f"run {run}: {error.detail}",))
            raise
        if (outcome := reading.run.outcome) is None:
            return None
        if outcome is not Outcome.COMPLETED:
            return Verdict(succeeded=False, lines=(f"run {run} ended as {outcome}",))
        try:
            routes = self._fitting(reading.event)
        except Unfit as error:
            return Verdict(succeeded=False, lines=(str(error),))
        return self._gated(reading, routes)

    def _gated(self, reading: Reading, routes: list[Route]) -> Verdict | None:
        """Completed: now all gates must hold."""
        run, lines, holds = reading.run, [], True
        for route in routes:
            said = self._gate(route, reading)
            if said is None:
                return None
            holds = holds and said[0]
            lines.append(f"run {run.id} ended as Completed; route {route.name}: {said[1]}")
        return Verdict(holds, tuple(lines))

    def _gate(self, route: Route, reading: Reading) -> tuple[bool, str] | None:
        """Whether it holds and what it saw; None while a fact may still come."""
        if route.gate is None:
            return True, "it has no gate"
        asked = routing.only_gate(route)
        try:
            known = reading.facts(asked, Outcome.COMPLETED, self._studio)
        except Ambiguous as error:
            return False, str(error)
        verdict = route.gate.evaluate(known)
        if not verdict.missing:
            said = "holds" if verdict.holds else "does not hold"
            return verdict.holds, f"its gate {said}: {verdict.error or verdict.explain}"
        ended = reading.run.end_time
        if ended is None or self._clock.now() - ended > route.wait_for_facts:
            return False, f"{verdict.missing} is not known"
        return None

    def _completing(self) -> list[Route]:
        return [route for route in self._routes.routes().routes if route.complete]

    def _fitting(self, event: RunEvent) -> list[Route]:
        """The routes that may answer for it; raises Unfit, naming the filter of each other one."""
        tried = [(route, routing.misfit(event, route)) for route in self._completing()]
        if fitting := [route for route, misfit in tried if misfit is None]:
            return fitting
        why = "; ".join(
            f"{route.name} wants {misfit.filter} {misfit.wanted}, it is {misfit.found}"
            for route, misfit in tried
            if misfit
        )
        raise Unfit(bounded(f"run {event.run}: no route completes it: {why}"))

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
        reading.event = replace(
            bare, time=read.end_time, tags=dict(read.tags), experiment=experiment
        )
        return reading
