from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.running import sharing
from tests.running.compiling import pytest_sessionstart  # noqa: F401 - a hook
from tests.running.spreading import (  # noqa: F401 - hooks
    pytest_collection_modifyitems,
    pytest_xdist_make_scheduler,
)
from tests.stage import azurite as azurite_service
from tests.stage.azure import Stage
from tests.stage.grounds import Grounds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.cloud import Cloud
    from local.real.mlflow import MLflow

gc.set_threshold(20_000)  # whoever builds so many things at a time looks for circles all the time

settings.register_profile("house", deadline=None, print_blob=True)  # slow machines are no bugs
settings.load_profile("house")

# fixtures that stand for what is slow to start or has a clock of its own
REAL = {"axe", "browser", "mlflow_server", "worker"}

PAT = "pat-that-nobody-may-see-0123456789"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test that needs such a part, so that `-m "not real"` leaves it out."""
    if REAL & set(getattr(item, "fixturenames", ())):
        item.add_marker("real")


def pytest_runtest_teardown() -> None:
    """Take back what building an app has frozen: a process of the app builds one, this one many.

    What an earlier app left in circles, its open files too, would be held until the end.
    """
    gc.unfreeze()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("certificates")
    yield made
    Grounds.of(made).close()


@pytest.fixture
def cloud(certificates: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with Grounds.of(certificates).cloud(PAT) as running:
        for name, value in running.settings().items():
            monkeypatch.setenv(name, value)  # the SDKs read these two from the process itself
        yield running


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MLflow]:
    with sharing.mlflow(sharing.folder(tmp_path_factory)) as running:
        yield running


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of Azurite's table service, started for these tests alone."""
    with azurite_service.running(tmp_path_factory.mktemp("azurite")) as port:
        yield port


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path) -> Stage:
    return Stage(cloud, tmp_path)
