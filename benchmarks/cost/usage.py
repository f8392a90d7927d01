"""What each way to go on after a training uses in a month, by the names of the prices.

What a request to the ledger is, the methods of `functions.core.ledger.rowledger` say.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import Struct

from functions.core.terms.policy import SweepPolicy
from functions.core.waits.ending import LATEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.cost.prices import Prices

MONTH_HOURS = 720.0
ROUNDS = MONTH_HOURS * 60  # of the reconciler; the sweep's are the hours
ROUND_SECONDS, SWEEP_SECONDS = 1.0, 5.0  # what one takes if there is little to do
# inbox, one organization's waiting, due, agentless waits, followed, backlog, and that it ended
ROUND_REQUESTS = 7.0
LOOKING = 1.0  # by a delivery, whether rounds go on: the first of its process in five minutes
# horizon, workspaces, routes, visits read and written, and four lists of what may be forgotten;
# once a day two more, for the date until which it is
SWEEP_REQUESTS = 11.0
ADMITTING = 1.0  # whether its organization is blocked, believed for seconds only
TIDYING = 5.0  # a started continuation leaves the schedule: a read, then `retire`
# of a start whose pipeline takes ten minutes, if it is the only one of its account: a row, eight
# looks whether its account is blocked, seven moves, and its end: read, written, its copy
# for lists, the row dropped
FOLLOWING = 20.0
CATCHING_UP = 2.0  # once an hour: what is followed, and what ended lately
PRUNING = 3.0
PASSING_OVER = 2.0  # a near miss: a run that only its tags keep from a route that can be swept
LOOKS = SweepPolicy().window.total_seconds() / 3600  # a sweep each hour finds it in its window
KEPT_MONTHS = SweepPolicy().kept_for.total_seconds() / 3600 / MONTH_HOURS
ROWS, ROW_GB = 2.0, 2e-6  # of an ended continuation: the truth, and the copy for lists
HOST_WRITES = 4.0  # of blobs a minute: the host's locks
ROUND_ROWS, EVENT_ROWS, LOG_GB = 4.0, 6.0, 1e-6  # rows of logs, of a round and an event; of a row
KNOWN_REQUESTS = 2.0  # of a duplicate: a refused insert and a read
WAIT_REQUESTS = 7.0  # listed, enrolled, looked at, listed by the event, noted, answered, forgotten

Amounts = dict[str, float]


class Load(Struct, frozen=True, kw_only=True):
    """The trainings of a month: spread evenly, each with child runs, each registering a model.

    `statuses`: how often a run changes its status. `twice`: the share of events that come twice.
    `agents`: how many that only wait fit on one machine.
    """

    runs: float = 1000
    hours: float = 6
    children: float = 4
    statuses: float = 7
    twice: float = 0.02
    agents: float = 10

    @property
    def at_once(self) -> int:
        """How many train at the same time."""
        return math.ceil(self.runs * self.hours / MONTH_HOURS)

    @property
    def events(self) -> float:
        """Deliveries: a run's end is told once, by RunCompleted or else by RunStatusChanged."""
        return self.runs * (1 + self.children + 1) * (1 + self.twice)


class App(Struct, frozen=True, kw_only=True):
    """How this app is deployed: `ready` instances always there, alert rules by how often."""

    file: str
    memory_mb: float
    ready: float
    alerts: tuple[float, float]


DEV = App(file="infra/dev.bicepparam", memory_mb=512, ready=0, alerts=(6, 5))
PROD = App(file="infra/prod.bicepparam", memory_mb=2048, ready=2, alerts=(6, 6))


class Bill(Struct, frozen=True):
    """A pattern, the minutes that agents are busy, and amounts by the names of their prices."""

    pattern: str
    agent_minutes: float
    amounts: Amounts

    def of(self, *names: str) -> float:
        """These amounts, added up."""
        return sum(self.amounts.get(name, 0.0) for name in names)

    def usd(self, known: Prices, *, free: bool = False) -> float:
        """What it costs; `free` as of `Prices.usd`."""
        return known.usd(self.amounts, free=free)


def hosted(load: Load) -> Bill:
    """A Microsoft-hosted agent waits for each run."""
    jobs = {"hosted_jobs": float(load.at_once)}
    return Bill("hosted agent waits", load.runs * load.hours * 60, jobs)


