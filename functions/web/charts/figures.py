"""The two charts, as figures: marks for the eye, and a table that says the same for everybody.

Only marks are drawn. All words are HTML, so that they keep their size on every screen; nothing has
a style of its own, which the page's policy would refuse. docs/adr/0024-charts.md
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from functions.core.texts.phrases import lasting
from functions.web.charts.frame import HIGH, WIDE, axis, drawing, mark, scale, table
from functions.web.charts.series import DRAWN, Stretch, stretches
from functions.web.html import Child, Markup, tag
from functions.web.words import badge, to_filter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.operators.lists.wanted import Wanted
    from functions.core.operators.overview import Seen
    from functions.core.terms.words import State

LEAST_HIGH = 3.0  # of what is there at all
LINES = (1, 10, 60, 600, 3600, 21_600, 86_400, 604_800, 2_592_000)  # seconds, evenly spaced


def charts(seen: Seen) -> Markup:
    """Both, over what the list holds."""
    drawn = stretches(seen.listed, seen.at)
    if not drawn:
        return tag("p", "Nothing has started, been held or failed here yet.", class_="quiet")
    both = (_ends(drawn, seen.wanted), _latencies(drawn, seen.wanted))
    return tag("div", *both, class_="charts")


def _ends(drawn: Sequence[Stretch], wanted: Wanted) -> Markup:
    top = _round(max(stretch.total for stretch in drawn))
    bars = [_bar(i, stretch, top, wanted) for i, stretch in enumerate(drawn) if stretch.total]
    totals = [
        tag("a", badge(state), f" {sum(s.counts[state] for s in drawn):,}", href=_of(wanted, state))
        for state in DRAWN
    ]
    plot = tag("div", scale([f"{top:,}", f"{top // 2:,}", "0"]), drawing(len(drawn), 2, bars))
    rows = [(s, [f"{s.counts[state]:,}" for state in DRAWN]) for s in drawn if s.total]
    return tag(
        "figure",
        _caption("How many started, were held or failed", drawn, wanted),
        tag("p", *totals, class_="legend"),
        tag("div", plot, axis(drawn), class_="plot"),
        table("ends", DRAWN, rows, wanted),
    )


def _of(wanted: Wanted, state: str) -> str:
    return to_filter(wanted, state=state)


def _bar(place: int, stretch: Stretch, top: int, wanted: Wanted) -> Markup:
    """The states on top of each other, by one scale."""
    rects, y = [], HIGH
    for state, high in _heights(stretch, top).items():
        y -= high
        at = {"x": place * WIDE + 1, "y": round(y, 1), "width": WIDE - 2}
        rects.append(tag("rect", **at, height=round(high, 1), class_=state))
    told = ", ".join(f"{n:,} {state}" for state, n in stretch.counts.items() if n)
    return mark(place, stretch, told, wanted, rects)


def _heights(stretch: Stretch, top: int) -> dict[State, float]:
    """Of what is there; what is hardly anything is seen too, at the cost of the highest."""
    high = {s: max(LEAST_HIGH, n / top * HIGH) for s, n in stretch.counts.items() if n}
    most = max(high, key=lambda state: high[state])
    high[most] -= max(0.0, sum(high.values()) - HIGH)
    return high


def _round(most: int) -> int:
    """The least even number of one digit, or with zeros, that is as large."""
    size = int(f"1{'0' * (len(str(most)) - 1)}")
    return next(n * size for n in (2, 4, 6, 8, 10, 20) if n * size >= most)


def _latencies(drawn: Sequence[Stretch], wanted: Wanted) -> Markup:
    """Per stretch a line from the shortest to the longest, and a mark at the median."""
    caption = _caption("From the end of the run to the start", drawn, wanted)
    known = [value for stretch in drawn for value in stretch.latencies]
    if not known:
        return tag("figure", caption, tag("p", "Nothing has started here.", class_="quiet"))
    top = next((i for i, line in enumerate(LINES) if line >= max(known)), len(LINES) - 1) or 1
    marks = [_range(i, s, top, wanted) for i, s in enumerate(drawn) if s.latencies]
    labels = [lasting(line) for line in LINES[top::-1]]
    plot = tag("div", scale(labels), drawing(len(drawn), top, marks))
    rows = [
        (s, [lasting(min(s.latencies)), lasting(s.median), lasting(max(s.latencies))])
        for s in drawn
        if s.latencies
    ]
    told = "A line from the shortest to the longest, with a mark where half were faster."
    return tag(
        "figure",
        caption,
        tag("p", told, class_="quiet legend"),
        tag("div", plot, axis(drawn), class_="plot"),
        table("latencies", ("shortest", "median", "longest"), rows, wanted),
    )


def _range(place: int, stretch: Stretch, top: int, wanted: Wanted) -> Child:
    low, middle, high = (
        round(_height(x, top), 1)
        for x in (min(stretch.latencies), stretch.median, max(stretch.latencies))
    )
    x = place * WIDE + WIDE / 2
    line = tag("line", x1=x, x2=x, y1=low + 1, y2=high - 1)
    rect = tag("rect", x=x - 3.5, width=7, y=middle - 2, height=4, class_="started")
    least, most = lasting(min(stretch.latencies)), lasting(max(stretch.latencies))
    told = f"{least} to {most}, median {lasting(stretch.median)}"
    return mark(place, stretch, told, wanted, [line, rect])


def _height(seconds: float, top: int) -> float:
    """How far from the top; between two lines the scale is logarithmic."""
    bounded = min(max(seconds, LINES[0]), LINES[top])
    i = next(i for i in range(1, top + 1) if bounded <= LINES[i])
    within = log(bounded / LINES[i - 1]) / log(LINES[i] / LINES[i - 1])
    return (top - (i - 1 + within)) * HIGH / top


def _caption(title: str, drawn: Sequence[Stretch], wanted: Wanted) -> Markup:
    each = lasting(drawn[0].ends - drawn[0].begins)
    of = "of what fits the filters, " if wanted.narrows else ""
    told = tag("p", f"{of}by {each}; times are UTC", class_="quiet")
    return tag("figcaption", tag("h2", title), told)
