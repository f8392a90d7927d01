"""The bill: a month of trainings, by the way in which what follows them is started.

What is billed follows from what was measured (`latency`, `burst`), from `benchmarks.usage` and
from the prices in prices.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from benchmarks import prices, report, usage
from benchmarks.report import Section
from benchmarks.usage import DEV, PROD, Load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.bench import Bench
    from benchmarks.prices import Prices
    from benchmarks.usage import Bill

FIGURES = {  # by part and name; the values stand in where nothing was measured
    ("latency", "table_calls_per_start"): 4.0,
    ("latency", "duplicate_ms_table"): 3.0,
    ("latency", "ignored_cpu_ms"): 0.3,
    ("latency", "duration_ms_cloud_table"): 280.0,
}
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
    """The bill, from the figures of this run or of the last one; it says what it assumes else."""
    runs = (running.done, report.read())
    found = section(Load(), figures_of(*runs), prices.read())
    assumed = [name for part, name in FIGURES if not any(_has(run, part, name) for run in runs)]
    if not assumed:
        return found
    return replace(found, text=f"{found.text}\n\nAssumed, not measured: {', '.join(assumed)}.")


def figures_of(*runs: Mapping[str, Section]) -> dict[str, float]:
    """What is needed of each start, from the first run that has it; else it is assumed."""
    return {name: _found(runs, part, name) for part, name in FIGURES}


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
                _compared(load, found),
                _outlasted(load),
                _of_prices(known),
                _of_events(load),
                _of_executions(figures, known),
                _of_operations(figures),
                _of_waiting(load),
            )
        ),
        figures=found,
    )


def _found(runs: tuple[Mapping[str, Section], ...], part: str, name: str) -> float:
    for run in runs:
        if _has(run, part, name):
            return run[part].figures[name]
    return FIGURES[part, name]


def _has(run: Mapping[str, Section], part: str, name: str) -> bool:
    return part in run and name in run[part].figures


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


def _compared(load: Load, found: Mapping[str, float]) -> str:
    return (
        f"Of the {found['usd_relay']:.2f} dollars {found['usd_relay_idle']:.2f} are for a month in "
        f"which nothing happens, {found['usd_relay_alerts']:.2f} of them for alerts; a run adds "
        f"{found['usd_relay_a_run']:.5f}. In a subscription whose free amounts nobody else uses it "
        f"is {found['usd_relay_free']:.2f}. With `{PROD.file}` {PROD.ready:g} instances are always "
        "ready, which is most of it. Agents cost by how many wait at the same time: "
        f"{load.at_once} here, since the trainings are spread evenly over the month; "
        f"{load.runs:,g} in one night would need as many agents at once, and cost the same here."
    )


def _outlasted(load: Load) -> str:
    return (
        "A hosted agent might not even last: a job on one ends after 360 minutes, and a training "
        f"of {load.hours:g} hours takes {load.hours * 60:g} without its queue, its start and its "
        "end ([parallel jobs](https://learn.microsoft.com/azure/devops/pipelines/licensing/"
        "concurrent-jobs))."
    )


def _of_prices(known: Prices) -> str:
    return (
        f"Prices are those of {known.region} on {known.date} ([prices.toml](prices.toml)); what is "
        "free each month is taken to be used up by others. A month has 30 days. Left out, since "
        "every pattern has them: the training, the job that submits it, and the pipeline that "
        "follows."
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
        f"A start takes {start_ms:.0f} ms, a duplicate {figures['duplicate_ms_table']:.3g} ms, an "
        f"event that no route wants {figures['ignored_cpu_ms']:.2g} ms. Flex bills "
        f"{known.flex.least_seconds:g} s at least for each ({known.flex.billed(start_ms / 1000):g} "
        "s for a start), of the whole instance's memory, here as if no two ever shared one."
    )


def _of_operations(figures: Mapping[str, float]) -> str:
    return (
        f"A started continuation is {figures['table_calls_per_start']:g} table operations until "
        f"it is settled, {usage.ADMITTING:g} that reads whether its organization is blocked, where "
        f"no start did so just before, {usage.TIDYING:g} until it leaves the schedule, "
        f"{usage.LOOKS:g} that the hourly sweep takes to see that it is known, and "
        f"{usage.PRUNING:g} when it is forgotten. A round of the reconciler, one a minute, is "
        f"{usage.ROUND_REQUESTS:g}. The secret is read for each start at most."
    )


def _of_waiting(load: Load) -> str:
    return (
        "An agentless task holds no agent and no parallel job, but something must answer it: here "
        "this app does, which lists all that wait once a minute, in one operation, and reads each "
        "run and writes its row once in half an hour. A machine of one's own holds "
        f"{load.agents:g} agents that only wait, and runs all month."
    )
