"""How far a sweep came in a workspace, and where the next one goes on. Pure.

docs/adr/0010-the-sweep.md
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from functions.core.memory.visits import LONGEST_ID, OVERLAP
from functions.core.terms.runs import Reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from functions.core.memory.remembered import Visit
    from functions.core.terms.runs import Ended, Run

    Timed = tuple[datetime, Run]


class Looked(NamedTuple):
    """How many runs were handled and were missing; how many are left to the next sweep.

    `until`: the end of the last one that was handled, where new ones above the place that the
    sweep before came to are left; `down`: how far down it went on from that place, where any are.
    """

    runs: int = 0
    missing: int = 0
    left: int = 0
    until: datetime | None = None
    down: datetime | None = None


def in_turn(visit: Visit, ended: Ended, timed: Iterable[Timed]) -> list[Timed]:
    """First what is new above the place that the sweep before came to, the oldest first.

    Then the others, the last to end first: so wherever the time ends, what was handled goes on from
    what was handled before.
    """
    visit = _joined(visit, ended)
    first: list[Timed] = []
    others: list[Timed] = []
    for one in timed:
        (first if _is_first(visit, one[0]) else others).append(one)
    by_time = itemgetter(0)
    return [*sorted(first, key=by_time), *sorted(others, key=by_time, reverse=True)]


def cut(visit: Visit, ended: Ended, turns: Sequence[Timed], looked: Looked, done: int) -> Looked:
    """The same, where the time was over after so many of them."""
    visit, looked = _joined(visit, ended), looked._replace(left=len(turns) - done)
    last = turns[done - 1][0] if done else visit.since
    if _is_first(visit, turns[done][0]):
        return looked._replace(until=last, down=visit.down)
    if not done or _is_first(visit, last):
        return looked._replace(down=visit.down or _border(visit))
    return looked._replace(down=min(last, visit.down or last))


def is_new(visit: Visit, at: datetime) -> bool:
    """Whether what ended then may not have been looked at before."""
    return visit.seen is None or at > _border(visit)


def reach(visit: Visit) -> Reach:
    """What need not be read again, but for what is shown late."""
    return Reach(visit.top and visit.top - OVERLAP, visit.down, visit.start)


def is_behind(visit: Visit, ended: Ended) -> bool:
    """Whether more ended that nobody has looked at than was read."""
    return ended.down is not None and ended.down > _border(visit)


def came(visit: Visit, now: datetime, ended: Ended, looked: Looked) -> Visit:
    """What is to be remembered of a visit that began then."""
    visit, on_tour = visit._replace(gone=None), bool(visit.next)
    ended = _handled(visit, ended, looked)
    one_sweep, behind = not (on_tour or ended.next), is_behind(visit, ended)
    if looked.until:
        is_whole = one_sweep and not ended.failed
        return _up_to(visit, min(looked.until, now), ended) if is_whole else visit
    failed = ended.failed or behind or visit.lacks
    began = None if failed else visit.began if on_tour else now
    goes_on = one_sweep and (behind or not ended.failed)
    visit = _at(visit, now, ended) if goes_on else _anew(visit)
    if ended.next:
        after = ended.next if len(ended.next) <= LONGEST_ID else ""
        return visit._replace(next=after, began=began if after else None)
    return visit._replace(next="", began=None, seen=began or visit.seen)


def _at(visit: Visit, now: datetime, ended: Ended) -> Visit:
    """All that ended from there to now was handled."""
    came = _anew(visit)
    if ended.start:
        came = came._replace(start=ended.start, start_set_out=visit.start_set_out or now)
    if ended.down is None:
        return came
    was = _joined(visit, ended)
    lacks = was.lacks or (now if ended.failed else None)
    return came._replace(top=now, down=ended.down, set_out=was.set_out or now, lacks=lacks)


def _anew(visit: Visit) -> Visit:
    """The next sweep sets out from the top."""
    visit = visit._replace(start=None, start_set_out=None)
    return visit._replace(top=None, down=None, set_out=None, lacks=None)


def _up_to(visit: Visit, until: datetime, ended: Ended) -> Visit:
    """All that was read above the place was handled up to then."""
    if not is_behind(visit, ended):
        return visit if visit.lacks else visit._replace(seen=max(visit.seen or visit.since, until))
    joined = _joined(visit, ended)
    top, down = max(joined.top or until, until), ended.down
    if down is None or top <= down:
        return visit
    return visit._replace(top=top, down=down, set_out=joined.set_out or until, lacks=joined.lacks)


def _handled(visit: Visit, ended: Ended, looked: Looked) -> Ended:
    """As if no more had been read than was handled."""
    if looked.down is None:
        return ended
    start = visit.start if looked.until else min(filter(None, (visit.start, looked.down)))
    down = _later(ended.down, looked.down)
    return replace(ended, down=down, start=_later(ended.start, start))


def _joined(visit: Visit, ended: Ended) -> Visit:
    """The same, without a place that this sweep did not come down to: it begins anew."""
    if visit.down and ended.down and ended.down > visit.down:
        return _anew(visit)
    return visit


def _is_first(visit: Visit, at: datetime) -> bool:
    return is_new(visit, at) and (visit.down is None or at >= visit.down)


def _border(visit: Visit) -> datetime:
    """What ended later may be new."""
    return (visit.seen or visit.since) - OVERLAP


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two moments, of which each may not be there."""
    return max(filter(None, (one, other)), default=None)
