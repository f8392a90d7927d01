from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flow.github.hub import Hub

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud


@pytest.fixture
def hub(cloud: Cloud, tmp_path: Path) -> Hub:
    return Hub(cloud, tmp_path)
