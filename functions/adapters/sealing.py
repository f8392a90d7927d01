"""Secrets that must lie in the ledger, sealed with a key from Key Vault.

The key is any text of 16 characters or more. What is sealed names the version of its key, so that
it can be opened after a newer one was made, as long as the old one is enabled.
https://cryptography.io/en/latest/fernet/
"""

from __future__ import annotations

import base64
import hashlib
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from functions.core.terms.errors import NoSecret, Permanent, Retryable
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

    from functions.core.terms.deadline import Deadline

SHORTEST = 16
CACHED_FOR = 300.0


class Key(NamedTuple):
    """One version of the key."""

    text: str
    version: str


class Keys(Protocol):
    """Reads the key."""

    def __call__(self, version: str, deadline: Deadline) -> Key:
        """Its text in this version, in the newest where that is empty.

        Raises Retryable, NoSecret where there is none.
        """


class VaultSeal:
    """The port `Seal`."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._newest: tuple[Key, float] | None = None
        self._known: dict[str, Key] = {}

    def sealed(self, text: str, deadline: Deadline) -> str:
        """The text, encrypted and authenticated, after the version of its key."""
        if self._newest is None or time.monotonic() - self._newest[1] > CACHED_FOR:
            self._newest = (self._keys("", deadline), time.monotonic())
        key = self._newest[0]
        self._known[key.version] = key
        return f"{key.version}:{_fernet(key).encrypt(text.encode()).decode()}"

    def opened(self, text: str, deadline: Deadline) -> str:
        """The text; raises Permanent for what this key did not seal, or a key that is gone."""
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 - where waits are on

        version, _, sealed = text.rpartition(":")
        key = self._key(version, deadline)
        try:
            return _fernet(key).decrypt(sealed.encode()).decode()
        except InvalidToken:
            what = "the token was sealed with another key"
            raise Permanent(Reason.SECRET_UNREADABLE, what) from None

    def _key(self, version: str, deadline: Deadline) -> Key:
        """The key in this version; raises Permanent where only the others are left.

        Where the whole secret is gone it may be recovered: a vault gives up a name only once what
        was deleted is purged, and with it every version of it.
        https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview
        """
        if version not in self._known:
            try:
                self._known[version] = self._keys(version, deadline)
            except NoSecret:
                self._keys("", deadline)
                what = "the version of the key that sealed the token is gone from the vault"
                raise Permanent(Reason.SECRET_UNREADABLE, what) from None
        return self._known[version]


def _fernet(key: Key) -> Fernet:
    from cryptography.fernet import Fernet  # noqa: PLC0415 - the same

    if len(key.text) < SHORTEST:
        what = f"the key of the waits has fewer than {SHORTEST} characters"
        raise Retryable(Reason.SECRET_UNREADABLE, what)
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.text.encode()).digest()))
