"""What goes on by an end: decided with it, done before the row of what is followed goes.

docs/adr/0035-what-goes-on-by-an-end.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from functions.core.kept import after
from functions.core.kept.after import AFTER_END
from functions.core.kept.continuation import CLAIMED, Continuation, Step
from functions.core.kept.history import fitting
from functions.core.memory import file_order
from functions.core.ports.services import Level
from functions.core.rounds.following import ends
from functions.core.terms.errors import Lost, Permanent, Unreadable
from functions.core.terms.words import State
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from datetime import datetime

    from functions.core.ports.ledger import Entry
    from functions.core.ports.services import Ports
    from functions.core.rounds.notices.noticing import Noticing
    from functions.core.routes.definition import Routes

LONGEST_URL = 1000
_UNSTARTED = frozenset({State.OPEN, State.HELD, State.SKIPPED, State.FAILED})


class Sequels:
    """Starts what goes on by an end, and notices who is told of it.

    Every method but `decided` raises LedgerUnavailable.
    """

    def __init__(self, ports: Ports, noticing: Noticing) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._noticing = noticing

    def is_left(self, c: Continuation, routes: Routes, *, strictly: bool) -> bool:
        """Whether the end is left to who has a newer route file, by which something may go on.

        So it is for minutes where the files differ; where they must not (`strictly`), always. What
        was replayed names no file: any may have started it. One request, and none of what this
        process' own file has started.
        """
        if not routes.file or ends.is_own(c, routes):
            return False
        is_anothers = strictly and c.file != ""
        return is_anothers or file_order.may_be_older(self._ledger, c, routes, self._clock.now())

    def decided(self, c: Continuation, routes: Routes) -> Continuation:
        """With what goes on by its end, as the routes have it now; kept with the end itself."""
        sequel = routes.sequel(c.key.route, c.ended.how) if c.ended else None
        tells = tuple(channel.name for channel in sequel.tell) if sequel else ()
        return replace(c, then=sequel.name if sequel and sequel.start else "", tells=tells)

    def go_on(self, c: Continuation, routes: Routes) -> None:
        """Claim what goes on, and notice who is told; done again it changes nothing.

        Two requests for what goes on, and one for each who is told.
        """
        if c.then:
            self._claim(opened(c, c.then, self._clock.now(), routes.file))
        if c.tells:
            self._noticing.of_end(c, routes)

    def _claim(self, new: Continuation) -> None:
        try:
            entry, fresh = self._ledger.claim(new)
        except Unreadable as error:  # of a newer version: it is there
            self._log.write(Level.ERROR, {"ledger": "unreadable", "detail": error})
            return
        except Permanent as error:  # no row can hold it, however often it is tried
            line = {"then": "not kept", "route": new.key.route, "run": new.key.run}
            self._log.write(Level.ERROR, {**line, "detail": error.detail})
            return
        if fresh or (_is_free_for(entry.continuation, new) and self._decide_anew(entry, new)):
            end = after.end(new.event)
            named = {"route": new.key.route, "run": new.key.run, "outcome": new.key.outcome}
            by = {"pipeline_run": end.get("run"), "ended": end.get("end")}
            self._log.write(Level.INFO, {"then": "claimed", **named, **by})
        elif (was := entry.continuation).state.is_known and not after.end(was.event):
            self._tell_taken(was)

    def _decide_anew(self, entry: Entry, new: Continuation) -> bool:
        """What was never asked for goes on by the end that counts now."""
        was = entry.continuation
        at = new.created_at if was.was_passed_over else was.created_at  # by which it is listed
        history = fitting(*was.history, *new.history)
        try:
            written = self._ledger.write(entry, replace(new, created_at=at, history=history))
        except Lost:  # whoever asked for it meanwhile did so by the other end
            return False
        self._ledger.schedule(written.continuation)
        return True

    def _tell_taken(self, c: Continuation) -> None:
        """A route of that name had the run before it was what goes on by an end."""
        line = {"then": "not kept", "route": c.key.route, "run": c.key.run}
        why = f"{c.state} by a route of that name that was no step of `then`"
        run = f": pipeline run {c.pipeline_run}" if c.pipeline_run else ""
        self._log.write(Level.ERROR, {**line, "detail": f"{why}{run}"})


def _is_free_for(c: Continuation, new: Continuation) -> bool:
    """Whether nothing was asked for by it, and it goes on by another end, or by none at all.

    An operator took that one back, or a route of this name had the run before.
    """
    is_free = c.state in _UNSTARTED and c.asked_at is None
    return is_free and after.end(c.event).get("run") != after.end(new.event).get("run")


def opened(c: Continuation, route: str, now: datetime, file: str) -> Continuation:
    """What goes on by an end: a continuation of the same run on a route of its own, due at once.

    Its news is the news that the first one had, at the time of that end; it tells of the end.
    """
    told = facts(c)
    event = replace(c.event, time=c.ended.at if c.ended else now, given=c.event.given | told)
    why = f"{after.CLAIMS}{c.key.route}: pipeline run {told[AFTER_END].get('run')}"
    return Continuation(
        key=replace(c.key, route=route),
        event=event,
        created_at=now,
        updated_at=now,
        due_at=now,
        file=file,
        history=(Step(now, CLAIMED, bounded(f"{why} {c.ended.how if c.ended else ''}")),),
    )


def facts(c: Continuation) -> dict[str, dict[str, Any]]:
    """What gates and parameters may name of an end: `pipeline.*`."""
    run = (c.ended.run if c.ended else None) or c.pipeline_run
    known = {
        "run": run,
        "end": str(c.ended.how) if c.ended else None,
        "url": bounded(_page(c, run), LONGEST_URL),
        "route": c.key.route,
    }
    return {AFTER_END: {name: value for name, value in known.items() if value not in (None, "")}}


def _page(c: Continuation, run: int | None) -> str:
    """The page of this one of its pipeline runs, as far as that of its first one tells it."""
    before, own, rest = c.url.rpartition(str(c.pipeline_run))
    if run == c.pipeline_run or not own or rest or before[-1:] not in {"=", "/"}:
        return c.url if run == c.pipeline_run else ""
    return f"{before}{run}"
