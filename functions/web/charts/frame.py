"""What both charts have: scale, axis, the drawing with its lines, links, and the table below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.web.charts.series import PARTS
from functions.web.html import Child, Markup, tag
from functions.web.words import to_filter, when

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from functions.core.operators.lists.wanted import Wanted
    from functions.web.charts.series import Stretch

WIDE, HIGH = 10, 100.0  # of a stretch's place, and of the whole drawing, in its own units


def drawing(count: int, parts: int, marks: Iterable[Child]) -> Markup:
    """The marks of so many stretches, over lines that divide the height into parts.

    The height of the element is the style sheet's, whatever is drawn.
    """
    across = count * WIDE
    rules = [
        tag("path", d=f"M0 {round(i * HIGH / parts, 2)}H{across}", class_="rule")
        for i in range(parts + 1)
    ]
    box = {"viewBox": f"0 0 {across} {HIGH:.0f}", "preserveAspectRatio": "none"}
    return tag("svg", *rules, *marks, **box, aria_hidden="true")


def mark(
    place: int, stretch: Stretch, told: str, wanted: Wanted, shapes: Iterable[Child]
) -> Markup:
    """What stands for a stretch: it says its values, and leads to its rows.

    The table below has the same links for the keyboard.
    """
    until = f"{stretch.ends:%H:%M}" if stretch.size[-1] in "mh" else f"{stretch.ends:%-d %b}"
    title = tag("title", f"{stretch.begins:%-d %b %H:%M} to {until} UTC: {told}")
    whole = tag("rect", x=place * WIDE, y=0, width=WIDE, height=HIGH, class_="place")
    return tag("a", title, whole, *shapes, href=_to(stretch, wanted), tabindex=-1)


def scale(labels: Iterable[str]) -> Markup:
    """The values of the lines, from the top."""
    return tag("div", *(tag("span", one) for one in labels), class_="scale", aria_hidden="true")


def axis(drawn: Sequence[Stretch]) -> Markup:
    """When each part of the drawing begins, and that it ends now."""
    firsts = drawn[:: len(drawn) // PARTS]
    days = [f"{one.begins:%-d %b}" for one in firsts]
    times = [tag("span", day, _time(one)) for day, one in zip(days, firsts, strict=True)]
    return tag("div", *times, tag("span", "now"), class_="axis", aria_hidden="true")


def table(
    name: str, heads: Iterable[str], rows: Sequence[tuple[Stretch, list[str]]], wanted: Wanted
) -> Markup:
    """The numbers of each stretch, the newest first."""
    head = tag("tr", *(tag("th", h, scope="col") for h in ("from, in UTC", *heads)))
    body = []
    for stretch, cells in reversed(rows):
        link = tag("a", when(stretch.begins), href=_to(stretch, wanted))
        body.append(tag("tr", tag("th", link, scope="row"), *(tag("td", c) for c in cells)))
    whole = tag("table", tag("thead", head), tag("tbody", *body))
    return tag("details", tag("summary", "As a table"), whole, id=f"table-{name}")


def _to(stretch: Stretch, wanted: Wanted) -> str:
    return to_filter(wanted, during=stretch.during, since="")


def _time(stretch: Stretch) -> str:
    return f" {stretch.begins:%H:%M}" if stretch.size[-1] in "mh" else ""
