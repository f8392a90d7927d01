"""How many there are of each state, whatever the filters say: each number leads to its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from functions.core.operators.lists.wanted import ASKED_IN_DOUBT
from functions.core.terms.words import State
from functions.core.texts.phrases import lasting
from functions.web.html import Child, Markup, said, tag
from functions.web.words import events, when

if TYPE_CHECKING:
    from functions.core.operators.overview import Seen

NEAR_DAYS = 30
ORDER = (State.OPEN, State.HELD, State.FAILED, State.STARTED, State.SKIPPED)
_ABOUT = {
    State.HELD: "you decide",
    State.FAILED: "mend the cause",
    State.STARTED: "pipeline runs",
    State.SKIPPED: "nothing to start",
}


def counts(seen: Seen) -> Markup:
    """A number for each state, and how long a start takes."""
    about, found = {**_ABOUT, State.OPEN: _oldest(seen)}, seen.counts
    numbers = [_number(seen, state, found[state], about[state]) for state in ORDER]
    if seen.in_doubt:
        numbers.insert(1, _number(seen, ASKED_IN_DOUBT, seen.in_doubt, "started or not?"))
    took = lasting(seen.latency) if seen.latency is not None else "-"
    half = [tag("span", "Run end to start"), tag("strong", took), tag("small", "half are faster")]
    every = tag("ul", *numbers, tag("li", tag("div", *half)), class_="counts")
    return tag("nav", every, aria_label="All continuations by state")


def _number(seen: Seen, state: str, count: int, about: str) -> Markup:
    name = state.capitalize().replace("_", " ")
    more = "" if seen.whole or state is not State.OPEN else "+"
    told = [tag("span", name), tag("strong", f"{count:,}{more}")]
    chosen = "true" if seen.wanted.given == {"state": str(state)} else None
    to = "?" + urlencode({"state": state})
    return tag("li", tag("a", *told, tag("small", about), href=to, aria_current=chosen))


def _oldest(seen: Seen) -> str:
    since = seen.open_since
    oldest = f"the oldest for {lasting(seen.at - since, units=1)}" if since else ""
    waiting = f"{events(seen)} in the inbox" if seen.in_inbox else ""
    return ", ".join(filter(None, (oldest, waiting))) or "nothing waits"


def credentials(seen: Seen) -> Child:
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
    title = tag("h2", "Credentials")
    return tag("div", title, tag("ul", *lines), class_="credentials") if lines else None
