"""What is written of a look: when the next one is, or the end, in the order that loses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from functions.core.ports.services import Level
from functions.core.rounds.following import ends
from functions.core.rounds.following.sequels import Sequels
from functions.core.rounds.notices.noticing import Noticing
from functions.core.starts import log_lines
from functions.core.starts.linking import Links
from functions.core.terms.errors import LedgerUnavailable, Lost, Unreadable
from functions.core.terms.policy import OTHERS_BEFORE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.kept.summary import Followed
    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Routes
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.pipelines import PipelineEnd
    from functions.core.terms.policy import Policy
    from functions.core.terms.runs import RunEvent

    Ended = Callable[[RunEvent, Deadline], None]

MOST_OTHERS = 10_000


class Looker(NamedTuple):
    """By which routes an end is judged; `strictly`: only of what was started by this very file."""

    routes: Routes
    strictly: bool = False


class Alone(NamedTuple):
    """Until when no look is sent by an account, if that is known, and why.

    `unusable`: its secret is refused, has expired, or cannot be read.
    """

    until: datetime | None
    why: str
    unusable: bool = False


class Keeping:
    """Writes the rows of what is followed, and tells of ends; each call raises LedgerUnavailable.

    `each` is the time for one link, and for those who wait for a run; `ended` answers these.
    """

    def __init__(
        self, ports: Ports, policy: Policy, each: Callable[[], Deadline], ended: Ended
    ) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._outcomes = ports.outcomes
        self._policy = policy
        self._pace = ends.Pace(policy)
        self._noticing = Noticing(ports)
        self.sequels = Sequels(ports, self._noticing)
        self._links = Links(ports, wanted=policy.tag_runs)
        self._each, self._ended = each, ended

    def guarded(self, one: Followed, act: Callable[[], bool]) -> bool:
        """What it returns; an error of the ledger is a line, and another round does it."""
        try:
            return act()
        except Lost:
            return False  # somebody wrote it just now: the next round reads that
        except Unreadable as error:
            self._log.write(Level.ERROR, {"ledger": "unreadable", "detail": error})
            self._ledger.followed.move(one, self._next(one, self._clock.now()))
        except LedgerUnavailable as error:
            self._log.write(Level.ERROR, log_lines.unavailable(one.key, error))
        return False

    def drop(self, one: Followed) -> bool:
        """Look at it no more, by this row."""
        self._ledger.followed.drop(one)
        return False

    def later(
        self, one: Followed, to: Followed, why: str, not_before: datetime | None, by: Looker
    ) -> bool:
        """Look again at the next time that is not before then, unless it has gone on too long."""
        now = self._clock.now()
        if end := ends.overdue(one, now, self._policy, why):
            return self.end(one, end, by)
        following = self._next(to, now)
        if not_before and following.due_at < not_before:
            following = replace(following, due_at=not_before)
        self._ledger.followed.move(one, following)
        return False

    def put_off(self, alone: Alone, by: Looker, one: Followed) -> bool:
        """Look again once its account may be used; soon where its route names another secret."""
        to = ends.by_todays_secret(one, by.routes, self._policy) if alone.unusable else one
        return self.later(one, to, alone.why, alone.until if to is one else None, by)

    def end(self, one: Followed, end: PipelineEnd, by: Looker) -> bool:
        """Write and tell the end, and let go on what does by it; whether this call did.

        Who died before the row was dropped may not have told it: once nobody can be at it any more,
        that is done again. An end of other pipeline runs than it has now is not its end.
        """
        entry = self._ledger.read(one.key)
        c = entry.continuation if entry else None
        if entry is None or c is None or ends.is_moot(one, c):
            self._ledger.followed.drop(one)
            return False
        now = self._clock.now()
        if c.ended and now - c.updated_at < self._policy.lease:
            return False
        if own := ends.own(one, c):
            self._ledger.followed.move(one, own)
            return False
        if c.then is None and self.sequels.is_left(c, by.routes, strictly=by.strictly):
            self._ledger.followed.move(one, self._next(one, now))
            return False
        told = ends.explained(end, c.key.route, by.routes)
        changed = c if c.ended else ends.ended(c, now, told)
        if changed.then is None:
            changed = self.sequels.decided(changed, by.routes)
        if changed is not c:
            self._ledger.write(entry, changed)
        self._ledger.followed.show(changed)
        self.sequels.go_on(changed, by.routes)
        self._tell(changed)
        route = by.routes.named(c.key.route)
        if route and route.answers_after:
            self._ended(changed.event, self._each())
        self._ledger.followed.drop(one)
        return True

    def whose_else(self, one: Followed, names: Mapping[int, str]) -> str:
        """Why one of its runs is not its own, by what they are called; "" where nobody else's is.

        No request of most: only where a name shows a mark that is not its own are those listed that
        may have it.
        """
        from functions.core.texts import marks  # noqa: PLC0415 - where an end is seen

        for run in one.runs:
            found = marks.shown(names.get(run, ""))
            if not found or one.key.hash in found:
                continue
            others = self._ledger.listed(one.since - OTHERS_BEFORE, MOST_OTHERS)
            if other := next((o.key for o in others if o.key.hash in found), None):
                return f"pipeline run {run} is that of {other.text}, as its name shows"
        return ""

    def let_go(self, one: Followed, by: Looker) -> bool:
        """Its route wants no end any more; of one that was written already all the rest is done.

        One that a newer route file may want is left to who has that.
        """
        entry = self._ledger.read(one.key)
        c = entry.continuation if entry else None
        if c and c.ended:
            return self.end(one, c.ended, by)
        if c and self.sequels.is_left(c, by.routes, strictly=by.strictly):
            self._ledger.followed.move(one, self._next(one, self._clock.now()))
            return False
        self._ledger.followed.drop(one)
        return False

    def _next(self, one: Followed, now: datetime) -> Followed:
        """A look that is due within the second was listed already: it is not due again."""
        return replace(one, due_at=self._pace.after(one.since, now + ends.SECOND))

    def _tell(self, c: Continuation) -> None:
        self._log.write(*log_lines.pipeline_ended(c))
        self._outcomes.note(c)
        self._noticing.take_up(c)
        self._links.write_end(c, self._each)
