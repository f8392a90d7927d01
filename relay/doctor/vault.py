"""The secrets that the routes use, read as the operator: there, enabled, not about to end.

https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

from functions.adapters.vault import open_vault
from functions.core import horizon
from functions.core.ports import Level
from relay.doctor.findings import Finding, Status, failure, ok, unreachable, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.keyvault.secrets import SecretClient, SecretProperties

    from relay.doctor.case import Case

DISABLED = "SecretDisabled"
_RENEW = "make a new token, and put it into the vault with its own expiry date"
UNSEEN = " (its value was not looked at: you may not read it)"
_FORBIDDEN = 403
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def secrets(case: Case) -> Iterator[Finding]:
    """Every secret that a route uses."""
    if case.settings.devops_entra:
        yield ok("no secret is needed: DEVOPS_AUTH=entra")
        return
    if not case.settings.key_vault_url:
        yield failure("no vault to look into", "set KEY_VAULT_URL")
        return
    client = open_vault(case.settings.key_vault_url, case.identity)
    for name in case.routes.secrets(case.settings.policy.secret):
        yield _secret(case, client, name)


def _secret(case: Case, client: SecretClient, name: str) -> Finding:
    try:
        return _looked_at(case, client, name)
    except ResourceNotFoundError:
        return failure(f"{name} is not in the vault", "put the token there under that name")
    except HttpResponseError as error:
        return _refused(name, error)
    except (AzureError, AttributeError, TypeError, ValueError) as error:
        return unreachable(f"{name}: the vault did not answer: {type(error).__name__}")


def _looked_at(case: Case, client: SecretClient, name: str) -> Finding:
    """By its value; where that may not be read, by what is told of its newest version."""
    try:
        found = client.get_secret(name)
    except HttpResponseError as error:
        if error.status_code != _FORBIDDEN or _is_disabled(error):
            raise
        return _aged(case, name, _newest(client, name), UNSEEN)
    if not (found.value or "").strip():
        return failure(f"{name} is empty", _RENEW)
    return _aged(case, name, found.properties)


def _newest(client: SecretClient, name: str) -> SecretProperties:
    """The version that the app would get; raises what the client does.

    https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret-versions/get-secret-versions
    """
    versions = client.list_properties_of_secret_versions(name)
    newest = max(versions, key=lambda one: one.created_on or _LONG_AGO, default=None)
    if newest is None:
        raise ResourceNotFoundError(f"{name} has no version")
    return newest


def _is_disabled(error: HttpResponseError) -> bool:
    inner = getattr(error.error, "innererror", None)
    return isinstance(inner, dict) and inner.get("code") == DISABLED


def _refused(name: str, error: HttpResponseError) -> Finding:
    if _is_disabled(error):
        return _disabled(name)
    if error.status_code == _FORBIDDEN:
        how = "ask for Key Vault Reader, or let somebody look who has it"
        return warning(f"not checked: you may not read {name}, nor what is told of it", how)
    return unreachable(f"{name}: the vault answered {error.status_code}")


def _disabled(name: str) -> Finding:
    return failure(f"{name} is disabled", "enable it, or make a new version")


def _aged(case: Case, name: str, found: SecretProperties, how: str = "") -> Finding:
    """What its attributes tell; `how` they were come by."""
    if found.enabled is False:
        return _disabled(name)
    level, line = horizon.said(name, found.expires_on, case.clock.now())
    statuses = {Level.INFO: Status.OK, Level.WARNING: Status.WARNING, Level.ERROR: Status.FAILURE}
    expires = f"{line['expires']:%Y-%m-%d}" if line.get("expires") else ""
    words = {
        "valid": f"{name} ends in {line.get('days')} days, on {expires}",
        "expiring": f"{name} ends in {line.get('days')} days, on {expires}",
        "expired": f"{name} ended on {expires}",
        "endless": f"{name} has no expiry date, so that nobody is warned",
    }
    do = {"valid": "", "endless": "give the secret the expiry date of the token"}
    state = str(line["credential"])
    return Finding(statuses[level], words[state] + how, do.get(state, _RENEW))
