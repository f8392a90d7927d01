"""Read a run only as far as its routes ask, and find where its metrics and model are.

They usually sit below it: the root is asked first, then what `descending` finds.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from functions.core.facts import building
from functions.core.reading import ahead
from functions.core.reading.below import Below, Found
from functions.core.routes import deciding
from functions.core.routes.definition import ANY
from functions.core.terms.errors import Ambiguous, SeveralModels
from functions.core.terms.reasons import Reason
from functions.core.terms.words import Outcome, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.facts.building import Facts
    from functions.core.ports.services import Runs
    from functions.core.reading.ahead import Begun
    from functions.core.reading.descending import Seeker
    from functions.core.routes.deciding import Screened
    from functions.core.routes.definition import Route
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.runs import Model, ModelSought, Run, RunEvent

MOST_MODEL_SEARCHES = 20  # runs of one level
_KINDS = {"metrics": "metric", "params": "parameter"}


class Reading:
    """The run behind one event, `run` where it was read already.

    Each remote read happens at most once, when first needed; `begun` are those that are under way.
    """

    def __init__(
        self,
        runs: Runs,
        event: RunEvent,
        deadline: Deadline,
        run: Run | None = None,
        begun: Begun | None = None,
    ) -> None:
        self.event = event
        self.begun = begun
        self._runs = runs
        self._deadline = deadline
        self._run = run
        self._known_below: Below | None = None
        self._models_below = False

    # No `cached_property`: until Python 3.12 one lock of it is held for all events while one reads.

    @property
    def run(self) -> Run:
        """The run as it is now; raises Retryable."""
        if self._run is None:
            self._run = self._runs.read(self.event.workspace, self.event.run, self._deadline)
            if self.begun:
                self.begun.is_read(self._run)
        return self._run

    @property
    def _below(self) -> Below:
        if self._known_below is None:
            self._known_below = Below(self._runs, self.event, self.run, self._deadline)
        return self._known_below

    def screened(self, route: Route, outcome: Outcome) -> Screened | None:
        """What the run, and its job where a filter asks it, say before any fact is looked at."""
        first = deciding.screen(route, self.event, outcome, self.run)
        if first is not None or not deciding.asks_job(route, self.event):
            return first
        return deciding.screen_job(route, self.event, self._below.job(self.run).properties)

    def _seeker(self, route: Route) -> Seeker:
        from functions.core.reading.descending import Seeker  # noqa: PLC0415 - where the root has it not

        return Seeker(self._below, route.step)

    def learn(self, route: Route, outcome: Outcome, studio: str) -> Facts | Screened:
        """The facts to decide by, or what the run says before any is looked at.

        The order in which a route is asked, for events and forecasts alike. Raises Retryable.
        """
        if not outcome.ends_run:
            return building.told(self.event)
        if (screened := self.screened(route, outcome)) is not None:
            return screened
        try:
            return self.facts(route, outcome, studio)
        except Ambiguous as error:
            return deciding.End(State.HELD, Reason.AMBIGUOUS, str(error))

    def facts(self, route: Route, outcome: Outcome, studio: str) -> Facts:
        """The facts that the route may use; raises Retryable and Ambiguous."""
        known, needs = building.of(self.event, self.run, outcome, studio), route.needs
        why, none = dict[str, str](), dict[str, str]()  # why nobody can tell, why there is none
        self._below.begin()
        known["run"]["metrics"] |= self._values(route, "metrics", needs.metrics, why)
        known["run"]["params"] |= self._values(route, "params", needs.params, why)
        if building.retold(self.event, self.event.properties, self.event.properties):
            from functions.core.reading import retold  # noqa: PLC0415 - few properties are times

            own = retold.properties(self.event, self._below, needs.properties, why)
            known["run"]["properties"] = own
        if needs.children:
            known["run"]["children"] = self._below.counts(self.run, why)
        if needs.best_child:
            known["run"] |= self._below.best_id(self.run, why, none)
        if needs.model:
            model = self._model(route, why)
            known["model"] = building.of_model(model)
            why |= {"model": model.unread} if model and model.unread else {}
        if needs.champion:
            known["champion"] = self._champion(route, known["model"], none)
        known[building.UNTOLD] = frozenset(why | known[building.UNREAD])
        known[building.UNREAD] = none | why | self._below.unread | known[building.UNREAD]
        if self.begun:
            self.begun.needed(route, ahead.Needed(self._below.looked_in, self._models_below))
        return known

    def _champion(self, route: Route, model: Facts, why: dict[str, str]) -> Facts:
        from functions.core.reading.champion import Contest  # noqa: PLC0415 - few routes do

        contest = Contest(self.event.workspace, route.champion, route.needs, self._known)
        meant = (route.model or model.get("name", ""), model.get("version", ""))
        return contest.facts(self._runs, meant, why, self._deadline)

    def _values(
        self, route: Route, family: str, names: frozenset[str], why: dict[str, str]
    ) -> dict[str, object]:
        """The named values from wherever the rule finds them; `why` gets what is told of others."""
        found: dict[str, object] = {}
        for name in sorted(names, key=lambda name: (name != ANY, name)):
            holder = self._holder(route, family, name) if name not in found else Found()
            if holder.run:
                of: Mapping[str, object] = getattr(holder.run, family)
                found |= of if name == ANY else {name: of[name]}
                if self.begun:
                    self.begun.holds(route, holder.run)
            elif holder.why:
                why[f"run.{family}" if name == ANY else f"run.{family}.{name}"] = holder.why
        return found

    def _holder(self, route: Route, family: str, name: str) -> Found:
        """The run that has the value of that name, or has any."""

        def has(run: Run) -> bool:
            return bool(getattr(run, family)) if name == ANY else name in getattr(run, family)

        if has(self.run):
            return Found(self.run)
        what = _KINDS[family] if name == ANY else f"{_KINDS[family]} {name}"
        return self._seeker(route).find(what, has)

    def _model(self, route: Route, why: dict[str, str]) -> Model | None:
        """The root's model, else that of the only run below it which has one.

        Most pipeline jobs' roots are asked in vain; but one that names a model means that one.
        """
        sought = ahead.sought(route)
        asked = {self.run.id: self._logged(self.run, sought)}
        holder: Run | None = self.run
        self._models_below = not _is_known(asked[self.run.id])
        if self._models_below:
            holder = self._holder_of_model(route, sought, asked, why)
        found = asked[holder.id] if holder else next(filter(None, asked.values()), None)
        may_be_older = not sought.name and sought.fields & {"name", "version"}
        if may_be_older and (found is None or found.name is None):
            runs = [holder] if holder else [run for run in self._known if run.id in asked]
            return self._older(runs) or found
        return found

    def _holder_of_model(
        self, route: Route, sought: ModelSought, asked: dict[str, Model | None], why: dict[str, str]
    ) -> Run | None:
        def has(run: Run) -> bool:
            self._below.look()
            asked[run.id] = self._logged(run, sought)
            return _is_known(asked[run.id])

        begin = partial(self.begun.asked, route) if self.begun else None
        found = self._seeker(route).find("model", has, MOST_MODEL_SEARCHES, begin)
        why |= {"model": found.why} if found.why and not found.run else {}
        return found.run

    @property
    def _known(self) -> list[Run]:
        return [self.run, *self._below.read]

    def _older(self, runs: list[Run]) -> Model | None:
        """The model of which one of these made a version that is not the newest any more."""
        found = self._runs.older_models(self.event.workspace, runs, self._deadline)
        known = {run: self._one(run, model) for run, model in found.items() if _is_known(model)}
        if self.run.id in known or len(known) == 1:
            return known.get(self.run.id) or next(iter(known.values()))
        if known:
            raise Ambiguous("model", sorted(known), "name one with `step`")
        return next(iter(found.values()), None)

    def _logged(self, run: Run, sought: ModelSought) -> Model | None:
        model = self._runs.model(self.event.workspace, run, sought, self._deadline)
        return self._one(run.id, model) if model else None

    def _one(self, run: str, model: Model) -> Model:
        """The model, if it is one; raises Ambiguous."""
        if model.several:
            raise SeveralModels(run, model.several)
        return model


def _is_known(model: Model | None) -> bool:
    return model is not None and model.is_known
