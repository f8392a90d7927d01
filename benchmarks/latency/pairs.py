"""Candidates side by side in one process, run by run, so that noise hits all of them alike."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypedDict

from benchmarks.latency import news
from benchmarks.latency.candidates import CANDIDATES, Floor, Relay
from benchmarks.names import IGNORED, KNOWN, START
from benchmarks.subject import ready

if TYPE_CHECKING:
    from benchmarks.latency.candidates import Act, Candidate


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
    candidates = {name: CANDIDATES[name]() for name in names}
    found: dict[str, Times] = {name: {"began": {}, "took": [], "cpu": []} for name in names}
    for n in range(warm):
        for name, candidate in candidates.items():
            _act(candidate, what, f"{of}-{name}-warm{n}", n, alone=alone)()
    ready()
    for n in range(runs):
        turn = list(candidates.items())
        first = n % len(turn)  # who comes later finds warm caches
        for name, candidate in turn[first:] + turn[:first]:
            run = f"{of}-{name}-{n}"
            _timed(_act(candidate, what, run, n, alone=alone), found[name], run)
    return found


def _act(candidate: Candidate, what: str, run: str, n: int, *, alone: bool) -> Act:
    start = candidate.prepared(run)
    if what == START:
        return start
    if what == KNOWN or not alone:
        start()
    assert isinstance(candidate, Relay | Floor)  # noqa: S101 - only they are asked for this
    if what == IGNORED and isinstance(candidate, Relay):
        other = news.completed(run, experimentName="something-else")
        return candidate.delivery(news.of_step(run) if n % 2 else other)
    return candidate.duplicate(run)


def _timed(act: Act, into: Times, run: str) -> None:
    cpu, began, since = time.process_time(), time.time(), time.perf_counter()
    act()
    into["took"].append((time.perf_counter() - since) * 1000)
    into["cpu"].append((time.process_time() - cpu) * 1000)
    into["began"][run] = began
