"""Secrets that must lie in the ledger, sealed with a key from Key Vault.

The key is any text of 16 characters or more; a new version of it makes what was sealed before
unreadable. https://cryptography.io/en/latest/fernet/
"""

from __future__ import annotations

import base64
import hashlib
import time
from typing import TYPE_CHECKING

from functions.core.errors import Permanent, Retryable
from functions.core.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.fernet import Fernet

    from functions.core.deadline import Deadline

SHORTEST = 16
CACHED_FOR = 300.0


class VaultSeal:
    """The port `Seal`; `key` reads the key's text, and raises Retryable."""

    def __init__(self, key: Callable[[Deadline], str]) -> None:
        self._key = key
        self._kept: tuple[str, float] | None = None

    def sealed(self, text: str, deadline: Deadline) -> str:
        """The text, encrypted and authenticated."""
        return self._fernet(deadline).encrypt(text.encode()).decode()

    def opened(self, text: str, deadline: Deadline) -> str:
        """The text; raises Permanent for what this key did not seal."""
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 - where waits are on

        try:
            return self._fernet(deadline).decrypt(text.encode()).decode()
        except InvalidToken:
            what = "the token was sealed with another key"
            raise Permanent(Reason.SECRET_UNREADABLE, what) from None

    def _fernet(self, deadline: Deadline) -> Fernet:
        from cryptography.fernet import Fernet  # noqa: PLC0415 - the same

        if self._kept is None or time.monotonic() - self._kept[1] > CACHED_FOR:
            self._kept = (self._key(deadline), time.monotonic())
        key = self._kept[0]
        if len(key) < SHORTEST:
            what = f"the key of the waits has fewer than {SHORTEST} characters"
            raise Retryable(Reason.SECRET_UNREADABLE, what)
        return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))
