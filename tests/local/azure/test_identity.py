from __future__ import annotations

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ManagedIdentityCredential

from local.identity import MANAGEMENT, Identity

VAULT = "https://vault.azure.net"
USER_ASSIGNED = "11111111-2222-3333-4444-555555555555"
UNKNOWN = "99999999-2222-3333-4444-555555555555"


def ask(identity: Identity, header: str | None = None, **query: str) -> requests.Response:
    headers = {"X-IDENTITY-HEADER": identity.header if header is None else header}
    return requests.get(f"{identity.url}/msi/token", query, headers=headers, timeout=10)


def test_the_system_assigned_identity_gets_a_token_that_the_resource_accepts(
    identity: Identity,
) -> None:
    token = ManagedIdentityCredential().get_token(f"{MANAGEMENT}/.default")
    assert identity.accepts(token.token, MANAGEMENT)


def test_a_token_for_one_resource_is_not_accepted_by_another(identity: Identity) -> None:
    token = ManagedIdentityCredential().get_token(f"{VAULT}/.default")
    assert identity.accepts(token.token, VAULT)
    assert not identity.accepts(token.token, MANAGEMENT)


def test_a_user_assigned_identity_is_asked_for_by_its_client_id(identity: Identity) -> None:
    credential = ManagedIdentityCredential(client_id=USER_ASSIGNED)
    token = credential.get_token(f"{MANAGEMENT}/.default")
    assert identity.accepts(token.token, MANAGEMENT)
    assert identity.server.requests[-1].query["client_id"] == USER_ASSIGNED


def test_an_identity_that_the_app_does_not_have_gets_no_token(identity: Identity) -> None:
    credential = ManagedIdentityCredential(client_id=UNKNOWN)
    with pytest.raises(ClientAuthenticationError, match="No User Assigned"):
        credential.get_token(f"{MANAGEMENT}/.default")
    assert ask(identity, resource=VAULT, client_id=UNKNOWN, **VERSION).status_code == 400


VERSION = {"api-version": "2019-08-01"}


def test_an_app_without_a_system_assigned_identity_must_name_one() -> None:
    with Identity([USER_ASSIGNED], system_assigned=False) as identity:
        assert ask(identity, resource=VAULT, **VERSION).status_code == 400
        assert ask(identity, resource=VAULT, client_id=USER_ASSIGNED, **VERSION).ok


@pytest.mark.parametrize("header", ["", "guessed"])
def test_who_does_not_know_the_header_is_refused(identity: Identity, header: str) -> None:
    answer = ask(identity, header, resource=VAULT, **VERSION)
    assert answer.status_code == 401
    assert "access_token" not in answer.json()


@pytest.mark.parametrize(
    "query",
    [{"resource": VAULT}, VERSION, {"resource": VAULT, "api-version": "2018-02-01"}],
)
def test_a_request_without_its_parameters_is_refused(
    identity: Identity, query: dict[str, str]
) -> None:
    assert ask(identity, **query).status_code == 400


def test_the_answer_has_the_fields_that_the_platform_documents(identity: Identity) -> None:
    answer = ask(identity, resource=VAULT, **VERSION).json()
    assert answer["resource"] == VAULT
    assert answer["token_type"] == "Bearer"
    assert answer["expires_on"].isdigit()


def test_a_token_is_accepted_until_it_expires() -> None:
    now = 1_000_000.0
    with Identity(lifetime=60, clock=lambda: now) as identity:
        token = identity.issue(VAULT)
        now += 59
        assert identity.accepts(token, VAULT)
        now += 1
        assert not identity.accepts(token, VAULT)


def test_a_token_of_another_issuer_is_not_accepted(identity: Identity) -> None:
    with Identity() as other:
        assert not identity.accepts(other.issue(VAULT), VAULT)
    assert not identity.accepts("", VAULT)
    assert not identity.accepts("not.a.token", VAULT)
