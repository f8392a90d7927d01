"""Times, links and commands as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from functions.core.limits.admission import Admission
from functions.core.operators.meanings import OF_ANOTHER_VERSION, meant
from functions.core.operators.summaries import whole_key
from functions.core.terms.pipelines import service_told
from functions.core.terms.reasons import LOOKED_FOR
from functions.core.terms.words import stands_as
from functions.core.texts.phrases import counted, lasting
from functions.web.html import Child, Markup, tag

if TYPE_CHECKING:
    from datetime import datetime

    from functions.core.kept.summary import Summary
    from functions.core.operators.lists.commands import Command
    from functions.core.operators.lists.wanted import Wanted
    from functions.core.operators.overview import Seen
    from functions.core.terms.runs import Key
    from functions.core.terms.words import State

_SHAPES = {  # a shape beside each word: colour is never alone
    "open": "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zm0 2v4l3 2",
    "started": "M3 8.5l3.2 3.2L13 5",
    "held": "M5.5 3.5v9M10.5 3.5v9",
    "failed": "M4 4l8 8M12 4l-8 8",
    "skipped": "M3.5 8h9",
}
DOUBT = "it is not known whether its pipeline was started"
_DOUBT = "M5.5 6a2.5 2.5 0 1 1 2.5 3v1M8 12.5v.5"
_HERE = frozenset({"127.0.0.1", "::1", "localhost"})
_UNKNOWN = "M3.5 8h.5M8 8h.5M12.5 8h.5"


def when(at: datetime | None) -> Child:
    """A time of day, in UTC."""
    if at is None:
        return "not known"
    return tag("time", f"{at:%Y-%m-%d %H:%M:%S}", datetime=f"{at:%Y-%m-%dT%H:%M:%SZ}")


def events(seen: Seen) -> str:
    """How many wait in the inbox: `5,000+` where as many were counted, and there may be more."""
    told = counted(seen.in_inbox, "event", grouped=True)
    return told.replace(" ", "+ ", 1) if seen.inbox_is_at_least else told


def clock(at: datetime) -> Markup:
    """The time of day alone, with the whole time as its title."""
    return _time(at, f"{at:%H:%M:%S}")


def ago(at: datetime | None, now: datetime) -> Child:
    """How long ago, or in how long, by the largest unit; the whole time is its title."""
    if at is None:
        return "not known"
    left = round((now - at).total_seconds())
    length = lasting(left, units=1)
    told = f"{length} ago" if left > 0 else f"in {length}" if left else "now"
    return _time(at, told)


def link(address: str, what: Child) -> Child:
    """A link to another site by https, or to this machine; else only what it would say."""
    try:
        there = urlsplit(address)
        good = there.scheme == "https" and bool(there.hostname)
        good = good or (there.scheme == "http" and there.hostname in _HERE)
    except ValueError:
        good = False
    return tag("a", what, href=address, rel="noreferrer") if good else what


def to_one(key: Key) -> str:
    """The address of a continuation's page, from any other."""
    return "?" + urlencode({"key": whole_key(key)})


def to_filter(wanted: Wanted, **changed: str) -> str:
    """The address of the list with these filters, of which some are changed."""
    return "?" + urlencode({n: v for n, v in {**wanted.given, **changed}.items() if v})


def badge(state: State, *, in_doubt: bool = False) -> Markup:
    """The state, with its shape and colour; what is in doubt has its own, whatever the state."""
    drawn, kind = _SHAPES.get(state, _UNKNOWN), state if state.is_known else "unknown"
    drawn, kind = (_DOUBT, "doubt") if in_doubt else (drawn, kind)
    shape = tag("svg", tag("path", d=drawn), viewBox="0 0 16 16", aria_hidden="true")
    return tag("span", shape, stands_as(state, in_doubt=in_doubt), class_=f"badge {kind}")


def _time(at: datetime, told: str) -> Markup:
    whole = f"{at:%Y-%m-%d %H:%M:%S} UTC"
    return tag("time", told, datetime=f"{at:%Y-%m-%dT%H:%M:%SZ}", title=whole)


def meaning(one: Summary) -> str:
    """Why it is where it is."""
    organization, secret = Admission.named(one.waits_on)
    where = service_told(organization, one.detail, one.url)
    about = {"organization": organization, "secret": secret, "service": where}
    words = meant(one.state, one.reason).about(**about)
    if not one.state.is_known:
        return OF_ANOTHER_VERSION
    hidden = one.in_doubt and one.reason not in LOOKED_FOR  # which say it themselves
    return f"{DOUBT}; {words.means}" if hidden else words.means


def command(typed: Command) -> Markup:
    """What to type; where there is script each has a button that copies it."""
    ways: list[Child] = [_way(typed.text)]
    if typed.otherwise:
        ways += [tag("span", "or, if you find none:"), _way(typed.otherwise)]
    return tag("p", *ways, class_="typed")


def _way(text: str) -> Markup:
    return tag("span", tag("code", text, class_="command"), class_="way")
