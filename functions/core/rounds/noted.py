"""What a round did, as a line of the log, and what is known of rounds in a row that all share.

    {"ended": TIME, "by": WHOM, "timer": TIME, "begun": TIME, "first": TIME, "swept": TIME,
     "file": {"is": DIGEST, "at": TIME}, "routes": {"since": TIME, "problems": [WHAT, ...]},
     "paused": {"since": TIME}, "failed": {"at": TIME, "detail": WHY}}
    {"since": TIME}                        nobody knows of any that ended

`file`: the route file that the app worked with then. `routes`: it could not be read. `failed`: a
round before had no ledger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.ports.services import Level
from functions.core.rounds.following.follower import Looked
from functions.core.rounds.watch import ROUNDS, By
from functions.core.texts.bounds import bounded
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from functions.core.ports.ledger import Ledger

MOST_PROBLEMS, LONGEST = 3, 300  # of a route file, and characters of each
_SEEN = ("file", "routes", "paused", "failed")


class Done(NamedTuple):
    """What a round did, and what is open now, the oldest since `oldest` seconds.

    `left`: there was no time, or no turn, for all that was due. `whole`: all that is open was
    counted. It took so many `seconds`. So many events wait in the `inbox`, the first since
    `unclaimed` seconds. `followed`: what was seen of what had been started before.
    """

    looked_at: int
    resumed: int
    left: bool
    open: int
    oldest: float | None
    whole: bool
    seconds: float
    inbox: int = 0
    unclaimed: float | None = None
    followed: Looked = Looked()


class Failed(NamedTuple):
    """When a round ended since the ledger could not be reached, and why."""

    at: datetime
    detail: str


class Seen(NamedTuple):
    """What a round saw that all processes are to know of: what is wrong with the route file.

    `file` stands for that; "" where it could not be read.
    """

    problems: tuple[str, ...] = ()
    paused: bool = False
    failed: Failed | None = None
    file: str = ""


NOTHING = Seen()


class Last(NamedTuple):
    """When the last round `ended` and `by` whom, and when the last one of a `timer` did.

    Without `by` none ended since the watch began, which was then. None: not known. `first`: since
    when rounds are known of. `swept`: when the last sweep ended. What the last round `saw` is so
    since `unreadable` and since `paused`; the last one of the app `with_file` ended then.
    """

    ended: datetime | None
    by: str
    timer: datetime | None
    first: datetime | None = None
    swept: datetime | None = None
    saw: Seen = NOTHING
    unreadable: datetime | None = None
    paused: datetime | None = None
    with_file: datetime | None = None

    @property
    def by_timer(self) -> datetime | None:
        """When the timer did its last one, or since when one is waited for."""
        return self.timer or (None if self.by else self.ended)


def recall(ledger: Ledger) -> Last:
    """What is known of the last round. One request. Raises LedgerUnavailable."""
    value = ledger.shared(ROUNDS).value
    times = ("ended", "timer", "since", "first", "swept")
    ended, timer, since, first, swept = (parse_time(value.get(name)) for name in times)
    file, routes, paused, failed = (_part(value, name) for name in _SEEN)
    at = parse_time(failed.get("at"))
    problems = routes.get("problems")
    saw = Seen(
        tuple(map(str, problems)) if isinstance(problems, list) else (),
        "paused" in value,
        Failed(at, str(failed.get("detail", ""))) if at else None,
        str(file.get("is", "")),
    )
    unreadable, since_paused = (parse_time(part.get("since")) for part in (routes, paused))
    by = str(value.get("by", ""))
    told = unreadable, since_paused, parse_time(file.get("at"))
    return Last(ended or since, by, timer, first or since, swept, saw, *told)


def ended(was: Mapping[str, Any], now: str, by: str, seen: Seen) -> dict[str, object]:
    """The row once a round ended; what an operator's saw is not noted, who may have other routes.

    What an operator of an older version left out is not known any more.
    """
    saw = _only(was, *_SEEN) if by == By.OPERATOR else _saw(seen, was, now)
    timer = now if by == By.TIMER else was.get("timer")
    first = was.get("first") or was.get("since") or now
    return {"ended": now, "by": by, "timer": timer, "first": first, **_only(was, "swept"), **saw}


def _saw(seen: Seen, was: Mapping[str, Any], now: str) -> dict[str, object]:
    """What was seen, each since it was seen first."""
    said = _only(was, "file")
    if seen.file:
        said["file"] = {"is": seen.file, "at": now}
    if seen.problems:
        problems = [bounded(what, LONGEST) for what in seen.problems[:MOST_PROBLEMS]]
        said["routes"] = {"since": _part(was, "routes").get("since", now), "problems": problems}
    if seen.paused:
        said["paused"] = {"since": _part(was, "paused").get("since", now)}
    if seen.failed is None:
        return said | _only(was, "failed")
    return {**said, "failed": {"at": seen.failed.at.isoformat(), "detail": seen.failed.detail}}


def _part(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _only(value: Mapping[str, Any], *names: str) -> dict[str, object]:
    return {name: value[name] for name in names if name in value}


def age_of(since: datetime | None, now: datetime) -> float | None:
    """How many seconds it has lasted."""
    return (now - since).total_seconds() if since else None


def said(done: Done, by: By) -> tuple[Level, dict[str, object]]:
    """The line for a round. One that no timer did is another line: who asks for theirs finds none.

    A delivery's tells that the timers have stopped.
    """
    which = {"reconciler": "done"} if by is By.TIMER else {"round": "done", "by": by}
    oldest, first = (None if s is None else round(s) for s in (done.oldest, done.unclaimed))
    line = {"resumed": done.resumed, "looked_at": done.looked_at, "open": done.open}
    more = {"oldest_s": oldest, "open_is_at_least": None if done.whole else 1}
    more |= {"inbox": done.inbox, "inbox_oldest_s": first}
    more |= {"followed": done.followed.at or None, "ended": done.followed.ended or None}
    ms = round(done.seconds * 1000)
    level = Level.WARNING if by is By.DELIVERY else Level.INFO
    return level, {**which, **line, **more, "ms": ms}
