from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient

from local.serving.certificates import Authority
from local.vault.front import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.identity import Identity

PAST = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def vault(
    identity: Identity, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Vault]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    with Vault(identity.accepts, authority.server_context()) as running:
        yield running


def client(vault: Vault, retry_total: int = 3) -> SecretClient:
    return SecretClient(vault.url, ManagedIdentityCredential(), retry_total=retry_total)


def get(vault: Vault, path: str, token: str | None = None) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.get(f"{vault.url}{path}", headers=headers, timeout=10)


def test_the_client_reads_a_secret_and_still_verifies_the_challenge(vault: Vault) -> None:
    vault.put("azure-devops-pat", "s3cret")
    assert client(vault).get_secret("azure-devops-pat").value == "s3cret"


def test_the_client_sends_no_token_to_a_host_that_the_challenge_does_not_cover(
    vault: Vault,
) -> None:
    vault.put("pat", "s3cret")
    elsewhere = SecretClient(
        vault.url.replace("127.0.0.1", "localhost"), ManagedIdentityCredential()
    )
    with pytest.raises(ValueError, match="does not match the requested domain"):
        elsewhere.get_secret("pat")


def test_a_request_without_a_token_is_challenged(vault: Vault) -> None:
    answer = get(vault, "/secrets/pat/?api-version=7.6")
    assert answer.status_code == 401
    assert f'resource="{vault.resource}"' in answer.headers["WWW-Authenticate"]
    assert 'authorization="https://login.microsoftonline.com/' in answer.headers["WWW-Authenticate"]


def test_a_token_for_another_resource_is_challenged(vault: Vault, identity: Identity) -> None:
    vault.put("pat", "s3cret")
    path = "/secrets/pat/?api-version=7.6"
    assert get(vault, path, identity.issue("https://management.azure.com")).status_code == 401
    assert get(vault, path, identity.issue(vault.resource)).json()["value"] == "s3cret"


def test_a_request_without_an_api_version_is_refused(vault: Vault, identity: Identity) -> None:
    vault.put("pat", "s3cret")
    assert get(vault, "/secrets/pat", identity.issue(vault.resource)).status_code == 400


def test_a_secret_keeps_its_versions(vault: Vault) -> None:
    first = vault.put("pat", "old")
    second = vault.put("pat", "new")
    asked = client(vault)
    assert asked.get_secret("pat").properties.version == second
    assert asked.get_secret("pat", first).value == "old"
    listed = {p.version for p in asked.list_properties_of_secret_versions("pat")}
    assert listed == {first, second}


def test_versions_are_listed_page_by_page(vault: Vault) -> None:
    put = {vault.put("pat", str(number)) for number in range(27)}
    listed = client(vault).list_properties_of_secret_versions("pat")
    pages = [[one.version for one in page] for page in listed.by_page()]
    assert [len(page) for page in pages] == [25, 2]
    assert {version for page in pages for version in page} == put


def test_where_values_are_hidden_secrets_are_told_of_all_the_same(vault: Vault) -> None:
    vault.put("pat", "s3cret", expires=PAST)
    vault.hide_values()
    with pytest.raises(HttpResponseError) as refused:
        client(vault).get_secret("pat")
    assert refused.value.status_code == 403
    (told,) = client(vault).list_properties_of_secret_versions("pat")
    assert (told.enabled, told.expires_on) == (True, PAST)


def test_an_expired_secret_is_still_given_out_with_its_expiry(vault: Vault) -> None:
    vault.put("pat", "stale", expires=PAST)
    found = client(vault).get_secret("pat")
    assert (found.value, found.properties.expires_on) == ("stale", PAST)


def test_a_disabled_secret_is_forbidden(vault: Vault) -> None:
    vault.put("born-disabled", "x", enabled=False)
    vault.put("pat", "x")
    vault.disable("pat")
    for name in ("born-disabled", "pat"):
        with pytest.raises(HttpResponseError) as refused:
            client(vault).get_secret(name)
        assert refused.value.status_code == 403
        assert "not allowed on a disabled secret" in str(refused.value)


def test_an_unknown_or_deleted_secret_is_not_found(vault: Vault) -> None:
    vault.put("pat", "x")
    vault.delete("pat")
    for name in ("pat", "never-was"):
        with pytest.raises(ResourceNotFoundError, match="SecretNotFound"):
            client(vault).get_secret(name)


def test_an_unknown_version_is_not_found(vault: Vault) -> None:
    vault.put("pat", "x")
    with pytest.raises(ResourceNotFoundError, match="SecretNotFound"):
        client(vault).get_secret("pat", "0" * 32)


def test_a_throttled_vault_answers_429_and_recovers(vault: Vault, identity: Identity) -> None:
    vault.put("pat", "s3cret")
    vault.throttle(times=2, retry_after=7)
    with pytest.raises(HttpResponseError) as refused:
        client(vault, retry_total=0).get_secret("pat")
    assert refused.value.status_code == 429
    answer = get(vault, "/secrets/pat/?api-version=7.6", identity.issue(vault.resource))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert client(vault).get_secret("pat").value == "s3cret"


def test_the_client_can_set_a_secret(vault: Vault) -> None:
    asked = client(vault)
    asked.set_secret("pat", "fresh", expires_on=PAST, tags={"owner": "mlops"})
    found = asked.get_secret("pat")
    assert (found.value, found.properties.expires_on) == ("fresh", PAST)
    assert found.properties.tags == {"owner": "mlops"}


def test_an_authority_is_used_again_where_it_was_made(tmp_path: Path, identity: Identity) -> None:
    bundle = Authority(tmp_path).bundle
    before = bundle.read_bytes()
    with Vault(identity.accepts, Authority(tmp_path).server_context()) as vault:
        assert bundle.read_bytes() == before
        assert requests.get(vault.url, verify=str(bundle), timeout=10).status_code == 401


def test_a_server_of_another_authority_is_not_trusted(vault: Vault, tmp_path: Path) -> None:
    other = Authority(tmp_path).bundle
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(vault.url, verify=str(other), timeout=10)
