"""Who may call the local GitHub and how often: tokens, permissions, headers, rate limits."""

from __future__ import annotations

import base64
import http.client
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from tests.local.github.calls import DEPLOY, TOKEN, call, dispatch, said

if TYPE_CHECKING:
    from datetime import datetime

    from local.github import GitHub
    from tests.local.devops.calls import Clock

PAT = "k" * 52  # as Azure DevOps made them for years


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def with_header(github: GitHub, header: str | None, path: str = DEPLOY) -> Any:
    return call(github, "GET", path, headers={"Authorization": header})


@pytest.mark.parametrize(
    "header",
    [
        f"Bearer {TOKEN}",
        f"bearer {TOKEN}",
        f"token {TOKEN}",
        basic("octo-user", TOKEN),
        basic(TOKEN, "x-oauth-basic"),
    ],
)
def test_a_token_is_let_in_by_every_scheme_that_takes_one(github: GitHub, header: str) -> None:
    assert with_header(github, header).status_code == 200


@pytest.mark.parametrize("header", ["Bearer other", TOKEN, f"Digest {TOKEN}", "Basic ???"])
def test_another_one_is_refused_and_starts_nothing(github: GitHub, header: str) -> None:
    assert said(with_header(github, header)) == (401, "Bad credentials")
    path = f"{DEPLOY}/dispatches"
    answer = call(github, "POST", path, body={"ref": "main"}, headers={"Authorization": header})
    assert said(answer) == (401, "Bad credentials")
    assert github.runs == []


def test_a_token_that_was_taken_back_or_has_expired_is_refused(
    github: GitHub, clock: Clock
) -> None:
    github.accept("ghp_short", expires_at=_in(clock, 60))
    assert with_header(github, "Bearer ghp_short").status_code == 200
    clock.pass_by(60)
    assert with_header(github, "Bearer ghp_short").status_code == 401
    github.refuse(TOKEN)
    assert with_header(github, f"Bearer {TOKEN}").status_code == 401


def _in(clock: Clock, seconds: float) -> datetime:
    moved = type(clock)(clock.at)
    moved.pass_by(seconds)
    return moved.at


@pytest.mark.parametrize(
    ("token", "permissions", "message"),
    [
        (
            "github_pat_reader",
            {"actions": "read"},
            "Resource not accessible by personal access token",
        ),
        (
            "github_pat_files",
            {"contents": "write"},
            "Resource not accessible by personal access token",
        ),
    ],
)
def test_a_token_without_the_permission_is_told_which_is_needed(
    github: GitHub, token: str, permissions: dict[str, str], message: str
) -> None:
    github.accept(token, permissions=permissions)
    answer = dispatch(github, token=token)
    assert said(answer) == (403, message)
    assert answer.headers["X-Accepted-GitHub-Permissions"] == "actions=write"
    assert answer.headers["X-RateLimit-Remaining"] != "0"
    assert github.runs == []


def test_each_operation_needs_its_own_permission(github: GitHub) -> None:
    github.accept("github_pat_a", permissions={"actions": "read"})
    github.accept("github_pat_c", permissions={"contents": "read"})
    asked = {
        path: tuple(with_header(github, f"Bearer {t}", path).status_code for t in tokens)
        for tokens in [("github_pat_a", "github_pat_c")]
        for path in ["/repos/contoso/ml", "actions/runs", DEPLOY, f"contents/{FILE}"]
    }
    assert asked == {
        "/repos/contoso/ml": (200, 200),
        "actions/runs": (200, 403),
        DEPLOY: (200, 403),
        f"contents/{FILE}": (403, 200),
    }


FILE = ".github/workflows/deploy.yml"


def test_a_private_repository_that_a_token_is_not_for_is_not_found(github: GitHub) -> None:
    github.accept("github_pat_other", repositories=["contoso/open"])
    github.accept("ghp_scopeless", permissions={})
    for token in ("github_pat_other", "ghp_scopeless"):
        assert said(dispatch(github, token=token)) == (404, "Not Found")
        assert with_header(github, f"Bearer {token}").status_code == 404


def test_a_public_repository_is_read_by_anybody_and_started_by_who_may(github: GitHub) -> None:
    path = "/repos/contoso/open/actions/workflows/plain.yml"
    github.accept("github_pat_other", repositories=["contoso/ml"])
    github.accept("ghp_scopeless", permissions={})
    found = {}
    for header in (None, "Bearer github_pat_other", "Bearer ghp_scopeless", f"Bearer {TOKEN}"):
        assert with_header(github, header, path).status_code == 200
        headers, body = {"Authorization": header}, {"ref": "main"}
        answer = call(github, "POST", f"{path}/dispatches", body=body, headers=headers)
        found[header] = answer.status_code if answer.ok else said(answer)
    assert found == {
        None: (401, "Requires authentication"),
        "Bearer github_pat_other": (403, "Resource not accessible by personal access token"),
        "Bearer ghp_scopeless": (403, "Must have admin rights to Repository."),
        f"Bearer {TOKEN}": 204,
    }


def test_who_has_no_token_does_not_find_what_is_private(github: GitHub) -> None:
    assert said(with_header(github, None)) == (404, "Not Found")


def test_a_token_of_azure_is_refused_and_counted_and_not_kept(github: GitHub) -> None:
    claims = {"iss": "https://sts.windows.net/11111111/", "aud": "499b84ac"}
    entra = jwt.encode(claims, "k" * 32, algorithm="HS256")
    new_pat = f"{'A' * 76}AZDOabcd"
    for header in (basic("", PAT), f"Bearer {PAT}", basic("me", new_pat), f"Bearer {entra}"):
        assert said(with_header(github, header)) == (401, "Bad credentials")
    assert [one.looks for one in github.seen.of_azure()] == [
        "azure-devops",
        "azure-devops",
        "azure-devops",
        "entra",
    ]
    assert (github.seen.times(PAT), github.seen.times(entra), github.seen.times("x")) == (2, 1, 0)
    assert PAT not in repr(vars(github.seen))


