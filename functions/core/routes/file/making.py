"""From the entry of a route that is as it should be to the route."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from functions.core.routes import needs
from functions.core.routes.definition import Limit, Match, Route, Start, Variable
from functions.core.routes.file.seldom import (
    champions,
    channels,
    concurrencies,
    expectations,
    joins,
    promotions,
    sequels,
    workflows,
)
from functions.core.terms.pipelines import is_github
from functions.core.terms.policy import FACTS_FOR
from functions.core.terms.words import Outcome
from functions.core.texts.times import parse_span

if TYPE_CHECKING:
    from collections.abc import Iterable

    Entry = dict[str, Any]


def made(entry: Entry, defaults: Entry) -> Route:
    """The route that an entry describes, or the sequel of one."""
    as_written = ("name", "children", "when", "step", "model", "after")
    of_start = {name: value for name, value in defaults.items() if name != "follow"}
    start = _start(entry["start"], of_start) if "start" in entry else None
    match = Match(**entry.get("match", {}))
    grouped = concurrencies().made(entry["concurrency"]) if "concurrency" in entry else None
    count, _, per = entry.get("limit", "").partition("/")
    joined = joins().made(entry) if "join" in entry and "after" not in entry else None
    return Route(
        **{key: entry[key] for key in as_written if key in entry},
        outcomes=joined.well | joins().ENDS if joined else _outcomes(entry),
        match=match,
        champion=champions().choice(entry["champion"]) if "champion" in entry else None,
        promoted=promotions().made(entry["promoted"]) if "promoted" in entry else None,
        wait_for_facts=_patience(entry),
        limit=Limit(int(count), per) if count else None,
        concurrency=grouped,
        shadow=entry.get("mode") == "shadow",
        follow=bool(entry.get("follow", defaults.get("follow", True))),
        complete=bool(entry.get("complete", False)),
        answers_after=entry.get("complete") == "after",
        start=start,
        needs=needs.of(match, entry.get("when"), start, grouped, joined.by if joined else ""),
        notify=channels().channels(entry["notify"]) if "notify" in entry else None,
        then=sequels().ends(entry) if "then" in entry else {},
        tell=channels().channels(entry["tell"]) if "tell" in entry else (),
        expectation=expectations().made(entry["expect"]) if "expect" in entry else None,
        join=joined,
    )


def organizations(routes: Iterable[Route], defaults: Entry) -> frozenset[str]:
    """Those of Azure DevOps that routes start pipelines in, or that the file names for all."""
    starts = (route.start for route in routes if route.start)
    started = (one.organization for one in starts if not is_github(one.organization))
    return frozenset(filter(None, (*started, defaults.get("organization"))))


def _patience(entry: Entry) -> timedelta:
    told = entry.get("wait_for_facts")
    return FACTS_FOR if told is None else parse_span(told) or timedelta()


def _outcomes(entry: Entry) -> frozenset[Outcome]:
    named = entry.get("event") or entry.get("outcome", ["Completed"])
    return frozenset(map(Outcome, [named] if isinstance(named, str) else named))


def _start(written: Entry, defaults: Entry) -> Start:
    if "github" in written:  # what `defaults` say is of Azure DevOps, the secret most of all
        found: Start = workflows().made(written)
        return found
    entry = {**defaults, **written}
    variables = {
        name: Variable(**value) if isinstance(value, dict) else Variable(value)
        for name, value in entry.get("variables", {}).items()
    }
    skipped = tuple(entry.get("skip_stages", ()))
    return Start(**{**entry, "variables": variables, "skip_stages": skipped})
