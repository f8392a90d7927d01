"""The two charts, as figures: SVG for the eye, a title and a table for everybody else.

Only marks are drawn. All words are HTML, so that they keep their size on every screen.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from functions.web.charts.series import DRAWN, Stretch, stretches
from functions.web.html import Child, Markup, tag
from functions.web.words import badge, span, when

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

    from functions.core.kept.summary import Summary
    from functions.core.terms.words import State

WIDE, HIGH = 10, 40  # of a bar's place, in the drawing's own units
LINES = (1, 10, 60, 600, 3600, 21_600, 86_400, 604_800, 2_592_000)  # seconds, evenly spaced


def charts(listed: Sequence[Summary], now: datetime) -> Markup:
    """Both, over what the list holds."""
    size, drawn = stretches(listed, now)
    if not drawn:
        return tag("p", "Nothing has started, been held or failed here yet.", class_="quiet")
    return tag("div", _ends(size, drawn, now), _latencies(size, drawn, now), class_="charts")


def _ends(size: timedelta, drawn: Sequence[Stretch], now: datetime) -> Markup:
    each = span(size.total_seconds())
    lanes = tag("div", *(_lane(state, drawn, each) for state in DRAWN), class_="lanes")
    rows = [[when(s.begins), *(s.counts[state] for state in DRAWN)] for s in drawn if _any(s)]
    caption = tag("figcaption", tag("h2", "Starts, holds and failures"), _each(each))
    table = _table("ends", (f"{each} from", *DRAWN), rows)
    return tag("figure", caption, lanes, _axis(drawn, now), table)


def _lane(state: State, drawn: Sequence[Stretch], each: str) -> Markup:
    counts = [stretch.counts[state] for stretch in drawn]
    most, total = max(counts), sum(counts)
    bars = [_bar(i, count / most) for i, count in enumerate(counts) if count]
    told = f"{state}: {total} in all, at most {most} in {each}"
    svg = _drawing(len(counts), HIGH, told, f"bars {state}", *bars)
    return tag(
        "div",
        badge(state),
        svg,
        tag("span", total, class_="number", aria_hidden="true"),
        class_="lane",
    )


def _bar(place: int, part: float) -> Markup:
    high = max(3.0, part * HIGH)
    return tag("rect", x=place * WIDE + 1, y=round(HIGH - high, 1), width=WIDE - 2, height=high)


def _latencies(size: timedelta, drawn: Sequence[Stretch], now: datetime) -> Markup:
    """Per stretch a line from the shortest to the longest, and a mark at the median."""
    each = span(size.total_seconds())
    caption = tag("figcaption", tag("h2", "From the end of the run to the start"), _each(each))
    known = [value for stretch in drawn for value in stretch.latencies]
    if not known:
        return tag("figure", caption, tag("p", "Nothing has started yet.", class_="quiet"))
    top = next((i for i, line in enumerate(LINES) if line >= max(known)), len(LINES) - 1) or 1
    marks = [_range(i, s, top) for i, s in enumerate(drawn) if s.latencies]
    rules = [_rule(i * HIGH, len(drawn)) for i in range(top + 1)]
    told = f"From {span(min(known))} to {span(max(known))}"
    svg = _drawing(len(drawn), top * HIGH, told, "ranges", *rules, *marks)
    scale = tag(
        "div", *(tag("span", span(x)) for x in LINES[top::-1]), class_="scale", aria_hidden="true"
    )
    rows = [
        [when(s.begins), span(min(s.latencies)), span(s.median), span(max(s.latencies))]
        for s in drawn
        if s.latencies
    ]
    table = _table("latencies", (f"{each} from", "shortest", "median", "longest"), rows)
    return tag("figure", caption, tag("div", scale, svg, class_="plot"), _axis(drawn, now), table)


def _range(place: int, stretch: Stretch, top: int) -> Child:
    low, middle, high = (
        round(_height(x, top), 1)
        for x in (min(stretch.latencies), stretch.median, max(stretch.latencies))
    )
    x = place * WIDE + WIDE / 2
    line = tag("line", x1=x, x2=x, y1=low + 1, y2=high - 1)
    return [line, tag("rect", x=x - 3.5, width=7, y=middle - 2, height=4)]


def _height(seconds: float, top: int) -> float:
    """How far from the top; between two lines the scale is logarithmic."""
    bounded = min(max(seconds, LINES[0]), LINES[top])
    i = next(i for i in range(1, top + 1) if bounded <= LINES[i])
    within = log(bounded / LINES[i - 1]) / log(LINES[i] / LINES[i - 1])
    return (top - (i - 1 + within)) * HIGH


def _rule(y: int, count: int) -> Markup:
    return tag("path", d=f"M0 {y}H{count * WIDE}", class_="rule")


def _drawing(count: int, high: int, told: str, kind: str, *marks: Child) -> Markup:
    box = f"0 0 {count * WIDE} {high}"
    named = tag("title", told), tag("desc", "The table below the chart has the numbers.")
    return tag(
        "svg", *named, *marks, viewBox=box, preserveAspectRatio="none", role="img", class_=kind
    )


def _axis(drawn: Sequence[Stretch], now: datetime) -> Markup:
    ends = (drawn[0].begins, now)
    times = [tag("span", f"{at:%-d %b %H:%M}") for at in ends]
    return tag("div", *times, class_="axis", aria_hidden="true")


def _each(each: str) -> Markup:
    return tag("p", f"Each mark stands for {each}", class_="quiet")


def _any(stretch: Stretch) -> bool:
    return any(stretch.counts.values())


def _table(name: str, heads: Iterable[str], rows: Sequence[Sequence[Child]]) -> Markup:
    head = tag("tr", *(tag("th", h, scope="col") for h in heads))
    body = [
        tag("tr", tag("th", first, scope="row"), *(tag("td", cell) for cell in rest))
        for first, *rest in reversed(rows)
    ]
    table = tag("table", tag("thead", head), tag("tbody", *body))
    return tag("details", tag("summary", "As a table"), table, id=f"table-{name}")
