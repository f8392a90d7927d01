from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.demo.typed import Typed
from tests.running import sharing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These take the longest and tell the least of where a fault is: they come last."""
    items.sort(key=lambda item: item.nodeid.startswith("tests/demo/"))


@pytest.fixture
def typed(tmp_path: Path) -> Iterator[Callable[..., Typed]]:
    """Starts a command as typed into a shell; whatever is left of it is ended afterwards."""
    started: list[Typed] = []

    def start(*command: str) -> Typed:
        started.append(Typed(command, tmp_path))
        return started[-1]

    yield start
    for one in started:
        one.clear_away()


@pytest.fixture(scope="session")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ...]]:
    """Options for a demo that need not start MLflow's server: that of all tests runs already."""
    with sharing.mlflow(sharing.folder(tmp_path_factory)) as running:
        yield ("--mlflow", str(running.port), str(running.directory))
