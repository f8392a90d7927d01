"""A GitHub App: its JWT, where it is installed, and the token that it gets for an hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import pytest

from tests.local.github.calls import DEPLOY, TOKEN, call, dispatch, said

if TYPE_CHECKING:
    from local.github import GitHub
    from local.github.access.apps import App, Installation
    from tests.local.devops.calls import Clock

INSTALLATION = "/repos/contoso/ml/installation"
DECODED = "A JSON web token could not be decoded"


@pytest.fixture
def app(github: GitHub, key_pair: tuple[str, str]) -> App:
    return github.add_app(key_pair[1])


@pytest.fixture
def installed(github: GitHub, app: App) -> Installation:
    return github.install(app, "contoso", ["ml"])


class Signs:
    """Makes the app's JWT, as the documentation says: from a minute ago, for nine minutes."""

    def __init__(self, app: App, key: str, clock: Clock) -> None:
        self._app, self._key, self._clock = app, key, clock

    def __call__(self, key: str | None = None, algorithm: str = "RS256", **claims: Any) -> str:
        now = int(self._clock.at.timestamp())
        told = {"iss": self._app.client_id, "iat": now - 60, "exp": now + 540, **claims}
        kept = {name: value for name, value in told.items() if value is not None}
        return jwt.encode(kept, key or self._key, algorithm=algorithm)


@pytest.fixture
def signs(app: App, key_pair: tuple[str, str], clock: Clock) -> Signs:
    return Signs(app, key_pair[0], clock)


def ask(github: GitHub, method: str, path: str, token: str, body: object = None) -> Any:
    return call(github, method, path, body=body, headers={"Authorization": f"Bearer {token}"})


def tokens(installation: Installation) -> str:
    return f"/app/installations/{installation.id}/access_tokens"


def test_an_app_says_who_it_is_by_its_client_id_or_its_id(
    github: GitHub, app: App, signs: Signs
) -> None:
    for issuer in (app.client_id, str(app.id)):
        told = ask(github, "GET", "/app", signs(iss=issuer)).json()
        assert (told["id"], told["slug"]) == (app.id, "run-relay")


def test_an_app_finds_where_it_is_installed(
    github: GitHub, installed: Installation, signs: Signs
) -> None:
    told = ask(github, "GET", INSTALLATION, signs()).json()
    assert (told["id"], told["app_id"]) == (installed.id, installed.app.id)
    assert (told["repository_selection"], told["permissions"]["actions"]) == ("selected", "write")
    elsewhere = ask(github, "GET", "/repos/contoso/open/installation", signs())
    assert said(elsewhere) == (404, "Not Found")


def test_an_app_is_redirected_from_the_former_name(github: GitHub, app: App, signs: Signs) -> None:
    installed = github.install(app, "contoso", ["models"])
    github.rename("contoso", "ml", "models")
    answer = ask(github, "GET", INSTALLATION, signs())
    target = answer.headers["Location"].removeprefix(github.url)
    assert (answer.status_code, target) == (301, "/repositories/810000001/installation")
    headers: dict[str, str | None] = {"Authorization": f"Bearer {signs()}"}
    followed = call(github, "GET", target, headers=headers, judged=False)
    assert followed.json()["id"] == installed.id


def test_its_token_starts_a_workflow_for_an_hour(
    github: GitHub, installed: Installation, signs: Signs, clock: Clock
) -> None:
    answer = ask(github, "POST", tokens(installed), signs())
    told = answer.json()
    assert (answer.status_code, told["expires_at"]) == (201, "2026-11-21T11:00:00Z")
    assert told["permissions"] == {"metadata": "read", "actions": "write", "contents": "read"}
    assert dispatch(github, token=told["token"]).status_code == 204
    assert github.runs[0].actor == "run-relay[bot]"
    clock.pass_by(3599)
    assert dispatch(github, token=told["token"]).status_code == 204
    clock.pass_by(1)
    assert said(dispatch(github, token=told["token"])) == (401, "Bad credentials")


def test_a_token_may_be_narrower_than_its_installation(
    github: GitHub, app: App, signs: Signs
) -> None:
    everywhere = github.install(app, "contoso")
    body = {"repositories": ["ML"], "permissions": {"actions": "read"}}
    told = ask(github, "POST", tokens(everywhere), signs(), body).json()
    assert [one["full_name"] for one in told["repositories"]] == ["contoso/ml"]
    assert told["permissions"] == {"metadata": "read", "actions": "read"}
    answer = dispatch(github, token=told["token"])
    assert said(answer) == (403, "Resource not accessible by integration")
    github.add_repository("contoso", "secret")
    assert ask(github, "GET", "/repos/contoso/secret", told["token"]).status_code == 404


