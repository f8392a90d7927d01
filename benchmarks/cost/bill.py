"""The bill: a month of trainings, by the way in which what follows them is started.

What is billed follows from what was measured (`latency`), from `benchmarks.cost.usage` and from the
prices in prices.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import report
from benchmarks.cost import prices, usage
from benchmarks.cost.usage import DEV, PROD, Load
from benchmarks.report import Section

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.bench import Bench
    from benchmarks.cost.prices import Prices
    from benchmarks.cost.usage import Bill

FIGURES = (  # of `latency`
    "table_calls_per_start",
    "duplicate_ms_table",
    "ignored_cpu_ms",
    "duration_ms_cloud_table",
)
HEAD = (
    "pattern",
    "agent minutes",
    "executions",
    "GB-seconds",
    "table operations",
    "vault operations",
    "Event Grid operations",
    "USD",
)


def measured(running: Bench) -> Section:
    """The bill, from the figures of this run or, where it did not measure them, of the last."""
    latency = running.done.get("latency") or report.read()["latency"]
    return section(Load(), {name: latency.figures[name] for name in FIGURES}, prices.read())


def bills(load: Load, figures: Mapping[str, float], known: Prices) -> dict[str, Bill]:
    """All patterns, by short names."""
    return {
        "hosted": usage.hosted(load),
        "selfhosted": usage.selfhosted(load),
        "agentless": usage.agentless(load, DEV, figures, known),
        "relay": usage.relay(load, DEV, figures, known),
        "relay_ready": usage.relay(load, PROD, figures, known),
    }


def section(load: Load, figures: Mapping[str, float], known: Prices) -> Section:
    """The table, what is assumed, and the figures by pattern."""
    every = bills(load, figures, known)
    found = _figures(load, every, known)
    table = report.table(HEAD, [_row(bill, known) for bill in every.values()])
    return Section(
        title=f"The bill: {load.runs:,g} trainings of {load.hours:g} hours in a month",
        text="\n\n".join(
            (
                table,
                _idle(found),
                _of_agents(load),
                _of_ready(known),
                _of_events(load),
                _of_executions(figures, known),
                _of_operations(),
                _of_assumptions(),
            )
        ),
        figures=found,
    )


def _row(bill: Bill, known: Prices) -> tuple[str, ...]:
    amounts = (
        bill.agent_minutes,
        bill.of("flex_executions"),
        bill.of("flex_gb_seconds", "ready_work_gb_seconds"),
        bill.of("table_requests"),
        bill.of("vault_operations"),
        bill.of("event_operations"),
    )
    return (bill.pattern, *(f"{amount:,.0f}" for amount in amounts), f"{bill.usd(known):,.2f}")


def _figures(load: Load, every: Mapping[str, Bill], known: Prices) -> dict[str, float]:
    usd = {f"usd_{name}": bill.usd(known) for name, bill in every.items()}
    idle = {
        "usd_relay_idle": known.usd(usage.idle(DEV, known)),
        "usd_relay_ready_idle": known.usd(usage.idle(PROD, known)),
    }
    relay = every["relay"]
    return {
        **usd,
        **idle,
        "usd_relay_alerts": known.usd(usage.alerts(DEV)),
        "usd_relay_a_run": (usd["usd_relay"] - idle["usd_relay_idle"]) / load.runs,
        "usd_relay_free": relay.usd(known, free=True),
        "agent_minutes_hosted": every["hosted"].agent_minutes,
        "executions_relay": relay.of("flex_executions"),
        "gb_seconds_relay": relay.of("flex_gb_seconds"),
        "table_operations_relay": relay.of("table_requests"),
        "vault_operations_relay": relay.of("vault_operations"),
        "event_operations_relay": relay.of("event_operations"),
    }


def _idle(found: Mapping[str, float]) -> str:
    rows = (
        ("in a month in which nothing happens", f"{found['usd_relay_idle']:.2f}"),
        ("of it for alerts", f"{found['usd_relay_alerts']:.2f}"),
        ("for each run", f"{found['usd_relay_a_run']:.5f}"),
        (
            "all, if nobody else uses the subscription's free amounts",
            f"{found['usd_relay_free']:.2f}",
        ),
    )
    return report.table((f"of this app, `{DEV.file}`", "USD"), rows)


def _of_agents(load: Load) -> str:
    return (
        f"Agents are paid by how many wait at the same time: {load.at_once} here, since the "
        f"trainings are spread evenly over the month. {load.runs:,g} in one night would need "
        f"{load.runs:,g} agents, and change nothing for this app. A machine of one's own holds "
        f"{load.agents:g} agents that only wait, and runs all month. A hosted agent might not even "
        f"last: a job on one ends after 360 minutes, and a training of {load.hours:g} hours takes "
        f"{load.hours * 60:g} without its queue, its start and its end ([parallel jobs]"
        "(https://learn.microsoft.com/azure/devops/pipelines/licensing/concurrent-jobs))."
    )


def _of_ready(known: Prices) -> str:
    return (
        f"With `{PROD.file}` {PROD.ready:g} instances are always ready, which is most of it. That "
        "file keeps the ledger in three zones; it is counted here at the prices of one, so the "
        f"storage costs somewhat more. Prices are those of {known.region}, compared on "
        f"{known.date} with the sources that [prices.toml](cost/prices.toml) names. What is free "
        "each month is taken to be used up by others. Left out, since every pattern has them: the "
        "training, the job that submits it, and the pipeline that follows."
    )


def _of_events(load: Load) -> str:
    return (
        f"A training has {load.children:g} child runs, changes its status {load.statuses:g} times, "
        f"as each of them does, and registers a model; {load.twice:.0%} of the events come twice. "
        "Delivered are one RunCompleted for each run and child run (or, instead, the one "
        "RunStatusChanged that tells of a failure) and one ModelRegistered; all other changes of "
        "status end at the subscription's filter, which is an operation of Event Grid too."
    )


def _of_executions(figures: Mapping[str, float], known: Prices) -> str:
    start_ms = figures["duration_ms_cloud_table"]
    return (
        f"Measured: a start takes {start_ms:.0f} ms and {figures['table_calls_per_start']:g} table "
        f"operations, a duplicate {figures['duplicate_ms_table']:.3g} ms, an event that no route "
        f"wants {figures['ignored_cpu_ms']:.2g} ms. Flex bills {known.flex.least_seconds:g} s at "
        f"least for each ({known.flex.billed(start_ms / 1000):g} s for a start), and the whole "
        "memory of an instance, here as if no two executions ever shared one."
    )


def _of_operations() -> str:
    return (
        f"Counted by a test (`tests/flow/ledger/test_billed_requests.py`): {usage.ADMITTING:g} "
        "table operation more where no start just before read whether the organization is blocked, "
        f"{usage.TIDYING:g} until a started continuation leaves the schedule, {usage.FOLLOWING:g} "
        "until the end of its pipeline run is known, if that takes ten minutes and it is followed "
        f"alone, {usage.LOOKS:g} in "
        f"which the hourly sweep sees that it is known, {usage.PRUNING:g} when it is forgotten, "
        f"{usage.ROUND_REQUESTS:g} for a round of the reconciler, one a minute, and "
        f"{usage.CATCHING_UP:g} more once an hour. A delivery "
        f"looks whether rounds go on, in {usage.LOOKING:g} operation, if its process did not in "
        "the five minutes before: counted is each delivery. The secret is "
        "read once for each start, at most. An agentless task holds no agent and no parallel job, "
        "but this app answers it: it lists all that wait once a minute, in one operation, and "
        "reads each run and writes its row once in half an hour."
    )


def _of_assumptions() -> str:
    return (
        f"Assumed: a round of the reconciler takes {usage.ROUND_SECONDS:g} s and a sweep "
        f"{usage.SWEEP_SECONDS:g} s; the host writes {usage.HOST_WRITES:g} blobs a minute; a round "
        f"leaves {usage.ROUND_ROWS:g} rows of logs and an event {usage.EVENT_ROWS:g}, of "
        f"{usage.LOG_GB * 1e6:g} kB each. With the alerts these are nearly all of an idle month. A "
        "month has 30 days."
    )