def test_a_token_of_githubs_own_is_counted_and_none_of_azures(github: GitHub) -> None:
    with_header(github, f"Bearer {TOKEN}")
    with_header(github, "Bearer ghp_unknown")
    assert [one.looks for one in github.seen.refused] == ["github"]
    assert github.seen.of_azure() == []
    assert github.seen.times(TOKEN) == 1


def test_a_credential_is_not_among_the_requests_that_are_told(github: GitHub) -> None:
    with_header(github, f"Bearer {TOKEN}")
    assert TOKEN not in repr(github.server.requests)


def test_a_request_without_a_user_agent_is_refused(github: GitHub) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", github.server.port, timeout=20)
    try:
        connection.putrequest("GET", "/repos/contoso/ml", skip_accept_encoding=True)
        connection.putheader("Authorization", f"Bearer {TOKEN}")
        connection.endheaders()
        answer = connection.getresponse()
        assert (answer.status, b"User-Agent header" in answer.read()) == (403, True)
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("asked", "selected"),
    [(None, "2022-11-28"), ("2022-11-28", "2022-11-28"), ("2026-03-10", "2026-03-10")],
)
def test_a_version_is_selected(github: GitHub, asked: str | None, selected: str) -> None:
    answer = call(github, "GET", DEPLOY, headers={"X-GitHub-Api-Version": asked})
    assert answer.headers["X-GitHub-Api-Version-Selected"] == selected
    assert answer.headers["X-GitHub-Media-Type"] == "github.v3; format=json"
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


def test_a_version_that_there_is_not_is_refused(github: GitHub) -> None:
    answer = dispatch(github, version="2021-01-01")
    assert answer.status_code == 400
    assert "2022-11-28, 2026-03-10" in answer.json()["message"]
    assert github.runs == []


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/vnd.github+json", 200),
        ("application/vnd.github.v3+json", 200),
        ("application/json, text/html;q=0.5", 200),
        ("*/*", 200),
        ("application/xml", 415),
        ("text/html", 415),
    ],
)
def test_what_is_accepted_must_be_served(github: GitHub, accept: str, status: int) -> None:
    answer = call(github, "GET", DEPLOY, headers={"Accept": accept})
    assert answer.status_code == status
    if status == 415:
        message = f"Unsupported 'Accept' header: '{accept}'. Must accept 'application/json'."
        assert said(answer) == (415, message)


def limits(answer: Any) -> tuple[int, int, int]:
    told = answer.headers
    return tuple(int(told[f"X-RateLimit-{n}"]) for n in ("Limit", "Remaining", "Used"))  # type: ignore[return-value]


def test_every_answer_says_what_is_left_of_the_hour(github: GitHub, clock: Clock) -> None:
    assert limits(with_header(github, f"Bearer {TOKEN}")) == (5000, 4999, 1)
    answer = with_header(github, f"Bearer {TOKEN}", "actions/runs/1")
    assert (answer.status_code, limits(answer)) == (404, (5000, 4998, 2))
    assert int(answer.headers["X-RateLimit-Reset"]) == clock.at.timestamp() + 3600
    assert limits(with_header(github, None)) == (60, 59, 1)
    clock.pass_by(3600)
    assert limits(with_header(github, f"Bearer {TOKEN}")) == (5000, 4999, 1)


def test_an_hour_that_is_used_up_is_told_without_a_time_to_wait(
    github: GitHub, clock: Clock
) -> None:
    github.limits.hourly = 1
    assert dispatch(github).status_code == 204
    answer = dispatch(github)
    assert said(answer) == (403, "API rate limit exceeded for user ID 1000.")
    assert limits(answer) == (1, 0, 1)
    assert "Retry-After" not in answer.headers
    assert len(github.runs) == 1
    clock.pass_by(3600)
    assert dispatch(github).status_code == 204


@pytest.mark.parametrize("status", [403, 429])
def test_a_primary_limit_says_when_it_ends(github: GitHub, clock: Clock, status: Any) -> None:
    github.limit(kind="primary", status=status, seconds=90, method="POST")
    assert with_header(github, f"Bearer {TOKEN}").status_code == 200
    answer = dispatch(github)
    assert (answer.status_code, answer.headers["X-RateLimit-Remaining"]) == (status, "0")
    assert int(answer.headers["X-RateLimit-Reset"]) == clock.at.timestamp() + 90
    assert github.runs == []
    assert dispatch(github).status_code == 204


@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_limit_says_how_long_to_wait(github: GitHub, status: Any) -> None:
    github.limit(2, "secondary", status, 17)
    for answer in (dispatch(github), with_header(github, f"Bearer {TOKEN}")):
        assert (answer.status_code, answer.headers["Retry-After"]) == (status, "17")
        assert "secondary rate limit" in answer.json()["message"]
        assert answer.headers["X-RateLimit-Remaining"] != "0"
        assert answer.json()["documentation_url"].endswith("#about-secondary-rate-limits")
    assert github.runs == []


def test_what_is_left_can_be_asked_for_nothing(github: GitHub) -> None:
    with_header(github, f"Bearer {TOKEN}")
    for version in ("2022-11-28", "2026-03-10"):
        headers: dict[str, str | None] = {"X-GitHub-Api-Version": version}
        told = call(github, "GET", "/rate_limit", headers=headers).json()
        assert told["resources"]["core"]["remaining"] == 4999
        assert ("rate" in told) == (version == "2022-11-28")
