"""Programs of this project as processes that need not import anything any more.

For tests of what a program does, not of how it starts: those start it as a user would.
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tests.running.forking import request

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
APP = (
    "functions.*",
    "azure.core.pipeline.transport._requests_basic",
    "azure.core.rest._requests_basic",
    "azure.data.tables",
    "azure.identity",
    "azure.keyvault.secrets",
    "cel_expr_python.cel",
    "netrc",
    "yaml",
    "zoneinfo",
)
MODULES = {  # of programs: what is imported before
    "relay": (*APP, "relay.*", "rich.table", "typer._adapters", "typer.rich_utils"),
    "local.host": (*APP, "local.host.*"),
    "examples.training.ways": ("examples.training.train", "mlflow.pyfunc.model"),
    "component.trigger_pipeline": (*APP, "component.trigger_pipeline.*"),
}
CAN = hasattr(os, "pidfd_open")


class Forked:
    """A running program, to be dealt with as with a Popen."""

    def __init__(self, told: IO[bytes], stdout: IO[str], stderr: IO[str] | None) -> None:
        self.stdout, self.stderr = stdout, stderr
        self.returncode: int | None = None
        self._told, self._reading = told, threading.Lock()
        self.pid = int(told.readline())

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, negative for a signal. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            ends = select.poll()  # `select.select` takes no descriptor above 1,023
            ends.register(self._told, select.POLLIN)
            if not ends.poll(None if timeout is None else timeout * 1000):
                raise subprocess.TimeoutExpired("forked", timeout or 0)
            with self._reading:
                if self.returncode is None:
                    self.returncode = int(self._told.readline())
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """All that it writes, once it has ended. Raises subprocess.TimeoutExpired."""
        with ThreadPoolExecutor(2) as readers:
            said = [readers.submit(_rest, stream) for stream in (self.stdout, self.stderr)]
            self.wait(timeout)
        return said[0].result(), said[1].result()

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


Running = subprocess.Popen[str] | Forked


def start(
    module: str,
    *words: str,
    environ: Mapping[str, str],
    together: bool = False,
    session: bool = False,
) -> Running:
    """`python -m module words...` in the project's folder; `together`: stderr goes to stdout."""
    if not CAN:
        return subprocess.Popen(
            [sys.executable, "-m", module, *words],
            cwd=ROOT,
            env=dict(environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if together else subprocess.PIPE,
            encoding="utf-8",
            start_new_session=session,
        )
    asked = request(module, *words, environ=dict(environ), directory=str(ROOT), session=session)
    with ExitStack() as given:
        out, stdout = _pipe(given)
        err, stderr = (out, None) if together else _pipe(given)
        told, pipe = os.pipe()
        given.callback(os.close, pipe)
        socket.send_fds(_forking(module), [asked], [out, err, pipe])
    return Forked(os.fdopen(told, "rb", 0), stdout, stderr)


def ran(module: str, *words: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """The same, once it has ended."""
    process = start(module, *words, environ=environ)
    out, err = process.communicate()
    assert process.returncode is not None
    return subprocess.CompletedProcess([module, *words], process.returncode, out, err)


def _pipe(given: ExitStack) -> tuple[int, IO[str]]:
    """The end that the program writes to, and what reads it."""
    read, write = os.pipe()
    given.callback(os.close, write)
    return write, os.fdopen(read, encoding="utf-8")


def _rest(stream: IO[str] | None) -> str:
    if stream is None or stream.closed:
        return ""
    with stream:
        return stream.read()


@cache
def _forking(module: str) -> socket.socket:
    """Where to ask for this program. Who forks it ends when this process does."""
    mine, others = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with others:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.running.forking", str(others.fileno()), *MODULES[module]],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[others.fileno()],
            start_new_session=True,
        )
    atexit.register(_end, mine, process)
    return mine


def _end(mine: socket.socket, process: subprocess.Popen[bytes]) -> None:
    mine.close()
    process.wait()
