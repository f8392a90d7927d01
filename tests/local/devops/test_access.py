"""Who may call the local Azure DevOps, and how often: credentials, scopes, rate limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from local.devops import DevOps
from tests.local.devops.calls import PAT, RUNS, authorization, call, start, with_pipelines

if TYPE_CHECKING:
    from collections.abc import Iterator

GOOD = {"templateParameters": {"run_id": "a"}}


@pytest.fixture
def devops() -> Iterator[DevOps]:
    with DevOps(pats={PAT: "execute", "reader": "read"}) as service:
        yield with_pipelines(service)


def said(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["typeKey"]


@pytest.mark.parametrize(
    ("shape", "status", "kind"),
    [
        ("203", 203, "text/html"),
        ("302", 302, "text/html"),
        ("401-html", 401, "text/html"),
        ("401-json", 401, "application/json"),
        ("401-empty", 401, "text/html"),
    ],
)
def test_a_refused_pat_is_answered_in_the_shape_set_and_queues_nothing(
    devops: DevOps, shape: str, status: int, kind: str
) -> None:
    devops.refuse(PAT, shape)  # type: ignore[arg-type]
    answer = start(devops)
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith(kind)
    assert devops.runs == []
    assert len(devops.server.received("POST", "/runs")) == 1


def test_the_redirect_ends_in_a_sign_in_page_that_looks_like_success(devops: DevOps) -> None:
    devops.refuse(PAT, "302")
    answer = requests.get(start(devops).headers["Location"], timeout=20)
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (200, "text/html")


def test_the_redirect_becomes_a_401_where_the_request_suppresses_it(devops: DevOps) -> None:
    devops.refuse(PAT, "302")
    suppress = {"X-TFS-FedAuthRedirect": "Suppress"}
    assert call(devops, "POST", RUNS, body=GOOD, headers=suppress).status_code == 401


@pytest.mark.parametrize("header", [None, "Basic ???", authorization("other"), f"Bearer {PAT}"])
def test_a_missing_or_unknown_credential_is_redirected(devops: DevOps, header: str | None) -> None:
    assert call(devops, "GET", "pipelines", headers={"Authorization": header}).status_code == 302


def test_a_pat_in_the_place_of_the_user_name_is_not_one(devops: DevOps) -> None:
    header = requests.auth._basic_auth_str(PAT, "")  # noqa: SLF001 - the library's own encoder
    assert call(devops, "GET", "pipelines", headers={"Authorization": header}).status_code == 302


def test_an_accepted_pat_works_again(devops: DevOps) -> None:
    devops.refuse(PAT)
    devops.accept(PAT)
    assert start(devops).status_code == 200


def test_a_pat_that_may_only_read_starts_and_tags_nothing(devops: DevOps) -> None:
    run_id = start(devops).json()["id"]
    reader = {"Authorization": authorization("reader")}
    assert call(devops, "GET", "build/builds", headers=reader).status_code == 200
    assert call(devops, "POST", "pipelines/42/preview", body=GOOD, headers=reader).ok
    for method, path in [("POST", RUNS), ("PUT", f"build/builds/{run_id}/tags/a")]:
        answer = call(devops, method, path, body=GOOD, headers=reader)
        assert said(answer) == (403, "AccessDeniedException")
    assert [(run.id, run.tags) for run in devops.runs] == [(run_id, ())]


def test_a_throttled_request_queues_nothing_and_says_how_long_to_wait(devops: DevOps) -> None:
    devops.throttle(2, retry_after=17)
    blocked = [start(devops), start(devops)]
    assert {said(answer) for answer in blocked} == {(429, "RequestBlockedException")}
    assert "TF400733" in blocked[0].json()["message"]
    assert {answer.headers["Retry-After"] for answer in blocked} == {"17"}
    assert blocked[0].headers["X-RateLimit-Remaining"] == "0"
    assert start(devops).status_code == 200
    assert len(devops.runs) == 1


def test_a_delayed_request_is_done_and_says_to_slow_down(devops: DevOps) -> None:
    devops.delay(1, seconds=0.01, retry_after=5, method="POST")
    assert "Retry-After" not in call(devops, "GET", "pipelines").headers
    answer = start(devops)
    assert (answer.status_code, answer.headers["Retry-After"]) == (200, "5")
    assert answer.headers["X-RateLimit-Delay"] == "0.010"
    assert "Retry-After" not in start(devops).headers


def test_beyond_organizations_only_a_token_for_all_of_them_is_known(devops: DevOps) -> None:
    def profile(pat: str) -> int:
        url = f"{devops.url}/_apis/profile/profiles/me?api-version=7.1-preview.3"
        header = {"Authorization": authorization(pat)}
        return requests.get(url, headers=header, timeout=20, allow_redirects=False).status_code

    assert (profile(PAT), profile("nobody")) == (401, 302)
    devops.keys.accept_everywhere("global")
    assert profile("global") == 200
    header = {"Authorization": authorization("global")}
    assert call(devops, "GET", "pipelines", headers=header).status_code == 200
