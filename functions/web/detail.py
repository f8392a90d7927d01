"""The page of one continuation: what became of it and why, what to do, and every step."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from functions.core.kept import after
from functions.core.kept.summary import Summary
from functions.core.operators import history
from functions.core.operators.lists import holders
from functions.core.operators.summaries import whole_key
from functions.core.terms.pipelines import is_github, service
from functions.core.terms.reasons import Reason
from functions.core.texts.bounds import visible
from functions.core.texts.phrases import lasting
from functions.web.html import Child, Markup, said, tag
from functions.web.layout import page
from functions.web.words import ago, badge, command, link, when

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.operators.overview import Whole
    from functions.core.terms.runs import Key

SHORT = 160  # characters of a value that are shown at once


def detail(one: Whole) -> str:
    """The page of one continuation."""
    c = one.continuation
    title = tag("h1", said(c.key.run))
    parts = [
        tag("div", badge(c.state, in_doubt=c.in_doubt), title, class_="title"),
        _decision(one),
        _facts(one),
        _request(one),
        _timeline(one),
    ]
    back = tag("p", tag("a", "All continuations", href="?"), class_="back")
    live = tag("div", *parts, id="one", data_live=True)
    return page(f"{c.key.run} {Summary.of(c).stands}", back, live, at=one.at)


def _decision(one: Whole) -> Markup:
    """What became of it, what happens next, and what a person can do."""
    c = one.continuation
    told: list[tuple[str, Child]] = [
        ("What", one.told.means),
        ("After", _other(after.before(c), after.end(c.event))),
        ("Gate", _gate(one)),
        ("It saw", said(one.saw) if one.saw else None),
        ("Detail", said(c.detail) if c.detail and not _is_gates(c) else None),
        ("Waits for", [tag("span", said(name), class_="detail") for name in one.before] or None),
        ("Next", one.told.next),
        ("To do", _to_do(one) or None),
        ("Command", _command(one)),
        ("Pipeline run", _pipeline_run(c)),
        ("It ended", _end(c)),
        ("Then", _other(after.behind(c))),
        ("People told", [tag("span", said(line), class_="detail") for line in one.people] or None),
        ("Also started", ", ".join(f"#{d}" for d in c.duplicates) or None),
    ]
    return tag("section", tag("h2", "Decision"), _terms(told))


def _gate(one: Whole) -> Child:
    """What the gate asks; one that was ignored does not read like one that was passed."""
    by = one.continuation.gate_ignored_by
    asks = tag("code", said(one.gate)) if one.gate else None
    return [tag("strong", "ignored, as ", said(by), " asked "), asks] if by else asks


def _to_do(one: Whole) -> str:
    """What a person can do; the command in it stands below, with all that belongs to it."""
    typed = re.escape(f"bin/relay replay {shlex.quote(visible(one.continuation.key.text))}")
    form = f"{typed}(?: --ignore-gate| --as-started BUILD_ID, or --again if there is none)?"
    return re.sub(form, "type the command below", one.told.do) if one.command.text else one.told.do


def _command(one: Whole) -> Child:
    """What to type to replay it."""
    if one.command.text:
        return command(one.command)
    is_open = one.continuation.state.may_be_open
    return f"None is needed, it {'goes on by itself' if is_open else 'is settled'}"


def _is_gates(c: Continuation) -> bool:
    """Whether its detail says no more than what the gate asked and saw."""
    return c.reason is Reason.GATE and bool(c.gate_asked.saw)


def _pipeline_run(c: Continuation) -> Child:
    return (
        link(c.url, f"#{c.pipeline_run} in {service(c.organization)}") if c.pipeline_run else None
    )


def _end(c: Continuation) -> Child:
    """How its pipeline run ended, once that is known."""
    if c.ended is None:
        return None
    detail = f": {c.ended.detail}" if c.ended.detail else ""
    return [said(f"{c.ended.how}{detail}, "), when(c.ended.at)]


def _other(key: Key | None, end: Mapping[str, object] | None = None) -> Child:
    """The page of the continuation before or behind it, and how the one before ended."""
    if key is None:
        return None
    how = f": pipeline run {end.get('run')} {end.get('end')}" if end else ""
    return [tag("a", said(key.text), href="?" + urlencode({"key": whole_key(key)})), said(how)]


def _facts(one: Whole) -> Markup:
    c, event = one.continuation, one.continuation.event
    latency = Summary.of(c).latency
    ended = "Pipeline run" if after.before(c) else "Run"
    told: list[tuple[str, Child]] = [
        ("KEY", tag("code", one.name)),
        (
            "Run",
            [
                link(one.studio, "open in Azure Machine Learning studio") if one.studio else None,
                _others("q", c.key.run, "all of the same run"),
            ],
        ),
        ("Outcome", c.key.outcome),
        ("Route", [said(c.key.route), _others("route", c.key.route)]),
        ("Group", said(holders.group(c)) if holders.group(c) else None),
        ("Experiment", _experiment(event.experiment)),
        ("Run type", said(event.run_type) if event.run_type else None),
        (
            "Workspace",
            [said(event.workspace.name), tag("span", said(event.workspace.id), class_="detail")],
        ),
        (f"{ended} ended", _at(event.time, one.at)),
        (f"{ended} end to start", lasting(latency) if latency is not None else None),
        ("Claimed", _at(c.created_at, one.at)),
        ("Due", _at(c.due_at, one.at) if c.is_open and not Summary.of(c).is_in_line else None),
        ("Tries", c.attempts + 1),
    ]
    pairs = [_pairs("Tags", event.tags or {}), _pairs("Properties", event.properties)]
    return tag("section", tag("h2", "Facts"), _terms(told), *pairs)


def _at(at: datetime | None, now: datetime) -> Child:
    return [when(at), " UTC, ", ago(at, now)] if at else "not known"


def _experiment(name: str) -> Child:
    return [said(name), _others("experiment", name)] if name else None


def _others(field: str, value: str, told: str = "") -> Markup:
    """A link to all that have the same."""
    what = told or f"all of the same {field}"
    return tag("a", what, href="?" + urlencode({field: value}), class_="others")


def _request(one: Whole) -> Child:
    asked = one.continuation.request
    if asked is None:
        return None
    told: list[tuple[str, Child]] = [
        ("Workflow" if is_github(asked.organization) else "Pipeline", said(asked.where)),
        ("Version", asked.pipeline_version),
        ("Branch", said(one.branch) if one.branch else None),
        ("Asked", _at(one.continuation.asked_at, one.at) if one.continuation.asked_at else None),
        ("Requests sent", one.continuation.sends or None),
    ]
    given = "Inputs" if is_github(asked.organization) else "Parameters"
    pairs = [_pairs(given, one.parameters), _pairs("Variables", one.variables)]
    return tag("section", tag("h2", f"Request to {asked.service}"), _terms(told), *pairs)


def _timeline(one: Whole) -> Markup:
    steps = [
        tag("li", when(step.at), " ", tag("strong", said(step.what)), " ", said(step.detail))
        for step in history.told(one.continuation)
    ]
    return tag("section", tag("h2", "Timeline, in UTC"), tag("ol", *steps, class_="timeline"))


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
