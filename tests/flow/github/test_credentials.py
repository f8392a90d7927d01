"""A credential belongs to its service: neither ever sees the other's."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from functions.core.limits.admission import Admission
from functions.core.terms.deadline import Deadline
from functions.core.terms.pipelines import Sender
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import GITHUB_SECRET, SECRET
from tests.conftest import PAT
from tests.flow.github.hub import OWNER, ROUTES

if TYPE_CHECKING:
    from local.github.access.apps import App
    from tests.flow.github.hub import Hub

BOTH = (
    ROUTES
    + """
  - name: build
    match: {experiment: "defect-*"}
    start: {pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
"""
)
PLAIN, PEM = serialization.NoEncryption(), serialization.Encoding.PEM


def key_pair() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(PEM, serialization.PrivateFormat.TraditionalOpenSSL, PLAIN)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return private.decode(), key.public_key().public_bytes(PEM, form).decode()


def as_app(hub: Hub, **given: object) -> App:
    """Let the app be a GitHub App, installed at contoso."""
    private, public = key_pair()
    app = hub.hub.add_app(public)
    hub.hub.install(app, "contoso", **given)  # type: ignore[arg-type]
    hub.cloud.vault.put(GITHUB_SECRET, private)
    hub.deploy(GITHUB_APP_ID=app.client_id)
    return app


def test_each_service_gets_its_own_and_never_the_others(hub: Hub) -> None:
    hub.routes(BOTH)
    hub.deploy()
    hub.happen()
    hub.reconcile(minutes=10)
    assert {row.state for row in hub.of_run("r1").values()} == {State.STARTED}
    assert hub.hub.seen.of_azure() == []
    assert hub.hub.seen.times(PAT) == 0
    sent = {str(request.headers) for request in hub.devops.server.requests}
    assert sent
    assert not any(hub.cloud.github_token in headers for headers in sent)


@pytest.mark.parametrize(
    "wrong", [PAT, "k" * 52, "x" * 76 + "AZDO" + "y" * 4, "two words", "gh\np_x"]
)
def test_a_secret_that_is_none_of_githubs_is_never_sent_there(hub: Hub, wrong: str) -> None:
    hub.cloud.vault.put(GITHUB_SECRET, wrong)
    hub.happen()
    row = hub.only("r1")
    assert (row.state, row.reason) == (State.OPEN, Reason.SECRET_UNREADABLE)
    assert "it is no token of GitHub's" in row.detail
    assert wrong not in row.detail
    assert hub.hub.server.requests == []


@pytest.mark.parametrize(
    "wrong",
    [
        *("github_pat_11AA", "ghp_abc", "ghs_abc", key_pair()[0]),
        *(
            '"ghp_abc"',
            "Bearer ghp_abc",
            '{"token": "gho_abc"}',
            f"Bag Attributes\n{key_pair()[0]}",
        ),
    ],
)
def test_a_secret_of_githubs_is_never_sent_to_azure_devops(hub: Hub, wrong: str) -> None:
    hub.routes(BOTH)
    hub.deploy()
    hub.cloud.vault.put(SECRET, wrong)
    hub.happen()
    row = hub.of_run("r1")["build"]
    assert row.reason is Reason.SECRET_UNREADABLE
    assert wrong not in row.detail
    assert hub.devops.server.requests == []


def test_a_refused_token_blocks_the_owner_and_not_the_organization_of_its_name(hub: Hub) -> None:
    hub.routes(BOTH)
    hub.deploy()
    hub.hub.refuse(hub.cloud.github_token)
    hub.happen()
    rows = hub.of_run("r1")
    assert rows["register"].reason is Reason.CREDENTIAL_REFUSED
    assert rows["register"].waits_on == Admission.account(OWNER, GITHUB_SECRET)
    assert rows["build"].state is State.STARTED
    hub.cloud.vault.put(GITHUB_SECRET, "ghp_new")
    hub.hub.accept("ghp_new")
    hub.reconcile(minutes=1)
    assert hub.of_run("r1")["register"].state is State.STARTED


def test_a_refused_pat_holds_no_workflow_back(hub: Hub) -> None:
    hub.routes(BOTH)
    hub.deploy()
    hub.cloud.vault.put(SECRET, "another")
    hub.happen()
    rows = hub.of_run("r1")
    assert rows["build"].reason is Reason.CREDENTIAL_REFUSED
    assert rows["register"].state is State.STARTED


def test_with_an_identity_for_azure_devops_github_still_has_its_secret(hub: Hub) -> None:
    hub.routes(BOTH)
    hub.deploy(DEVOPS_AUTH="entra")
    hub.happen()
    assert {row.state for row in hub.of_run("r1").values()} == {State.STARTED}
    assert hub.hub.seen.of_azure() == []


def test_an_apps_token_starts_for_an_hour_and_is_renewed_before_its_end(hub: Hub) -> None:
    as_app(hub)
    hub.happen("r1")
    hub.happen("r2")
    assert len(hub.runs) == 2
    assert made(hub) == 1
    hub.clock.forward(minutes=56)
    hub.happen("r3")
    assert (len(hub.runs), made(hub)) == (3, 2)
    private = hub.cloud.vault._kept(GITHUB_SECRET)[-1].value  # noqa: SLF001
    assert hub.hub.seen.times(private) == 0


def test_a_token_that_was_withdrawn_is_replaced_where_githubs_clock_is_ahead(hub: Hub) -> None:
    as_app(hub)
    hub.cloud.github_clock = lambda: hub.clock.now() + timedelta(minutes=4)
    hub.happen("r1")
    sender = Sender(OWNER, GITHUB_SECRET)
    token = hub.ports.credentials.read(sender, Deadline(hub.clock, 20)).authorization
    hub.hub.refuse(token.removeprefix("Bearer "))
    hub.happen("r2")
    assert hub.only("r2").state is State.STARTED
    assert (len(hub.runs), made(hub)) == (2, 2)


def test_an_app_is_known_where_githubs_clock_is_behind(hub: Hub) -> None:
    as_app(hub)
    hub.cloud.github_clock = lambda: hub.clock.now() - timedelta(seconds=40)
    hub.happen()
    assert hub.only("r1").state is State.STARTED


def test_an_installation_is_found_on_a_later_page_and_in_any_case(hub: Hub) -> None:
    private, public = key_pair()
    app = hub.hub.add_app(public)
    for n in range(100):
        hub.hub.install(app, f"owner{n}")
    hub.hub.install(app, "contoso")
    hub.cloud.vault.put(GITHUB_SECRET, private)
    hub.routes(ROUTES.replace("github: contoso/mlops", "github: Contoso/mlops"))
    hub.deploy(GITHUB_APP_ID=app.client_id)
    hub.happen()
    assert hub.only("r1").state is State.STARTED


def made(hub: Hub) -> int:
    return len(hub.hub.server.received("POST", "/access_tokens"))


def test_an_apps_token_may_only_start_and_look(hub: Hub) -> None:
    as_app(hub)
    hub.happen()
    (asked,) = hub.hub.server.received("POST", "/access_tokens")
    assert json.loads(asked.body) == {"permissions": {"actions": "write"}}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"GITHUB_APP_ID": ""}, "GITHUB_APP_ID does not say whose"),
        ({"GITHUB_APP_ID": "Iv23liNobodyKnowsIt1"}, "is it the key of the App"),
    ],
)
def test_an_app_that_is_not_known_is_told(hub: Hub, given: dict[str, str], says: str) -> None:
    as_app(hub)
    hub.deploy(**given)
    hub.happen()
    row = hub.only("r1")
    assert row.reason is Reason.SECRET_UNREADABLE
    assert says in row.detail
    assert hub.runs == []


def test_an_app_that_is_not_installed_is_told_and_tried_again(hub: Hub) -> None:
    private, public = key_pair()
    app = hub.hub.add_app(public)
    hub.cloud.vault.put(GITHUB_SECRET, private)
    hub.deploy(GITHUB_APP_ID=str(app.id))
    hub.happen()
    assert "the App is not installed there" in hub.only("r1").detail
    hub.hub.install(app, "contoso")
    hub.reconcile(minutes=30)
    assert hub.only("r1").state is State.STARTED


def test_a_key_that_is_none_is_told_without_it(hub: Hub) -> None:
    as_app(hub)
    wrong = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"
    hub.cloud.vault.put(GITHUB_SECRET, wrong)
    hub.clock.forward(minutes=6)
    hub.happen()
    row = hub.only("r1")
    assert row.reason is Reason.SECRET_UNREADABLE
    assert "its key cannot be used" in row.detail
    assert "AAAA" not in row.detail


def test_an_app_without_the_right_is_told_what_it_lacks(hub: Hub) -> None:
    as_app(hub, permissions={"metadata": "read", "contents": "read"})
    hub.happen()
    row = hub.only("r1")
    assert row.reason is Reason.SECRET_UNREADABLE
    assert "GitHub answered 422" in row.detail


def test_a_token_taken_back_is_replaced_by_a_new_one_at_once(hub: Hub) -> None:
    app = as_app(hub)
    hub.happen("r1")
    (installed,) = hub.hub.accounts.installations(app)
    hub.hub.uninstall(installed)
    hub.hub.install(app, "contoso")
    hub.happen("r2")
    assert hub.only("r2").state is State.STARTED
    assert made(hub) == 2


def test_the_end_of_a_token_is_told_as_of_a_pat(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    ends = hub.clock.now() + timedelta(days=10)
    hub.cloud.vault.put(GITHUB_SECRET, hub.cloud.github_token, expires=ends)
    hub.deploy()
    hub.app.sweep.sweep()
    assert "credential=expiring secret=github-token days=9" in caplog.text


def test_an_owners_name_is_the_same_in_any_case(hub: Hub) -> None:
    private, public = key_pair()
    app = hub.hub.add_app(public)
    hub.hub.install(app, "Contoso")
    hub.cloud.vault.put(GITHUB_SECRET, private)
    hub.deploy(GITHUB_APP_ID=app.client_id)
    hub.happen()
    assert made(hub) == 1
