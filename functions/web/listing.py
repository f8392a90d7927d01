"""The list: figures, filters, charts, and a row for each continuation."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from functions.core.operators.overview import MOST_ENDED
from functions.core.terms.words import State
from functions.web.charts.figures import charts
from functions.web.html import Child, Markup, said, tag
from functions.web.layout import page
from functions.web.rows import table, waits
from functions.web.words import span, when

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from functions.core.kept.summary import Summary
    from functions.core.operators.overview import Seen, Wanted

ROWS = 50
SPANS = {"": "any time", "1h": "1 hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days"}
NEAR_DAYS = 30


def listing(seen: Seen, offset: int) -> str:
    """The page of a list, from its row `offset` on."""
    paused = tag("p", "Paused: nothing is started while PAUSED=1.", class_="notice")
    parts: dict[str, Child] = (
        _parts(seen, offset) if seen.among else {"figures": [_nothing_yet(), _credentials(seen)]}
    )
    parts |= {"waits": None if offset else _waits(seen)}
    return page(
        "Operations",
        tag("h1", "Operations"),
        paused if seen.paused else None,
        _filters(seen.wanted, seen.among) if seen.among else None,
        *(tag("section", part, id=name, data_live=True) for name, part in parts.items()),
        at=seen.at,
    )


def _parts(seen: Seen, offset: int) -> dict[str, Child]:
    """What is open stands before the charts, what has ended after them."""
    shown = seen.listed[offset : offset + ROWS]
    is_open = [one for one in shown if one.state.may_be_open]
    ended = [one for one in shown if not one.state.may_be_open]
    first = not offset
    return {
        "figures": [_scope(seen), _figures(seen) if first else None],
        "open": table("Open", is_open, seen.at) if is_open else _nothing("open", seen, first=first),
        "charts": charts(seen.listed, seen.at) if first and seen.listed else None,
        "ended": table("Ended", ended, seen.at) if ended else None,
        "pages": _pages(seen, offset),
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


def _scope(seen: Seen) -> Markup:
    """What the page is made of."""
    whole = f"All that are open and the {MOST_ENDED:,} newest others"
    among = f"{len(seen.listed):,} of {len(seen.among):,}" if seen.wanted.given else "all"
    return tag("p", f"{whole}: {among} listed, searched and drawn here.", class_="quiet scope")


def _nothing(what: str, seen: Seen, *, first: bool) -> Child:
    if seen.listed:
        told = f"Nothing is {what}." if first and not seen.wanted.given else None
        return tag("p", told, class_="quiet") if told else None
    back = tag("a", "Show all", href="?")
    return tag("p", "Nothing fits these filters. ", back, class_="empty")


def _figures(seen: Seen) -> Markup:
    """What is most asked for, in numbers."""
    count = {state: sum(one.state is state for one in seen.listed) for state in State}
    since = min((one.created_at for one in seen.listed if one.is_open), default=None)
    known = [one.latency for one in seen.listed if one.latency is not None]
    oldest = f"oldest for {span((seen.at - since).total_seconds())}" if since else "nothing waits"
    figures = [
        _figure("Open", count[State.OPEN], oldest),
        _figure("Started", count[State.STARTED], "pipeline runs exist"),
        _figure("Held", count[State.HELD], "an operator can replay them"),
        _figure("Failed", count[State.FAILED], "mend the cause, then replay"),
        _figure("Run end to start", span(median(known)) if known else "-", "the median"),
    ]
    return tag("div", tag("dl", *figures, class_="figures"), _credentials(seen))


def _figure(name: str, value: str | int, more: str) -> Markup:
    number = f"{value:,}" if isinstance(value, int) else value
    return tag("div", tag("dt", name), tag("dd", number, class_="number"), tag("dd", more))


def _credentials(seen: Seen) -> Child:
    """Until when each secret is valid, as the app last read it."""
    lines = []
    for name, ends in seen.ends.items():
        if ends is None:
            lines.append(tag("li", said(name), ": no expiry date is set"))
            continue
        days = (ends - seen.at).days
        near = "notice" if days <= NEAR_DAYS else None
        left = f": {days} days left, until " if days >= 0 else ": expired at "
        lines.append(tag("li", said(name), left, when(ends), class_=near))
    title = tag("h2", "Credentials for Azure DevOps")
    return tag("div", title, tag("ul", *lines), class_="credentials") if lines else None


def _filters(wanted: Wanted, among: Sequence[Summary]) -> Markup:
    spans = SPANS | ({} if wanted.since in SPANS else {wanted.since: wanted.since})
    fields = [
        _field("q", "Search", tag("input", type="search", id="q", name="q", value=wanted.q)),
        _field(
            "state", "State", _choice("state", wanted.state, {"": "all"} | {s: s for s in State})
        ),
        _named("route", "Route", wanted.route, {one.key.route for one in among}),
        _named("experiment", "Experiment", wanted.experiment, {one.experiment for one in among}),
        _field("since", "Within", _choice("since", wanted.since, spans)),
    ]
    clear = tag("a", "Clear", href="?") if wanted.given else None
    buttons = tag("div", tag("button", "Filter"), clear, class_="buttons")
    return tag("form", *fields, buttons, role="search", aria_label="Filter", class_="filters")


def _field(name: str, label: str, control: Child) -> Markup:
    return tag("div", tag("label", label, for_=name), control)


def _named(name: str, label: str, value: str, known: Iterable[str]) -> Markup:
    names = sorted(filter(None, known))[:200]
    options = tag("datalist", *(tag("option", value=n) for n in names), id=f"{name}s")
    given = {"placeholder": "all, * for any text", "list": f"{name}s", "autocomplete": "off"}
    control = tag("input", id=name, name=name, value=value, **given)
    return _field(name, label, [control, options])


def _choice(name: str, value: str, known: dict[str, str]) -> Markup:
    options = [tag("option", v, value=k, selected=k == value) for k, v in known.items()]
    return tag("select", *options, id=name, name=name)


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


def _nothing_yet() -> Markup:
    return tag(
        "div",
        tag("h2", "No continuation yet"),
        tag("p", "Nothing has ended that a route is about, or its event has not arrived."),
        tag("p", "To see what became of a run: ", tag("code", "bin/relay why RUN_ID")),
        class_="empty",
    )
