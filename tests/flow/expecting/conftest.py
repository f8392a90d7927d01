from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.chat.front import Chat
from tests.flow.notices.people import HOSTS, notified
from tests.stage.azure import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.cloud import Cloud


@pytest.fixture
def chat() -> Iterator[Chat]:
    with Chat() as running:
        yield running


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path, chat: Chat) -> Stage:
    """An app whose people are told in Teams, in Slack and by a webhook."""
    for name, text in (
        ("teams-ops", chat.teams),
        ("slack-ops", chat.slack),
        ("hook-ops", chat.hook),
        ("hook-key", chat.signing),
    ):
        cloud.vault.put(name, text)
    made = Stage(cloud, tmp_path, NOTIFY_HOSTS=HOSTS)
    made.routes(notified())
    return made
