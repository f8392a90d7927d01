"""What stops everything, above all else on the page: in words, with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.web.html import Child, Markup, said, tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.operators.stops.stop import Stop


def banner(stops: Sequence[Stop]) -> Markup:
    """The gravest first; empty while all goes on, and renewed with the rest of the page."""
    lines: Child = tag("ul", *map(_line, stops), class_="stops") if stops else None
    return tag("section", lines, id="stops", aria_label="What stops", data_live=True)


def _line(stop: Stop) -> Markup:
    kind = "grave" if stop.is_grave else "minor"
    more = [tag("span", said(what)) for what in stop.more]
    do = tag("span", "To do: ", said(stop.do))
    return tag("li", tag("strong", said(stop.what)), *more, do, class_=kind)
