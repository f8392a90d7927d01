"""The secrets that the routes use, read as the operator: there, enabled, not about to end.

https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

from functions.adapters.vault import open_vault
from functions.core import horizon
from functions.core.ports import Level
from relay.doctor.findings import Finding, Status, failure, ok, unreachable, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.keyvault.secrets import SecretClient

    from relay.doctor.case import Case

DISABLED = "SecretDisabled"
_RENEW = "make a new token, and put it into the vault with its own expiry date"
_FORBIDDEN = 403


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
        found = client.get_secret(name)
    except ResourceNotFoundError:
        return failure(f"{name} is not in the vault", "put the token there under that name")
    except HttpResponseError as error:
        return _refused(name, error)
    except (AzureError, AttributeError, TypeError, ValueError) as error:
        return unreachable(f"{name}: the vault did not answer: {type(error).__name__}")
    if not (found.value or "").strip():
        return failure(f"{name} is empty", _RENEW)
    level, line = horizon.said(name, found.properties.expires_on, case.clock.now())
    return _aged(name, level, line)


def _refused(name: str, error: HttpResponseError) -> Finding:
    inner = getattr(error.error, "innererror", None)
    if isinstance(inner, dict) and inner.get("code") == DISABLED:
        return failure(f"{name} is disabled", "enable it, or make a new version")
    if error.status_code == _FORBIDDEN:
        how = "ask for Key Vault Secrets User, or let somebody look who has it"
        return warning(f"not checked: you may not read {name}", how)
    return unreachable(f"{name}: the vault answered {error.status_code}")


def _aged(name: str, level: Level, line: horizon.Line) -> Finding:
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
    return Finding(statuses[level], words[state], do.get(state, _RENEW))
