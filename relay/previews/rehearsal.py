"""The requests that all routes make of some runs, and whether their services would take them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import typer
from msgspec.structs import replace

from functions.core.kept.after import AFTER_END
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason
from functions.core.texts.phrases import counted
from relay import exits
from relay.deployment import opening
from relay.forecasts.forecast import READ_SECONDS, Forecast, News, truth
from relay.previews import promoted
from relay.previews.checking import Acceptance, Checks
from relay.previews.shown import OfRoute, OfRun
from relay.printing import plain
from relay.why import asking

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from functions.configuration.settings import Settings
    from functions.core.kept.continuation import Continuation
    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Route
    from functions.core.terms.runs import RunEvent, Workspace
    from relay.forecasts.forecast import Prospect
    from relay.previews.recorded import Recorded
    from relay.why.locating import Named


SAMPLE_RUN, SAMPLE_URL = 1, "https://dev.azure.com/sample"  # of an end that has not come
WORDS = {Acceptance.MISTAKEN: "without a request"}  # where a plain word would say too little


class Rehearsal:
    """Makes the requests of each run; one that cannot be read does not stop the others."""

    def __init__(
        self, ports: Ports, settings: Settings, *, check: bool, unread: Sequence[str]
    ) -> None:
        self._ports, self._settings = ports, settings
        self._routes = asking.routes(ports, settings)
        self._checks = Checks(ports, settings) if check else None
        self._runs: list[OfRun] = []
        self._unread = 0
        self._without = unread  # why the ledger could not be read

    def take_runs(self, typed: Sequence[Named], meant: Sequence[Sequence[Workspace]]) -> None:
        """Runs by their ids."""
        for one, workspaces in zip(typed, meant, strict=True):
            found = asking.located(self._ports, self._settings, one.run, workspaces)
            try:
                if (news := asking.news(self._ports, found)) is None:
                    raise found.trouble or Retryable(Reason.RUN_NOT_FOUND, "no such run")
            except Retryable as error:
                self._miss(one.run, error)
            else:
                self._take(one.run, news)

    def take_events(self, events: Sequence[Recorded]) -> None:
        """Runs by events that told of them."""
        for file, event in events:
            try:
                news = self._news(event)
            except Retryable as error:
                self._miss(str(file), error)
            else:
                self._take(str(file), news)

    def take_promotions(
        self, typed: Sequence[tuple[str, str]], workspaces: Sequence[Workspace]
    ) -> None:
        """Versions of models, each as if a sweep found it promoted now."""
        now = self._ports.clock.now()
        for model, version in typed:
            for event, routes in promoted.found(self._routes, workspaces, model, version, now):
                self._take(f"{model}:{version}", News(event, None, told=True), routes)

    def _news(self, event: RunEvent) -> News:
        """What the event and its run say, if it is about a run; raises Retryable."""
        if not event.outcome.ends_run:
            return News(event, None, told=True)
        deadline = Deadline(self._ports.clock, READ_SECONDS)
        return truth(event, self._ports.runs.read(event.workspace, event.run, deadline))

    def _take(self, source: str, news: News, routes: Sequence[Route] = ()) -> None:
        forecast = Forecast(self._ports, self._settings.policy, news)
        known = self._ports.ledger.of_run(news.event.workspace.key, news.event.run)
        told = []
        for route in routes or self._routes.routes:
            prospect = forecast.just_now(forecast.of(route))
            told.append(self._of(prospect, known))
            behind = self._routes.behind(route.name) if prospect.request else ()
            told += (self._of(self._then(one, news), known) for one in behind if one.start)
        self._runs.append(OfRun(source, news, tuple(told)))

    def _of(self, prospect: Prospect, known: Sequence[Continuation]) -> OfRoute:
        checked = self._checks.of(prospect) if self._checks else None
        key = prospect.event.key(prospect.route.name)
        own = next((c for c in known if c.key == key), None)
        return OfRoute(prospect, checked, own)

    def _then(self, route: Route, news: News) -> Prospect:
        """What goes on by an end that has not come: its facts are stood for by samples."""
        end = route.name.removeprefix(f"{route.after}.")
        facts = {"run": SAMPLE_RUN, "end": end, "url": SAMPLE_URL, "route": route.after}
        event = replace(news.event, given=news.event.given | {AFTER_END: facts})
        return Forecast(self._ports, self._settings.policy, news._replace(event=event)).of(route)

    def _miss(self, source: str, error: Retryable) -> None:
        typer.echo(f"{plain(source)}: {plain(error.detail, 500)}", err=True)
        self._unread = max(self._unread, opening.unread(error))

    @property
    def _verdicts(self) -> Counter[Acceptance]:
        checked = (one.checked for run in self._runs for one in run.routes)
        return Counter(one.verdict for one in checked if one)

    def builtins(self) -> dict[str, Any]:
        """As JSON has it."""
        runs = [one.builtins(self._settings) for one in self._runs]
        totals = {str(verdict): count for verdict, count in self._verdicts.items()}
        without = next(iter(self._without), None)
        told = {"complete": not self._unread, "without_ledger": without}
        return {**told, "runs": runs, "totals": totals}

    def lines(self) -> Iterator[str]:
        """For people."""
        for one in self._runs:
            yield from one.lines(self._settings)
            yield ""
        if self._checks:
            counts = ", ".join(f"{self._verdicts[v]} {WORDS.get(v, v)}" for v in Acceptance)
            yield f"{counted(len(self._runs), 'run')}: {counts}"

    def conclude(self) -> None:
        """End the command with what it comes to."""
        found = self._verdicts
        if found[Acceptance.REFUSED] or found[Acceptance.MISTAKEN]:
            raise typer.Exit(exits.THE_ANSWER_IS_NO)
        if self._unread or found[Acceptance.UNKNOWN]:
            raise typer.Exit(self._unread or exits.REFUSED)
        if self._checks and not found[Acceptance.ACCEPTED]:
            typer.echo("nothing was checked: no route starts a pipeline for this", err=True)
            raise typer.Exit(exits.THE_ANSWER_IS_NO)
