"""MLflow's server for all workers of a test run: it takes 4 s of CPU to start.

The first worker that needs it starts it, and the last one that leaves it ends it. Who shares it
keeps to runs of its own: experiments, models and their versions are everybody's.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from local.real.mlflow import MLflow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

HUNG = 900  # seconds: on a machine that others keep busy, only what hangs takes so long


def folder(base: pytest.TempPathFactory) -> Path:
    """What all workers of this run have in common."""
    mine = base.getbasetemp()
    return (mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine) / "mlflow-of-all"


@contextmanager
def mlflow(at: Path) -> Iterator[MLflow]:
    """The server, running."""
    at.mkdir(exist_ok=True)
    with _known(at) as known:
        if not _living(known):
            _start(at, known)
        known["users"] = [*_living(known), os.getpid()]
        server = MLflow(at / "server", known["port"])
    try:
        yield server
    finally:
        with _known(at) as known:
            known["users"].remove(os.getpid())
            if not _living(known):
                _end(known["server"])
                shutil.rmtree(at / "server", ignore_errors=True)


def _start(at: Path, known: dict[str, Any]) -> None:
    server = MLflow(at / "server", patience=HUNG).start()
    known |= {"port": server.port, "server": server.process.pid}


def _end(group: int) -> None:
    """End the processes of a group, whoever started it; force them after a while."""
    for number, patience in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 1.0)):
        end = time.monotonic() + patience
        with suppress(ProcessLookupError):
            os.killpg(group, number)
            while time.monotonic() < end:
                with suppress(ChildProcessError):
                    os.waitpid(group, os.WNOHANG)  # if it is this worker's own
                os.killpg(group, 0)
                time.sleep(0.05)


def _living(known: dict[str, Any]) -> list[int]:
    return [user for user in known.get("users", []) if _lives(user)]


def _lives(process: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process, 0)
        return True
    return False


@contextmanager
def _known(at: Path) -> Iterator[dict[str, Any]]:
    """What is known of the server; nobody else reads or changes it meanwhile."""
    with (at / "known.json").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        known = json.loads(file.read() or "{}")
        yield known
        file.truncate(0)
        file.write(json.dumps(known))
