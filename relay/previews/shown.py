"""What all routes make of one run, or of one promotion, in words and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.kept.summary import Summary
from functions.core.operators import summaries
from functions.core.operators.decisions import standing
from relay.forecasts import requests, telling
from relay.printing import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.configuration.settings import Settings
    from functions.core.kept.continuation import Continuation
    from relay.forecasts.forecast import News, Prospect
    from relay.previews.checking import Checked

HAS = {"canceled": "been canceled", "lost": "been lost"}


class OfRoute(NamedTuple):
    """What a route makes of a run, and what Azure DevOps says of that if it was asked.

    `known`: what the ledger has of it already.
    """

    prospect: Prospect
    checked: Checked | None
    known: Continuation | None

    def lines(self, news: News, settings: Settings) -> Iterator[str]:
        """For people."""
        means = telling.means(self.prospect, news, settings)
        if self.known:
            was = "is" if self.known.is_open else "was"
            yield f"{self.prospect.route.name}: {was} {plain(standing(self.known), 1000)}"
            yield f"  anew     {means}"
        elif first := self.prospect.route.after:
            end = self.prospect.route.name.removeprefix(f"{first}.")
            once = f"once that of {first} has {HAS.get(end, end)}"
            yield f"{self.prospect.route.name}: {once}, {means}"
        else:
            yield f"{self.prospect.route.name}: {means}"
        if self.prospect.request:
            yield from (
                f"  {line}" for line in requests.request_lines(self.prospect.request, settings)
            )
        if self.checked and self.checked.said:
            yield f"  {self.checked.verdict}: {self.checked.said}"

    def builtins(self, news: News, settings: Settings) -> dict[str, Any]:
        """As JSON has it."""
        told = {
            "route": self.prospect.route.name,
            "after": self.prospect.route.after or None,
            **telling.prospect(self.prospect, news, settings),
            "known": summaries.row(Summary.of(self.known)) if self.known else None,
        }
        return told | ({"check": self.checked._asdict()} if self.checked else {})


class OfRun(NamedTuple):
    """What all routes make of one run; `source` is the file or the run as it was named."""

    source: str
    news: News
    routes: tuple[OfRoute, ...]

    def lines(self, settings: Settings) -> Iterator[str]:
        """For people."""
        event = self.news.event
        what = f"run {plain(event.run)} of {plain(event.experiment)}"
        if self.news.run is None:
            what = f"{event.outcome} {plain(event.run)}"
        yield f"{plain(self.source)}: {what}"
        for one in self.routes:
            yield from (f"  {line}" for line in one.lines(self.news, settings))

    def builtins(self, settings: Settings) -> dict[str, Any]:
        """As JSON has it."""
        event = self.news.event
        return {
            "source": self.source,
            "run": event.run,
            "workspace": event.workspace.id,
            "experiment": event.experiment,
            "status": self.news.run.status if self.news.run else None,
            "routes": [one.builtins(self.news, settings) for one in self.routes],
        }
