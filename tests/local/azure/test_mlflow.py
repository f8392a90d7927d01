from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
import requests

from local.real.mlflow import SCHEMA, MLflow

if TYPE_CHECKING:
    from pathlib import Path


def test_a_stopped_server_leaves_nobody_listening(tmp_path: Path) -> None:
    with MLflow(tmp_path) as server:
        assert requests.get(f"{server.url}/health", timeout=10).ok
        assert list(SCHEMA.parent.glob(f"{SCHEMA.name}-*.db")), "its tables are not kept"
    with socket.socket() as probe:
        host, port = server.url.removeprefix("http://").split(":")
        assert probe.connect_ex((host, int(port))) != 0


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "ml.db").write_text("not a database, not at all")
    with pytest.raises(RuntimeError, match="file is not a database"):
        MLflow(tmp_path).start()
