"""Who may do what: role assignments and the roles that they give.

https://learn.microsoft.com/azure/role-based-access-control/role-assignments-list-rest
https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import jsonify, request

from local.arm.errors import error

if TYPE_CHECKING:
    from local.arm.errors import Answer

SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
_AUTHORIZATION = "Microsoft.Authorization"
_SUBSCRIPTION = 2  # slashes in /subscriptions/ID
_ASSIGNED_TO = re.compile(r"(?:atScope\(\) and )?assignedTo\('(?P<principal>[0-9a-fA-F-]+)'\)")


@dataclass(frozen=True)
class Role:
    """A role: what it lets do with resources, and with what is in them."""

    name: str
    actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    def wire(self, role_id: str) -> dict[str, Any]:
        """The definition as the service writes it."""
        permission = {
            "actions": list(self.actions),
            "notActions": [],
            "dataActions": list(self.data_actions),
            "notDataActions": list(self.not_data_actions),
        }
        return {
            "id": role_id,
            "type": f"{_AUTHORIZATION}/roleDefinitions",
            "name": role_id.rpartition("/")[2],
            "properties": {
                "roleName": self.name,
                "type": "BuiltInRole" if self.name in _BUILT_IN_NAMES else "CustomRole",
                "assignableScopes": ["/"],
                "permissions": [permission],
            },
        }


BUILT_IN = {
    SECRETS_USER: Role(
        "Key Vault Secrets User",
        data_actions=(
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
        ),
    ),
    READER: Role("Reader", actions=("*/read",)),
}


_BUILT_IN_NAMES = frozenset(role.name for role in BUILT_IN.values())


@dataclass(frozen=True)
class _Assignment:
    scope: str
    role: str
    principal: str

    def wire(self) -> dict[str, Any]:
        subscription = "/".join(self.scope.split("/")[:3])
        name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.scope}|{self.role}|{self.principal}"))
        return {
            "id": f"{self.scope}/providers/{_AUTHORIZATION}/roleAssignments/{name}",
            "type": f"{_AUTHORIZATION}/roleAssignments",
            "name": name,
            "properties": {
                "roleDefinitionId": (
                    f"{subscription}/providers/{_AUTHORIZATION}/roleDefinitions/{self.role}"
                ),
                "principalId": self.principal,
                "principalType": "ServicePrincipal",
                "scope": self.scope,
            },
        }


class Roles:
    """Assignments and definitions; `assign` grants, `revoke` takes all from a principal."""

    path = re.compile(
        r"(?P<scope>.*)/providers/Microsoft\.Authorization"
        r"/(?:(?P<assignments>roleAssignments)|roleDefinitions/(?P<role>[^/]+))",
        re.IGNORECASE,
    )
    versions = ("2022-04-01",)

    def __init__(self) -> None:
        self._assignments: list[_Assignment] = []
        self._roles = dict(BUILT_IN)

    def define(self, role_id: str, role: Role) -> None:
        """Have a custom role of this GUID."""
        self._roles[role_id.lower()] = role

    def assign(self, principal: str, role: str, scope: str) -> None:
        """Give a role (its GUID) at a scope."""
        self._assignments.append(_Assignment(scope, role, principal))

    def revoke(self, principal: str) -> None:
        """Take everything from a principal."""
        self._assignments = [a for a in self._assignments if a.principal != principal]

    def answer(self, asked: re.Match[str]) -> Answer:
        """A role, or the assignments that the filter asks for: at, above and below the scope."""
        if asked["role"] and asked["scope"].count("/") <= _SUBSCRIPTION:
            return error(403, "AuthorizationFailed", "An operator has no role on the subscription.")
        if asked["role"]:
            role = self._roles.get(asked["role"].lower())
            if role is None:
                return error(404, "RoleDefinitionDoesNotExist", "The role does not exist.")
            return jsonify(role.wire(request.path))
        wanted = _ASSIGNED_TO.fullmatch(request.args.get("$filter", ""))
        if wanted is None:
            return error(501, "NotImplemented", "This filter is not served locally.")
        found = [
            a.wire()
            for a in self._assignments
            if a.principal == wanted["principal"] and _related(a.scope, asked["scope"])
        ]
        return jsonify({"value": found})


def _related(one: str, other: str) -> bool:
    """Whether one scope is the other, above or below it."""
    first, second = f"{one.lower()}/", f"{other.lower()}/"
    return first.startswith(second) or second.startswith(first)
