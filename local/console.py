"""What the local host writes: its functions with their URLs, and every log line with its time."""

from __future__ import annotations

import logging
import os
import sys
import time
from typing import TYPE_CHECKING, NoReturn

from local.functions import EVENT_GRID, HTTP

if TYPE_CHECKING:
    from local.functions import IndexedFunction
    from local.host import Host


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
    """Write the function app's logging from INFO up, as the worker relays it."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_EveryLine("%(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def show(host: Host) -> None:
    """List the functions with their URLs, then say that the host listens."""
    routes = {e.function.name: (e.methods, e.route) for e in host.endpoints}
    listed = [f"    {f.name}: {_where(host, f, routes)}\n" for f in host.functions.values()]
    sys.stdout.write(f"Functions:\n\n{''.join(listed)}\nHost listening on {host.url}\n")
    sys.stdout.flush()


def _where(
    host: Host, function: IndexedFunction, routes: dict[str, tuple[tuple[str, ...], str]]
) -> str:
    if function.kind == HTTP:
        methods, route = routes[function.name]
        return f"[{','.join(methods)}] {host.url}/{route}"
    if function.kind == EVENT_GRID:
        return f"{function.kind} {host.webhook(function.name)}"
    return f"{function.kind} POST {host.url}/admin/functions/{function.name}"


def leave(code: int) -> NoReturn:
    """End at once: a function that does not return would keep the interpreter from ending."""
    sys.stdout.flush()
    os._exit(code)
