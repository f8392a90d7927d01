"""The secrets that the routes use, read as the operator: there, enabled, not about to end.

https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

from functions.adapters.http.authorizing import KEY, to_devops, to_github
from functions.core.ports.services import Level
from functions.core.rounds import expiry
from functions.core.rounds.expiry import senders
from functions.core.terms.pipelines import is_github, service
from functions.core.texts.phrases import counted
from relay.doctor.findings import Finding, Status, failure, ok, unreachable, warning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from azure.keyvault.secrets import SecretClient, SecretProperties

    from functions.core.terms.pipelines import Sender
    from relay.doctor.case import Case

    Judge = Callable[[str | None, SecretProperties], Finding]

DISABLED = "SecretDisabled"
_RENEW = "make a new token, and put it into the vault with its own expiry date"
_NO_VAULT = "set KEY_VAULT_URL: infra/main.bicep does, once `vaultSecrets` names the secret"
UNSEEN = " (its value was not looked at: you may not read it)"
_FORBIDDEN = 403
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def secrets(case: Case) -> Iterator[Finding]:
    """Every secret that a route uses."""
    used = _used(case)
    if case.settings.devops_entra and not used:
        yield ok("no secret is needed: DEVOPS_AUTH=entra")
    for one in used:
        yield looked_at(case, one.secret, partial(_judged, case, one))


def names(case: Case) -> list[str]:
    """The names of the secrets that starts use; none for Azure DevOps where an identity does."""
    return [one.secret for one in _used(case)]


def _used(case: Case) -> list[Sender]:
    by_identity = case.settings.devops_entra
    every = senders(case.routes, case.settings.policy)
    return [one for one in every if is_github(one.organization) or not by_identity]


def looked_at(case: Case, name: str, judge: Judge) -> Finding:
    """What the judge makes of a secret that is there and enabled, else what is wrong with it."""
    if not case.settings.key_vault_url:
        return failure(f"no vault to look for {name} in", _NO_VAULT)
    try:
        text, told = _read(case.vault, name)
    except ResourceNotFoundError:
        return failure(f"{name} is not in the vault", "put it there under that name")
    except HttpResponseError as error:
        return _refused(name, error)
    except (AzureError, AttributeError, TypeError, ValueError) as error:
        return unreachable(f"{name}: the vault did not answer: {type(error).__name__}")
    return _disabled(name) if told.enabled is False else judge(text, told)


def _read(client: SecretClient, name: str) -> tuple[str | None, SecretProperties]:
    """The text, None where it may not be read, and what is told of the newest version."""
    try:
        found = client.get_secret(name)
    except HttpResponseError as error:
        if error.status_code != _FORBIDDEN or _is_disabled(error):
            raise
        return None, _newest(client, name)
    return (found.value or "").strip(), found.properties


def _newest(client: SecretClient, name: str) -> SecretProperties:
    """The version that the app would get; raises what the client does.

    https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret-versions/get-secret-versions
    """
    versions = client.list_properties_of_secret_versions(name)
    newest = max(versions, key=lambda one: _time(one.created_on) or _LONG_AGO, default=None)
    if newest is None:
        raise ResourceNotFoundError(f"{name} has no version")
    return newest


def _time(value: object) -> datetime | None:
    """A time as the client gives it, which hands on what it can make no time of.

    https://github.com/Azure/azure-sdk-for-python/blob/azure-keyvault-secrets_4.12.0/sdk/keyvault/azure-keyvault-secrets/azure/keyvault/secrets/_generated/_utils/model_base.py
    """
    return value if isinstance(value, datetime) else None


def _without(told: SecretProperties) -> str:
    return "no expiry date" if told.expires_on is None else "an expiry date that is no time"


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


def _judged(case: Case, one: Sender, text: str | None, told: SecretProperties) -> Finding:
    """Of a token: whether it is there, is one of its service, and how long yet."""
    name = one.secret
    if not text and text is not None:
        return failure(f"{name} is empty", _RENEW)
    if text and (wrong := _unfit(case, one, text)):
        return wrong
    if text and text.startswith(KEY):  # by whatever date the vault has the app does not go
        return ok(f"{name} is the key of a GitHub App, which has no end of its own")
    level, line = expiry.said(name, _time(told.expires_on), case.clock.now())
    statuses = {Level.INFO: Status.OK, Level.WARNING: Status.WARNING, Level.ERROR: Status.FAILURE}
    expires = f"{line['expires']:%Y-%m-%d}" if line.get("expires") else ""
    days = line.get("days")
    left = counted(days, "day") if isinstance(days, int) else ""
    words = {
        "valid": f"{name} ends in {left}, on {expires}",
        "expiring": f"{name} ends in {left}, on {expires}",
        "expired": f"{name} ended on {expires}",
        "endless": f"{name} has {_without(told)}, so that nobody is warned",
    }
    do = {"valid": "", "endless": "give the secret the expiry date of the token"}
    state, unseen = str(line["credential"]), UNSEEN if text is None else ""
    return Finding(statuses[level], words[state] + unseen, do.get(state, _RENEW))


def _unfit(case: Case, one: Sender, text: str) -> Finding | None:
    """That it is not what its service takes."""
    try:
        made = to_github(text) if is_github(one.organization) else to_devops(text)
    except ValueError as error:  # which does not tell the text
        how = f"put a credential of {service(one.organization)} there, or name another secret"
        return failure(f"{one.secret}: {error}", how)
    if made.startswith(KEY) and not case.settings.github_app:
        said = f"{one.secret} is the key of a GitHub App, and GITHUB_APP_ID does not say of which"
        return failure(said, "set GITHUB_APP_ID to the App's client id")
    return None
