"""One run at a time, each when a line says so: several processes take turns."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from benchmarks.latency.pairs import act_of, timed
from benchmarks.latency.relay import candidate
from benchmarks.subject import ready

if TYPE_CHECKING:
    from benchmarks.latency.pairs import Times


def turns(who: str, runs: int, of: str, what: str, warm: int) -> Times:
    """What was found of so many runs, whose ids begin with `of`; each is told when it is done."""
    one = candidate(who)
    for n in range(warm):
        act_of(one, what, f"{of}-warm{n}", n, alone=True)()
    ready()
    found: Times = {"began": {}, "took": [], "cpu": []}
    for n in range(runs):
        run = f"{of}-{n}"
        timed(act_of(one, what, run, n, alone=True), found, run)
        sys.stdout.write(json.dumps(run) + "\n")
        sys.stdout.flush()
        sys.stdin.readline()  # the next turn, or the end
    return found
