"""A real MLflow tracking server, the nearest thing to Azure Machine Learning's own.

https://mlflow.org/docs/latest/self-hosting/architecture/tracking-server/
"""

from __future__ import annotations

import os
import random
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, Self

import requests

from local.children import Child
from local.serving.names import LOOPBACK

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / ".cache" / "mlflow"
SWITCHES = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


class MLflow:
    """MLflow's own server over sqlite in a directory, as a process group of its own.

    `patience` is how many seconds it may take to answer `/health`; 5 are usual. Port 0 takes a
    free one. Whoever starts `process` by other means calls `await_health` afterwards.
    """

    def __init__(self, directory: Path, port: int = 0, patience: float = 90) -> None:
        self.directory = directory
        self.log = directory / "mlflow.log"
        self.port = port or free_port()
        self._patience = patience
        self.process = Child(
            self._command(), self.log, directory=ROOT, environment=os.environ | SWITCHES
        )

    @property
    def url(self) -> str:
        """The tracking URI."""
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> Self:
        """Start the server and wait until it is healthy.

        Raises RuntimeError with the end of its log if it exits or takes too long.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        self.process.start()
        self.await_health()
        return self

    def stop(self) -> None:
        """End the server and every process it started."""
        self.process.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def await_health(self) -> None:
        """Wait until the server answers; raises RuntimeError as `start` does."""
        end = time.monotonic() + self._patience
        while time.monotonic() < end:
            if _healthy(self.url):
                return
            if (code := self.process.ended(0.2)) is not None:
                self._fail(f"MLflow exited with {code}")
        self._fail(f"MLflow was not healthy after {self._patience:g} s")

    def _command(self) -> list[str]:
        at = ["--port", str(self.port), "--directory", str(self.directory.resolve())]
        return [sys.executable, "-m", "local.real.tracking", *at, "--schema", str(SCHEMA)]

    def _fail(self, what: str) -> NoReturn:
        self.stop()
        raise RuntimeError("\n".join([f"{what}; the end of {self.log}:", *self.process.tail()]))


def _healthy(url: str) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(f"{url}/health", timeout=2).ok
        except requests.RequestException:
            return False


def free_port() -> int:
    """A port for a process that binds it seconds later.

    It lies below the range that systems draw outgoing connections' ports from (32768 and up on
    Linux): one of those would be taken again by then.
    https://www.kernel.org/doc/html/latest/networking/ip-sysctl.html
    """
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port
    raise RuntimeError("no port between 20000 and 32000 is free")
