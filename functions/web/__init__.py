"""The operations page: what the ledger knows, for a browser and as JSON. Read-only.

Imported only when somebody asks for it. Every function here makes text of values.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

from functions.core.operators import typed_keys
from functions.core.operators.lists.wanted import NotAsked, Wanted
from functions.core.terms.errors import ConfigurationError, LedgerUnavailable, RelayError
from functions.web import data
from functions.web.detail import detail
from functions.web.layout import headers
from functions.web.listing import ROWS, listing
from functions.web.trouble import trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.operators.overview import Overview

MOST_ROWS = 500
MOST_OFFSET = 1_000_000


class Answer(NamedTuple):
    """What the client gets."""

    status: int
    body: str
    kind: str
    headers: Mapping[str, str]


class _Trouble(NamedTuple):
    """What an error means for whoever asked, and what to do."""

    status: int
    title: str
    do: str


_TROUBLES: dict[type[RelayError], _Trouble] = {
    NotAsked: _Trouble(400, "This filter cannot be meant", "Mend the address or begin again."),
    typed_keys.NotAKey: _Trouble(400, "This is no KEY", "Mend the address or begin again."),
    typed_keys.Unknown: _Trouble(
        404,
        "There is no such continuation",
        "What became of its run is told by",
    ),
    typed_keys.Several: _Trouble(409, "Which one?", "Choose the workspace:"),
    LedgerUnavailable: _Trouble(
        503,
        "The ledger cannot be read",
        "Reload in a minute. If it lasts: is the storage account there, and may the app's "
        "identity read its tables? No event is lost meanwhile: Event Grid delivers again.",
    ),
    ConfigurationError: _Trouble(503, "A setting is wrong", "Mend it in the app's settings."),
}


def answer(overview: Callable[[], Overview], query: Mapping[str, str], accept: str) -> Answer:
    """The page, or the JSON, that this query asks for.

    Every error that is foreseen becomes a page of its own.
    """
    as_json = "application/json" in accept.lower() and "text/html" not in accept.lower()
    kind = "application/json" if as_json else "text/html; charset=utf-8"
    try:
        status, body = 200, _asked(overview(), query, as_json=as_json)
    except tuple(_TROUBLES) as error:
        what = next(t for kind_of, t in _TROUBLES.items() if isinstance(error, kind_of))
        among = error.keys if isinstance(error, typed_keys.Several) else ()
        run = error.run if isinstance(error, typed_keys.Unknown) else ""
        typed = f"bin/relay why {shlex.quote(run)}" if run else ""
        say = data.trouble if as_json else trouble
        status, body = what.status, say(what.title, str(error), what.do, among, typed)
    return Answer(status, body, kind, headers())


def _asked(overview: Overview, query: Mapping[str, str], *, as_json: bool) -> str:
    if key := query.get("key", "").strip():
        found = overview.one(key)
        return data.one(found) if as_json else detail(found)
    wanted, offset = Wanted.of(query), _number(query, "offset", 0, MOST_OFFSET)
    limit = _number(query, "limit", ROWS, MOST_ROWS) or ROWS
    seen = overview.look(wanted)
    return data.listing(seen, offset, limit) if as_json else listing(seen, offset)


def _number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name, "").strip()
    if text and not (text.isascii() and text.isdecimal()):
        raise NotAsked(name, f"{name} is a number from 0 to {most}")
    return min(int(text[:10]), most) if text else default
