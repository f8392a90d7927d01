"""GitHub Enterprise Server: below /api/v3, of an older release."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from local.github import GitHub
from tests.local.github.calls import TOKEN, call, dispatch, listed, said, with_repositories

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def server() -> Iterator[GitHub]:
    with GitHub(enterprise=True) as service:
        yield with_repositories(service)


def test_it_answers_below_its_path_only(server: GitHub) -> None:
    assert server.url.endswith("/api/v3")
    above = f"{server.server.url}/repos/contoso/ml"
    assert requests.get(above, headers=HEADER, timeout=20).status_code == 404
    answer = call(server, "GET", "/repos/contoso/ml")
    assert answer.headers["X-GitHub-Enterprise-Version"] == "3.19.0"
    assert answer.json()["url"] == f"{server.url}/repos/contoso/ml"
    assert answer.json()["html_url"] == f"{server.server.url}/contoso/ml"


def test_it_knows_neither_the_runs_details_nor_the_later_version(server: GitHub) -> None:
    assert dispatch(server, return_run_details=True).status_code == 422
    assert dispatch(server, version="2026-03-10").status_code == 400
    assert server.runs == []
    assert dispatch(server).status_code == 204
    assert listed(server) == [server.runs[0].id]


def test_it_takes_ten_inputs(server: GitHub) -> None:
    answer = dispatch(server, inputs={f"input{n}": "" for n in range(11)})
    assert said(answer)[1].endswith("No more than 10 properties are allowed; 11 were supplied.")


def test_its_pages_lead_below_its_path(server: GitHub) -> None:
    for _ in range(2):
        dispatch(server)
    link = call(server, "GET", "actions/runs", {"per_page": "1"}).headers["Link"]
    assert link.startswith(f"<{server.url}/repositories/")


def test_it_is_controlled_where_others_are(server: GitHub) -> None:
    told = requests.get(f"{server.server.url}/_local/github", timeout=20).json()
    assert told["switches"]["details"] == "refused"
    server.details = "told"
    server.reset()
    assert vars(server)["details"] == "refused"
