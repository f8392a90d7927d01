"""Function apps as Resource Manager shows them: the app, its settings, its host's keys.

https://learn.microsoft.com/rest/api/appservice/web-apps/get
https://learn.microsoft.com/rest/api/appservice/web-apps/list-application-settings
https://learn.microsoft.com/rest/api/appservice/web-apps/get-auth-settings-v2-without-secrets
https://learn.microsoft.com/rest/api/appservice/web-apps/list-host-keys
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import jsonify, request

from local.arm.errors import error, not_found
from local.identity import TENANT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.arm.errors import Answer

KIND = "Microsoft.Web/sites"
_SITE = re.compile(
    r"(?P<site>/subscriptions/[^/]+/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.Web/sites/(?P<name>[^/]+))"
    r"(?P<below>/config/appsettings/list|/config/authsettingsV2|/host/default/listKeys)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Site:
    """A function app. `host` is its host name, with a port as only a local one has it.

    `principals` maps the client id of each user-assigned identity to its principal id;
    `principal` is that of the system-assigned one. `keys` are the host's system keys,
    `auth` is what App Service authentication is set to.
    """

    id: str
    settings: Mapping[str, str]
    host: str = ""
    principal: str = ""
    principals: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    state: str = "Running"
    auth: Mapping[str, Any] = field(default_factory=lambda: {"platform": {"enabled": False}})

    def wire(self) -> dict[str, Any]:
        """The app as the service writes it: without its settings."""
        name = self.id.rpartition("/")[2]
        return {
            "id": self.id,
            "name": name,
            "type": KIND,
            "kind": "functionapp,linux",
            "location": "West Europe",
            "identity": self._identity(),
            "properties": {
                "name": name,
                "state": self.state,
                "enabled": True,
                "defaultHostName": self.host or f"{name}.azurewebsites.net",
                "httpsOnly": True,
                "siteConfig": {"appSettings": None},
            },
        }

    def config(self, name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        """A part of its configuration as the service writes it."""
        shown = {"id": f"{self.id}/config/{name}", "name": name, "type": f"{KIND}/config"}
        return {**shown, "location": "West Europe", "properties": dict(properties)}

    def _identity(self) -> dict[str, Any] | None:
        if not (self.principal or self.principals):
            return None
        system = {"principalId": self.principal, "tenantId": TENANT} if self.principal else {}
        group = self.id.partition("/providers/")[0]
        below = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app"
        assigned = {
            f"{below}-{number}": {"clientId": client, "principalId": principal}
            for number, (client, principal) in enumerate(self.principals.items())
        }
        user = {"userAssignedIdentities": assigned} if assigned else {}
        kinds = ["SystemAssigned"] * bool(system) + ["UserAssigned"] * bool(user)
        return {"type": ", ".join(kinds), **system, **user}


class Sites:
    """The function apps; ids match in any case."""

    path = _SITE
    versions = ("2025-03-01", "2024-11-01", "2024-04-01", "2023-12-01", "2022-03-01")

    def __init__(self) -> None:
        self._sites: dict[str, Site] = {}

    def add(self, site: Site) -> None:
        """Have an app, or replace the one of that id."""
        self._sites[site.id.lower()] = site

    def ids(self) -> list[str]:
        """The apps' ids."""
        return [site.id for site in self]

    def __iter__(self) -> Iterator[Site]:
        return iter(self._sites.values())

    def answer(self, asked: re.Match[str]) -> Answer:
        """An app, its authentication, or what a POST lists of it."""
        site = self._sites.get(asked["site"].lower())
        if site is None:
            return not_found(KIND, asked["name"], asked["group"])
        below = (asked["below"] or "").lower()
        is_read = not below or below.endswith("/authsettingsv2")
        if request.method != ("GET" if is_read else "POST"):
            return error(405, "MethodNotAllowed", "The HTTP method is not allowed.")
        if below.endswith("/listkeys"):
            return jsonify(
                {"masterKey": "local-master-key", "functionKeys": {}, "systemKeys": dict(site.keys)}
            )
        if below.endswith("/authsettingsv2"):
            return jsonify(site.config("authsettingsV2", site.auth))
        if below:
            return jsonify(site.config("appsettings", site.settings))
        return jsonify(site.wire())
