"""GitHub beside the rest of the local Azure: there for who asks for it, and for nobody else."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
import requests

from local.cloud import GITHUB_SECRET, Cloud, Ground
from local.github import GitHub

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> list[GitHub]:
    """Every GitHub that is made."""
    made: list[GitHub] = []
    begin = GitHub.__init__

    def noted(self: GitHub, *given: object, **named: object) -> None:
        made.append(self)
        begin(self, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(GitHub, "__init__", noted)
    return made


def test_a_cloud_that_is_not_asked_for_it_has_none(tmp_path: Path, nobody: list[GitHub]) -> None:
    before = threading.active_count()
    with Ground(tmp_path) as ground:
        own = threading.active_count() - before
        with Cloud(ground, "pat"):
            assert own == len(ground.listeners)
    assert nobody == []


def test_it_answers_where_a_team_has_it_and_ends_with_its_cloud(tmp_path: Path) -> None:
    with Cloud(tmp_path, "pat") as cloud:
        header = {"Authorization": f"Bearer {cloud.github_token}"}
        url = f"{cloud.github.url}/repos/contoso/mlops/actions/workflows/register.yml/dispatches"
        body = {"ref": "main", "inputs": {"run_id": "a", "model_name": "m", "relay_id": "rr-1"}}
        assert requests.post(url, json=body, headers=header, timeout=20).status_code == 204
        assert cloud.github.runs[0].title == "Register m rr-1"
        assert cloud.vault._kept(GITHUB_SECRET)[-1].value == cloud.github_token  # noqa: SLF001
    with pytest.raises(requests.ConnectionError):
        requests.get(url, headers=header, timeout=20)


def test_the_next_cloud_on_the_ground_has_another_one_on_the_same_port(tmp_path: Path) -> None:
    with Ground(tmp_path) as ground:
        with Cloud(ground, "pat-1") as first:
            url, token = first.github.url, first.github_token
        with Cloud(ground, "pat-2") as second:
            assert second.github.url == url
            assert second.github.runs == []
            header = {"Authorization": f"Bearer {token}"}
            answer = requests.get(f"{url}/repos/contoso/mlops", headers=header, timeout=20)
            assert answer.status_code == 401
        assert ground.stands


def test_azure_devops_does_not_know_its_token_nor_it_the_pat(tmp_path: Path) -> None:
    with Cloud(tmp_path, "k" * 52) as cloud:
        header = {"Authorization": f"Bearer {cloud.pat}"}
        answer = requests.get(cloud.github.url + "/rate_limit", headers=header, timeout=20)
        assert answer.status_code == 401
        assert cloud.github.seen.times(cloud.pat) == 1
        assert [one.looks for one in cloud.github.seen.of_azure()] == ["azure-devops"]
