"""A table of continuations; on a narrow screen each row becomes a card.

The roles are written down, since a row that is laid out as a card is no row for the browser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.web.html import Child, Markup, said, tag
from functions.web.words import badge, link, reason, span, to_one, when

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from functions.core.kept.summary import Summary
    from functions.core.kept.tasks import Wait

COLUMNS = ("State", "Run", "Route", "Why", "Pipeline run", "Run end to start", "Tries", "At")
OF_WAITS = ("Answer", "Runs", "Task", "Why", "Waits for", "Tries", "At")


def table(title: str, rows: Sequence[Summary], now: datetime) -> Child:
    """The heading and the table."""
    return _table(title, COLUMNS, [_row(one, now) for one in rows], "rows")


def waits(title: str, rows: Sequence[Wait], now: datetime) -> Child:
    """The same for tasks that wait."""
    return _table(title, OF_WAITS, [_wait(one, now) for one in rows], "rows waits")


def _table(title: str, columns: Sequence[str], rows: Sequence[Markup], kind: str) -> Child:
    heads = [tag("th", name, scope="col", role="columnheader") for name in columns]
    head = tag("thead", tag("tr", *heads, role="row"), role="rowgroup")
    body = tag("tbody", *rows, role="rowgroup")
    return [tag("h2", title), tag("table", head, body, role="table", class_=kind)]


def _wait(one: Wait, now: datetime) -> Markup:
    runs = [tag("div", said(run)) for run in one.runs]
    return _cells(
        OF_WAITS,
        [
            one.result or "none yet",
            [*runs, _small(said(one.workspace.name))],
            [said(one.task.id), _small(["plan ", said(one.task.plan)])],
            said(one.why) if one.why else "-",
            span((now - one.created_at).total_seconds()),
            one.attempts + 1,
            [_small("due" if one.due_at > now else "due since"), when(one.due_at)],
        ],
    )


def _row(one: Summary, now: datetime) -> Markup:
    where = " · ".join(filter(None, (one.experiment, one.workspace)))
    cells: list[Child] = [
        badge(one.state),
        [tag("a", said(one.key.run), href=to_one(one.key)), _small(said(where))],
        said(one.key.route),
        reason(one),
        link(one.url, f"#{one.pipeline_run}") if one.pipeline_run else "-",
        _took(one, now),
        one.attempts + 1,
        _at(one, now),
    ]
    return _cells(COLUMNS, cells)


def _cells(columns: Sequence[str], cells: Sequence[Child]) -> Markup:
    named = zip(columns, cells, strict=True)
    made = [
        tag("td", tag("div", cell), role="cell", data_name=name, data_none=cell == "-")
        for name, cell in named
    ]
    return tag("tr", *made, role="row")


def _took(one: Summary, now: datetime) -> str:
    """From the run's end to the start, or until now if it may still start."""
    if one.latency is not None:
        return span(one.latency)
    since = now - (one.run_ended_at or one.created_at)
    return f"{span(since.total_seconds())} so far" if one.is_open else "-"


def _at(one: Summary, now: datetime) -> Child:
    """When it came to where it stands, or when it is taken up again."""
    if not one.is_open:
        return when(one.at)
    if one.is_in_line:
        return _small("waits for its turn")
    return [_small("due" if one.due_at > now else "due since"), when(one.due_at)]


def _small(told: Child) -> Markup:
    return tag("span", told, class_="detail")
