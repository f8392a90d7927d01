"""A channel: whom a route file wants told, and of what."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from functions.core.terms.words import Happening

BY_ITSELF: Final = frozenset(Happening) - {Happening.GATE, Happening.ENDED}
"""What a channel is told of that does not say: a gate's no is what gates are for, and
of an end, however it was, only a step of `then` tells."""


class Channel(Struct, frozen=True, kw_only=True):
    """Whom to tell: a `kind` of address, the `secret` of the vault that holds it, and of what.

    `signing` is the secret with the key by which a webhook knows who sends.
    """

    kind: str
    secret: str
    about: frozenset[Happening] = BY_ITSELF
    signing: str | None = None

    @property
    def name(self) -> str:
        """What the ledger and the log call it."""
        return f"{self.kind}/{self.secret}"
