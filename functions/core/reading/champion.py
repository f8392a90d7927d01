"""The version that a run's model has to beat, and what the facts say of it.

Three answers: there is one, there is none (`exists` is false), or nobody can tell yet (no fact, so
that it is waited for).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from functions.core.events import parents
from functions.core.facts import building
from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import ModelSought
from functions.core.terms.standing import Challenger
from functions.core.texts.bounds import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.facts.building import Facts
    from functions.core.ports.services import Runs
    from functions.core.routes.definition import Needs
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.runs import Run, Workspace
    from functions.core.terms.standing import Choice, Standing

MOST_OWN = 5  # versions that runs below the run itself have made


class Contest(NamedTuple):
    """Where a route looks for its champion, what it needs, and the run with those below it."""

    workspace: Workspace
    choice: Choice | None
    needs: Needs
    own: Sequence[Run]

    def facts(
        self, runs: Runs, model: tuple[str, str], why: dict[str, str], deadline: Deadline
    ) -> Facts:
        """The facts `champion.*`; `why` gets what is told of those left out. Raises Retryable.

        `model`: the name, and the version under judgement if it is known; "" for what is not.
        """
        challenger = Challenger(*model, frozenset(run.id for run in self.own))
        if self.choice is None or not challenger.name:
            what = "which registered model is meant is not known: name it with `model`"
            why["champion"] = what if self.choice else "the route has no `champion`"
            return {}
        for _ in range(MOST_OWN):
            found = runs.champion(self.workspace, self.choice, challenger, deadline)
            if found.vacant:
                return self._vacant(runs, found, why, deadline)
            if not found.version:
                why["champion"] = found.why
                return {}
            run = self._run(runs, found, challenger, deadline)
            if run is None or not parents.is_of(challenger.runs, run.tags):
                return self._told(found, run, challenger.name, why)
            challenger = Challenger(challenger.name, challenger.version, challenger.runs | {run.id})
        why["champion"] = (
            f"{MOST_OWN} versions of {challenger.name} are of runs below the run itself"
        )
        return {}

    def _vacant(
        self, runs: Runs, found: Standing, why: dict[str, str], deadline: Deadline
    ) -> Facts:
        """None is there; a name that no model has is believed only of who registered no other."""
        if found.unheard and (other := self._registered(runs, deadline)):
            doubt = "is `model` mistyped? The first of that name is registered by hand"
            why["champion"] = f"{found.why}, and the run registered {other}: {doubt}"
            return {}
        why["champion"] = f"there is no champion: {found.why}"
        return {"exists": False}

    def _registered(self, runs: Runs, deadline: Deadline) -> str:
        """The names of models that the first of its own runs registered."""
        sought, names = ModelSought(frozenset({"name"})), dict[str, None]()
        for run in self.own[:MOST_OWN]:
            model = runs.model(self.workspace, run, sought, deadline)
            told = (model.name, *model.several) if model else ()
            names |= dict.fromkeys(filter(None, told))
        return listed(sorted(names))

    def _told(self, found: Standing, run: Run | None, model: str, why: dict[str, str]) -> Facts:
        """What is said of this version, and of its run as far as it was read."""
        why |= self._lacking(found, run, model)
        told = building.of_run(run) if run and not run.deleted else {}
        metrics = told.pop("metrics", {})
        return {
            "exists": True,
            "version": found.version,
            "metrics": metrics,
            "run": ({"id": found.run} if found.run else {}) | told,
        }

    def _run(
        self, runs: Runs, found: Standing, challenger: Challenger, deadline: Deadline
    ) -> Run | None:
        """The run behind the version, as far as it is needed and is there.

        Needed, too, to tell whether it is below the run itself, where no version of that is known.
        """
        if not found.run or (challenger.version and not self.needs.champion_run):
            return None
        try:
            return runs.read(self.workspace, found.run, deadline)
        except Retryable as error:
            if error.reason is not Reason.RUN_NOT_FOUND:
                raise
            return None

    def _lacking(self, found: Standing, run: Run | None, model: str) -> dict[str, str]:
        """What is to be said of the facts that the run behind the version does not tell."""
        behind = f"run {found.run} behind version {found.version} of {model}"
        if not found.run:
            what = f"version {found.version} of {model} names no run that made it"
        elif run is None:
            what = f"{behind} is not there"
        else:
            what = f"{behind} was deleted" if run.deleted else f"{behind} has none of that name"
        odd = run.unread if run else {}
        return dict.fromkeys(("champion.metrics", "champion.run"), what) | {
            f"champion.{name.removeprefix('run.')}": why for name, why in odd.items()
        }
