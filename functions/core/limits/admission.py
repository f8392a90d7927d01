"""What all processes share before a start: who is left alone.

The places in a route's limit are `limits`, in `places_taken`: nothing here takes one.

A refused secret and a request to slow down concern the account that asked: an organization's
credentials are often several teams', and what one of them did must not hold the others back.

Nothing here lives in memory alone, since each function scales on its own instances; what is read
is believed for 10 seconds.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.limits.places_taken import Limits
from functions.core.ports import shared
from functions.core.terms.reasons import Reason
from functions.core.texts.bounds import bounded
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.ports.ledger import Shared
    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Start
    from functions.core.terms.policy import Policy

ACCOUNT = "account/"
BELIEVED_FOR = 10.0
LONGEST_SLOWDOWN = 3600.0


class Block(NamedTuple):
    """Nothing is sent to an organization with one of its credentials."""

    reason: Reason
    detail: str
    until: datetime


class Admission:
    """The shared rows that may hold a start back."""

    def __init__(self, ports: Ports, policy: Policy) -> None:
        self._ledger, self._clock = ports.ledger, ports.clock
        self._policy = policy
        self.limits = Limits(ports.ledger, ports.clock)
        self._read: dict[str, tuple[float, Shared]] = {}

    @staticmethod
    def account(organization: str, secret: str) -> str:
        """The shared row of a credential in an organization."""
        return f"{ACCOUNT}{organization.lower()}/{secret.lower()}"

    def account_of(self, start: Start) -> str:
        """The shared row of the credential that a route starts its pipeline with."""
        return self.account(start.organization, start.secret or self._policy.secret)

    @staticmethod
    def is_account(name: str) -> bool:
        """Whether it names such a row."""
        return name.startswith(ACCOUNT)

    def blocked(self, name: str) -> Block | None:
        """Why and until when an account is left alone; None if it is not."""
        return self._block(self._believed(name).value)

    def block(self, name: str, secret: str, version: str, detail: str) -> Block:
        """Send nothing by this account until the pause is over or its secret has changed."""
        until = self._clock.now() + self._policy.credential_pause
        block = Block(Reason.CREDENTIAL_REFUSED, bounded(detail), until)
        self._change(name, lambda _: {**_row(block), "secret": secret, "version": version})
        return block

    def slow_down(self, name: str, seconds: float) -> None:
        """Send nothing for as long as the service asks, which it also does with a success.

        A block that another wrote meanwhile stays where it lasts longer, or tells of a secret that
        was refused.
        https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits
        """
        until = self._clock.now() + timedelta(seconds=min(seconds, LONGEST_SLOWDOWN))
        block = Block(Reason.THROTTLED, "Azure DevOps asked to slow down", until)
        if seconds >= 1 and not _suffices(self.blocked(name), until):
            self._change(
                name, lambda there: there if _suffices(self._block(there), until) else _row(block)
            )

    def refused(self, name: str) -> tuple[str, str]:
        """Name and version of the secret that was refused; empty if none was."""
        value = self._ledger.shared(name).value
        return str(value.get("secret", "")), str(value.get("version", ""))

    def unblock(self, name: str) -> None:
        """Let the account be used again."""
        self._change(name, lambda _: {})

    def _believed(self, name: str) -> Shared:
        now = self._clock.monotonic()
        read_at, row = self._read.get(name, (-BELIEVED_FOR, None))
        if row is None or now - read_at >= BELIEVED_FOR:
            row = self._ledger.shared(name)
            self._read[name] = (now, row)
        return row

    def _block(self, value: Mapping[str, Any]) -> Block | None:
        until = parse_time(value.get("blocked_until"))
        if until is None or until <= self._clock.now():
            return None
        reason = (
            Reason.THROTTLED if value.get("reason") == "throttled" else Reason.CREDENTIAL_REFUSED
        )
        return Block(reason, str(value.get("detail", "")), until)

    def _change(self, name: str, to: shared.Change) -> None:
        row = shared.change(self._ledger, name, to)
        self._read[name] = (self._clock.monotonic(), row)


def _suffices(block: Block | None, until: datetime) -> bool:
    """Whether nothing is sent until then, or a second less, as it is."""
    if block is None or block.reason is not Reason.THROTTLED:
        return block is not None
    return block.until + timedelta(seconds=1) >= until


def _row(block: Block) -> dict[str, object]:
    return {
        "blocked_until": block.until.isoformat(),
        "reason": str(block.reason),
        "detail": block.detail,
    }
