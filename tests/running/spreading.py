"""How `make test` spreads the tests over its workers, and where their files lie.

A file's tests run in one worker, in their order, as its fixtures are made once for all of them.
Where a file takes long and shares nothing among its tests, each may run anywhere: no worker is left
with all of it while the others are done. What needs the MLflow server, which takes 9 seconds of
CPU to start, is kept together. The longest begin first; it is the order that counts, not how long
exactly each takes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from collections.abc import Sequence

MLFLOW = (
    "tests/patterns/test_training_",
    "tests/component/",
    "tests/flow/promoting/test_real_registry.py",
    "tests/flow/reading/test_mlflow.py",
    "tests/local/azure/test_aml.py",
)
APART = (
    "tests/soak/",
    "tests/bench/test_command.py",
    "tests/demo/",
    "tests/crash/",
    "tests/relay/waiting/test_wait.py",
    "tests/relay/waiting/test_wait_",
    "tests/local/azure/test_mlflow.py",
)
LONG = (
    "tests/soak/test_soak.py",
    *MLFLOW,
    "tests/page/test_browser.py",
    *APART,
    "tests/doctor/",
    "tests/relay/",
    "tests/infra/",
    "tests/relay/deployment/test_deployed.py",
    "tests/patterns/",
    "tests/flow/waits/test_waits.py",
    "tests/routes/test_properties.py",
    "tests/core/test_events.py",
    "tests/ledger/",
)
ROOM = 2 << 30  # bytes that the files of the tests may take


class Spreading(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Knows what must run in one worker."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)


def scope(nodeid: str) -> str:
    """What a test runs together with: whatever has the same scope."""
    if nodeid.startswith(MLFLOW):
        return "mlflow"
    return nodeid if nodeid.startswith(APART) else nodeid.partition("::")[0]


def rank(nodeid: str) -> int:
    """The lower, the earlier."""
    return next((n for n, long in enumerate(LONG) if nodeid.startswith(long)), len(LONG))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Spreading | None:
    """Ours where `--dist loadfile` was asked for, in the order of the tests."""
    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return Spreading(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest first, where several workers share them."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: rank(item.nodeid))


def in_memory(
    candidates: Sequence[str] = ("/dev/shm",),  # noqa: S108 - tried first
    room: int = ROOM,
) -> str | None:
    """A folder in memory with room, in which programs may run; None if there is none.

    A ledger waits until its rows are on the disk; in a test that is most of its time.
    """
    return next((folder for folder in candidates if _fits(folder, room)), None)


def _fits(folder: str, room: int) -> bool:
    try:
        if shutil.disk_usage(folder).free < room:
            return False
        with tempfile.TemporaryDirectory(dir=folder) as made:
            program = Path(made) / "program"
            program.write_text("#!/bin/sh\n", "utf-8")
            program.chmod(0o700)
            return subprocess.run([program], check=False).returncode == 0
    except OSError:
        return False


if found := in_memory():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", found)
