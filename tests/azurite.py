"""Azurite's table service, one per test session, and how to reach it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.mlflow import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
SECONDS_TO_START = 60
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = (  # the one that every installation of Azurite has
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


def connection_string(port: int) -> str:
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
        f"TableEndpoint=http://127.0.0.1:{port}/{ACCOUNT};"
    )


@contextmanager
def running(directory: Path, *more: str) -> Iterator[int]:
    """Its port; `more` are further options. Skips the test where Azurite is not installed."""
    node, main, port = shutil.which("node"), _main(), free_port()
    if node is None:
        pytest.skip("no node, which runs Azurite")
    if main is None:
        pytest.skip("no Azurite: npm install --prefix .cache azurite, or set RUN_RELAY_AZURITE")
    log = directory / "log"
    options = ["--inMemoryPersistence", "--silent", "--disableTelemetry", *more]
    command = [node, str(main), "--tableHost", "127.0.0.1", "--tablePort", str(port), *options]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=output, cwd=directory) as process,
    ):
        try:
            _await(process, port, log)
            yield port
        finally:
            process.terminate()


def _main() -> Path | None:
    given = os.environ.get("RUN_RELAY_AZURITE")
    base = Path(given) if given else ROOT / ".cache" / "node_modules"
    inside = ("", "dist/src", "azurite/dist/src", "node_modules/azurite/dist/src")
    found = (base / part / "table" / "main.js" for part in inside)
    return next((main for main in found if main.is_file()), None)


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    patience = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < patience and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    pytest.fail(f"Azurite did not start: {log.read_text()[-500:]}")
