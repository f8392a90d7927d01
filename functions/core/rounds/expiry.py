"""How long each secret is still valid, told once a day; one that ends soon is read each time.

It tells the log, and people who want to know. That a refused secret was renewed is seen by the
reconciler, a round at a time.

Personal access tokens end, a year after they were made at the latest.
https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from functions.core.ports import shared
from functions.core.ports.services import Level
from functions.core.rounds.notices.noticing import SOON, Noticing
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import LedgerUnavailable, Retryable, in_words
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Routes
    from functions.core.terms.pipelines import Sender
    from functions.core.terms.policy import Policy

HORIZON = "horizon"  # the shared row: the day it was told, and each secret's end
NEAR = timedelta(days=30)
EACH_SECONDS = 10.0

Line = dict[str, object]


class Expiry:
    """Reads the secrets that the routes use, and says when they end."""

    def __init__(self, ports: Ports, policy: Policy) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._credentials = ports.credentials
        self._policy = policy
        self._noticing = Noticing(ports)

    def look(self, routes: Routes) -> None:
        """Tell of every secret, unless that was done today and none has a new end since."""
        today = self._clock.now().date().isoformat()
        try:
            known = self._ledger.shared(HORIZON).value
            told, before = known.get("day") == today, known.get("ends", {})
            if not told or any(self._is_near(ends) for ends in before.values()):
                ends = dict(self._tell(routes, before if told else {}))
                shared.change(self._ledger, HORIZON, lambda _: {"day": today, "ends": ends})
        except LedgerUnavailable as error:
            self._log.write(Level.ERROR, {"horizon": "not kept", "detail": error})

    def _is_near(self, ends: object) -> bool:
        at = parse_time(ends)
        return at is not None and at - self._clock.now() <= SOON

    def _tell(self, routes: Routes, told: Mapping[str, object]) -> Iterable[tuple[str, str]]:
        """The end of each; of those that were told already only another one is told."""
        for sender in senders(routes, self._policy):
            name = sender.secret
            try:
                credential = self._credentials.read(sender, Deadline(self._clock, EACH_SECONDS))
            except Exception as error:  # noqa: BLE001 - one secret must not cost a sweep
                if name in told:
                    yield name, str(told[name])
                    continue
                why = error.detail if isinstance(error, Retryable) else in_words(error)
                line: Line = {"credential": "unreadable", "secret": name, "detail": why}
                self._log.write(Level.ERROR, line)
                continue
            if credential.renews:
                continue
            ends = credential.expires_at.isoformat() if credential.expires_at else ""
            if told.get(name) != ends:
                self._log.write(*said(name, credential.expires_at, self._clock.now()))
            if credential.expires_at:
                self._noticing.ends(name, credential.expires_at, routes)
            yield name, ends


def senders(routes: Routes, policy: Policy) -> list[Sender]:
    """By whom pipelines are started: one for each secret, in the order of the secrets' names."""
    starts = (route.start for route in routes.every if route.start)
    every = {policy.sender(one.organization, one.secret) for one in starts}
    by_secret = {one.secret: one for one in sorted(every, reverse=True)}
    return [by_secret[name] for name in sorted(by_secret)]


def said(name: str, ends: datetime | None, now: datetime) -> tuple[Level, Line]:
    """The line for a secret that ends then."""
    if ends is None:
        why = "the secret has no expiry date: give it that of the token"
        return Level.WARNING, {"credential": "endless", "secret": name, "detail": why}
    left = ends - now
    state, level = "valid", Level.INFO
    if left <= NEAR:
        state, level = "expiring", Level.WARNING
    if left <= timedelta(0):
        state, level = "expired", Level.ERROR
    return level, {"credential": state, "secret": name, "days": left.days, "expires": ends}
