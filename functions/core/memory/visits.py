"""The shared row of what the sweep remembers of each workspace, and what the ledger has forgotten.

    {"pruned": TIME, "off": TIME, "workspaces": {ID: {"since": TIME, "seen": TIME, ...}}}

A workspace stands here by a digest of its id, so that all that are swept fit into one row.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from functions.core.memory.remembered import Remembered, Visit, is_to_come, named, visit_of
from functions.core.ports import shared
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from functions.core.memory.remembered import Heard
    from functions.core.ports.ledger import Ledger
    from functions.core.terms.policy import SweepPolicy
    from functions.core.terms.runs import Workspace

VISITS = "chronicle/visits"
LONGEST_ID = 64  # of an experiment that is remembered; those of AML have 36 characters
GONE_FOR = timedelta(days=3)  # of 404s, and the workspace is asked no more
ASKED_AGAIN = timedelta(days=1)  # one that is gone, and named in SWEEP_WORKSPACES
CATCHING_UP = timedelta(days=7)  # how far the sweep looks back after an outage, at most
OVERLAP = timedelta(hours=1)  # AML may show an end only some time after it
A_DAY = timedelta(days=1)
LASTING = ("since", "there", "gone", "dropped")

Change = dict[str, Any]


def recall(ledger: Ledger) -> Remembered:
    """One request. Raises LedgerUnavailable."""
    return Remembered(ledger.shared(VISITS))


def believed(ledger: Ledger, now: datetime) -> Remembered:
    """The same, once what only a clock that was wrong can have written is put right.

    One request, and one more where there is any. Raises LedgerUnavailable.
    """
    row = ledger.shared(VISITS)
    return Remembered(shared.change(ledger, VISITS, lambda value: _put_right(value, now), row))


def hear(
    ledger: Ledger,
    heard: Mapping[str, Heard],
    before: Callable[[], Mapping[str, datetime]],
    now: datetime,
) -> Remembered:
    """Take note of workspaces, by key, and of when each was heard of.

    One that is known keeps its time, unless it was heard of before that, which another process
    wrote later, or it was dropped and an event came after that. `before` tells, for the first time
    that the row is written, which workspaces earlier versions knew, and since when. What a clock
    that was wrong has written is put right. Raises LedgerUnavailable, and Permanent for more than a
    row can hold.
    """

    def noted(told: Mapping[str, Any]) -> Change:
        value = _put_right(told, now)
        new = {} if "workspaces" in value else {named(w): _said(at) for w, at in before().items()}
        known = {**new, **value.get("workspaces", {})}
        for workspace, at in heard.items():
            was = visit_of(known.get(named(workspace)))
            if was is None:
                known[named(workspace)] = _said(at.first)
            elif not was.dropped and (back := _back(was, at.first)) != was:
                known[named(workspace)] = _written(back)
            elif was.dropped and at.last and at.last > was.dropped:
                known[named(workspace)] = _written(Visit(at.last, there=at.last))
        return {**value, "workspaces": known}

    return Remembered(shared.change(ledger, VISITS, noted))


def in_turn(row: Remembered, workspaces: Sequence[Workspace]) -> list[Workspace]:
    """The same, beginning with the one that the last sweep had no time for."""
    names = [named(workspace.key) for workspace in workspaces]
    first = names.index(row.turn) if row.turn in names else 0
    return [*workspaces[first:], *workspaces[:first]]


def conclude(
    ledger: Ledger,
    was: Remembered,
    visited: Mapping[str, Visit],
    swept: Sequence[Workspace],
    left: Sequence[Workspace] = (),
) -> Remembered:
    """Write how far a sweep came in the workspaces visited; forget those that are not swept.

    There was no time for those that are `left`: the first of them is the first of the next sweep.

    One request if nobody wrote meanwhile. Another sweep at the same time may have come further.
    Raises LedgerUnavailable and Permanent.
    """
    dropped, turn = was.others(swept), [named(workspace.key) for workspace in left[:1]]

    def concluded(value: Mapping[str, Any]) -> Change:
        known = {w: v for w, v in value.get("workspaces", {}).items() if w not in dropped}
        for workspace, visit in visited.items():
            last = visit_of(known.get(named(workspace)))
            known[named(workspace)] = _written(_merged(visit, last))
        rest = {name: told for name, told in value.items() if name != "turn"}
        return {**rest, **({"turn": turn[0]} if turn else {}), "workspaces": known}

    return Remembered(shared.change(ledger, VISITS, concluded, was.row))


def owe_nothing(ledger: Ledger, now: datetime) -> Remembered:
    """Forget how far the sweeps came, and remember that they are off.

    Two requests. Raises as `conclude` does.
    """

    def owing(told: Mapping[str, Any]) -> Change:
        value = _put_right(told, now)
        off = {**value, "off": max(str(value.get("off", "")), now.isoformat())}
        if (known := value.get("workspaces")) is not None:
            off["workspaces"] = {w: _only(v, *LASTING) for w, v in known.items()}
        return off

    return Remembered(shared.change(ledger, VISITS, owing))


def forgets(ledger: Ledger, was: Remembered, before: datetime) -> None:
    """Remember that what ended before then may be forgotten; a day in advance. As `conclude`."""
    if was.pruned and was.pruned >= before:
        return
    until = (before + A_DAY).isoformat()

    def pruned(value: Mapping[str, Any]) -> Change:
        return {**value, "pruned": max(str(value.get("pruned", "")), until)}

    shared.change(ledger, VISITS, pruned, was.row)


def back_to(visit: Visit | None, policy: SweepPolicy, now: datetime) -> datetime:
    """How far the sweep looks back: the window, and to where it came last, but not for ever.

    The window of several sweeps is that of the first: what the last looks at was in it then.
    """
    usual = now - policy.window
    if visit is None:
        return usual
    came = visit.seen and max(visit.seen - OVERLAP, now - _longest(policy, CATCHING_UP))
    out = min(filter(None, (visit.set_out, visit.start_set_out)), default=None)
    longest = _longest(policy, CATCHING_UP + policy.window)
    began = out and max(out - policy.window, now - longest)
    return min(filter(None, (usual, came, began)))


def _put_right(value: Mapping[str, Any], now: datetime) -> Change:
    """With now for what is still to come, and without what was then remembered of a workspace.

    Until now anything may be forgotten: who wrote that date removed what had ended before it, too.
    """
    dates = (name for name in ("pruned", "off") if is_to_come(parse_time(value.get(name)), now))
    right: Change = dict.fromkeys(dates, now.isoformat())
    known = value.get("workspaces", {})
    visits = {name: visit for name in known if (visit := visit_of(known[name]))}
    odd = {n: _written(_new(v, now)) for n, v in visits.items() if v.is_to_come(now)}
    if odd:
        right["workspaces"] = {**known, **odd}
    return {**value, **right, **({"wrong_until": now.isoformat()} if right else {})}


def _new(visit: Visit, now: datetime) -> Visit:
    there = visit.there and min(visit.there, now)
    return Visit(min(visit.since, now), there=there, promotions=visit.promotions)


def _back(visit: Visit, first: datetime) -> Visit:
    """As heard of already then; what ended since has to be looked at, though it was before."""
    since = max(first, visit.there or first)
    if since >= visit.since:
        return visit
    seen = visit.seen and min(visit.seen, since)
    return Visit(since, visit.there, seen, gone=visit.gone, promotions=visit.promotions)


def _longest(policy: SweepPolicy, most: timedelta) -> timedelta:
    """So much, but not what may be forgotten, unless that is the window."""
    return max(min(most, policy.kept_for - A_DAY), policy.window)


def _merged(visit: Visit, last: Visit | None) -> Visit:
    if last is None:
        return visit
    if visit.there != last.there:  # it is there anew, for whoever found that out last
        return max(visit, last, key=lambda one: one.there or one.since)
    if last.since < visit.since:  # so it was told meanwhile: the next sweep looks from there on
        return last._replace(gone=visit.gone, dropped=visit.dropped)
    if last.seen is None or visit.gone:
        return visit
    return visit._replace(seen=max(visit.seen or last.seen, last.seen))


def _written(visit: Visit) -> dict[str, str]:
    told = {name: value for name, value in visit._asdict().items() if value}
    return {n: v if isinstance(v, str) else v.isoformat() for n, v in told.items()}


def _said(at: datetime) -> dict[str, str]:
    return _written(Visit(at))


def _only(value: object, *names: str) -> dict[str, str]:
    found = value if isinstance(value, dict) else {}
    return {name: found[name] for name in names if name in found}
