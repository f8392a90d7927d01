"""The managed identity endpoint of App Service and Functions, and who believes its tokens.

https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import request

from local.serving.running import Running

if TYPE_CHECKING:
    from local.serving.listener import Listener

MANAGEMENT = "https://management.azure.com"
SYSTEM_ASSIGNED = "00000000-0000-4000-8000-000000000001"
TENANT = "00000000-0000-4000-8000-00000000000f"
API_VERSION = "2019-08-01"

Accepts = Callable[[str, str], bool]
"""(token, resource) → whether the token is genuine, unexpired and meant for that resource."""

Answer = tuple[dict[str, Any], int]


class Identity(Running):
    """Issues tokens to whoever knows the secret header, as the platform does.

    `client_ids` are the user-assigned identities; without `system_assigned` a request that
    names none of them is refused. `lifetime` is in seconds; `clock` gives epoch seconds, and may
    be replaced by that of an app under test.
    Tokens look like JWTs (clients must not look inside) and hold while this process runs.
    """

    def __init__(
        self,
        client_ids: Iterable[str] = (),
        lifetime: int = 86_400,
        port: int | Listener = 0,
        *,
        system_assigned: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(port)
        self.header = secrets.token_hex(16).upper()
        self.lifetime = lifetime
        self._client_ids = {c.lower() for c in client_ids}
        self._system_assigned = system_assigned
        self.clock = clock
        self._key = secrets.token_bytes(32)
        self.app.add_url_rule("/msi/token", view_func=self._token)

    def environment(self) -> dict[str, str]:
        """The variables by which the platform tells an app of its identity."""
        return {"IDENTITY_ENDPOINT": f"{self.url}/msi/token", "IDENTITY_HEADER": self.header}

    def revoke(self) -> None:
        """No token that was issued before is accepted any more."""
        self._key = secrets.token_bytes(32)

    def issue(self, resource: str, client_id: str = SYSTEM_ASSIGNED) -> str:
        """A token for a resource, as the endpoint would give it."""
        return self._issued(resource, client_id, int(self.clock()))

    def _issued(self, resource: str, client_id: str, now: int) -> str:
        claims = {
            "aud": resource,
            "iss": f"https://sts.windows.net/{TENANT}/",
            "iat": now,
            "nbf": now,
            "exp": now + self.lifetime,
            "appid": client_id,
        }
        signed = f"{_encoded({'typ': 'JWT', 'alg': 'HS256'})}.{_encoded(claims)}"
        return f"{signed}.{self._signature(signed)}"

    def accepts(self, token: str, resource: str) -> bool:
        """Whether this identity issued the token, for that resource, and it is still good."""
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return False
        claims = _decoded(signed.partition(".")[2])
        return _same(claims["aud"], resource) and bool(claims["exp"] > self.clock())

    def _signature(self, signed: str) -> str:
        return _base64(hmac.digest(self._key, signed.encode(), hashlib.sha256))

    def _token(self) -> Answer:
        if not hmac.compare_digest(request.headers.get("X-IDENTITY-HEADER", ""), self.header):
            return _refusal(401, "The X-IDENTITY-HEADER is missing or wrong.")
        if request.args.get("api-version") != API_VERSION:
            return _refusal(400, f"The api-version is missing or is not {API_VERSION}.")
        resource = request.args.get("resource")
        if not resource:
            return _refusal(400, "The resource is missing.")
        client_id = self._identity()
        if client_id is None:
            return _refusal(
                400,
                "No User Assigned or Delegated Managed Identity found for specified "
                "ClientId/ResourceId/PrincipalId.",
            )
        return self._granted(resource, client_id), 200

    def _identity(self) -> str | None:
        """Who is asking: only client ids are known here, other selectors match nobody."""
        if {"mi_res_id", "principal_id", "object_id"} & set(request.args):
            return None
        client_id = request.args.get("client_id")
        if client_id is None:
            return SYSTEM_ASSIGNED if self._system_assigned else None
        return client_id if client_id.lower() in self._client_ids else None

    def _granted(self, resource: str, client_id: str) -> dict[str, Any]:
        now = int(self.clock())  # once: a test's clock may be moved on meanwhile
        return {
            "access_token": self._issued(resource, client_id, now),
            "expires_on": str(now + self.lifetime),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": client_id,
        }


def _refusal(status: int, message: str) -> Answer:
    return {"statusCode": status, "message": message}, status


def _same(audience: str, resource: str) -> bool:
    return audience.rstrip("/").lower() == resource.rstrip("/").lower()


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _encoded(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value).encode())


def _decoded(text: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return claims
