"""Key Vault: the personal access tokens, cached for five minutes, their expiry told.

Key Vault returns a secret whose `exp` has passed as if nothing were; the expiry travels with the
credential and is checked by who uses it.
https://learn.microsoft.com/azure/key-vault/secrets/about-secrets
"""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.keyvault.secrets import SecretClient

from functions.adapters.ahead import Ahead
from functions.adapters.entra_tokens import IdentityUnavailable, refusals, waiting
from functions.adapters.http.authorizing import to_devops
from functions.adapters.http.session import sdk_transport
from functions.core.terms.errors import NoSecret, Retryable
from functions.core.terms.pipelines import Credential
from functions.core.terms.reasons import Reason
from functions.core.texts import jsontext
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import TokenCredential
    from azure.keyvault.secrets import SecretProperties

    from functions.core.terms.deadline import Clock, Deadline

CACHED_FOR = 300.0
CALL_SECONDS = 5.0
# what an answer of another shape makes the SDK raise
_ODD = (AzureError, ArithmeticError, AttributeError, KeyError, TypeError, ValueError)


class _Cached(NamedTuple):
    credential: Credential
    read_at: float


class VaultCredentials:
    """Secrets of one vault, as what is `made` of them; each is fetched by one thread at a time."""

    def __init__(
        self,
        client: SecretClient,
        clock: Clock,
        ahead: Ahead | None = None,
        made: Callable[[str], str] = to_devops,
    ) -> None:
        self._client = client
        self._clock = clock
        self._made = made
        self._ahead = ahead or Ahead()
        self._locks: dict[str, threading.Lock] = {}
        self._cache: dict[str, _Cached] = {}
        self._failed: dict[str, tuple[Retryable, float]] = {}

    def read(self, name: str, deadline: Deadline, *, fresh: bool = False) -> Credential:
        """What the secret of that name authorizes with; raises Retryable (secret_unreadable)."""
        if fresh:
            return self._read(name, deadline, fresh=True)
        call = partial(self._read, name, deadline, fresh=False)
        found: Credential = self._ahead.result(deadline, name, call)
        return found

    def begin(self, name: str, deadline: Deadline) -> None:
        """Begin to read it, unless it is cached."""
        if not self._known(name, self._clock.monotonic(), fresh=False):
            self._ahead.begin(deadline, name, partial(self._read, name, deadline, fresh=False))

    def _read(self, name: str, deadline: Deadline, *, fresh: bool) -> Credential:
        asked_at = self._clock.monotonic()
        if known := self._known(name, asked_at, fresh=fresh):
            return known
        lock = self._locks.setdefault(name, threading.Lock())
        if not lock.acquire(timeout=deadline.left):
            raise _unreadable(name, "the vault has not answered others in time")
        try:
            self._raise_again(name, asked_at)
            if known := self._known(name, asked_at, fresh=fresh):
                return known
            cached = self._cache[name] = self._fetched(name, deadline)
            return cached.credential
        finally:
            lock.release()

    def _known(self, name: str, asked_at: float, *, fresh: bool) -> Credential | None:
        """What was read lately; a fresh one was read by another since it was asked for."""
        cached = self._cache.get(name)
        since = asked_at if fresh else asked_at - CACHED_FOR
        return cached.credential if cached and cached.read_at >= since else None

    def _raise_again(self, name: str, asked_at: float) -> None:
        """Who waited for a fetch that failed shares its error, instead of failing in turn."""
        failed = self._failed.get(name)
        if failed is not None and failed[1] >= asked_at:
            raise failed[0].with_traceback(None)

    def _fetched(self, name: str, deadline: Deadline) -> _Cached:
        try:
            return _Cached(self._fetch(name, deadline), self._clock.monotonic())
        except Retryable as error:
            self._failed[name] = (error, self._clock.monotonic())
            raise

    def _fetch(self, name: str, deadline: Deadline) -> Credential:
        value, properties = secret(self._client, name, deadline)
        expires = properties.expires_on
        try:
            authorization = self._made(value)
        except ValueError as error:  # which does not tell the text
            raise _unreadable(name, str(error)) from None
        return Credential(
            authorization=authorization,
            version=properties.version or "",
            expires_at=expires if isinstance(expires, datetime) else None,
        )


def open_vault(url: str, credential: TokenCredential) -> SecretClient:
    """A client with timeouts and retries that fit a delivery; it connects on first use."""
    return SecretClient(
        url,
        credential,
        connection_timeout=3,
        read_timeout=CALL_SECONDS,
        retry_total=0,
        transport=sdk_transport(),
        raw_response_hook=_seen(refusals(credential)),
    )


def _seen(told: Callable[[Any], None]) -> Callable[[Any], None]:
    """A hook that looks at an answer before the SDK does, which reads what is nested very deep.

    And makes a text of whatever stands where a secret's should. It raises NestedError, and
    TypeError for such a secret.
    """

    def look(response: Any) -> None:  # noqa: ANN401 - the SDK's PipelineResponse
        told(response)
        with suppress(UnicodeDecodeError, json.JSONDecodeError):
            found = jsontext.read(response.http_response.content)
            is_secret = isinstance(found, dict) and isinstance(found.get("id"), str)
            if is_secret and not isinstance(found.get("value"), str | None):
                raise TypeError("its value is no text")

    return look


def secret(
    client: SecretClient, name: str, deadline: Deadline, version: str = ""
) -> tuple[str, SecretProperties]:
    """A secret's text, which is not empty, and what is known of it; by default the newest version.

    Raises Retryable (secret_unreadable), NoSecret where it is not there.
    """
    try:
        with waiting(deadline.left):
            found = client.get_secret(
                name,
                version=version or None,
                connection_timeout=min(3.0, deadline.timeout(3.0)),
                read_timeout=deadline.timeout(CALL_SECONDS),
            )
    except IdentityUnavailable as error:
        raise _unreadable(name, error.message) from None
    except (jsontext.NestedError, RecursionError):
        why = f"Key Vault's answer is nested more than {jsontext.DEEPEST} deep"
        raise _unreadable(name, why) from None
    except ResourceNotFoundError:
        what = f"secret {name}: it is not in the vault"
        raise NoSecret(Reason.SECRET_UNREADABLE, bounded(what)) from None
    except ClientAuthenticationError as error:
        raise _unreadable(name, f"the identity is not accepted: {error.message}") from None
    except HttpResponseError as error:
        why = f"Key Vault answered {error.status_code}: {_code(error)}"
        raise _unreadable(name, why) from None
    except _ODD as error:
        raise _unreadable(name, f"{type(error).__name__}: {error}") from None
    _about_or_raise(found.properties, name, version)
    if text := (found.value or "").strip():
        return text, found.properties
    raise _unreadable(name, "its value is empty")


def _about_or_raise(told: SecretProperties, name: str, version: str) -> None:
    """Raises Retryable unless that, in that version, was asked for: others must not be told it."""
    if str(told.name).lower() != name.lower():
        raise _unreadable(name, f"the answer is about {told.name or 'none that it names'}")
    if version and str(told.version).lower() != version.lower():
        raise _unreadable(name, f"the answer is about version {told.version}")


def _unreadable(name: str, why: str) -> Retryable:
    return Retryable(Reason.SECRET_UNREADABLE, bounded(f"secret {name}: {why}"))


def _code(error: HttpResponseError) -> str:
    return bounded(getattr(error.error, "code", None) or error.reason or "", 100)
