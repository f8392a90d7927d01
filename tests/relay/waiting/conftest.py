from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from local.cloud import WORKSPACE
from tests.relay.waiting.waiter import JobsCli, Waiting
from tests.stage.azcli import AzureCli

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from local.cloud import Cloud

    Wait = Callable[..., Waiting]


@pytest.fixture
def az(cloud: Cloud, tmp_path: Path) -> JobsCli:
    return JobsCli(tmp_path / "jobs", AzureCli(tmp_path / "az", cloud.identity))


@pytest.fixture
def wait(cloud: Cloud) -> Iterator[Wait]:
    """Starts the command with one workspace known; what it started is ended."""
    with ExitStack() as running:

        def start(*words: str, **environ: str) -> Waiting:
            mine = {**cloud.settings(), "SWEEP_WORKSPACES": WORKSPACE, **environ}
            return running.enter_context(Waiting(("--every", "1s", *words), mine))

        yield start
