"""Sends what waits for each channel, bounded in number and time, and writes what became of it.

A message is sent once, and once more where nobody knows whether it arrived: never a third time.
docs/adr/0037-people-are-told.md
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.core.kept.notice import Message, Told
from functions.core.ports.services import Level
from functions.core.rounds.notices import channels
from functions.core.rounds.notices.channels import (
    MOST_SENDS,
    MOST_TOGETHER,
    TOLD_WITHIN,
    Hand,
    Standing,
)
from functions.core.rounds.notices.noticing import addressed, is_left
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import InDoubt, LedgerUnavailable, Lost, Permanent, Retryable
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from functions.core.kept.notice import Notice
    from functions.core.ports.services import Ports
    from functions.core.routes.channel import Channel
    from functions.core.routes.definition import Routes
    from functions.core.terms.policy import Policy

MOST_WAITING = 1000  # notices that a round looks at, of each channel if there are more
SECONDS = 20.0  # of a round's
GONE_FOR = timedelta(days=1)  # as of a route that is gone
EACH_SECONDS = 8.0  # for the secrets of a channel, and for what leads to one POST
GONE = "not told: the route file names it no more"
PERHAPS = "perhaps told: no answer came, twice"


class Sending:
    """Brings notices to their channels."""

    def __init__(self, ports: Ports, policy: Policy) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._messenger = ports.messenger
        self._policy = policy
        self._quiet: dict[str, datetime] = {}

    def send(self, routes: Routes | None, most: int, left: float) -> None:
        """Send what waits, so many messages to each channel, within this time.

        One request if nothing waits, and none where the file names no channel.
        """
        deadline = Deadline(self._clock, min(SECONDS, left))
        named = {channel.name: channel for channel in routes.channels} if routes else {}
        if not routes or not named or deadline.has_passed:
            return
        try:
            for name, waiting in self._waiting(routes, tuple(named)).items():
                if not deadline.has_passed and not self._is_quiet(name):
                    self._serve(named[name], waiting, most, deadline)
        except LedgerUnavailable as error:
            self._log.write(Level.ERROR, {"notices": "unavailable", "detail": error})

    def _waiting(self, routes: Routes, names: Sequence[str]) -> dict[str, list[Notice]]:
        """What waits for each channel; what waits for none gets its channels.

        One that this file does not name may be named by a newer one: it is given up a day later.
        """
        book = self._ledger.notices
        found = book.waiting(MOST_WAITING)
        if len(found) == MOST_WAITING:
            gone = [one for one in found if one.channel not in {"", *names}]
            those = (one for name in ("", *names) for one in book.waiting(MOST_WAITING, name))
            found = [*gone, *those]
        by_name: dict[str, list[Notice]] = defaultdict(list)
        for one in found:
            by_name[one.channel].append(one)
        for one in by_name.pop("", [])[:MOST_TOGETHER]:
            if is_left(self._ledger, one, routes, self._clock.now()):
                continue
            for notice in addressed(one, routes.told_of(one.route)):
                book.keep(notice)
            book.drop(one)
        for name in by_name.keys() - {*names}:
            since = self._clock.now() - GONE_FOR
            gone = [one for one in by_name.pop(name) if one.since < since]
            self._settle(gone[:MOST_TOGETHER], GONE)
        return by_name

    def _is_quiet(self, name: str) -> bool:
        """Whether this process knows that nothing is to be sent there just now."""
        return self._quiet.get(name, self._clock.now()) > self._clock.now()

    def _serve(
        self, channel: Channel, waiting: Sequence[Notice], most: int, deadline: Deadline
    ) -> None:
        """Send the messages of one channel, unless somebody else does."""
        row, now = self._ledger.shared(channels.name(channel.name)), self._clock.now()
        known = channels.standing(row.value)
        if known.is_held(now) and known.held_until:
            self._quiet[channel.name] = known.held_until
        if known.is_taken(now) or known.is_held(now):
            return
        again = [one for one in waiting if one.id in known.sending]
        others = channels.grouped(one for one in waiting if one.id not in known.sending)
        if not again:
            known = known.refused()
        hand = Hand(self._ledger.share, row, known)
        try:
            for group in [again, *others][: most + 1]:
                if group and not self._goes_on(channel, group, hand, deadline):
                    break
            hand.write(hand.known.let_go())
        except Lost:
            return  # somebody thought that this process had died

    def _goes_on(
        self, channel: Channel, group: Sequence[Notice], hand: Hand, deadline: Deadline
    ) -> bool:
        """Send one message; whether the next one may follow. Raises Lost."""
        fresh = self._fresh(group, hand.known)
        if deadline.has_passed:
            return False
        if not fresh:
            hand.known = hand.known.refused()
            return True
        sends = hand.known.sends + 1
        if sends > MOST_SENDS:
            self._settle(fresh, PERHAPS)
            hand.known = hand.known.refused()
            return True
        own = hand.known.message or channels.message_id(fresh)
        message = Message(id=own, at=self._clock.now(), about=fresh[0].about, notices=tuple(fresh))
        try:
            self._post(channel, message, sends, hand)
        except Permanent as error:
            self._settle(fresh, f"not told: {error.detail}", message)
            hand.known = hand.known.refused()
            return True
        except (Retryable, InDoubt) as error:
            return self._put_off(fresh, error, sends, hand, message)
        self._settle(fresh, "", message)
        hand.known = hand.known.took(self._clock.now())
        return True

    def _post(self, channel: Channel, message: Message, sends: int, hand: Hand) -> None:
        """Write that it leaves, then let it; whoever stood still in between sends nothing."""
        deadline = Deadline(self._clock, EACH_SECONDS)
        self._messenger.ready(channel, deadline)
        until = self._clock.now() + self._policy.lease
        ids = (one.id for one in message.notices)
        hand.write(hand.known.begins(message.id, ids, sends, until))
        began, half = self._clock.monotonic(), self._policy.lease / 2
        self._messenger.send(
            channel,
            message,
            deadline,
            lambda: (
                self._clock.now() < until - half
                and self._clock.monotonic() - began < half.total_seconds()
            ),
        )

    def _fresh(self, group: Sequence[Notice], known: Standing) -> list[Notice]:
        """Those of which it is not known what became of them; what is too old is given up."""
        book, since = self._ledger.notices, self._clock.now() - TOLD_WITHIN
        done = {one.id for one in group if book.is_told(one)}
        for one in (one for one in group if one.id in done):
            book.drop(one)
        left = [one for one in group if one.id not in done]
        why = f"not told within three days: {known.why or 'nobody came to it'}"
        self._settle([one for one in left if one.since < since], why)
        return [one for one in left if one.since >= since]

    def _put_off(
        self,
        fresh: Sequence[Notice],
        error: Retryable | InDoubt,
        sends: int,
        hand: Hand,
        message: Message,
    ) -> bool:
        """Nothing more goes to this channel for a while; what may have arrived twice is told."""
        known, now = hand.known, self._clock.now()
        left = sends if isinstance(error, InDoubt) else sends - 1
        if left == MOST_SENDS:
            self._settle(fresh, PERHAPS, message)
            left = 0
        pause = channels.pause(self._policy, known.failed, error.retry_after)
        hand.known = known.pauses(now, pause, bounded(error.detail), sends=left)
        self._quiet[fresh[0].channel] = now + pause
        line = {"notice": "not sent", "to": fresh[0].channel, "about": message.about}
        told = {"waiting": len(fresh), "until": now + pause, "detail": error.detail}
        self._log.write(Level.WARNING, line | told)
        return False

    def _settle(self, those: Sequence[Notice], why: str, message: Message | None = None) -> None:
        """Write what became of each, and say it once."""
        if not those:
            return
        now = self._clock.now()
        until = (now + self._policy.kept_for).isoformat()
        for one in those:
            told = Told(channel=one.channel, about=one.about, at=now, why=why)
            self._ledger.notices.settle(one, told, until)
        first = those[0]
        line = {"notice": "given up" if why else "sent", "to": first.channel, "about": first.about}
        named = {"route": first.route or None, "reason": first.reason or None, "count": len(those)}
        line |= {name: str(value) for name, value in named.items() if value}
        line |= {"message": message.id} if message else {}
        line |= {"detail": why} if why else {}
        self._log.write(Level.ERROR if why else Level.INFO, line)
