"""What a round does with one continuation: goes on with it, puts it off, or lets it go."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from functions.core.memory.file_order import Order
from functions.core.memory.remembered import is_to_come
from functions.core.ports.ledger import Entry
from functions.core.ports.services import Level
from functions.core.routes import near_misses
from functions.core.routes.deciding import End
from functions.core.starts import log_lines, steps
from functions.core.starts.linking import Links
from functions.core.starts.settling import Work, looked_after_at
from functions.core.terms.deadline import Since
from functions.core.terms.errors import LedgerUnavailable, Lost, Unreadable
from functions.core.terms.reasons import Reason
from functions.core.terms.words import GROUP, JOIN, LINE, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from functions.core.kept.continuation import Continuation
    from functions.core.limits.admission import Admission
    from functions.core.limits.lines import Lines
    from functions.core.memory.known_since import KnownSince
    from functions.core.ports.services import Ports
    from functions.core.rounds.bounds import Round
    from functions.core.routes.definition import Routes
    from functions.core.starts.doubt import Doubt
    from functions.core.starts.handling import Relay
    from functions.core.terms.policy import Policy
    from functions.core.terms.runs import Key

    ForEach = Callable[[Callable[[Key], None], Iterable[Key]], None]
    Ended = Iterable[tuple[Key, State]]

UNREADABLE_AGAIN = timedelta(hours=1)
MOST_CALLS = 20  # from one line in a round, one after the other


class Resuming:
    """Takes up one continuation at a time."""

    def __init__(
        self,
        ports: Ports,
        policy: Policy,
        relay: Relay,
        doubt: Doubt,
        admission: Admission,
        known_since: KnownSince,
        lines: Lines,
    ) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._policy = policy
        self._relay = relay
        self._doubt = doubt
        self._admission = admission
        self._known_since = known_since
        self._lines, self._taking = lines, lines.taking
        self._order = Order(ports.ledger)
        self._links = Links(ports, wanted=policy.tag_runs)

    def every(self, keys: Sequence[Key], this: Round, for_each: ForEach, ended: Ended) -> int:
        """Take up these, and where one that was called has `ended` without a start who is next.

        Returns how many. Else the place that it leaves would be nobody's until the next round, and
        who is to start would wait a round for each before it that is to start no more.
        """
        looked_at = 0
        for _ in range(MOST_CALLS):
            for_each(partial(self.resume, this=this), keys)
            looked_at += len(keys)
            last, placed = dict([*ended]), this.released.keys() - this.gone.keys()
            in_vain = (key for key in placed if last.get(key, State.STARTED) is not State.STARTED)
            told = {this.released[key] for key in in_vain}
            lines = {name for name in told if name.startswith((LINE, GROUP))}
            if not lines or this.deadline.has_passed:
                break
            called = self._lines.called_on(lines, this.routes, this.deadline)
            this = this._replace(released=called.waited_on, gone=called.gone)
            keys = [*called.waited_on]
        return looked_at

    def resume(self, key: Key, this: Round) -> None:
        """Do what is due for it, in its turn. Errors of the ledger are told in the log."""
        if this.deadline.has_passed:
            return  # the next round takes it
        since = Since(self._clock)
        try:
            entry = self._ledger.read(key)
            if entry is None:
                self._ledger.retire(key)  # pruned, or removed by hand
            else:
                self._take_up(entry, this, since)
        except Lost:
            pass  # another reconciler has it
        except Unreadable as error:  # it must not stand before others in a line
            self._ledger.put_off(key, self._clock.now() + UNREADABLE_AGAIN, waits=False)
            self._log.write(Level.ERROR, {"ledger": "unreadable", "detail": error})
        except LedgerUnavailable as error:
            self._log.write(Level.ERROR, log_lines.unavailable(key, error))

    def _take_up(self, entry: Entry, this: Round, since: Since) -> None:
        c = entry.continuation
        self._known_since.meet(c.event.workspace.id, c.created_at, c.event.time)
        if c.is_anothers:  # and its schedule does not tell yet: left as it is
            return self._lines.leave(c.key)
        if not c.is_open:
            return self._tidy(entry, this)
        later = this.gone.get(c.key)
        if this.end and later and c.waits_on == this.released.get(c.key):
            told = f"{later.text} ended later, and waits for the same place"
            end = End(State.SKIPPED, Reason.SUPERSEDED, told)
            return self._let_fall(this.end(Work(entry, this.each()), end))
        if self._is_put_off(c, this, since) or self._stands_back(c, this):
            return None  # another round takes it, or another version
        if next(this.turns, None) is None:
            return None
        changed = steps.resumed(c, self._clock.now(), self._policy.lease)
        entry = self._ledger.write(entry, changed)
        if released := this.released.get(c.key):
            entry = self._let_off(entry, released, this.routes)
        return self._relay.resume(Work(entry, this.each()))

    def _stands_back(self, c: Continuation, this: Round) -> bool:
        """Whether it is left to a newer file, for whose rounds it stays due as it is."""
        routes, now = this.routes, self._clock.now()
        return routes is not None and self._order.stands_back(c, routes, now)

    def _let_fall(self, ended: Entry | None) -> None:
        """It is started no more, and its row in the schedule would wait for hours.

        What another wrote instead is another round's: more may be owed to that.
        """
        if ended:
            self._ledger.retire(ended.continuation.key, ended.version)

    def _let_off(self, entry: Entry, waited_on: str, routes: Routes | None) -> Entry:
        """It waits no more, and the next round looks after it, should this process die.

        Who is called from the line of a limit or a group has its place before the schedule says
        so: whoever comes meanwhile still sees it waiting. So do those that are asked anew for what
        they wait, until they say it. Whom its route does not follow any more takes no place.
        """
        due = replace(entry.continuation, due_at=self._clock.now())
        route = near_misses.meant(due, routes) if routes else None
        if route and waited_on.startswith((LINE, GROUP)):
            self._ledger.schedule(replace(due, waits_on=waited_on))
            if self._taking.is_asked_anew(due, route, waited_on):
                return entry
            place = self._taking.called(entry, route, waited_on)
            entry = place if isinstance(place, Entry) else entry
        self._ledger.schedule(due)
        return entry

    def _is_put_off(self, c: Continuation, this: Round, since: Since) -> bool:
        """Whether its time has not come; if so, its row in the schedule says when it does.

        It was read `since` then.
        """
        now, released = self._clock.now(), this.released.get(c.key)
        if released is not None:
            if c.waits_on != released:  # that row was behind
                self._ledger.schedule(c, since)
            return c.waits_on != released or self._is_left_alone(c.key, c.waits_on)
        if c.due_at > now and not is_to_come(c.updated_at, now):
            self._ledger.schedule(c, since)
            if c.waits_on.startswith(JOIN):
                from functions.core.starts.joins.joining import put_right  # noqa: PLC0415 - few do

                put_right(self._ledger, c.key, c.due_at)
            return True
        if self._lines.waits(c, this.routes):
            later = looked_after_at(c, c.waits_on, now, self._policy)
            self._ledger.schedule(replace(c, due_at=later), since)
            return True
        return self._is_left_alone(c.key, c.waits_on)

    def _tidy(self, entry: Entry, this: Round) -> None:
        """An ended continuation leaves the schedule, once no second look is owed."""
        c = entry.continuation
        if c.recheck_at is None:
            return self._let_go(entry, this)
        now = self._clock.now()
        if c.recheck_at > now and not is_to_come(c.updated_at, now):
            return self._ledger.schedule(c)
        if next(this.turns, None) is None:
            return None
        return self._doubt.look_again(Work(entry, this.each()))

    def _let_go(self, entry: Entry, this: Round) -> None:
        """Take it off the schedule, with its links if they are wanted, which takes a turn.

        What came of it meanwhile, since somebody replayed it, is another round's.
        """
        c = entry.continuation
        if self._links.wanted(c):
            request = c.request
            if request and self._is_left_alone(c.key, self._admission.account(*request.sender)):
                return
            if next(this.turns, None) is None:
                return
            self._links.write(c, this.each())
        this.follow(c, this.routes)
        self._known_since.keep_in_time(c.event.workspace.id, c.created_at, c.event.time)
        self._ledger.retire(c.key, entry.version)

    def _is_left_alone(self, key: Key, account: str) -> bool:
        """Whether nothing is sent by its account just now; if so, it is due when that ends."""
        block = self._admission.blocked(account) if self._admission.is_account(account) else None
        if block:
            self._ledger.put_off(key, block.until)
        return block is not None
