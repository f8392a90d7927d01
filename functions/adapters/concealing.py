"""What must not be told is taken out of an answer, should a service echo what it was sent."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from requests.structures import CaseInsensitiveDict

if TYPE_CHECKING:
    from collections.abc import Iterable


def secrets_in(authorization: str) -> list[str]:
    """The credential that a header holds, in each form that may come back."""
    token = authorization.partition(" ")[2]
    if not authorization.startswith("Basic "):
        return [token]
    return [token, base64.b64decode(token).decode(errors="replace").partition(":")[2]]


def concealed(
    headers: CaseInsensitiveDict[str], body: bytes, secrets: Iterable[str]
) -> tuple[CaseInsensitiveDict[str], bytes]:
    """Headers and body without these texts."""
    for secret in filter(None, secrets):
        body = body.replace(secret.encode(), b"***")
        if any(secret in value for value in headers.values()):
            hidden = {name: value.replace(secret, "***") for name, value in headers.items()}
            headers = CaseInsensitiveDict(hidden)
    return headers, body
