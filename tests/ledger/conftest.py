from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.ledger.stores import SqliteStore, TableStore

if TYPE_CHECKING:
    from pathlib import Path

    from tests.ledger.stores import Store


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
