"""What the local host writes: its functions with their URLs, and every log line with its time."""

from __future__ import annotations

import logging
import os
import sys
import time
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping


OF_THE_APP = "run_relay"


class _EveryLine(logging.Formatter):
    """Puts time and level before each line, those of a traceback included."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        """One line for each line of the message."""
        start = f"[{self.formatTime(record)}] {record.levelname}: "
        return "\n".join(start + line for line in super().format(record).splitlines() or [""])


def log_to_stdout() -> None:
    """Write the function app's logging from INFO up, as the worker relays it.

    Of the app's own lines also those for debugging: who sends events by hand is to see why one was
    ignored, for which a deployed app has no line, since nearly all events are.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_EveryLine("%(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger(OF_THE_APP).setLevel(logging.DEBUG)


def show(url: str, functions: Mapping[str, str]) -> None:
    """List the functions by name, each with where it is called, then say that the host listens."""
    listed = [f"    {name}: {where}\n" for name, where in functions.items()]
    sys.stdout.write(f"Functions:\n\n{''.join(listed)}\nHost listening on {url}\n")
    sys.stdout.flush()


def leave(code: int) -> NoReturn:
    """End at once: a function that does not return would keep the interpreter from ending."""
    sys.stdout.flush()
    os._exit(code)
