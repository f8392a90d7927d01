"""What the app's own identity may do, by the roles that it has.

https://learn.microsoft.com/azure/role-based-access-control/role-assignments-list-rest
https://learn.microsoft.com/azure/key-vault/general/rbac-guide
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from relay.doctor.azure.vault import names
from relay.doctor.findings import failure, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relay.doctor.case import Case
    from relay.doctor.findings import Finding

ROLES_VERSION = "2022-04-01"
VAULT_VERSION = "2023-07-01"
MOST_VAULTS = 20  # looked at, the one of the right name first
READ_ROLES = "Microsoft.Authorization/roleAssignments/read"
READ_ROLE = "Microsoft.Authorization/roleDefinitions/read"
READ_RUNS = (
    "Microsoft.MachineLearningServices/workspaces/read",
    "Microsoft.MachineLearningServices/workspaces/experiments/runs/read",
)
READ_SECRET = "Microsoft.KeyVault/vaults/secrets/getSecret/action"

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_GRANT = "give the app's identity the role Key Vault Secrets User at the vault"


def secret(case: Case) -> Iterator[Finding]:
    """Whether the app's identity may read the secrets that the routes use."""
    if not names(case):
        yield ok("no secret is needed: DEVOPS_AUTH=entra")
        return
    identity = _principal(case)
    if identity is None:
        yield _nobody()
        return
    vault = _vault(case)
    if vault is None:
        where = f"{case.settings.key_vault_url} is no vault that you see in the app's subscription"
        yield warning(f"not checked: {where}", f"see that KEY_VAULT_URL is right, and {_GRANT}")
        return
    for name in names(case):
        if _may_read(case, vault, identity, name):
            yield ok(f"the app's identity may read {name}")
        else:
            yield failure(f"the app's identity may not read {name}", _GRANT)


def workspaces(case: Case) -> Iterator[Finding]:
    """Whether the app's identity may read the runs of each workspace."""
    identity = _principal(case)
    if identity is None:
        yield _nobody()
        return
    for workspace in case.heard_of:
        given = _given(case, identity, workspace.id, workspace.id)
        lacking = [
            right for right in READ_RUNS if not any(_gives(r, "actions", right) for r in given)
        ]
        if lacking:
            said = f"the app's identity lacks {', '.join(lacking)} at {workspace.name}"
            yield failure(said, "give it the role Reader at the workspace")
        else:
            yield ok(f"the app's identity may read the runs of {workspace.name}")


def _nobody() -> Finding:
    how = "assign an identity to the app; a user-assigned one is named by AZURE_CLIENT_ID"
    return failure("the app has no such identity as its settings name", how)


def _principal(case: Case) -> str | None:
    """The object id of the identity that the app signs in with: named by client id, or its own."""
    identity: dict[str, Any] = case.site.get("identity") or {}
    client = (case.settings.client_id or "").lower()
    if client:
        assigned = (identity.get("userAssignedIdentities") or {}).values()
        identity = next((a for a in assigned if str(a.get("clientId")).lower() == client), {})
    principal = str(identity.get("principalId"))
    return principal if _GUID.fullmatch(principal) else None


def _vault(case: Case) -> dict[str, Any] | None:
    """The vault of the settings, if the operator may see it in the app's subscription."""
    wanted = case.settings.key_vault_url.lower()
    name = (urlsplit(wanted).hostname or "").partition(".")[0]
    listed = list(case.app.arm.resources(case.app.id.split("/")[2], "Microsoft.KeyVault/vaults"))
    listed.sort(key=lambda one: str(one.get("name")).lower() != name)
    for one in listed[:MOST_VAULTS]:
        vault = case.app.arm.get(str(one["id"]), VAULT_VERSION, "Microsoft.KeyVault/vaults/read")
        uri = (vault.get("properties") or {}).get("vaultUri") or ""
        if str(uri).rstrip("/").lower() == wanted:
            return vault
    return None


def _may_read(case: Case, vault: dict[str, Any], identity: str, name: str) -> bool:
    properties = vault["properties"]
    if not properties.get("enableRbacAuthorization"):
        policies = properties.get("accessPolicies") or []
        mine = (p for p in policies if str(p.get("objectId")).lower() == identity.lower())
        verbs = {str(one).lower() for p in mine for one in p["permissions"].get("secrets") or ()}
        return bool(verbs & {"get", "all"})
    given = _given(case, identity, str(vault["id"]), f"{vault['id']}/secrets/{name}")
    return any(_gives(role, "dataActions", READ_SECRET) for role in given)


def _given(case: Case, identity: str, resource: str, thing: str) -> list[dict[str, Any]]:
    """The permissions of the roles assigned at the thing, which is in the resource, or above it."""
    path = f"{resource}/providers/Microsoft.Authorization/roleAssignments"
    mine = {"$filter": f"assignedTo('{identity}')"}
    found: list[dict[str, Any]] = []
    for assignment in case.app.arm.every(path, ROLES_VERSION, READ_ROLES, **mine):
        given = assignment.get("properties") or {}
        scope = str(given.get("scope")).rstrip("/").lower()
        if f"{thing}/".lower().startswith(f"{scope}/"):
            number = str(given.get("roleDefinitionId")).rpartition("/")[2]
            at = f"{resource}/providers/Microsoft.Authorization/roleDefinitions/{number}"
            role = case.app.arm.get(at, ROLES_VERSION, READ_ROLE)  # rights may end at the resource
            found += (role.get("properties") or {}).get("permissions") or []
    return found


def _gives(permission: dict[str, Any], kind: str, action: str) -> bool:
    """Whether it allows that action; `kind` is actions or dataActions."""
    without = "not" + kind[0].upper() + kind[1:]
    return _names(permission.get(kind), action) and not _names(permission.get(without), action)


def _names(patterns: list[str] | None, action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns or ())
