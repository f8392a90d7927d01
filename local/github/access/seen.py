"""Which credentials ever arrived, so that a test can tell that one never did.

None is kept: of each only its SHA-256. What was refused is told by what it looks like.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import threading
from dataclasses import dataclass
from typing import Literal

Looks = Literal["github", "azure-devops", "entra", "other"]

_GITHUB = re.compile(r"(gh[pousr]_|github_pat_)\w+")
_AZURE_DEVOPS = re.compile(r"[a-z2-7]{52}|\w{76}AZDO\w{4}")
_MICROSOFT = ("https://sts.windows.net/", "https://login.microsoftonline.com/")


@dataclass(frozen=True)
class Refused:
    """A credential that was not let in."""

    digest: str
    looks: Looks


class Seen:
    """Every credential that came in an Authorization header, by its digest. Safe for threads."""

    def __init__(self) -> None:
        self._times: dict[str, int] = {}
        self.refused: list[Refused] = []
        self._lock = threading.Lock()

    def note(self, authorization: str) -> None:
        """Remember what a request brought, all of it and each of its parts."""
        with self._lock:
            for part in {authorization, *parts(authorization)} - {""}:
                self._times[_digest(part)] = self._times.get(_digest(part), 0) + 1

    def refuse(self, authorization: str) -> None:
        """Remember that it was not let in."""
        with self._lock:
            self.refused.append(Refused(_digest(authorization), looks(authorization)))

    def times(self, secret: str) -> int:
        """How many requests brought this secret, in any scheme, let in or not."""
        with self._lock:
            return self._times.get(_digest(secret), 0)

    def of_azure(self) -> list[Refused]:
        """What came and belongs to Azure DevOps or to Entra: there should be none."""
        with self._lock:
            return [one for one in self.refused if one.looks in {"azure-devops", "entra"}]


def parts(authorization: str) -> list[str]:
    """The secrets in an Authorization header: a token, or what user and password say."""
    scheme, _, value = authorization.partition(" ")
    value = value.strip()
    if scheme.lower() != "basic":
        return [value]
    user, _, password = _decoded(value).partition(":")
    return [value, password, user]


def looks(authorization: str) -> Looks:
    """What a credential looks like. Azure DevOps' token comes as a password without a user."""
    scheme, _, value = authorization.partition(" ")
    secrets = [secret for secret in parts(authorization) if secret]
    if any(_GITHUB.fullmatch(secret) for secret in secrets):
        return "github"
    if any(_AZURE_DEVOPS.fullmatch(secret) for secret in secrets):
        return "azure-devops"
    if scheme.lower() == "basic" and _decoded(value).startswith(":"):
        return "azure-devops"
    if any(_issuer(secret).startswith(_MICROSOFT) for secret in secrets):
        return "entra"
    return "other"


def _issuer(token: str) -> str:
    """Who says to have issued a JWT; empty where it is none."""
    claims = token.split(".")[1] if token.count(".") == 2 else ""  # noqa: PLR2004 - a JWT's dots
    try:
        told = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    except ValueError:
        return ""
    return str(told.get("iss", "")) if isinstance(told, dict) else ""


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
