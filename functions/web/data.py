"""The same as JSON, for programs: a page of the list, or one continuation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec

from functions.core.kept import after
from functions.core.kept.summary import Summary
from functions.core.operators.lists import holders
from functions.core.operators.summaries import row, whole_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.kept.tasks import Wait
    from functions.core.operators.lists.groups import Group
    from functions.core.operators.overview import Seen, Whole
    from functions.core.operators.stops.stop import Stop
    from functions.core.terms.runs import Key


def listing(seen: Seen, offset: int, limit: int) -> str:
    """A page of the list. `next` is the address of the following one, without any key.

    `waits` are the first `limit` of the tasks that wait, on every page.
    """
    total, later = len(seen.listed), offset + limit
    following = {**seen.wanted.given, "offset": later, "limit": limit}
    return _text(
        {
            "at": seen.at,
            "paused": seen.paused,
            "stops": [_stop(stop) for stop in seen.stops],
            "among": len(seen.among),
            "complete": seen.whole,
            "counts": seen.counts,
            "in_doubt": seen.in_doubt,
            "inbox": seen.in_inbox,
            "inbox_is_at_least": seen.inbox_is_at_least,
            "latency_seconds": seen.latency,
            "wants": [_group(one) for one in seen.wants],
            "total": total,
            "offset": offset,
            "next": f"?{urlencode(following)}" if later < total else None,
            "secrets": [{"name": n, "ends": e} for n, e in seen.ends.items()],
            "waits": [_wait(one) for one in seen.waits[:limit]],
            "continuations": [row(one) for one in seen.listed[offset:later]],
        }
    )


def one(whole: Whole) -> str:
    """One continuation, with what is said of it."""
    c = whole.continuation
    return _text(
        {
            **row(Summary.of(c)),
            **whole.told._asdict(),
            "name": whole.name,
            "command": whole.command.text,
            "otherwise": whole.command.otherwise,
            "run_url": whole.studio or None,
            "gate": whole.gate,
            "saw": whole.saw,
            "told": [*whole.people],
            "gate_ignored_by": c.gate_ignored_by or None,
            "duplicates": c.duplicates,
            "after": _whole(after.before(c)),
            "then": _whole(after.behind(c)),
            "group": holders.group(c),
            "waits_for": whole.before,
            "parameters": whole.parameters,
            "variables": whole.variables,
            "branch": whole.branch,
            "tags": c.event.tags,
            "properties": c.event.properties,
            "history": [{"at": s.at, "what": s.what, "detail": s.detail} for s in c.history],
        }
    )


def _whole(key: Key | None) -> str | None:
    return whole_key(key) if key else None


def trouble(title: str, told: str, do: str, keys: Sequence[str], typed: str) -> str:
    """What went wrong, and what to do."""
    more = {name: value for name, value in {"keys": keys, "command": typed}.items() if value}
    return _text({"error": title, "detail": told, "do": do, **more})


def _stop(one: Stop) -> dict[str, Any]:
    return {**one._asdict(), "says": one.says, "grave": one.is_grave}


def _group(one: Group) -> dict[str, Any]:
    return {
        "state": one.state,
        "in_doubt": one.in_doubt,
        "route": one.route,
        "reason": one.reason,
        "continuations": len(one.members),
        "since": one.since,
        "detail": one.detail if one.is_of_one_detail else None,
        "command": one.command.text,
        "otherwise": one.command.otherwise,
    }


def _wait(one: Wait) -> dict[str, Any]:
    return {
        "task": one.task.id,
        "plan": one.task.plan,
        "workspace": one.workspace.key,
        "runs": one.runs,
        "result": one.result,
        "why": one.why,
        "attempts": one.attempts,
        "created_at": one.created_at,
        "due_at": one.due_at,
    }


def _text(told: dict[str, Any]) -> str:
    return json.dumps(msgspec.to_builtins(told))
