"""Candidates side by side in one process, run by run, so that noise hits all of them alike."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypedDict, cast

from benchmarks.latency import news
from benchmarks.latency.relay import Relay, candidate
from benchmarks.names import IGNORED, KNOWN, START
from benchmarks.subject import ready

if TYPE_CHECKING:
    from benchmarks.latency.candidates import Floor
    from benchmarks.latency.relay import Act, Candidate


class Times(TypedDict):
    """By run: when it began in epoch seconds, and how many milliseconds and of CPU it took."""

    began: dict[str, float]
    took: list[float]
    cpu: list[float]


def side_by_side(
    names: list[str], runs: int, of: str, what: str, warm: int, *, alone: bool = False
) -> dict[str, Times]:
    """What is named for so many runs, whose ids begin with `of`.

    An event that is known or ignored comes after a start, as it does in life; an ignored one that
    is `alone` does not.
    """
    candidates = {name: candidate(name) for name in names}
    found: dict[str, Times] = {name: {"began": {}, "took": [], "cpu": []} for name in names}
    for n in range(warm):
        for name, one in candidates.items():
            act_of(one, what, f"{of}-{name}-warm{n}", n, alone=alone)()
    ready()
    for n in range(runs):
        turn = list(candidates.items())
        first = n % len(turn)  # who comes later finds warm caches
        for name, one in turn[first:] + turn[:first]:
            run = f"{of}-{name}-{n}"
            timed(act_of(one, what, run, n, alone=alone), found[name], run)
    return found


def act_of(one: Candidate, what: str, run: str, n: int, *, alone: bool) -> Act:
    """What the candidate does with the news of this run, after what comes before it in life."""
    start = one.prepared(run)
    if what == START:
        return start
    if what == KNOWN or not alone:
        start()
    if what == IGNORED and isinstance(one, Relay):
        other = news.completed(run, experimentName="something-else")
        return one.delivery(news.of_step(run) if n % 2 else other)
    return cast("Relay | Floor", one).duplicate(run)  # only they are asked for this


def timed(act: Act, into: Times, run: str) -> None:
    """Do it, and note the times."""
    cpu, began, since = time.process_time(), time.time(), time.perf_counter()
    act()
    into["took"].append((time.perf_counter() - since) * 1000)
    into["cpu"].append((time.process_time() - cpu) * 1000)
    into["began"][run] = began
