from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.devops import DevOps, ServerJob
from local.identity import Identity
from local.serving.certificates import Authority
from tests.local.devops.calls import Clock, with_pipelines

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def devops(clock: Clock) -> Iterator[DevOps]:
    """Two projects in one organization, the pipelines in the first."""
    with DevOps(clock=clock) as service:
        service.add_project("contoso", "other")
        yield with_pipelines(service)


@pytest.fixture
def job(devops: DevOps) -> ServerJob:
    return devops.start_server_job("contoso", "mlops")


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> Iterator[Identity]:
    """A managed identity that this process has, as an app in Azure would."""
    with Identity(client_ids=["11111111-2222-3333-4444-555555555555"]) as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield running
