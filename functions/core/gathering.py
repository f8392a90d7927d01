"""Read a run only as far as its routes ask, and find where its metrics and model are.

They usually sit on a child (step) run: the root first, else AutoML's best child, else the child
that `step` names, else the only child that has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core import facts, parents
from functions.core.errors import Ambiguous
from functions.core.routes import ANY
from functions.core.values import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from functions.core.deadline import Deadline
    from functions.core.facts import Facts
    from functions.core.ports import Runs
    from functions.core.routes import Route
    from functions.core.values import Model, Run, RunEvent

MOST_MODEL_SEARCHES = 20
MOST_CHILDREN = 1000  # no more are read
_BEST_CHILD = "automl_best_child_run_id"


class Reading:
    """The run behind one event, `run` where it was read already.

    Each remote read happens at most once, when first needed.
    """

    def __init__(
        self, runs: Runs, event: RunEvent, deadline: Deadline, run: Run | None = None
    ) -> None:
        self.event = event
        self._runs = runs
        self._deadline = deadline
        self._run = run
        self._children: Sequence[Run] | None = None
        self._may_lack = False
        self._best_child: Run | None = None

    # No `cached_property`: until Python 3.12 one lock of it is held for all events while one reads.

    @property
    def run(self) -> Run:
        """The run as it is now; raises Retryable."""
        if self._run is None:
            self._run = self._runs.read(self.event.workspace, self.event.run, self._deadline)
        return self._run

    @property
    def children(self) -> Sequence[Run]:
        """The run's children, as each of them says, but deleted ones; raises Retryable."""
        if self._children is None:
            found = self._runs.children(self.event.workspace, self.run, self._deadline)
            self._may_lack = len(found) >= MOST_CHILDREN
            self._children = parents.children(self.run.id, found)
        return self._children

    @property
    def _best(self) -> Sequence[Run]:
        """What AutoML calls the best child, if it is one: a tag may be anybody's."""
        best = self.run.tags.get(_BEST_CHILD)
        if best and self._best_child is None:
            self._best_child = self._runs.read(self.event.workspace, best, self._deadline)
        found = self._best_child
        if found is None or found.deleted or not parents.is_below(self.run.id, found.tags):
            return []
        return [found]

    def facts(self, route: Route, outcome: Outcome, studio: str) -> Facts:
        """The facts that the route may use; raises Retryable and Ambiguous."""
        known = facts.of(self.event, self.run, outcome, studio)
        needs = route.needs
        known["run"]["metrics"] |= self._values(route, "metric", needs.metrics, lambda r: r.metrics)
        known["run"]["params"] |= self._values(route, "parameter", needs.params, lambda r: r.params)
        if needs.model:
            model = self._model(route, needs.model)
            known["model"] = facts.of_model(model)
            known[facts.UNREAD] |= {"model": model.unread} if model and model.unread else {}
        known[facts.UNREAD] = self._unread() | known[facts.UNREAD]
        return known

    def _unread(self) -> dict[str, str]:
        """What was left out of the runs below that were read."""
        below = [*(self._children or ()), *filter(None, [self._best_child])]
        return {name: why for run in below for name, why in run.unread.items()}

    def _values(
        self,
        route: Route,
        what: str,
        names: frozenset[str],
        of: Callable[[Run], Mapping[str, object]],
    ) -> dict[str, object]:
        """The named values from wherever the rule finds them."""
        if ANY in names:
            return dict(of(self._holder(route, what, lambda run: bool(of(run)))))
        found: dict[str, object] = {}
        for name in sorted(names):
            holder = self._holder(route, f"{what} {name}", lambda run, n=name: n in of(run))  # type: ignore[misc]
            found |= {name: of(holder)[name]} if name in of(holder) else {}
        return found

    def _holder(self, route: Route, what: str, has: Callable[[Run], bool]) -> Run:
        if has(self.run):
            return self.run
        holders = [run for run in self._candidates(route) if has(run)]
        return _only(what, holders) or self.run

    def _candidates(self, route: Route) -> Sequence[Run]:
        if self._best:
            return self._best
        step = (route.step or "").lower()
        found = [c for c in self.children if not step or c.name.lower() == step]
        if self._may_lack and not step:
            raise Ambiguous("facts sought", [f"{MOST_CHILDREN} children or more"])
        return found

    def _model(self, route: Route, needed: frozenset[str]) -> Model | None:
        """The root's model, else that of the only run below it which has one.

        Most pipeline jobs' roots are asked in vain; but one that names a model means that one.
        """
        own = self._logged(self.run, needed)
        if own is not None and own.is_known:
            return own
        candidates = self._candidates(route)
        if len(candidates) > MOST_MODEL_SEARCHES:
            raise Ambiguous("model sought", [f"{len(candidates)} children"], _advice(candidates))
        asked = {run.id: model for run in candidates if (model := self._logged(run, needed))}
        found = {of: model for of, model in asked.items() if model.is_known}
        holder = _only("model", [run for run in candidates if run.id in found])
        return found[holder.id] if holder else own or next(iter(asked.values()), None)

    def _logged(self, run: Run, needed: frozenset[str]) -> Model | None:
        return self._runs.model(self.event.workspace, run, needed, self._deadline)


def _only(what: str, holders: Sequence[Run]) -> Run | None:
    """The run that is meant. Of several tries at one step it is the one that Completed."""
    if len(holders) > 1 and _are_alike(holders):
        completed = [run for run in holders if run.outcome is Outcome.COMPLETED]
        holders = completed if len(completed) == 1 else holders
    if len(holders) > 1:
        alike = _are_alike(holders)
        names = [f"{run.name} ({run.id})" if alike else run.name or run.id for run in holders]
        raise Ambiguous(what, names, _advice(holders))
    return holders[0] if holders else None


def _are_alike(runs: Sequence[Run]) -> bool:
    """Whether all have one name, so that no `step` tells them apart."""
    names = {run.name.lower() for run in runs}
    return len(names) == 1 and "" not in names


def _advice(runs: Sequence[Run]) -> str:
    if _are_alike(runs):
        return "they have one name, and not only one of them Completed: name each step otherwise"
    return "name one with `step`"
