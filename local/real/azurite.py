"""Azurite's tables and queues, where it is installed: storage's protocols by Microsoft's own hand.

https://github.com/Azure/Azurite
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from local.real.mlflow import free_port
from local.serving.names import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_START = 60
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = (  # the one that every installation of Azurite has
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


class NotInstalledError(Exception):
    """There is no Azurite here, or no node to run it; the message says what to do."""


def connection_string(port: int, queues: int = 0) -> str:
    """What a storage client takes; `queues` is the port of that service."""
    known = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
    parts = {"Table": port, "Queue": queues}
    told = (f"{p}Endpoint=http://{LOOPBACK}:{at}/{ACCOUNT};" for p, at in parts.items() if at)
    return known + "".join(told)


@contextmanager
def running(
    directory: Path, *options: str, before: Sequence[str] = (), service: str = "table"
) -> Iterator[int]:
    """Its port; `options` are Azurite's own, `before` are node's. `service`: `table` or `queue`.

    Raises NotInstalledError, and RuntimeError with the end of its log if it does not start.
    """
    node, main, port = shutil.which("node"), installed(service), free_port()
    if node is None:
        raise NotInstalledError(
            "no node, which runs Azurite: install Node.js with npm, then: make parts"
        )
    if main is None:
        raise NotInstalledError("no Azurite: make parts, or set RUN_RELAY_AZURITE")
    log = directory / f"{service}.log"
    where = [f"--{service}Host", LOOPBACK, f"--{service}Port", str(port)]
    command = [node, *before, str(main), *where, "--inMemoryPersistence", "--silent"]
    with (
        log.open("wb") as output,
        subprocess.Popen(  # noqa: S603 - our own arguments
            [*command, "--disableTelemetry", *options], stdout=output, stderr=output, cwd=directory
        ) as process,
    ):
        try:
            _await(process, port, log)
            yield port
        finally:
            process.terminate()


def installed(service: str = "table") -> Path | None:
    """The service's program, None where there is none."""
    given = os.environ.get("RUN_RELAY_AZURITE")
    base = Path(given) if given else ROOT / ".cache" / "node_modules"
    inside = ("", "dist/src", "azurite/dist/src", "node_modules/azurite/dist/src")
    found = (base / part / service / "main.js" for part in inside)
    return next((main for main in found if main.is_file()), None)


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    patience = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < patience and process.poll() is None:
        with suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"Azurite did not start: {log.read_text()[-500:]}")
