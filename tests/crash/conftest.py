from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from local.chat.front import Chat
from tests.crash.theatre import SHORT, Theatre, playing
from tests.stage import azurite
from tests.stage.azure import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.cloud import Cloud


@pytest.fixture(params=["sqlite", "table"])
def stage(request: pytest.FixtureRequest, cloud: Cloud, tmp_path: Path) -> Stage:
    if request.param == "sqlite":
        return Stage(cloud, tmp_path, **SHORT)
    connection = azurite.connection_string(request.getfixturevalue("azurite"))
    table = {"AzureWebJobsStorage": connection, "LEDGER_TABLE": f"t{uuid.uuid4().hex}"}
    return Stage(cloud, tmp_path, LEDGER_URL="", **SHORT, **table)


@pytest.fixture
def theatre(stage: Stage, tmp_path: Path) -> Iterator[Theatre]:
    """One in which a training has ended, on either ledger."""
    stage.aml.add_run("r1", experiment="defect-detection")
    with playing(stage, tmp_path) as made:
        yield made


@pytest.fixture
def chat(cloud: Cloud) -> Iterator[Chat]:
    """Where people read what comes by a webhook."""
    with Chat() as running:
        cloud.vault.put("hook-ops", running.hook)
        cloud.vault.put("hook-key", running.signing)
        yield running
