"""How far a sweep came in a workspace, and where the next one goes on. Pure.

docs/adr/0010-the-sweep.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from functions.core.memory.visits import LONGEST_ID, OVERLAP
from functions.core.terms.runs import Reach

if TYPE_CHECKING:
    from datetime import datetime

    from functions.core.memory.remembered import Visit
    from functions.core.terms.runs import Ended


class Looked(NamedTuple):
    """How many runs were handled and were missing; how many are left to the next sweep.

    `until`: the end of the last one that no sweep before had looked at, where some of these are
    left; None: none is.
    """

    runs: int = 0
    missing: int = 0
    left: int = 0
    until: datetime | None = None


def reach(visit: Visit) -> Reach:
    """What need not be read again, but for what is shown late."""
    return Reach(visit.top and visit.top - OVERLAP, visit.down, visit.start)


def is_behind(visit: Visit, ended: Ended) -> bool:
    """Whether more ended that nobody has looked at than was read."""
    return ended.down is not None and ended.down > (visit.seen or visit.since) - OVERLAP


def came(visit: Visit, now: datetime, ended: Ended, looked: Looked) -> Visit:
    """What is to be remembered of a visit that began then."""
    visit, on_tour = visit._replace(gone=None), bool(visit.next)
    failed = ended.failed or is_behind(visit, ended)
    if looked.until:
        if on_tour or ended.next or failed:
            return visit
        return visit._replace(seen=max(visit.seen or visit.since, min(looked.until, now)))
    began = None if failed else visit.began if on_tour else now
    one_sweep = not (on_tour or ended.next or ended.failed)
    place = _place(visit, now, ended, looked) if one_sweep else Reach()
    visit = visit._replace(**place._asdict())
    if ended.next:
        after = ended.next if len(ended.next) <= LONGEST_ID else ""
        return visit._replace(next=after, began=began if after else None)
    return visit._replace(next="", began=None, seen=began or visit.seen)


def _place(visit: Visit, now: datetime, ended: Ended, looked: Looked) -> Reach:
    """How far down it came; not as far where what was looked at before is left."""
    down, start = ended.down, ended.start
    if looked.left and not is_behind(visit, ended):
        down, start = visit.down, visit.start
    return Reach(now if down else None, down, start)
