"""Who may go on since their secret was renewed, or since their account may be used again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.ports import shared
from functions.core.ports.services import Level
from functions.core.terms.errors import Retryable, in_words
from functions.core.terms.pipelines import Sender
from functions.core.terms.reasons import Reason
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from functions.core.limits.admission import Admission
    from functions.core.ports.ledger import Ledger
    from functions.core.ports.services import Ports
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.runs import Key


class Renewals:
    """Asks for the secrets that were refused."""

    def __init__(self, ports: Ports, admission: Admission) -> None:
        self._ledger, self._log, self._credentials = ports.ledger, ports.journal, ports.credentials
        self._admission = admission

    def released(
        self, accounts: Iterable[str], most: int, each: Callable[[], Deadline]
    ) -> dict[Key, str]:
        """Those who waited for one of these accounts and need not any more, and for which."""
        return {key: name for name in accounts for key in self._released(name, most, each)}

    def _released(self, name: str, most: int, each: Callable[[], Deadline]) -> Sequence[Key]:
        """What waited for this account, if it may be used again."""
        try:
            if not self._ledger.is_awaited(name):
                return []
            if self._admission.blocked(name) and not self._has_changed(name, each):
                return []
            return self._ledger.waiting_on(name, most)
        except Exception as error:  # noqa: BLE001 - one account must not cost a round
            self._log.write(Level.ERROR, {"account": name, "detail": in_words(error)})
            return []

    def _has_changed(self, name: str, each: Callable[[], Deadline]) -> bool:
        """Whether the refused secret has a new version; if so its account is unblocked."""
        secret, refused = self._admission.refused(name)
        if not secret:
            return False
        try:
            sender = Sender(self._admission.named(name)[0], secret)
            version = self._credentials.read(sender, each(), fresh=True).version
        except Retryable:
            return False
        if version == refused:
            return False
        self._admission.unblock(name)
        self._log.write(Level.INFO, {"unblocked": name, "secret": secret})
        return True


def lift(ledger: Ledger, name: str, now: datetime) -> None:
    """Let an account be tried once more whose credential was refused, as an operator wants it.

    Since when it is refused stays, should it be refused again. One that is to slow down is left
    alone all the same. What other processes believe of it lasts for seconds.
    """

    def lifted(there: Mapping[str, Any]) -> Mapping[str, Any]:
        until = parse_time(there.get("blocked_until"))
        if until is None or until <= now or there.get("reason") == Reason.THROTTLED:
            return there
        return {**there, "blocked_until": now.isoformat()}

    shared.change(ledger, name, lifted)