def test_no_token_is_given_for_what_the_installation_does_not_have(
    github: GitHub, installed: Installation, signs: Signs
) -> None:
    refused = [
        said(ask(github, "POST", tokens(installed), signs(), body))
        for body in (
            {"repositories": ["open"]},
            {"repositories": ["gone"]},
            {"permissions": {"administration": "write"}},
            {"permissions": {"contents": "write"}},
        )
    ]
    there = (
        "There is at least one repository that does not exist or is not accessible to the "
        "parent installation."
    )
    granted = "The permissions requested are not granted to this installation."
    assert refused == [(422, there), (422, there), (422, granted), (422, granted)]


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"exp": 601}, "'Expiration time' claim ('exp') is too far in the future"),
        ({"exp": 0}, "'Expiration time' claim ('exp') must be a numeric value"),
        ({"exp": None}, "'Expiration time' claim ('exp') must be a numeric value"),
        ({"iat": 61}, "'Issued at' claim ('iat') must be an Integer"),
        ({"iat": None}, "'Issued at' claim ('iat') must be an Integer"),
    ],
    ids=str,
)
def test_a_jwt_of_another_time_is_refused(
    github: GitHub, signs: Signs, clock: Clock, claims: dict[str, int | None], message: str
) -> None:
    now = int(clock.at.timestamp())
    told: dict[str, Any] = {n: None if v is None else now + v for n, v in claims.items()}
    answer = ask(github, "GET", "/app", signs(**told))
    assert answer.status_code == 401
    assert answer.json()["message"].startswith(message)


def test_a_jwt_lasts_ten_minutes_and_its_clock_may_be_a_minute_ahead(
    github: GitHub, signs: Signs, clock: Clock
) -> None:
    now = int(clock.at.timestamp())
    assert ask(github, "GET", "/app", signs(exp=now + 600, iat=now + 60)).status_code == 200


def test_a_jwt_by_another_key_or_way_is_refused(github: GitHub, signs: Signs) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    other: Any = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    found = [
        said(ask(github, "GET", "/app", token))
        for token in (
            signs(key=other),
            signs(key="k" * 32, algorithm="HS256"),
            signs(algorithm="RS512"),
            f"{signs()}x",
            TOKEN,
            "",
        )
    ]
    assert found == [(401, DECODED)] * 6
    assert said(ask(github, "GET", "/app", signs(iss="17"))) == (404, "Integration not found")


def test_a_jwt_comes_as_a_bearer_and_is_no_token(
    github: GitHub, installed: Installation, signs: Signs
) -> None:
    header = {"Authorization": f"token {signs()}"}
    assert said(call(github, "GET", "/app", headers=header)) == (401, DECODED)
    assert said(ask(github, "GET", DEPLOY, signs())) == (401, "Bad credentials")
    assert said(ask(github, "POST", tokens(installed), TOKEN)) == (401, DECODED)


def test_an_installation_of_another_app_is_not_found(
    github: GitHub, key_pair: tuple[str, str], signs: Signs
) -> None:
    other = github.install(github.add_app(key_pair[1], slug="other"), "contoso")
    assert said(ask(github, "POST", tokens(other), signs())) == (404, "Not Found")


def test_a_suspended_installation_has_no_tokens(
    github: GitHub, installed: Installation, signs: Signs
) -> None:
    token = ask(github, "POST", tokens(installed), signs()).json()["token"]
    github.suspend(installed)
    assert said(dispatch(github, token=token)) == (401, "Bad credentials")
    answer = ask(github, "POST", tokens(installed), signs())
    assert said(answer) == (403, "This installation has been suspended")
    assert ask(github, "GET", INSTALLATION, signs()).json()["suspended_at"]
    github.uninstall(installed)
    assert ask(github, "GET", INSTALLATION, signs()).status_code == 404


def test_a_body_that_asks_for_something_else_is_refused(
    github: GitHub, installed: Installation, signs: Signs
) -> None:
    assert said(ask(github, "POST", tokens(installed), signs(), {"scopes": []}))[0] == 422
    assert ask(github, "POST", tokens(installed), signs(), {"permissions": {}}).ok
