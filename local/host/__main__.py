"""Runs a function app alone and answers like the real host.

    python -m local.host --port 7071 [--app DIR] [--threads N] [--no-timers] [--grace S]

What it answers: `local/host/serving.py`.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from local.host import console
from local.host.indexing import IndexingError
from local.host.serving import GRACE_SECONDS, Host
from local.serving import ending

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM (0) or SIGINT (130); 1 if the app cannot be indexed."""
    options = _options().parse_args(arguments)
    console.log_to_stdout()
    end = ending.on_signal()
    try:
        host = Host(options.app, options.port, threads=options.threads, timers=options.timers)
    except IndexingError as error:
        log.critical("No functions were indexed: %s", error, exc_info=error.__cause__)
        return 1
    with_grace, code = _serve(host, end, options.grace)
    return code if with_grace else console.leave(code)


def _serve(host: Host, end: Callable[[], int], grace: float) -> tuple[bool, int]:
    host.start()
    console.show(host.url, {name: host.where(name) for name in host.functions})
    code = end()
    stopped = host.stop(grace)
    time.sleep(0.1)  # the last answers leave the buffers of their connections' threads
    return stopped, code


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.host",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=7071, help="0 takes a free one")
    parser.add_argument("--app", type=Path, default=Path.cwd(), help="folder of function_app.py")
    parser.add_argument("--threads", type=int, help="sync functions that run at a time")
    parser.add_argument(
        "--grace", type=float, default=GRACE_SECONDS, help="seconds that running functions get"
    )
    parser.add_argument("--no-timers", dest="timers", action="store_false", help="fire no timers")
    return parser


if __name__ == "__main__":
    sys.exit(main())
