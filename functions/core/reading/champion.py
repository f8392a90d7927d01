"""The version that a run's model has to beat, and what the facts say of it.

Three answers: there is one, there is none (`exists` is false), or nobody can tell yet (no fact, so
that it is waited for).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from functions.core.facts import building
from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from functions.core.facts.building import Facts
    from functions.core.ports.services import Runs
    from functions.core.routes.definition import Needs
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.runs import Run, Workspace
    from functions.core.terms.standing import Challenger, Choice, Standing


class Contest(NamedTuple):
    """Where a route looks for its champion, and which facts of it are needed."""

    workspace: Workspace
    choice: Choice | None
    needs: Needs

    def facts(
        self, runs: Runs, challenger: Challenger, why: dict[str, str], deadline: Deadline
    ) -> Facts:
        """The facts `champion.*`; `why` gets what is told of those left out. Raises Retryable."""
        if self.choice is None or not challenger.name:
            what = "which registered model is meant is not known: name it with `model`"
            why["champion"] = what if self.choice else "the route has no `champion`"
            return {}
        found = runs.champion(self.workspace, self.choice, challenger, deadline)
        if found.vacant:
            why["champion"] = f"there is no champion: {found.why}"
            return {"exists": False}
        if not found.version:
            why["champion"] = found.why
            return {}
        run = self._run(runs, found, challenger.name, why, deadline)
        told = building.of_run(run) if run else {}
        metrics = told.pop("metrics", {})
        return {
            "exists": True,
            "version": found.version,
            "metrics": metrics,
            "run": ({"id": found.run} if found.run else {}) | told,
        }

    def _run(
        self, runs: Runs, found: Standing, model: str, why: dict[str, str], deadline: Deadline
    ) -> Run | None:
        """The run behind the version, as far as it is needed and can be read."""
        behind = f"run {found.run} behind version {found.version} of {model}"
        if not found.run:
            lacks = f"version {found.version} of {model} names no run that made it"
            why |= dict.fromkeys(("champion.metrics", "champion.run"), lacks)
            return None
        if not self.needs.champion_run:
            return None
        try:
            run = runs.read(self.workspace, found.run, deadline)
        except Retryable as error:
            if error.reason is not Reason.RUN_NOT_FOUND:
                raise
            why |= dict.fromkeys(("champion.metrics", "champion.run"), f"{behind} is not there")
            return None
        gone = run.deleted
        what = f"{behind} was deleted" if gone else f"{behind} has none of that name"
        why |= dict.fromkeys(("champion.metrics", "champion.run"), what)
        why |= {f"champion.{name.removeprefix('run.')}": odd for name, odd in run.unread.items()}
        return None if gone else run
