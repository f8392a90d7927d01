"""The list: what wants a person, what is open, the charts, and a row for each of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from functions.web.banner import banner
from functions.web.charts.figures import charts
from functions.web.html import Child, Markup, tag
from functions.web.layout import page
from functions.web.parts.counts import counts, credentials
from functions.web.parts.filters import filters, known, scope
from functions.web.parts.wants import wants
from functions.web.rows import ended, is_open, waits
from functions.web.words import events

if TYPE_CHECKING:
    from functions.core.operators.lists.wanted import Wanted
    from functions.core.operators.overview import Seen

ROWS = 50


def listing(seen: Seen, offset: int) -> str:
    """The page of a list, from its row `offset` on."""
    some = bool(seen.among)
    parts = _parts(seen, offset) if some else {"empty": _nothing_yet(seen), "waits": _waits(seen)}
    first: dict[str, Child] = {
        "counts": counts(seen) if some else None,
        "credentials": credentials(seen),
    }
    return page(
        "Operations",
        banner(seen.stops),
        tag("h1", "Operations"),
        *_live(first),
        filters(seen.wanted, seen.among) if some else None,
        *_live(parts),
        at=seen.at,
    )


def _live(parts: dict[str, Child]) -> list[Markup]:
    """Parts of the page that renew themselves, by their names."""
    return [tag("section", part, id=name, data_live=True) for name, part in parts.items()]


def _parts(seen: Seen, offset: int) -> dict[str, Child]:
    """What wants a person, and what is open, stand before the charts; what has ended after them."""
    shown = seen.listed[offset : offset + ROWS]
    opened = [one for one in shown if one.state.may_be_open]
    others = [one for one in shown if not one.state.may_be_open]
    first = not offset
    return {
        "scope": scope(seen),
        "wants": wants(seen) if first and not seen.wanted.narrows else None,
        "open": is_open(opened, seen) if opened else _nothing("open", seen, first=first),
        "waits": _waits(seen) if first else None,
        "charts": charts(seen) if first and seen.listed else None,
        "ended": ended(others, seen) if others else None,
        "pages": [_pages(seen, offset), known(seen)],
    }


def _waits(seen: Seen) -> Child:
    """The tasks of pipelines that wait without an agent, as many as fit on a page."""
    if not seen.waits:
        return None
    left = len(seen.waits) - ROWS
    more = (
        tag("p", f"and {left:,} more, which a search finds", class_="quiet") if left > 0 else None
    )
    return [waits("Tasks that wait for runs", seen.waits[:ROWS], seen.at), more]


def _nothing(what: str, seen: Seen, *, first: bool) -> Child:
    if seen.listed:
        inbox = f" yet; {_events(seen)} in the inbox, see above" if seen.in_inbox else ""
        told = f"Nothing is {what}{inbox}." if first and not seen.wanted.narrows else None
        return tag("p", told, class_="quiet") if told else None
    return tag("p", "Nothing fits these filters.", class_="empty")


def _pages(seen: Seen, offset: int) -> Child:
    total = len(seen.listed)
    if total <= ROWS and not offset:
        return None
    at = tag("span", f"{offset + 1:,} to {min(offset + ROWS, total):,} of {total:,}")
    earlier = max(0, offset - ROWS)
    before = tag("a", "Previous", href=_to(seen.wanted, earlier), rel="prev") if offset else None
    later = offset + ROWS
    after = tag("a", "Next", href=_to(seen.wanted, later), rel="next") if later < total else None
    return tag("nav", before, at, after, aria_label="Pages", class_="pages")


def _to(wanted: Wanted, offset: int) -> str:
    return "?" + urlencode({**wanted.given, **({"offset": offset} if offset else {})})


def _events(seen: Seen) -> str:
    """How many wait in the inbox."""
    return f"{events(seen)} wait{'s' * (seen.in_inbox == 1)}"


def _nothing_yet(seen: Seen) -> Markup:
    why = "Nothing has ended that a route is about, or its event has not arrived."
    if seen.in_inbox:
        why = f"{_events(seen)} in the inbox until what is said above is mended."
    return tag(
        "div",
        tag("h2", "No continuation yet"),
        tag("p", why),
        tag("p", "To see what became of a run: ", tag("code", "bin/relay why RUN_ID")),
        class_="empty",
    )
