"""Key vaults as Resource Manager shows them, without what is in them.

https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/get
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import jsonify

from local.arm.errors import not_found
from local.identity import TENANT

if TYPE_CHECKING:
    from local.arm.errors import Answer

KIND = "Microsoft.KeyVault/vaults"


@dataclass(frozen=True)
class VaultResource:
    """A vault. With `readers` its access policies let these principals get secrets; else roles."""

    id: str
    uri: str
    readers: tuple[str, ...] | None = None

    def wire(self) -> dict[str, Any]:
        """The vault as the service writes it."""
        policies = [
            {"tenantId": TENANT, "objectId": one, "permissions": {"secrets": ["Get"]}}
            for one in self.readers or ()
        ]
        return {
            "id": self.id,
            "name": self.id.rpartition("/")[2],
            "type": KIND,
            "location": "westeurope",
            "tags": {},
            "properties": {
                "sku": {"family": "A", "name": "standard"},
                "tenantId": TENANT,
                "accessPolicies": policies,
                "enableRbacAuthorization": self.readers is None,
                "enableSoftDelete": True,
                "vaultUri": f"{self.uri}/",
                "provisioningState": "Succeeded",
            },
        }


class Vaults:
    """The vaults; ids match in any case."""

    path = re.compile(
        r"/subscriptions/[^/]+/resourceGroups/(?P<group>[^/]+)"
        r"/providers/Microsoft\.KeyVault/vaults/(?P<name>[^/]+)",
        re.IGNORECASE,
    )
    versions = ("2023-07-01", "2023-02-01", "2022-07-01")

    def __init__(self) -> None:
        self._vaults: dict[str, VaultResource] = {}

    def add(self, vault: VaultResource) -> None:
        """Have a vault, or replace the one of that id."""
        self._vaults[vault.id.lower()] = vault

    def ids(self) -> list[str]:
        """The vaults' ids."""
        return [vault.id for vault in self._vaults.values()]

    def answer(self, asked: re.Match[str]) -> Answer:
        """A vault."""
        vault = self._vaults.get(asked[0].lower())
        if vault is None:
            return not_found(KIND, asked["name"], asked["group"])
        return jsonify(vault.wire())
