"""One run, or one page, at a time, each when a line says so: several processes take turns."""

from __future__ import annotations

import json
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING

from azure.functions import HttpRequest

from benchmarks.latency.pairs import act_of, timed
from benchmarks.latency.relay import candidate, function
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
        _wait(run)
    return found


def pages(count: int, warm: int) -> list[float]:
    """Milliseconds of so many answers of the operations page, from where the worker asks for it."""
    operations = function("operations")
    request = HttpRequest("GET", "/api/operations", params={}, headers={}, body=b"")

    def ask() -> None:
        if (status := operations(request).status_code) != HTTPStatus.OK:
            raise RuntimeError(f"the page answered {status}")

    for _ in range(warm):
        ask()
    ready()
    found: Times = {"began": {}, "took": [], "cpu": []}
    for n in range(count):
        timed(ask, found, str(n))
        _wait(n)
    return found["took"]


def _wait(done: object) -> None:
    """Tell what is done, and wait for the next turn, or the end."""
    sys.stdout.write(json.dumps(done) + "\n")
    sys.stdout.flush()
    sys.stdin.readline()
