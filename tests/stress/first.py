"""A fresh process whose first events arrive all at once, each on a thread of its own.

    python -m tests.stress.first < PLAN

The plan is a JSON list of acts, an act a list: `deliver` and an event, `show` and a query of the
operations page, or `reconcile`. It prints what went wrong as a JSON list, and exits with 0.
"""

from __future__ import annotations

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from functions import bootstrap, web

SWITCHES = 1e-6  # seconds that a thread may run on, so that others come in wherever they can


def deliver(event: dict[str, Any]) -> None:
    bootstrap.app().deliver(event)


def show(query: dict[str, str]) -> None:
    answer = web.answer(lambda: bootstrap.app().overview, query, "application/json")
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {answer.body}")


def reconcile() -> None:
    bootstrap.app().reconciler.reconcile()


ACTS = {act.__name__: act for act in (deliver, show, reconcile)}


def main() -> None:
    acts = json.load(sys.stdin)
    sys.setswitchinterval(SWITCHES)
    together = threading.Barrier(len(acts))

    def one(act: list[Any]) -> None:
        name, *given = act
        together.wait()
        ACTS[name](*given)

    with ThreadPoolExecutor(len(acts)) as pool:
        done = [pool.submit(one, act) for act in acts]
    wrong = [repr(error) for each in done if (error := each.exception())]
    sys.stdout.write(json.dumps(wrong))


if __name__ == "__main__":
    main()
