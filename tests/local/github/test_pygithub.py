"""PyGithub, which nobody here wrote, works against the local GitHub."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import github as pygithub
import pytest
from github import Auth

from local.github import GitHub
from tests.local.github.calls import TOKEN, YAML, with_repositories

if TYPE_CHECKING:
    from collections.abc import Iterator

AT_ONCE: dict[str, Any] = {"seconds_between_requests": 0, "seconds_between_writes": 0}
CHURN = {"model": "churn"}


@pytest.fixture
def github() -> Iterator[GitHub]:
    """Its time is the wall clock's, by which PyGithub signs."""
    with GitHub() as service:
        yield with_repositories(service)


def connected(service: GitHub, token: str = TOKEN, **options: Any) -> pygithub.Github:
    return pygithub.Github(
        auth=Auth.Token(token),
        base_url=service.url,
        retry=None,
        **AT_ONCE,
        **options,
    )


def workflow(service: GitHub, token: str = TOKEN, **options: Any) -> Any:
    return connected(service, token, **options).get_repo("contoso/ml").get_workflow("deploy.yml")


def test_it_starts_a_workflow_and_reads_the_run(github: GitHub) -> None:
    run: Any = workflow(github).create_dispatch("main", CHURN, throw=True, return_run_details=True)
    (made,) = github.runs
    assert (run.id, run.display_title, run.event) == (made.id, made.title, "workflow_dispatch")
    assert (run.status, run.conclusion, run.head_branch) == ("queued", None, "main")
    assert run.actor.login == "octo-user"
    assert run.repository.full_name == "contoso/ml"


def test_it_starts_a_workflow_without_being_told_the_run(github: GitHub) -> None:
    assert workflow(github).create_dispatch("v1", CHURN, throw=True) is True
    assert [run.ref for run in github.runs] == ["v1"]


def test_it_starts_a_workflow_in_the_later_version(github: GitHub) -> None:
    known = workflow(github, api_version="2026-03-10")
    assert known.create_dispatch("main", CHURN, throw=True) is True
    assert len(github.runs) == 1


def test_it_pages_through_the_runs_that_a_query_chooses(github: GitHub) -> None:
    known = workflow(github, per_page=2)
    for _ in range(5):
        known.create_dispatch("main", CHURN)
    github.finish(github.runs[0].id, "failure")
    newest = [run.id for run in github.runs][::-1]
    created = f"{datetime.now(UTC):%Y}-01-01..*"
    assert [r.id for r in known.get_runs(event="workflow_dispatch", created=created)] == newest
    assert known.get_runs().totalCount == 5
    failed = known.get_runs(status="failure", branch="main")
    assert [(run.id, run.conclusion) for run in failed] == [(newest[-1], "failure")]
    assert known.get_runs(branch="next").totalCount == 0
    repository = connected(github).get_repo("contoso/ml")
    assert repository.get_workflow_runs(head_sha=github.runs[0].sha).totalCount == 5


def test_it_cancels_a_run_once(github: GitHub) -> None:
    known = workflow(github)
    known.create_dispatch("main", CHURN)
    run = connected(github).get_repo("contoso/ml").get_workflow_run(github.runs[0].id)
    assert run.cancel() is True
    run.update()
    assert (run.status, run.conclusion) == ("completed", "cancelled")
    assert run.cancel() is False


def test_it_reads_workflows_and_their_files(github: GitHub) -> None:
    repository = connected(github).get_repo("contoso/ml")
    assert [(one.name, one.state) for one in repository.get_workflows()] == [
        ("Deploy", "active"),
        ("Plain", "active"),
        (".github/workflows/pushed.yml", "active"),
    ]
    file: Any = repository.get_contents(".github/workflows/deploy.yml", ref="next")
    assert file.decoded_content.decode() == YAML
    assert (repository.default_branch, repository.private) == ("main", True)


def test_it_follows_a_repository_that_was_renamed(github: GitHub) -> None:
    github.rename("contoso", "ml", "models")
    assert connected(github).get_repo("contoso/ml").full_name == "contoso/models"


def test_it_tells_a_refusal_in_the_services_words(github: GitHub) -> None:
    with pytest.raises(pygithub.GithubException, match="No ref found for: gone") as refused:
        workflow(github).create_dispatch("gone", CHURN, throw=True)
    assert refused.value.status == 422
    assert workflow(github).create_dispatch("gone", CHURN) is False
    with pytest.raises(pygithub.UnknownObjectException):
        connected(github).get_repo("contoso/gone")


def test_it_takes_a_bad_token_for_bad_credentials(github: GitHub) -> None:
    with pytest.raises(pygithub.BadCredentialsException):
        connected(github, "ghp_other").get_repo("contoso/ml")


def test_it_takes_a_missing_permission_for_no_limit(github: GitHub) -> None:
    github.accept("github_pat_reader", permissions={"actions": "read"})
    with pytest.raises(pygithub.GithubException, match="not accessible by personal") as refused:
        workflow(github, "github_pat_reader").create_dispatch("main", CHURN, throw=True)
    assert type(refused.value) is pygithub.GithubException


@pytest.mark.parametrize("kind", ["primary", "secondary"])
def test_it_takes_a_limit_for_one(github: GitHub, kind: Any) -> None:
    known = workflow(github)
    github.limit(1, kind, 403, 30)
    with pytest.raises(pygithub.RateLimitExceededException):
        known.create_dispatch("main", CHURN, throw=True)
    assert github.runs == []


def test_it_knows_what_is_left_of_the_hour(github: GitHub) -> None:
    client = connected(github)
    client.get_repo("contoso/ml")
    assert client.rate_limiting == (4999, 5000)
    assert client.get_rate_limit().rate.remaining == 4999


def test_it_acts_as_an_app_with_a_key(github: GitHub, key_pair: tuple[str, str]) -> None:
    app = github.add_app(key_pair[1])
    installation = github.install(app, "contoso", ["ml"])
    auth = Auth.AppAuth(app.client_id, key_pair[0])
    client = pygithub.GithubIntegration(auth=auth, base_url=github.url, retry=None, **AT_ONCE)
    assert client.get_app().slug == "run-relay"
    assert client.get_repo_installation("contoso", "ml").id == installation.id
    given = client.get_access_token(installation.id, permissions={"actions": "write"})
    assert dict(given.permissions) == {"actions": "write", "metadata": "read"}
    assert workflow(github, given.token).create_dispatch("main", CHURN, throw=True) is True
    assert github.runs[0].actor == "run-relay[bot]"
    with pytest.raises(pygithub.GithubException, match="not granted to this installation"):
        client.get_access_token(installation.id, permissions={"administration": "write"})


def test_it_is_told_that_a_key_is_another_apps(github: GitHub, key_pair: tuple[str, str]) -> None:
    auth = Auth.AppAuth("17", key_pair[0])
    client = pygithub.GithubIntegration(auth=auth, base_url=github.url, retry=None, **AT_ONCE)
    with pytest.raises(pygithub.GithubException, match="Integration not found"):
        client.get_app()
    github.add_app(key_pair[1])
    assert github.seen.of_azure() == []


def test_it_works_below_the_path_of_an_enterprise_server() -> None:
    with GitHub(enterprise=True) as service:
        with_repositories(service)
        assert workflow(service).create_dispatch("main", CHURN, throw=True) is True
        with pytest.raises(pygithub.GithubException, match="is not a permitted key"):
            workflow(service).create_dispatch("main", CHURN, throw=True, return_run_details=True)
        assert len(service.runs) == 1
