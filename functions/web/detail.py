"""The page of one continuation: what became of it and why, what to do, and every step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.kept.summary import Summary
from functions.web.html import Child, Markup, said, tag
from functions.web.layout import page
from functions.web.words import badge, link, span, when

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from functions.core.kept.continuation import Continuation
    from functions.core.operators.overview import Whole

SHORT = 160  # characters of a value that are shown at once


def detail(one: Whole) -> str:
    """The page of one continuation."""
    c = one.continuation
    title = tag("h1", said(c.key.run))
    parts = [
        tag("div", badge(c.state), title, class_="title"),
        _decision(one),
        _facts(one),
        _request(one),
        _timeline(one),
    ]
    back = tag("p", tag("a", "All continuations", href="?"), class_="back")
    live = tag("div", *parts, id="one", data_live=True)
    return page(f"{c.key.run} {c.state}", back, live, at=one.at)


def _decision(one: Whole) -> Markup:
    """What became of it, what happens next, and what a person can do."""
    c = one.continuation
    told: list[tuple[str, Child]] = [
        ("What", one.told.means),
        ("Detail", said(c.detail) if c.detail else None),
        ("Next", one.told.next),
        ("To do", one.told.do or None),
        ("Command", _command(one)),
        ("Pipeline run", _pipeline_run(c)),
        ("Also started", ", ".join(f"#{d}" for d in c.duplicates) or None),
    ]
    return tag("section", tag("h2", "Decision"), _terms(told))


def _command(one: Whole) -> Child:
    """What to type to replay it."""
    if one.command:
        return tag("code", one.command, class_="command")
    is_open = one.continuation.state.may_be_open
    return "Nothing to replay: " + ("it is open" if is_open else "it is settled")


def _pipeline_run(c: Continuation) -> Child:
    return link(c.url, f"#{c.pipeline_run} in Azure DevOps") if c.pipeline_run else None


def _facts(one: Whole) -> Markup:
    c, event = one.continuation, one.continuation.event
    latency = Summary.of(c).latency
    told: list[tuple[str, Child]] = [
        ("KEY", tag("code", one.name)),
        ("Run", link(one.studio, "open in Azure Machine Learning studio")),
        ("Outcome", c.key.outcome),
        ("Route", said(c.key.route)),
        ("Experiment", said(event.experiment) if event.experiment else None),
        ("Run type", said(event.run_type) if event.run_type else None),
        (
            "Workspace",
            [said(event.workspace.name), tag("span", said(event.workspace.id), class_="detail")],
        ),
        ("Run ended", when(event.time)),
        ("Run end to start", span(latency) if latency is not None else None),
        ("Claimed", when(c.created_at)),
        ("Due", when(c.due_at) if c.is_open and not Summary.of(c).is_in_line else None),
        ("Tries", c.attempts + 1),
        ("The gate saw", said(one.gate) if one.gate else None),
    ]
    pairs = [_pairs("Tags", event.tags or {}), _pairs("Properties", event.properties)]
    return tag("section", tag("h2", "Facts"), _terms(told), *pairs)


def _request(one: Whole) -> Child:
    asked = one.continuation.request
    if asked is None:
        return None
    told: list[tuple[str, Child]] = [
        ("Pipeline", said(asked.where)),
        ("Version", asked.pipeline_version),
        ("Branch", said(one.branch) if one.branch else None),
        ("Asked", when(one.continuation.asked_at) if one.continuation.asked_at else None),
        ("Requests sent", one.continuation.sends or None),
    ]
    pairs = [_pairs("Parameters", one.parameters), _pairs("Variables", one.variables)]
    return tag("section", tag("h2", "Request to Azure DevOps"), _terms(told), *pairs)


def _timeline(one: Whole) -> Markup:
    steps = [
        tag("li", when(step.at), " ", tag("strong", said(step.what)), " ", said(step.detail))
        for step in one.continuation.history
    ]
    return tag("section", tag("h2", "Timeline"), tag("ol", *steps, class_="timeline"))


def _terms(told: Iterable[tuple[str, Child]]) -> Markup:
    """Names with their values; those without a value are left out."""
    known = [tag("div", tag("dt", n), tag("dd", v)) for n, v in told if v is not None]
    return tag("dl", *known, class_="terms")


def _pairs(name: str, pairs: Mapping[str, str]) -> Child:
    if not pairs:
        return None
    rows = [
        tag("tr", tag("th", said(key), scope="row"), tag("td", _value(value)))
        for key, value in sorted(pairs.items())
    ]
    head = tag("thead", tag("tr", tag("th", "Name", scope="col"), tag("th", "Value", scope="col")))
    return tag("table", tag("caption", name), head, tag("tbody", *rows), class_="pairs")


def _value(value: str) -> Child:
    """A long value is shown in full only when asked for."""
    if len(value) <= SHORT:
        return said(value)
    short = tag("summary", said(value[:SHORT] + "…"), f" ({len(value):,} characters)")
    return tag("details", short, tag("p", said(value)))