def selfhosted(load: Load) -> Bill:
    """An agent of one's own waits for each run."""
    machines = math.ceil(load.at_once / load.agents)
    jobs = {"selfhosted_jobs": float(load.at_once), "vm_hours": machines * MONTH_HOURS}
    return Bill("self-hosted agent waits", load.runs * load.hours * 60, jobs)


def idle(app: App, known: Prices) -> Amounts:
    """What this app uses in a month in which nothing happens."""
    gb = app.memory_mb / 1024
    flex, rounds, sweeps = known.flex, ROUNDS, MONTH_HOURS
    seconds = rounds * flex.billed(ROUND_SECONDS) + sweeps * flex.billed(SWEEP_SECONDS)
    return {
        "flex_gb_seconds": seconds * gb,
        "flex_executions": rounds + sweeps,
        "ready_gb_seconds": app.ready * gb * MONTH_HOURS * 3600,
        **alerts(app),
        "log_gb": (rounds + sweeps) * ROUND_ROWS * LOG_GB,
        "table_requests": rounds * ROUND_REQUESTS + sweeps * (SWEEP_REQUESTS + CATCHING_UP),
        "blob_writes": ROUNDS * HOST_WRITES,
        "vault_operations": MONTH_HOURS / 24,
    }


def alerts(app: App) -> Amounts:
    """The alert rules."""
    often, rarer = app.alerts
    return {"alerts_5_minutes": often, "alerts_15_minutes": rarer}


def told(load: Load, app: App, figures: Mapping[str, float], known: Prices) -> Amounts:
    """What it takes to be told of everything, whatever is done about it."""
    gb, flex, again = app.memory_mb / 1024, known.flex, 1 + load.twice
    ends = load.runs * (1 + load.children)
    started = load.runs * flex.billed(figures["duration_ms_cloud_table"] / 1000)
    ignored = load.runs * load.children * again * flex.billed(figures["ignored_cpu_ms"] / 1000)
    known_already = load.runs * load.twice * flex.billed(figures["duplicate_ms_table"] / 1000)
    models = load.runs * again * flex.billed(figures["ignored_cpu_ms"] / 1000)
    at_work = "ready_work_gb_seconds" if app.ready else "flex_gb_seconds"
    amounts = {at_work: (started + ignored + known_already) * gb}
    amounts["flex_gb_seconds"] = amounts.get("flex_gb_seconds", 0.0) + models * gb
    return amounts | {
        "flex_executions": load.events,
        "table_requests": load.events * LOOKING,  # as if each event had a process of its own
        "log_gb": load.events * EVENT_ROWS * LOG_GB,
        "event_operations": ends * (1 + 2 * load.statuses) + load.runs + load.events,
    }


def relay(load: Load, app: App, figures: Mapping[str, float], known: Prices) -> Bill:
    """Nobody waits: this app starts what follows."""
    a_start = figures["table_calls_per_start"] + ADMITTING + TIDYING + FOLLOWING + LOOKS + PRUNING
    starting = {
        "table_requests": load.runs * (a_start + load.twice * KNOWN_REQUESTS),
        "table_gb": load.runs * KEPT_MONTHS * ROWS * ROW_GB,
        "vault_operations": load.runs,
    }
    whole = added(idle(app, known), told(load, app, figures, known), starting)
    return Bill(f"this app, `{app.file}`", 0.0, whole)


def agentless(load: Load, app: App, figures: Mapping[str, float], known: Prices) -> Bill:
    """An agentless task waits, and this app answers it."""
    looks = math.ceil(load.hours * 3600 / LATEST.total_seconds())
    registering = load.runs * known.flex.billed(figures["duration_ms_cloud_table"] / 1000)
    waiting = {
        "flex_executions": load.runs,
        "flex_gb_seconds": registering * app.memory_mb / 1024,
        "table_requests": load.runs * (WAIT_REQUESTS + looks),
        "vault_operations": 2 * load.runs,
    }
    whole = added(idle(app, known), told(load, app, figures, known), waiting)
    return Bill(f"agentless task waits, `{app.file}`", 0.0, whole)


def added(*several: Mapping[str, float]) -> Amounts:
    """Amounts of the same name, added up."""
    names = {name: None for amounts in several for name in amounts}
    return {name: sum(amounts.get(name, 0.0) for amounts in several) for name in names}
