"""The route file, decoded: which runs are followed by which pipeline."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, field

from functions.core.terms.policy import FACTS_FOR
from functions.core.terms.words import Ending, Outcome

if TYPE_CHECKING:
    from datetime import timedelta

    from functions.core.gates.gate import Gate
    from functions.core.routes.channel import Channel
    from functions.core.routes.expectation import Expectation
    from functions.core.routes.joins.join import Join
    from functions.core.terms.standing import Choice, Promotion

ANY: Final = "*"
"""In `Needs`: which names cannot be told beforehand, so all are needed."""


class Match(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The cheap filters, as patterns with `*` and `?`; None and empty fit everything.

    What fits everything is left out where it is written, so that a filter which a later version
    adds makes no route another one (`functions.core.memory.first_seen.digest`).
    """

    workspace: str | None = None
    experiment: str | None = None
    run_type: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)


class Limit(Struct, frozen=True):
    """At most `count` starts per hour (`h`) or day (`d`)."""

    count: int
    per: str

    def __str__(self) -> str:
        return f"{self.count}/{self.per}"


class Concurrency(Struct, frozen=True, kw_only=True):
    """At most so many starts of a `group` whose pipeline runs have not ended; it may name facts.

    `latest`: of those that wait only the latest of the route is started.
    """

    group: str
    at_most: int = 1
    latest: bool = False


class Variable(Struct, frozen=True):
    """A queue-time variable."""

    value: str | int | float | bool
    secret: bool = False


class Start(Struct, frozen=True, kw_only=True):
    """The pipeline to start; the values of parameters and variables may name facts.

    Of a workflow of GitHub `branch` is its ref, the parameters are its inputs.
    `secret` is None where the setting's default holds. `correlation` names the parameter that
    gets the continuation's short hash.
    """

    organization: str
    project: str
    pipeline: int | str
    secret: str | None = None
    pipeline_version: int | None = None
    branch: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    correlation: str | None = None
    variables: dict[str, Variable] = field(default_factory=dict)
    skip_stages: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The pipeline, as people see it."""
        return f"{self.organization}/{self.project}/{self.pipeline}"


class Needs(Struct, frozen=True, kw_only=True):
    """Which facts a route names. `ANY` among the names: all, since the gate looks them up.

    `only_event`: nothing but the event can tell some (run type, properties), so the sweep cannot
    serve the route; `properties`: which of these. `children`: counts of the run's children;
    `best_child`: which one is the best. `champion`: which version it is; `champion_run`: what only
    the run behind it tells.
    """

    metrics: frozenset[str] = frozenset()
    params: frozenset[str] = frozenset()
    model: frozenset[str] = frozenset()
    only_event: bool = False
    properties: frozenset[str] = frozenset()
    children: bool = False
    best_child: bool = False
    champion: bool = False
    champion_run: bool = False


class Route(Struct, frozen=True, kw_only=True):
    """One route; `outcomes` is what it is about: ends of runs, or one kind of other news.

    `distinct`: a pipeline run that matches can only be its own; see `lookalikes`.
    `follow`: it is looked after until that has ended. `notify`: who is told, instead of those of
    the file; None: those. `answers_after`: who waits for the run is answered by that end, where
    `complete` says that they are answered at all.
    `then`: the names of the sequels that go on by an end. A sequel is a route which no event
    concerns: `after` names the route whose pipeline run's end it is about, `tell` who is told so.
    `expectation`: by when a run should have ended, and how long one may be held. `join`: for which
    runs it starts something once. `promoted`: what is new of a version that it is about.
    """

    name: str
    outcomes: frozenset[Outcome] = frozenset({Outcome.COMPLETED})
    match: Match = Match()
    children: bool = False
    when: str | None = None
    step: str | None = None
    model: str | None = None
    champion: Choice | None = None
    wait_for_facts: timedelta = FACTS_FOR
    limit: Limit | None = None
    concurrency: Concurrency | None = None
    shadow: bool = False
    follow: bool = True
    complete: bool = False
    answers_after: bool = False
    start: Start | None = None
    needs: Needs = Needs()
    distinct: bool = False
    notify: tuple[Channel, ...] | None = None
    then: dict[Ending, str] = field(default_factory=dict)
    after: str = ""
    tell: tuple[Channel, ...] = ()
    expectation: Expectation | None = None
    join: Join | None = None
    promoted: Promotion | None = None

    @property
    def is_about_runs(self) -> bool:
        """Whether it is about ends of runs."""
        return all(outcome.ends_run for outcome in self.outcomes)

    @property
    def gate(self) -> Gate | None:
        """The compiled `when`; compiled at most once per text."""
        if self.when is None:
            return None
        from functions.core.gates.gate import gate_of  # noqa: PLC0415 - most routes have none

        return gate_of(self.when)


class Routes(Struct, frozen=True):
    """All routes in the order of the file, and what `check` warns of, one line each.

    `mistakes`: gates that could not be right and values that are never sent; their routes are held.
    `organizations` are those that the file names, in a `start` or for all of them. `notify`: who is
    told, unless a route says otherwise. `sequels` go on by the ends of pipeline runs. `file` stands
    for the text of their file, `earlier` for those that the process had before; "": of no file.
    """

    routes: tuple[Route, ...] = ()
    warnings: tuple[str, ...] = ()
    mistakes: tuple[str, ...] = ()
    organizations: frozenset[str] = frozenset()
    file: str = ""
    earlier: frozenset[str] = frozenset()
    notify: tuple[Channel, ...] = ()
    sequels: tuple[Route, ...] = ()

    def is_own(self, file: str) -> bool:
        """Whether it is their file, or one that the process had before."""
        return file == self.file or file in self.earlier

    @property
    def every(self) -> tuple[Route, ...]:
        """The routes and their sequels."""
        return (*self.routes, *self.sequels)

    def sequel(self, route: str, end: Ending) -> Route | None:
        """What goes on once a pipeline run that this route started has ended so."""
        return self.named(known.then.get(end, "")) if (known := self.named(route)) else None

    def behind(self, route: str) -> list[Route]:
        """All that goes on by the ends of this route's pipeline runs, and by theirs, in order."""
        names, found = {route}, list[Route]()
        for one in self.sequels:
            if one.after in names:
                names.add(one.name)
                found.append(one)
        return found

    def told_of(self, route: str) -> tuple[Channel, ...]:
        """Who is told of what happens on the route of this name; one that is gone says nothing."""
        known = self.named(route)
        return self.notify if known is None or known.notify is None else known.notify

    @property
    def channels(self) -> tuple[Channel, ...]:
        """All that the file names, each once."""
        own = (one for route in self.every for one in (*(route.notify or ()), *route.tell))
        return tuple({channel.name: channel for channel in (*self.notify, *own)}.values())

    def named(self, name: str) -> Route | None:
        """The route or sequel of that name, spelled exactly."""
        return next((r for r in chain(self.routes, self.sequels) if r.name == name), None)
