"""What became of one run: an answer for each route, in words and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.terms.words import State
from relay.forecasts import telling
from relay.printing import at, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from functions.configuration.settings import Settings
    from functions.core.kept.continuation import Continuation
    from relay.forecasts.forecast import News, Prospect
    from relay.why.locating import Located
    from relay.why.upcoming import Next

_TAKEN_UP = "the reconciler takes it up with its next round in which the routes can be read"


class OnRoute(NamedTuple):
    """A route with the run's continuation on it, or with what would become of it.

    `before`: who goes on in the group that the continuation waits for. `beside`: that is another
    end of the run than the one that is known on the route. `people`: who was told.
    """

    route: str
    known: Continuation | None = None
    before: Sequence[str] = ()
    prospect: Prospect | None = None
    next: Next | None = None
    beside: bool = False
    people: Sequence[str] = ()

    @property
    def outcome(self) -> str:
        """The outcome that this is about, where it has to be told."""
        if self.known:
            return self.known.key.outcome
        return self.prospect.event.outcome if self.prospect and self.beside else ""

    @property
    def started(self) -> bool:
        """Whether a pipeline was started."""
        return self.known is not None and self.known.state is State.STARTED

    @property
    def comes(self) -> bool:
        """Whether one still may be, without anybody doing anything."""
        if self.known:
            return self.known.state.may_be_open
        return self.next is not None and self.next.comes


class Explanation(NamedTuple):
    """Why a run was followed or not. `news` is None where the run could not be read."""

    located: Located
    run: str
    news: News | None
    routes: tuple[OnRoute, ...]
    settings: Settings
    now: datetime

    @property
    def started(self) -> bool:
        """Whether a pipeline was started."""
        return any(one.started for one in self.routes)

    @property
    def comes(self) -> bool:
        """Whether one still may be, without anybody doing anything."""
        return bool(self.located.letters) or any(one.comes for one in self.routes)

    def builtins(self) -> dict[str, Any]:
        """As JSON has it."""
        run, workspace = self.located.run, self.located.workspace
        return {
            "run": self.run,
            "workspace": workspace.id,
            "experiment": self._experiment,
            "status": run.status if run else None,
            "outcome": run.outcome if run else None,
            "ended_at": run.end_time.isoformat() if run and run.end_time else None,
            "url": telling.studio_url(self.settings, workspace.id, self.run),
            "started": self.started,
            "followed": self.started or self.comes,
            "in_inbox_since": min(self._waits).isoformat() if self._waits else None,
            "routes": [self._builtins(one) for one in self.routes],
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        workspace = self.located.workspace
        experiment = f" of {plain(self._experiment)}" if self._experiment else ""
        yield f"run {plain(self.run)}{experiment} in {plain(workspace.name)}: {self._ended()}"
        yield telling.studio_url(self.settings, workspace.id, self.run)
        if self._waits:
            yield f"its event lies in the inbox since {at(min(self._waits))}: {_TAKEN_UP}"
        for one in self.routes:
            yield ""
            outcome = f" ({one.outcome})" if one.outcome else ""
            first, *others = self._lines(one)
            yield f"{plain(one.route)}{outcome}: {first}"
            yield from others

    @property
    def _waits(self) -> list[datetime]:
        """Since when its events lie in the inbox."""
        return [letter.received_at for letter in self.located.letters]

    @property
    def _experiment(self) -> str:
        known = [c.event for c in self.located.known]
        told = (e.experiment for e in (*known, *(one.event for one in self.located.letters)))
        return self.news.event.experiment if self.news else next(told, "")

    def _ended(self) -> str:
        run = self.located.run
        if run is None:
            return "it could not be read" if self.located.is_silent else "Azure has no such run"
        then = ", and was deleted since" if run.deleted else ""
        if run.outcome is None:
            return f"has not ended, it is {plain(run.status)}{then}"
        return (f"{run.outcome}, ended {at(run.end_time)}" if run.end_time else run.outcome) + then

    def _lines(self, one: OnRoute) -> Iterator[str]:
        if one.known:
            told = (one.before, one.people)
            yield from telling.lines(one.known, self.now, self.settings, *told)
        elif one.prospect and self.news and one.next:
            yield telling.means(one.prospect, self.news, self.settings)
            yield f"  next     {one.next.words}"
            if one.next.do:
                yield f"  do       {one.next.do}"

    def _builtins(self, one: OnRoute) -> dict[str, Any]:
        if one.known:
            told = (one.before, one.people)
            known = telling.continuation(one.known, self.now, self.settings, *told)
            return {"route": one.route, "known": True, **known}
        if not (one.prospect and self.news and one.next):
            return {"route": one.route, "known": False}
        return {
            "route": one.route,
            "known": False,
            **telling.prospect(one.prospect, self.news, self.settings),
            "next": one.next.words,
            "do": one.next.do,
        }
