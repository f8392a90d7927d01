"""What all processes share before a start: who is left alone.

The places in limits and groups are taken in `windows` and `groups`, which few starts load.

A refused secret and a request to slow down concern the account that asked: an organization's
credentials are often several teams', and what one of them did must not hold the others back.

Nothing here lives in memory alone, since each function scales on its own instances; what is read
is believed for 10 seconds.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.terms.pipelines import service
from functions.core.terms.policy import CLOCKS_DIFFER
from functions.core.terms.reasons import Reason
from functions.core.texts.bounds import bounded
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.limits.places_taken import Full
    from functions.core.ports.ledger import Entry, Shared
    from functions.core.ports.services import Ports
    from functions.core.ports.shared import Change
    from functions.core.routes.definition import Route, Routes, Start
    from functions.core.terms.policy import Policy

ACCOUNT = "account/"
BELIEVED_FOR = 10.0
LONGEST_SLOWDOWN = 3600.0


class Block(NamedTuple):
    """Nothing is sent to an organization with one of its credentials.

    `since`: when a secret was first refused, and was whenever it was tried since.
    """

    reason: Reason
    detail: str
    until: datetime
    since: datetime | None = None

    def lasts(self, now: datetime, pause: timedelta) -> bool:
        """Whether it goes on; of one that would for too long only a wrong clock can have told."""
        slow = timedelta(seconds=LONGEST_SLOWDOWN)
        longest = slow if self.reason is Reason.THROTTLED else pause
        return now < self.until <= now + longest + CLOCKS_DIFFER


class Admission:
    """The shared rows that may hold a start back."""

    def __init__(self, ports: Ports, policy: Policy) -> None:
        self._ledger, self._clock = ports.ledger, ports.clock
        self._policy = policy
        self._read: dict[str, tuple[float, Shared]] = {}

    @staticmethod
    def account(organization: str, secret: str) -> str:
        """The shared row of a credential in an organization."""
        return f"{ACCOUNT}{organization.lower()}/{secret.lower()}"

    @staticmethod
    def named(name: str) -> tuple[str, str]:
        """The organization and the secret of such a row; empty for any other."""
        organization, _, secret = name.removeprefix(ACCOUNT).partition("/")
        return (organization, secret) if name.startswith(ACCOUNT) else ("", "")

    @staticmethod
    def is_account(name: str) -> bool:
        """Whether it names such a row."""
        return name.startswith(ACCOUNT)

    def place(self, entry: Entry, route: Route, group: str) -> Entry | Full:
        """Take what a start needs of its group and limit; no request where it has neither."""
        if group:
            from functions.core.limits.taking import Taking  # noqa: PLC0415 - few routes have one

            return Taking(self._ledger, self._clock).place(entry, route, group)
        if route.limit is None:
            return entry
        from functions.core.limits.windows import Limits  # noqa: PLC0415 - the same

        return Limits(self._ledger, self._clock).take(entry, route)

    def blocked(self, name: str) -> Block | None:
        """Why and until when an account is left alone; None if it is not."""
        return self._block(name, self._believed(name).value)

    def block(self, name: str, secret: str, version: str, detail: str) -> Block:
        """Send nothing by this account until the pause is over or its secret has changed.

        What the service asked for outlasts both.
        """
        now, pause = self._clock.now(), self._policy.credential_pause
        block = Block(Reason.CREDENTIAL_REFUSED, bounded(detail), now + pause)
        refused = {**_row(block), "secret": secret, "version": version}

        def again(there: Mapping[str, Any]) -> dict[str, object]:
            last = block_of(there)
            goes_on = last and last.until >= now - pause and there.get("version") == version
            since = (last.since if last and goes_on else None) or now
            return {**refused, "since": since.isoformat()} | _slow(self._slow_until(there))

        self._change(name, again)
        return block

    def slow_down(self, name: str, seconds: float) -> None:
        """Send nothing for as long as the service asks, which it also does with a success.

        A block that another wrote meanwhile stays where it lasts longer; that of a secret that was
        refused is told before this one, and does not shorten it.
        https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits
        """
        until = self._clock.now() + timedelta(seconds=min(seconds, LONGEST_SLOWDOWN))

        def slowed(there: Mapping[str, Any]) -> Mapping[str, Any]:
            known = self._slow_until(there)
            if known and known + timedelta(seconds=1) >= until:
                return there
            block = self._block(name, there)
            refused = block is not None and block.reason is not Reason.THROTTLED
            return {**there, **_slow(until)} if refused else _row(_throttled(name, until))

        if seconds >= 1 and slowed(believed := self._believed(name).value) is not believed:
            self._change(name, slowed)

    def refused(self, name: str) -> tuple[str, str]:
        """Name and version of the secret that was refused; empty if none was."""
        value = self._ledger.shared(name).value
        return str(value.get("secret", "")), str(value.get("version", ""))

    def unblock(self, name: str) -> None:
        """Let the account be used again, as soon as the service that asked to slow down does."""

        def freed(there: Mapping[str, Any]) -> Mapping[str, Any]:
            until = self._slow_until(there)
            return _row(_throttled(name, until)) if until else {}

        self._change(name, freed)

    def _believed(self, name: str) -> Shared:
        now = self._clock.monotonic()
        read_at, row = self._read.get(name, (-BELIEVED_FOR, None))
        if row is None or now - read_at >= BELIEVED_FOR:
            row = self._ledger.shared(name)
            self._read[name] = (now, row)
        return row

    def _block(self, name: str, value: Mapping[str, Any]) -> Block | None:
        slow, block = self._slow_until(value), block_of(value)
        if block and block.reason is not Reason.THROTTLED and self._lasts(block):
            return block
        return _throttled(name, slow) if slow else None

    def _lasts(self, block: Block) -> bool:
        return block.lasts(self._clock.now(), self._policy.credential_pause)

    def _slow_until(self, value: Mapping[str, Any]) -> datetime | None:
        """Until when the service asked to be left alone; None: not any more."""
        throttled = value.get("reason") == Reason.THROTTLED
        until = parse_time(value.get("blocked_until" if throttled else "slow_until"))
        return until if until and self._lasts(Block(Reason.THROTTLED, "", until)) else None

    def _change(self, name: str, to: Change) -> None:
        from functions.core.ports import shared  # noqa: PLC0415 - few events change one

        row = shared.change(self._ledger, name, to)
        self._read[name] = (self._clock.monotonic(), row)


def accounts_of(routes: Routes, policy: Policy) -> list[str]:
    """The shared rows of all credentials that these routes start pipelines with."""
    return sorted({account_of(route.start, policy) for route in routes.every if route.start})


def account_of(start: Start, policy: Policy) -> str:
    """The shared row of the credential that a route starts its pipeline with."""
    return Admission.account(*policy.sender(start.organization, start.secret))


def _throttled(name: str, until: datetime) -> Block:
    return Block(Reason.THROTTLED, f"{service(Admission.named(name)[0])} asked to slow down", until)


def _slow(until: datetime | None) -> dict[str, object]:
    """What a row has besides, while it tells of a refused secret."""
    return {"slow_until": until.isoformat()} if until else {}


def block_of(value: Mapping[str, Any]) -> Block | None:
    """What an account's row says, though it may be over; None: it was never left alone."""
    until = parse_time(value.get("blocked_until"))
    if until is None:
        return None
    throttled = value.get("reason") == Reason.THROTTLED
    reason = Reason.THROTTLED if throttled else Reason.CREDENTIAL_REFUSED
    return Block(reason, str(value.get("detail", "")), until, parse_time(value.get("since")))


def _row(block: Block) -> dict[str, object]:
    return {
        "blocked_until": block.until.isoformat(),
        "reason": str(block.reason),
        "detail": block.detail,
    }
