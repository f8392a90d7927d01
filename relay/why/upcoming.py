"""What happens next to a run that a route wants and that has no continuation on it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from functions.core.memory import visits
from functions.core.memory.knowledge import ROUTE_LATER
from functions.core.memory.known_since import KnownSince
from functions.core.operators import typed_keys
from functions.core.operators.lists import commands
from functions.core.terms.policy import SweepMode
from functions.core.texts.phrases import lasting
from relay.forecasts import telling
from relay.why import locating

if TYPE_CHECKING:
    from functions.configuration.settings import Settings
    from functions.core.ports.services import Ports
    from functions.core.terms.runs import Workspace
    from relay.forecasts.forecast import News, Prospect

NOTHING = "nothing happens by itself"
UNSEEN = "no event of it was seen"  # what fits a route is claimed by whoever sees its event

_SAID = {ROUTE_LATER: "the ledger has known the route only since the run ended, or as it is now"}


class Next(NamedTuple):
    """In words; `comes`: something will be done. `do` is what a person can do."""

    words: str
    comes: bool = False
    do: str = ""


class Upcoming:
    """What the ledger and the settings say of what the app will do about a run."""

    def __init__(self, ports: Ports, settings: Settings, news: News) -> None:
        self._sweep = settings.sweep
        self._now = ports.clock.now()
        self._news = news
        known_since = KnownSince(ports)
        self._memory = known_since.recall()
        since = self._now - settings.sweep.kept_for
        known = typed_keys.workspaces(ports.ledger, since, self._sweep.workspaces)
        self._swept = {workspace.key for workspace in known}
        waiting = locating.letters(ports, news.event.run)
        self._inbox = {(letter.event.workspace.key, letter.event.run) for letter in waiting}

    def of(self, prospect: Prospect) -> Next:
        """What happens next, and when."""
        event = self._news.event
        if not telling.may_start(prospect):
            return Next(NOTHING)
        if (event.workspace.key, event.run) in self._inbox:
            words = "its event is in the inbox: the reconciler takes it up with its next round"
            return Next(words, comes=True)
        if self._news.goes_on:
            return Next("once it has ended its event decides, or the sweep", comes=True)
        if kept_out := self._kept_out(prospect, event.workspace):
            do = f"if Event Grid gave its event up, {commands.of_letters(self._age)}"
            return Next(f"{UNSEEN}, and {NOTHING}: {kept_out}", do=do)
        sweep = "the sweep takes it up with its next round (SWEEP_SCHEDULE)"
        return Next(f"{UNSEEN}; {sweep}", comes=True)

    @property
    def _age(self) -> timedelta:
        """How long ago the run ended; none where that is not known."""
        end = self._news.run.known_to_last_until if self._news.run else None
        return self._now - end if end else timedelta(0)

    def _kept_out(self, prospect: Prospect, workspace: Workspace) -> str:
        """Why the sweep leaves the run alone; empty: it takes it up."""
        run, sweep = self._news.run, self._sweep
        end = run.known_to_last_until if run else None
        visit = self._memory.visits.of(workspace.key)
        since = visits.back_to(visit, sweep, self._now)
        hours = f"{lasting(sweep.window)}, SWEEP_HOURS"
        reasons = (
            (sweep.mode is not SweepMode.START, f"the sweep starts nothing (SWEEP={sweep.mode})"),
            (
                workspace.key not in self._swept,
                "the sweep does not know its workspace: name it in SWEEP_WORKSPACES",
            ),
            (
                prospect.route.needs.only_event,
                "the route needs what only the run's event tells",
            ),
            (
                end is None or end < since,
                f"it ended longer ago than the sweep looks back ({hours})",
            ),
            (
                visit is not None and visit.dropped is not None,
                "Resource Manager has known no such workspace for days",
            ),
        )
        kept_out = self._memory.kept_out(prospect.event, prospect.route.name, end or self._now)
        return next((why for is_so, why in reasons if is_so), _SAID.get(kept_out, kept_out))
