"""What stands where no vault is configured, so that events are still claimed and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from functions.core.terms.deadline import Deadline


class MissingVault:
    """Secrets by name, of which there are none. `instead`: what does without them."""

    def __init__(self, instead: str = "") -> None:
        self._instead = f", or {instead}" if instead else ""

    def begin(self, name: str, deadline: Deadline) -> None:
        """Nothing."""

    def read(self, name: str, deadline: Deadline, *, fresh: bool = False) -> NoReturn:
        """Raises Retryable, naming the settings."""
        del deadline, fresh
        why = f"KEY_VAULT_URL is not set; set it{self._instead}"
        raise Retryable(Reason.SECRET_UNREADABLE, bounded(f"secret {name}: {why}"))
