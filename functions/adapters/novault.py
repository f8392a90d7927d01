"""What stands where no vault is configured, so that events are still claimed and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from functions.core.terms.deadline import Deadline


class MissingVault:
    """The port `Credentials` without any."""

    def begin(self, name: str, deadline: Deadline) -> None:
        """Nothing."""

    def read(self, name: str, deadline: Deadline, *, fresh: bool = False) -> NoReturn:
        """Raises Retryable, naming the settings."""
        del deadline, fresh
        why = "KEY_VAULT_URL is not set; set it, or DEVOPS_AUTH=entra"
        raise Retryable(Reason.SECRET_UNREADABLE, bounded(f"secret {name}: {why}"))
