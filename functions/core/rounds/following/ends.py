"""When a pipeline run is looked at, and what it means that it was, or was not, seen. Pure.

docs/adr/0031-followed-to-the-end.md
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from functions.core.kept.continuation import REPLAYED
from functions.core.kept.summary import Followed, Summary
from functions.core.starts.steps import step
from functions.core.terms.pipelines import PipelineEnd, service
from functions.core.terms.policy import FOLLOWED_FOR, REFUSED_FOR
from functions.core.terms.words import Ending, State
from functions.core.texts.bounds import bounded
from functions.core.texts.phrases import lasting

if TYPE_CHECKING:
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.routes.definition import Routes
    from functions.core.terms.pipelines import RunsSeen
    from functions.core.terms.policy import Policy

ENDED = "ended"  # what the history of a continuation calls it
ABSENT_FOR = timedelta(hours=1)
SECOND = timedelta(seconds=1)  # by which the list is ordered
BEFORE_PRUNED = timedelta(hours=3)  # by then an end is told: the last look may be an hour away
FIRST, LONGEST, SHARE = 2, 120, 5  # pauses: times the first wait of the backoff; a share of the age
_LET_GO = frozenset({Ending.CANCELED, Ending.LOST})


class Pace:
    """At which ages a run is looked at; they follow from its start alone."""

    def __init__(self, policy: Policy) -> None:
        self._first = policy.retry_first * FIRST
        self._longest = policy.retry_first * LONGEST

    def after(self, since: datetime, now: datetime) -> datetime:
        """When the next look is."""
        return since + self._around(now - since)[1]

    def before(self, since: datetime, now: datetime) -> datetime:
        """When the last look should have been, or the first one will be."""
        return since + (self._around(now - since)[0] or self._first)

    def _around(self, age: timedelta) -> tuple[timedelta, timedelta]:
        """The ages of the last look until this age, and of the next after it."""
        last, following = timedelta(), self._first
        while following <= age:
            pause = min(max(following / SHARE, self._first), self._longest)
            if pause == self._longest:  # from here on they are evenly spaced
                last = following + (age - following) // pause * pause
                return last, last + pause
            last, following = following, following + pause
        return last, following


def is_wanted(route: str, routes: Routes | None, group: str = "") -> bool:
    """Whether the route of this name wants to know; one that is gone, or not known now, does.

    So do those who wait for a place in its group, whatever the route says by now.
    """
    known = routes.named(route) if routes else None
    return known is None or known.follow or bool(group)


def is_own(c: Continuation, routes: Routes | None) -> bool:
    """Whether it was claimed by this very route file, or by one that this process had before."""
    return routes is None or routes.is_own(c.file)


def followed(c: Continuation, now: datetime, pace: Pace) -> Followed | None:
    """What is to be looked at of a start, at once; None where there is nothing to see.

    One that was corrected is due later than it was before: who stood still at the end of the wrong
    pipeline run, and now drops the row of that, is not to drop this one.
    """
    if c.state is not State.STARTED or c.ended or c.pipeline_run is None or c.request is None:
        return None
    since = Summary.of(c).started_at or c.updated_at
    corrected = max((step.at for step in c.history if step.what == REPLAYED), default=since)
    return Followed(
        key=c.key,
        organization=c.request.organization,
        project=c.request.project,
        pipeline=c.request.pipeline,
        secret=c.request.secret,
        runs=(c.pipeline_run, *c.duplicates),
        since=since,
        due_at=max(pace.before(since, now), corrected + SECOND),
        group=c.group,
    )


def is_moot(one: Followed, c: Continuation | None) -> bool:
    """Whether nothing comes of its end: it was pruned, or corrected and has ended otherwise."""
    if c is None or c.state is not State.STARTED:
        return True
    return c.ended is not None and one.runs[0] != c.pipeline_run


def own(one: Followed, c: Continuation) -> Followed | None:
    """What is to be followed instead, where its pipeline runs are others by now.

    Another was found, or it was corrected. None is sought any more once there is an end.
    """
    if c.ended or c.pipeline_run is None:
        return None
    runs = (c.pipeline_run, *c.duplicates)
    if runs == one.runs:
        return None
    return replace(one, runs=runs, absent_since=None, refused_since=None)


def judged(one: Followed, seen: RunsSeen, now: datetime) -> PipelineEnd | Followed:
    """The end that a look shows, else what is kept of the look.

    Of several runs the end is that of the first that was not canceled: somebody who is told of a
    duplicate cancels one of them.
    """
    if not seen.untold.isdisjoint(one.runs):
        return one
    ends = {run: seen.runs[run] for run in one.runs if run in seen.runs}
    if None in ends.values():
        return replace(one, absent_since=None, refused_since=None)
    if len(ends) < len(one.runs):
        since = one.absent_since or now
        if now - since < ABSENT_FOR:
            return replace(one, absent_since=since, refused_since=None)
    known = {run: end for run, end in ends.items() if end}
    if not known:
        return lost(now, f"{service(one.organization)} has no such pipeline run any more")
    own = next(iter(known))
    run = next((r for r, end in known.items() if end.how not in _LET_GO), own)
    if run == one.runs[0]:
        return known[run]
    detail = f"pipeline run {run}, of {', '.join(map(str, one.runs))}"
    told = "; ".join(filter(None, (detail, known[run].detail)))
    return replace(known[run], detail=told, run=run)


def refused(one: Followed, now: datetime, why: str) -> PipelineEnd | Followed:
    """What it means that Azure DevOps does not tell."""
    since = one.refused_since or now
    if now - since >= REFUSED_FOR:
        return lost(now, why)
    return replace(one, refused_since=since)


def by_todays_secret(one: Followed, routes: Routes, policy: Policy) -> Followed:
    """The same, looked at with the secret by which its route starts pipelines there today.

    Where that has another name by now, or starts none in its project, with one by which another
    route starts this very pipeline. Itself where there is no other one.
    """
    where = (one.organization.lower(), one.project.lower())
    starts = [(route.name, route.start) for route in routes.every if route.start]
    there = [(n, s) for n, s in starts if (s.organization.lower(), s.project.lower()) == where]
    own = [s for name, s in there if name == one.key.route]
    same = own or [s for _, s in there if s.pipeline == one.pipeline]
    secrets = (policy.sender(one.organization, start.secret).secret for start in same)
    other = next((secret for secret in secrets if secret != one.secret), one.secret)
    return one if other == one.secret else replace(one, secret=other)


def overdue(one: Followed, now: datetime, policy: Policy, why: str) -> PipelineEnd | None:
    """The end of what nobody waits for any more."""
    longest = min(FOLLOWED_FOR, policy.kept_for - BEFORE_PRUNED)
    if now - one.since < longest:
        return None
    told = lasting(longest) if longest < FOLLOWED_FOR else f"{longest.days} days"
    return lost(now, f"it had not ended after {told}{why and ': '}{why}")


def lost(now: datetime, why: str) -> PipelineEnd:
    """Nobody can tell how it ended."""
    return PipelineEnd(how=Ending.LOST, at=now, detail=bounded(why))


def explained(end: PipelineEnd, route: str, routes: Routes) -> PipelineEnd:
    """The same; where its route is gone by then, it says that nothing goes on by it any more."""
    if routes.named(route):
        return end
    why = f"no route {route} today, so that nothing goes on by this end"
    return replace(end, detail=bounded("; ".join(filter(None, (end.detail, why)))))


def ended(c: Continuation, now: datetime, end: PipelineEnd) -> Continuation:
    """Started, and its pipeline run has ended."""
    say = f"{end.how}{end.detail and ': '}{end.detail}"
    return step(c, now, ENDED, say, ended=end)
