"""Key Vault's secrets over TLS, with the challenge that its clients expect.

https://learn.microsoft.com/rest/api/keyvault/secrets/operation-groups
https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses

The client checks that the vault's host ends with "." and the challenged resource's host (both
with their port) before it sends a token. Names below `localhost` do not resolve everywhere, so
the vault is `https://127.0.0.1:PORT` and its resource `https://0.0.1:PORT`: the check holds,
and `verify_challenge_resource` stays at its default, True.
"""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import jsonify, request

from local.identity import TENANT, Accepts
from local.serving.faults import Fault
from local.serving.names import LOOPBACK
from local.serving.running import Running, bearer
from local.vault import refusals

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from datetime import datetime

    from local.serving.listener import Listener
    from local.vault.refusals import Answer

PER_PAGE = 25  # versions, unless the client asks for another number
NAME = re.compile(r"[0-9A-Za-z-]{1,127}")


@dataclass(frozen=True)
class SecretVersion:
    """One version of a secret; times in epoch seconds."""

    name: str
    value: str
    version: str
    created: int
    expires: int | None = None
    enabled: bool = True
    content_type: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


class Vault(Running):
    """A vault that believes whom `accepts` believes, for the resource `resource`."""

    def __init__(
        self,
        accepts: Accepts,
        tls: ssl.SSLContext,
        port: int | Listener = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(port, tls)
        self.resource = f"https://0.0.1:{self.server.port}"
        self._accepts = accepts
        self.clock = clock
        self._secrets: dict[str, list[SecretVersion]] = {}
        self._values_are_hidden = False
        self.app.before_request(self._refused)
        rule = self.app.add_url_rule
        rule("/secrets/<name>", view_func=self._get, strict_slashes=False)
        rule("/secrets/<name>/", "latest", self._get)
        rule("/secrets/<name>/versions", view_func=self._versions)
        rule("/secrets/<name>/<version>", "version", self._get)
        rule("/secrets/<name>", view_func=self._set, methods=["PUT"])

    @property
    def url(self) -> str:
        """The vault's URL, by address: see the module's text."""
        return f"https://{LOOPBACK}:{self.server.port}"

    def put(
        self,
        name: str,
        value: str,
        expires: datetime | int | None = None,
        *,
        enabled: bool = True,
        content_type: str | None = None,
    ) -> str:
        """Set a secret's newest version and return its id (32 hex digits).

        `expires` may be seconds since 1970, of which no datetime can be made too.
        """
        end = expires if isinstance(expires, int | None) else int(expires.timestamp())
        return self._add(name, value, expires=end, enabled=enabled, content_type=content_type)

    def hide_values(self) -> None:
        """Tell of secrets, and give out none: to whoever asks, as to a Key Vault Reader.

        https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/security#key-vault-reader
        """
        self._values_are_hidden = True

    def disable(self, name: str) -> None:
        """Disable a secret's newest version."""
        self._secrets[name.lower()][-1] = replace(self._secrets[name.lower()][-1], enabled=False)

    def delete(self, name: str) -> None:
        """Delete a secret with all its versions."""
        del self._secrets[name.lower()]

    def throttle(self, times: int = 1, retry_after: int = 1) -> None:
        """Answer the next requests for secrets with 429.

        https://learn.microsoft.com/azure/key-vault/general/overview-throttling
        """
        body = '{"error":{"code":"Throttled","message":"Too many requests were received."}}'
        headers = {"Retry-After": str(retry_after), "Content-Type": "application/json"}
        fault = Fault(path="/secrets/*", times=times, status=429, headers=headers, body=body)
        self.server.faults.add(fault)

    def _add(self, name: str, value: str, **more: Any) -> str:
        version = secrets.token_hex(16)
        made = SecretVersion(name, value, version, int(self.clock()), **more)
        self._secrets.setdefault(name.lower(), []).append(made)
        return version

    def _refused(self) -> Answer | None:
        if request.path.startswith("/_local/"):
            return None
        token = bearer()
        if not token:
            return self._challenge("AKV10000: Request is missing a Bearer or PoP token.")
        if not self._accepts(token, self.resource):
            return self._challenge("AKV10022: Invalid audience, or the token is not valid.")
        if not request.args.get("api-version"):
            return refusals.error(400, "BadParameter", "The api-version must be specified.")
        return None

    def _challenge(self, message: str) -> Answer:
        answer, status = refusals.error(401, "Unauthorized", message)
        answer.headers["WWW-Authenticate"] = (
            f'Bearer authorization="https://login.microsoftonline.com/{TENANT}", '
            f'resource="{self.resource}"'
        )
        return answer, status

    def _get(self, name: str, version: str | None = None) -> Answer:
        if self._values_are_hidden:
            return refusals.hidden()
        found = [s for s in self._kept(name) if version in {None, "", s.version}]
        if not found:
            return refusals.not_found(name if version is None else f"{name}/{version}")
        if not found[-1].enabled:
            return refusals.disabled()
        return jsonify(self._bundle(found[-1]))

    def _versions(self, name: str) -> Answer:
        """A page of them, in the order of their ids; the next one by its address."""
        kept = sorted(self._kept(name), key=lambda s: s.version)
        if not kept:
            return refusals.not_found(name)
        first = int(request.args.get("$skiptoken", 0))
        size = int(request.args.get("maxresults", PER_PAGE))
        page = kept[first : first + size]
        items = [{k: v for k, v in self._bundle(s).items() if k != "value"} for s in page]
        rest = urlencode({**request.args, "$skiptoken": first + size})
        link = f"{self.url}{request.path}?{rest}" if first + size < len(kept) else None
        return jsonify({"value": items, "nextLink": link})

    def _set(self, name: str) -> Answer:
        body = request.get_json(silent=True) or {}
        if not NAME.fullmatch(name) or not isinstance(body.get("value"), str):
            return refusals.error(400, "BadParameter", "The name or the value is not valid.")
        attributes = body.get("attributes") or {}
        self._add(
            name,
            body["value"],
            expires=attributes.get("exp"),
            enabled=attributes.get("enabled", True),
            content_type=body.get("contentType"),
            tags=body.get("tags") or {},
        )
        return jsonify(self._bundle(self._kept(name)[-1]))

    def _kept(self, name: str) -> list[SecretVersion]:
        return self._secrets.get(name.lower(), [])

    def _bundle(self, secret: SecretVersion) -> dict[str, Any]:
        attributes: dict[str, Any] = {
            "enabled": secret.enabled,
            "created": secret.created,
            "updated": secret.created,
            "recoveryLevel": "Recoverable+Purgeable",
            "recoverableDays": 90,
        }
        if secret.expires is not None:
            attributes["exp"] = secret.expires
        found = {
            "value": secret.value,
            "id": f"{self.url}/secrets/{secret.name}/{secret.version}",
            "attributes": attributes,
            "tags": secret.tags,
        }
        return found | ({"contentType": secret.content_type} if secret.content_type else {})
