"""Looks after pipeline runs that were started, behind all else that a round does.

Nothing here holds a start back: what a look is refused with puts off looks alone.
docs/adr/0031-followed-to-the-end.md
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from functions.core.limits.admission import LONGEST_SLOWDOWN, Admission
from functions.core.limits.turns import in_turn
from functions.core.ports.services import Level
from functions.core.rounds.bounds import FOLLOWING_SECONDS
from functions.core.rounds.following import ends
from functions.core.rounds.following.asking import Asking
from functions.core.rounds.following.catching_up import CatchingUp
from functions.core.rounds.following.keeping import Alone, Keeping, Looker
from functions.core.rounds.following.mistaken import Mistaken
from functions.core.rounds.notices.noticing import Noticing
from functions.core.terms.deadline import Deadline, each
from functions.core.terms.errors import LedgerUnavailable, Retryable
from functions.core.terms.pipelines import PipelineEnd, service
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.kept.summary import Followed
    from functions.core.ports.services import Ports
    from functions.core.rounds.bounds import Bounds
    from functions.core.routes.definition import Routes
    from functions.core.terms.pipelines import RunsSeen
    from functions.core.terms.policy import Policy
    from functions.core.terms.runs import Key, RunEvent

    Ended = Callable[[RunEvent, Deadline], None]
    ForEach = Callable[[Callable[[Key], None], Iterable[Key]], None]

MOST_DUE = 5000  # rows that a round lists to find whose turn it is
_UNPROVED = frozenset({Reason.CREDENTIAL_REFUSED, Reason.SECRET_EXPIRED, Reason.SECRET_UNREADABLE})


class Looked(NamedTuple):
    """How many were looked at in a round, and how many of them have ended."""

    at: int = 0
    ended: int = 0


class Follower:
    """Follows what was started until its pipeline run ends, and tells how."""

    def __init__(
        self,
        ports: Ports,
        policy: Policy,
        admission: Admission,
        for_each: ForEach,
        ended: Ended,
    ) -> None:
        self._ports, self._ledger, self._clock = ports, ports.ledger, ports.clock
        self._log = ports.journal
        self._policy = policy
        self._admission = admission
        self._for_each = for_each
        self._pace = ends.Pace(policy)
        self._noticing = Noticing(ports)
        self._keeping = Keeping(ports, policy, partial(each, ports.clock), ended)
        self._mistaken = Mistaken(ports, policy, partial(each, ports.clock))
        self._catching_up = CatchingUp(ports, self.take_up, self._keeping.sequels)
        self._held: dict[str, Alone] = {}

    def take_up(self, c: Continuation, routes: Routes | None) -> None:
        """Have a start followed, if its route wants that, and any other end told.

        One request for either, and none where nobody wants to know. What another route file has
        claimed is followed: a newer one may want it, and a look finds out whether any does.
        """
        self._noticing.take_up(c)
        one = ends.followed(c, self._clock.now(), self._pace)
        is_wanted = ends.is_wanted(c.key.route, routes, c.group) or not ends.is_own(c, routes)
        if one is not None and is_wanted:
            self._ledger.followed.follow(one)

    def follow(self, routes: Routes | None, most: Bounds, *, strictly: bool = False) -> Looked:
        """Look at what nobody waits for, with what is left of a round's time.

        While no routes can be read nobody can say what goes on by an end: none is looked for.
        `strictly`: whose route file is not certain to be the app's ends what it has started alone.
        """
        deadline = Deadline(self._clock, min(FOLLOWING_SECONDS, most.last.left))
        if deadline.has_passed or routes is None:
            return Looked()
        try:
            self._catching_up.catch_up(routes)
            return self.look(Looker(routes, strictly), most.followed, deadline)
        except LedgerUnavailable as error:
            self._log.write(Level.ERROR, {"followed": "unavailable", "detail": error})
            return Looked()

    def look(self, by: Looker, most: int, deadline: Deadline) -> Looked:
        """Look at so many whose time has come, those of each account in turn.

        One request if there are none. Raises LedgerUnavailable where they cannot be listed.
        """
        due = self._ledger.followed.due(self._clock.now(), MOST_DUE)
        latest = {one.key: one for one in due}
        self._do([one for one in due if one is not latest[one.key]][:most], self._keeping.drop)
        those = in_turn(latest.values(), _account)[:most]
        wanted: dict[str, list[Followed]] = defaultdict(list)
        for one in those:
            to_be = ends.is_wanted(one.key.route, by.routes, one.group)
            wanted[_account(one) if to_be else ""].append(one)
        self._do(wanted.pop("", []), lambda one: self._keeping.let_go(one, by))
        ended = 0
        for account, own in wanted.items():
            if not deadline.has_passed:
                ended += self._look_at(account, own, by, deadline)
        return Looked(len(those), ended)

    def _look_at(
        self, account: str, own: Sequence[Followed], by: Looker, deadline: Deadline
    ) -> int:
        """Those of one account; returns how many have ended."""
        if alone := self._left_alone(account):
            return self._do(own, partial(self._keeping.put_off, alone, by))
        ended = 0
        for some, seen in Asking(self._ports, own[0].sender, deadline).about(own):
            if isinstance(seen, Retryable):
                ended += self._untold(account, some, seen, by)
            else:
                why = f"{service(own[0].organization)} asked to slow down"
                self._hold(account, seen.retry_after or 0.0, why)
                ended += self._do(some, partial(self._judge, seen, by))
            self._ports.outcomes.send()
        return ended

    def _left_alone(self, account: str) -> Alone | None:
        """Whether no look is sent by this account; a block of starts counts as well."""
        if block := self._admission.blocked(account):
            return Alone(block.until, block.detail, block.reason in _UNPROVED)
        held = self._held.get(account)
        return held if held and held.until and held.until > self._clock.now() else None

    def _hold(self, account: str, seconds: float, why: str, *, unusable: bool = False) -> Alone:
        """Send no look by this account for so long; starts find out by themselves."""
        if not seconds:
            return Alone(None, why)
        until = self._clock.now() + timedelta(seconds=min(seconds, LONGEST_SLOWDOWN))
        self._held[account] = Alone(until, why, unusable)
        return self._held[account]

    def _untold(self, account: str, some: Sequence[Followed], error: Retryable, by: Looker) -> int:
        """What it means that nothing was told of these."""
        pause = self._policy.credential_pause
        if error.reason is Reason.REFUSED:
            refused = partial(self._refused, error.detail, self._clock.now() + pause, by)
            return self._do(some, refused)
        unusable = error.reason in _UNPROVED
        seconds = pause.total_seconds() if unusable else error.retry_after or 0.0
        alone = self._hold(account, seconds, error.detail, unusable=unusable)
        return self._do(some, partial(self._keeping.put_off, alone, by))

    def _judge(self, seen: RunsSeen, by: Looker, one: Followed) -> bool:
        why = next((seen.withheld[run] for run in one.runs if run in seen.withheld), "")
        if why and seen.runs.keys().isdisjoint(one.runs):
            return self._refused(why, self._clock.now() + self._policy.credential_pause, by, one)
        if why := self._keeping.whose_else(one, seen.names):
            return self._put_right(why, by, one)
        return self._keep(one, ends.judged(one, seen, self._clock.now()), "", None, by)

    def _put_right(self, why: str, by: Looker, one: Followed) -> bool:
        """What it means that one of its runs is another start's: its own may be there."""
        sought, now = self._mistaken.put_right(one, why), self._clock.now()
        if sought.instead:
            return self._keep(one, sought.instead, "", None, by)
        if sought.whole and one.refused_since and now - one.refused_since >= ends.ABSENT_FOR:
            return self._keep(one, ends.lost(now, why), "", None, by)
        return self._refused(why, now + self._policy.credential_pause, by, one)

    def _refused(self, why: str, until: datetime, by: Looker, one: Followed) -> bool:
        return self._keep(one, ends.refused(one, self._clock.now(), why), why, until, by)

    def _keep(
        self,
        one: Followed,
        to: PipelineEnd | Followed,
        why: str,
        until: datetime | None,
        by: Looker,
    ) -> bool:
        """Write what a look came to: the end, or when the next one is."""
        if isinstance(to, PipelineEnd):
            return self._keeping.end(one, to, by)
        return self._keeping.later(one, to, why, until, by)

    def _do(self, those: Sequence[Followed], act: Callable[[Followed], bool]) -> int:
        """Do it to each, a few at once; returns of how many it was true."""
        by_key = {one.key: one for one in those}
        done: list[Key] = []

        def guarded(key: Key) -> None:
            one = by_key[key]
            if self._keeping.guarded(one, lambda: act(one)):
                done.append(key)

        self._for_each(guarded, by_key)
        return len(done)


def _account(one: Followed) -> str:
    return Admission.account(*one.sender)
