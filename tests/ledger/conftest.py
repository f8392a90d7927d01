from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ledger.stores import SqliteStore, TableStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ledger.stores import Store

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_START = 60


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of Azurite's table service, started for these tests alone."""
    node, main, port = shutil.which("node"), _main(), _free_port()
    if node is None:
        pytest.skip("no node, which runs Azurite")
    if main is None:
        pytest.skip("no Azurite: npm install --prefix .cache azurite, or set RUN_RELAY_AZURITE")
    log = tmp_path_factory.mktemp("azurite") / "log"
    options = ["--inMemoryPersistence", "--silent", "--disableTelemetry"]
    command = [node, str(main), "--tableHost", "127.0.0.1", "--tablePort", str(port), *options]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=output, cwd=log.parent) as process,
    ):
        try:
            _await(process, port, log)
            yield port
        finally:
            process.terminate()


@pytest.fixture
def table_store(azurite: int) -> TableStore:
    return TableStore(azurite, f"t{uuid.uuid4().hex}")


@pytest.fixture
def sqlite_store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "ledger.db")


@pytest.fixture(params=["table_store", "sqlite_store"])
def store(request: pytest.FixtureRequest) -> Store:
    chosen: Store = request.getfixturevalue(request.param)
    return chosen


def _main() -> Path | None:
    given = os.environ.get("RUN_RELAY_AZURITE")
    base = Path(given) if given else ROOT / ".cache" / "node_modules"
    inside = ("", "dist/src", "azurite/dist/src", "node_modules/azurite/dist/src")
    found = (base / part / "table" / "main.js" for part in inside)
    return next((main for main in found if main.is_file()), None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    patience = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < patience and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    pytest.fail(f"Azurite did not start: {log.read_text()[-500:]}")
