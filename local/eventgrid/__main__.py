"""Runs a local Event Grid topic alone.

    python -m local.eventgrid --port 7073 [--dead-letters DIR] [--resource ID] [--time-scale X]

What it takes and does: `local/eventgrid/topic.py`.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from local.eventgrid.topic import Topic
from local.serving import ending
from local.serving.names import WORKSPACE

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM (0) or SIGINT (130)."""
    options = _options().parse_args(arguments)
    end = ending.on_signal()
    with Topic(**vars(options)) as topic:
        sys.stdout.write(f"Event Grid topic on {topic.endpoint}\n")
        sys.stdout.flush()
        return end()


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.eventgrid",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    key = os.environ.get("LOCAL_EVENT_GRID_KEY", "local-key")
    parser.add_argument("--port", type=int, default=7073, help="0 takes a free one")
    parser.add_argument("--key", default=key, help="default: LOCAL_EVENT_GRID_KEY, or local-key")
    parser.add_argument("--resource", default=WORKSPACE, help="id of the workspace it stands for")
    parser.add_argument("--dead-letters", type=Path, help="folder for events that were given up")
    parser.add_argument("--time-scale", type=float, default=1.0, help="0.001: a second is 1 ms")
    return parser


if __name__ == "__main__":
    sys.exit(main())
