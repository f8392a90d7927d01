"""What is done in a process of its own, with the settings that the services gave it.

    python -m benchmarks.subject NAME '{"JSON": "arguments"}'

Where it is warm it prints `ready` and waits for a line. The last line of its output is what it
found, as JSON.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys

SUBJECTS = {
    "side_by_side": "benchmarks.latency.pairs:side_by_side",
    "turns": "benchmarks.earlier.turns:turns",
    "pages": "benchmarks.earlier.turns:pages",
    "many": "benchmarks.load.crowds:many",
    "memory": "benchmarks.load.crowds:memory",
    "routes": "benchmarks.load.routes:compared",
    "growth": "benchmarks.growth.growing:growth",
    "carry": "benchmarks.growth.carriers:carry",
    "backlog": "benchmarks.growth.backlog:hour",
    "sweeping": "benchmarks.load.sweeping:hours",
}


def ready() -> None:
    """Tell that it is warm, and wait until it may go on."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()


def main() -> int:
    """Do it, and tell."""
    # As the worker does, which formats every line that it hands to the host.
    logging.basicConfig(filename=os.devnull, level=logging.INFO)
    module, _, function = SUBJECTS[sys.argv[1]].partition(":")
    found = getattr(importlib.import_module(module), function)(**json.loads(sys.argv[2]))
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
