"""The form that filters the list, and what its filters say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.ledger.places import MOST_SORTED
from functions.core.operators.lists.wanted import STATES
from functions.core.operators.overview import MOST_ENDED
from functions.web.html import Child, Markup, said, tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from functions.core.kept.summary import Summary
    from functions.core.operators.lists.wanted import Wanted
    from functions.core.operators.overview import Seen

SPANS = {"": "any time", "1h": "1 hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days"}
MOST_NAMES = 200
_FOLDED = frozenset({"state", "route", "experiment", "since"})
_LINKED = ("reason", "during", "order")  # asked for by links alone; the form keeps them


def filters(wanted: Wanted, among: Sequence[Summary]) -> Markup:
    """The form: the search, and the rest folded until one of it is asked for."""
    spans = SPANS | ({} if wanted.since in SPANS else {wanted.since: wanted.since})
    folded = [
        _states(wanted),
        _named("route", "Route", wanted.route, {one.key.route for one in among}),
        _named("experiment", "Experiment", wanted.experiment, {one.experiment for one in among}),
        _field("since", "Within", _choice("since", wanted.since, spans)),
    ]
    search = tag("input", type="search", id="q", name="q", value=wanted.q)
    field = tag("div", tag("label", "Search", for_="q"), search, class_="search")
    hidden = [
        tag("input", type="hidden", name=name, value=wanted.given[name])
        for name in _LINKED
        if name in wanted.given
    ]
    more = tag(
        "details",
        tag("summary", "More filters"),
        tag("div", *folded, class_="folded"),
        open=bool(wanted.given.keys() & _FOLDED),
    )
    kept = [field, tag("button", "Filter"), *hidden, more]
    return tag("form", *kept, role="search", aria_label="Filter", class_="filters")


def known(seen: Seen) -> Markup:
    """What the page is made of."""
    opened = "all that is open"
    if not seen.whole:
        opened = f"only {MOST_SORTED:,} of what is open, as bin/relay list does"
    others = f"of what has ended the {MOST_ENDED:,} that were claimed last"
    told = f"The page knows {opened}, and {others}"
    return tag("p", f"{told}; bin/relay list knows the others.", class_="quiet")


def scope(seen: Seen) -> Child:
    """What fits the filters, which are named; None where there are none."""
    if not seen.wanted.narrows:
        return None
    asked = (f"{name} {value}" for name, value in seen.wanted.given.items())
    told = [f"{len(seen.listed):,} of {len(seen.among):,} fit: ", said(", ".join(asked)), ". "]
    everything = "The numbers above are of everything. "
    back = tag("a", "Show all", href="?")
    return tag("p", tag("strong", *told), everything, back, class_="scope filtered")


def _states(wanted: Wanted) -> Markup:
    """Several may be chosen: the host joins what is given several times with commas."""
    boxes = [
        tag(
            "label",
            tag(
                "input", type="checkbox", name="state", value=state, checked=state in wanted.states
            ),
            state.replace("_", " "),
        )
        for state in STATES
    ]
    return tag("fieldset", tag("legend", "State"), tag("div", *boxes, class_="boxes"))


def _field(name: str, label: str, control: Child) -> Markup:
    return tag("div", tag("label", label, for_=name), control)


def _named(name: str, label: str, value: str, known: Iterable[str]) -> Markup:
    names = sorted(filter(None, known))[:MOST_NAMES]
    options = tag("datalist", *(tag("option", value=n) for n in names), id=f"{name}s")
    given = {"placeholder": "all, * for any text", "list": f"{name}s", "autocomplete": "off"}
    control = tag("input", id=name, name=name, value=value, **given)
    return _field(name, label, [control, options])


def _choice(name: str, value: str, known: dict[str, str]) -> Markup:
    options = [tag("option", v, value=k, selected=k == value) for k, v in known.items()]
    return tag("select", *options, id=name, name=name)
