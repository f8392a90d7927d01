"""Many events at once in one process: as fast as they can be taken, and what that leaves behind."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, cast

from benchmarks.latency import news
from benchmarks.latency.relay import Relay, candidate
from benchmarks.memory import resident
from benchmarks.names import IGNORED, KNOWN, START
from benchmarks.subject import ready

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.latency.candidates import Floor
    from benchmarks.latency.relay import Act

SEED = 20_261_122
MIXED = "mixed"
WARMED = 2  # starts of each thread before it is measured
HANDED_OVER = 100


def many(
    who: str, what: str, events: int, threads: int, of: str, share: tuple[int, int] = (0, 1)
) -> dict[str, float]:
    """Take this process's share of the events: in how many seconds, and with how much CPU."""
    one = cast("Relay | Floor", candidate(who))  # the others are for one at a time
    acts = list(_shared(_acts(one, what, events, of), share))
    with ThreadPoolExecutor(threads) as pool:
        warm = [one.prepared(f"{of}-warm-{share[0]}-{n}") for n in range(WARMED * threads)]
        list(pool.map(_done, warm))
        if what == KNOWN:
            list(pool.map(_done, _shared(_acts(one, START, events, of), share)))
        ready()
        cpu, began = time.process_time(), time.perf_counter()
        list(pool.map(_done, acts))
        seconds = time.perf_counter() - began
    return {"events": len(acts), "seconds": seconds, "cpu": time.process_time() - cpu}


def memory(points: list[int], threads: int, of: str) -> dict[str, float]:
    """Megabytes in use after so many events of the mix."""
    relay, found, done = Relay(), {}, 0
    acts = _acts(relay, MIXED, points[-1], of)
    with ThreadPoolExecutor(threads) as pool:
        for point in points:
            while done < point:  # few at a time, so that no event waits in memory
                now = list(islice(acts, min(HANDED_OVER, point - done)))
                done += len(list(pool.map(_done, now)))
            found[str(point)] = resident()
    return found


def mix(events: int, of: str) -> list[tuple[str, str]]:
    """Deliveries as a workspace sends them: half are of steps, of the rest three in five repeat."""
    chance = random.Random(SEED)  # noqa: S311 - the same mix each time
    starts = [f"{of}-{n}" for n in range(events // 5)]
    told = [(START, run) for run in starts]
    told += [(START, chance.choice(starts)) for _ in range(events * 3 // 10)]
    told += [(IGNORED, f"{of}-step-{n}") for n in range(events - len(told))]
    chance.shuffle(told)
    return told


def wanted(events: int, of: str) -> set[str]:
    """The runs of the mix that are to start a pipeline."""
    return {run for kind, run in mix(events, of) if kind == START}


def _acts(one: Relay | Floor, what: str, events: int, of: str) -> Iterator[Act]:
    told = mix(events, of) if what == MIXED else [(what, f"{of}-{n}") for n in range(events)]
    for kind, run in told:
        if kind == IGNORED and isinstance(one, Relay):
            yield one.delivery(news.of_step(run))
        elif kind == KNOWN:
            yield one.duplicate(run)
        else:
            yield one.prepared(run)


def _shared(acts: Iterable[Act], share: tuple[int, int]) -> Iterator[Act]:
    """Every process takes its turn: the acts of one of them."""
    return islice(acts, share[0], None, share[1])


def _done(act: Act) -> None:
    act()
