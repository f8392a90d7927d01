from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.infra.deploying.checkout import Azure, checkout, without_subscriptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[Azure]:
    with Azure(tmp_path / "azure") as running:
        yield running


@pytest.fixture
def deployed(azure: Azure) -> Azure:
    return without_subscriptions(azure)
