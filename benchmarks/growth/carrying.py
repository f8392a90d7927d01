"""How many starts an hour leave the schedule: by one timer's rounds as ever, and in parts.

A simulation: the starts themselves are not made. Their rows are put into a table of Azurite as
starts leave them, and processes of this app take them off, as `reconcile` does or as
`reconcile_part`. A message arrives at once, since no queue stands between them, and all run on
this machine.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from benchmarks import bench
from benchmarks.bench import told
from benchmarks.growth.carriers import EVERY
from benchmarks.growth.filling import put
from benchmarks.growth.ledgers import LEASE, stages
from benchmarks.names import HERE
from benchmarks.report import Section, Target, number, table
from functions.core.ledger import places, records
from functions.core.rounds.bounds import MOST_LOOKED_AT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.bench import Bench
    from functions.core.ports.ledger import Place, Row

    Found = dict[str, Any]

PARTS = 16
PROCESSES = {bench.USUAL: 8, bench.QUICK: 4, bench.SMOKE: 2}
WANTED, TWO_ROUNDS = 300_000.0, 2 * EVERY
AT_ONCE = {bench.USUAL: 8000, bench.QUICK: 800, bench.SMOKE: 40}
LOOKS, STILL = 4, 2  # of the steady load; at the last ones nothing more becomes due
STEADY = 0.5  # of what was carried at once


def measured(running: Bench) -> Section:
    """One round as ever, all that is due in parts, and a steady load in parts."""
    running.lag("none")
    count = AT_ONCE[running.size]
    ever = _carried(running, 1, min(count, MOST_LOOKED_AT), 1)
    divided = _carried(running, PARTS, count, PROCESSES[running.size])
    steady = _steady(running, STEADY * divided["rate"]) if not running.quick else {}
    hours = {"ever": _an_hour(ever, 1), "parts": _an_hour(divided, PARTS)}
    several = f"{PARTS} parts, {PROCESSES[running.size]} processes"
    rows = [("one part, one process", *_row(hours["ever"], ever))]
    rows += [(several, *_row(hours["parts"], divided))]
    head = ("", "starts an hour", "CPU of the app, ms each", "requests each", "cores busy")
    return Section(
        title="What reconciling carries",
        text="\n\n".join([_said(count), table(head, rows), _of_steady(steady)]),
        targets=tuple(_targets(hours, steady)),
        figures={f"{name}.an_hour": found for name, found in hours.items()}
        | {"cpu_ms": divided["cpu_ms"]}
        | {f"steady.{name}": float(found) for name, found in steady.items()},
    )


def _carried(running: Bench, of: int, count: int, processes: int) -> Found:
    """So many that are due at once, and with how many a second they left."""
    settings = _filled(running, count, datetime.now(UTC) - timedelta(minutes=1), 0.0)
    with told(f"taking {count:,} off the schedule in {of} parts"):
        found, counts, cores = running.together("carry", settings, processes, of=of)
    done = sum(one["count"] for one in found)
    if done != count:
        raise RuntimeError(f"{done:,} of {count:,} left the schedule")
    rate = count / max(one["seconds"] for one in found)
    cpu = sum(one["cpu"] for one in found) * 1000 / count
    each = {"cpu_ms": cpu, "requests": sum(counts.values()) / count}
    return {"rate": rate, "cores": cores, **each}


def _row(an_hour: float, found: Found) -> tuple[float, float, float, float]:
    return an_hour, found["cpu_ms"], found["requests"], found["cores"]


def _steady(running: Bench, rate: float) -> Found:
    """So many a second become due, for as long as there are looks."""
    count = round(rate * EVERY * (LOOKS - STILL))
    began = time.time() + count / 250 + 30  # when they are in the table, and the processes stand
    settings = _filled(running, count, datetime.fromtimestamp(began, UTC), rate)
    with told(f"{count:,} that become due, {rate:.0f} a second"):
        found, counts, cores = running.together(
            "carry",
            settings,
            PROCESSES[running.size],
            of=PARTS,
            began=began,
            rate=rate,
            looks=LOOKS,
        )
    left = count - sum(one["count"] for one in found)
    late = max(one["late"] for one in found)
    return {"an_hour": rate * 3600, "late": late, "left": left, "cores": cores} | {
        "requests": sum(counts.values()) / count
    }


def _filled(running: Bench, count: int, due: datetime, rate: float) -> dict[str, str]:
    """The settings of a ledger with so many starts, whose lease runs out then, or one by one."""
    routes = running.folder / "unfollowed.yaml"
    text = (HERE / "routes.yaml").read_text("utf-8")
    routes.write_text(text.replace("project: mlops}", "project: mlops, follow: false}"), "utf-8")
    settings = {**running.ledger("table"), "ROUTES_FILE": str(routes)}
    with told(f"putting {count:,} starts into the table"):
        for _ in put(running, settings, _rows(count, due, rate)):
            pass
    return settings


def _rows(count: int, due: datetime, rate: float) -> Iterator[tuple[Place, Row]]:
    """What a start leaves: its continuation, started, and its row in the schedule."""
    for n in range(count):
        at = due + timedelta(seconds=n / rate if rate else 0) - LEASE - timedelta(seconds=2)
        claimed, _, started = stages(f"run-{n:06d}", at, n=n)
        yield places.continuation(started.key), records.continuation_row(started)
        yield places.scheduled(claimed.key), records.schedule_row(claimed)


def _an_hour(found: Mapping[str, float], of: int) -> float:
    """What that is in an hour: no more than a round of each part reads, once a minute."""
    return 3600 * min(found["rate"], of * MOST_LOOKED_AT / EVERY)


def _targets(hours: Mapping[str, float], steady: Mapping[str, float]) -> Iterator[Target]:
    why = f"bound by the {os.cpu_count()} cores, which Azurite and all processes share"
    yield Target(
        "starts an hour that leave the schedule, in parts",
        hours["parts"],
        WANTED,
        "",
        at_least=True,
        accepted=1.0,
        why=why,
    )
    if steady:
        yield Target(
            "a steady load: the most that one was due for", steady["late"], TWO_ROUNDS, "s"
        )
        yield Target("a steady load: left behind", steady["left"], 0, "")


def _said(count: int) -> str:
    return (
        f"{count:,} starts that are due at once, over a table in Azurite; as ever a round takes up "
        f"{MOST_LOOKED_AT:,}, once a minute. The starts are not made: their rows are put there as "
        "starts leave them. No queue stands between timer and parts, and nothing is followed. "
        "Services, tables and processes share this machine."
    )


def _of_steady(found: Mapping[str, float]) -> str:
    if not found:
        return "No steady load was measured."
    return (
        f"A steady load of {number(found['an_hour'])} an hour, looked at each minute: the most "
        f"that one was due for were {number(found['late'])} s, {number(found['left'])} were left, "
        f"with {number(found['cores'])} cores busy and {number(found['requests'])} requests each."
    )
