"""What becomes of a run on a route, decided as the app decides it: nothing is started or written.

Pure over the ports.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, cast

from msgspec.structs import replace

from functions.core.facts import building
from functions.core.limits.admission import Admission
from functions.core.limits.taking import Taking
from functions.core.memory import missed
from functions.core.ports.ledger import Entry
from functions.core.reading.collecting import Reading
from functions.core.routes import deciding, filters
from functions.core.routes.deciding import Decision, End, Go
from functions.core.starts import steps
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import Retryable
from functions.core.terms.policy import BY_SETTING
from functions.core.terms.reasons import BY_GATE, Reason
from functions.core.terms.words import Outcome, State
from relay.forecasts import joins

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from functions.core.facts.building import Facts
    from functions.core.ports.ledger import Ledger, Shared
    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Route
    from functions.core.routes.filters import Misfit
    from functions.core.terms.pipelines import PipelineRequest
    from functions.core.terms.policy import Policy
    from functions.core.terms.runs import Key, Run, RunEvent, Workspace

READ_SECONDS = 120.0
NEVER_YET = timedelta(days=31)  # no run ends after now, so that no page of runs is read but one


class Later(NamedTuple):
    """Something holds all starts of the route back just now; `until` is None where it lasts."""

    reason: Reason
    detail: str
    until: datetime | None = None


class Unread(NamedTuple):
    """What is needed for the decision could not be read."""

    reason: Reason
    detail: str


class Prospect(NamedTuple):
    """What becomes of a run on a route. `request` is there too where only the gate says no.

    `event` is what the route is judged by, with the outcome that is true.
    """

    route: Route
    event: RunEvent
    found: Misfit | Decision | Later | Unread
    request: PipelineRequest | None = None


class News(NamedTuple):
    """What is known of a run that ended, or goes on; `run` is None for news about no run.

    `told`: an event told it, so that its run type and its properties are known.
    """

    event: RunEvent
    run: Run | None
    told: bool

    @property
    def goes_on(self) -> bool:
        """Whether the run has not ended, as far as AML knows."""
        not_responding = self.event.outcome is Outcome.NOT_RESPONDING
        return self.run is not None and self.run.outcome is None and not not_responding


class Forecast:
    """Forecasts for one run. Each remote read happens at most once, when first needed."""

    def __init__(self, ports: Ports, policy: Policy, news: News) -> None:
        self._policy = policy
        self._clock = ports.clock
        ledger = _unwritten(ports.ledger)
        self._admission = Admission(ports._replace(ledger=ledger), policy)
        self._taking = Taking(ledger, ports.clock)
        self._news = news
        deadline = Deadline(ports.clock, READ_SECONDS)
        self._reading = Reading(ports.runs, news.event, deadline, news.run)

    def of(self, route: Route, *, ignore_gate: bool = False) -> Prospect:
        """What becomes of the run on this route, whenever the app gets to it."""
        if ignore_gate:
            route = deciding.ungated(route)
        event = self._event(route)
        if event.outcome is Outcome.JOINED and route.join:
            return self._joint(route, event, ignore_gate=ignore_gate)
        if unlike := filters.misfit(event, route):
            return Prospect(route, event, unlike)
        try:
            return self._decided(route, event)
        except Retryable as error:
            return Prospect(route, event, Unread(error.reason, error.detail))

    def just_now(self, prospect: Prospect) -> Prospect:
        """With what would hold its start back at this moment; raises LedgerUnavailable."""
        if not isinstance(prospect.found, Go):
            return prospect
        later = self._later(prospect, prospect.found.request)
        return prospect._replace(found=later or prospect.found)

    def _event(self, route: Route) -> RunEvent:
        """A run that goes on may still end as the route wants it."""
        event = self._news.event
        may_come = self._news.goes_on and route.is_about_runs
        if may_come and event.outcome not in route.outcomes:
            return replace(event, outcome=min(route.outcomes))
        return event

    def _decided(self, route: Route, event: RunEvent) -> Prospect:
        known = self._reading.learn(route, event.outcome, self._policy.studio)
        assert not isinstance(known, deciding.Changed)  # noqa: S101 - `truth` saw to it
        if not isinstance(known, dict):
            return Prospect(route, event, known)
        if route.join and event.outcome.ends_run:
            return Prospect(route, event, *joins.member(route, event, known, self._policy))
        return self._by_gate(route, event, known)

    def _joint(self, route: Route, event: RunEvent, *, ignore_gate: bool) -> Prospect:
        """What goes on for several runs, once nobody is waited for."""
        told = joins.retold(route, event)
        if not ignore_gate and (end := joins.without(route, told)):
            return Prospect(route, told, end)
        return self._by_gate(route, told, building.told(told))

    def _by_gate(self, route: Route, event: RunEvent, known: Facts) -> Prospect:
        key = event.key(route.name)
        found = deciding.decide(route, key, known, self._policy)
        if isinstance(found, Go) and route.shadow:
            return Prospect(route, event, End(State.SKIPPED, Reason.SHADOW), found.request)
        asked = found
        if isinstance(found, End) and found.reason in BY_GATE:
            asked = deciding.decide(route, key, known, self._policy, ignore_gate=True)
        return Prospect(route, event, found, asked.request if isinstance(asked, Go) else None)

    def _later(self, prospect: Prospect, request: PipelineRequest) -> Later | None:
        """What holds its start back, in the order in which the app asks."""
        if self._policy.paused:
            return Later(Reason.PAUSED, BY_SETTING)
        account = Admission.account(*request.sender)
        if block := self._admission.blocked(account):
            return Later(block.reason, block.detail, block.until)
        route, event = prospect.route, prospect.event
        mine = steps.opened(event.key(route.name), event, self._clock.now(), self._policy.lease)
        group = prospect.found.group if isinstance(prospect.found, Go) else ""
        full = self._taking.place(Entry(mine, ""), route, group)
        return None if isinstance(full, Entry) else Later(full.reason, full.said, full.until)


def truth(event: RunEvent, run: Run) -> News:
    """The news of an event, with the outcome of the run read back: the app follows that one."""
    return News(replace(event, outcome=run.outcome or event.outcome), run, told=True)


def untold(ports: Ports, workspace: Workspace, run: Run) -> News:
    """The news of a run that no event told of; raises Retryable.

    A run that goes on is told as Completed, which each route may take as it wants.
    """
    never = ports.clock.now() + NEVER_YET
    ended = ports.runs.ended(workspace, never, Deadline(ports.clock, READ_SECONDS))
    over = replace(run, outcome=run.outcome or Outcome.COMPLETED)
    return News(missed.news(workspace, over, ended.experiment(run)), run, told=False)


class _Unwritten:
    """A ledger's rows as they stand: what is written to the shared ones goes nowhere."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def shared(self, name: str) -> Shared:
        """As it stands."""
        return self._ledger.shared(name)

    def read(self, key: Key) -> Entry | None:
        """As it stands."""
        return self._ledger.read(key)

    def is_awaited(self, name: str, but: Key) -> bool:
        """As it stands."""
        return self._ledger.is_awaited(name, but)

    def share(self, row: Shared, value: Mapping[str, object]) -> Shared:
        """Nothing is written."""
        del value
        return row


def _unwritten(ledger: Ledger) -> Ledger:
    return cast("Ledger", _Unwritten(ledger))
