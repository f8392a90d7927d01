"""Tables of continuations, a line for each; on a narrow screen each row becomes a card.

The roles are written down, since a row that is laid out as a card is no row for the browser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from functions.core.operators.lists.wanted import OLDEST
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from functions.core.texts.phrases import lasting
from functions.web.html import Child, Markup, said, tag
from functions.web.words import ago, badge, link, meaning, to_filter, to_one

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from functions.core.kept.summary import Summary
    from functions.core.kept.tasks import Wait
    from functions.core.operators.overview import Seen

OPEN = ("State", "Run", "Route", "Experiment", "Why", "Waits", "Next")
ENDED = ("State", "Run", "Route", "Experiment", "Why", "Pipeline run", "Took", "When")
OF_WAITS = ("Answer", "Runs", "Task", "Why", "Waits", "Tries", "Next")


class Cell(NamedTuple):
    """What stands in a row; `whole` is what is read where it is too narrow."""

    shown: Child
    whole: str = ""


def is_open(rows: Sequence[Summary], seen: Seen) -> Child:
    """What is open: why, how long it has been waiting, and when it is taken up again."""
    several = _several(seen)
    made = [
        [
            *_head(one, several=several),
            Cell(lasting(seen.at - (one.run_ended_at or one.created_at))),
            Cell(_next(one, seen.at)),
        ]
        for one in rows
    ]
    return [tag("h2", "Open, the longest waiting first"), _table(OPEN, made, "rows opened")]


def ended(rows: Sequence[Summary], seen: Seen) -> Child:
    """What has ended, by the time of its end."""
    several, oldest = _several(seen), seen.wanted.order == OLDEST
    made = [
        [
            *_head(one, several=several),
            _pipeline_run(one),
            Cell(lasting(one.latency) if one.latency is not None else "-"),
            Cell(ago(one.at, seen.at)),
        ]
        for one in rows
    ]
    order, other = ("oldest", "newest") if oldest else ("newest", "oldest")
    turned = tag(
        "a", f"the {other} first", href=to_filter(seen.wanted, order="" if oldest else OLDEST)
    )
    title = tag("h2", f"Ended, the {order} first ", tag("small", "(", turned, ")"))
    return [title, _table(ENDED, made, "rows ended")]


def waits(title: str, rows: Sequence[Wait], now: datetime) -> Child:
    """The same for tasks that wait."""
    made = [
        [
            Cell(one.result or "none yet"),
            Cell([said(", ".join(one.runs)), _small(one.workspace.name)], " ".join(one.runs)),
            Cell([said(one.task.id), _small(f"plan {one.task.plan}")], one.task.id),
            Cell(said(one.why) if one.why else "-", one.why),
            Cell(lasting(now - one.created_at)),
            Cell(one.attempts + 1),
            Cell(_due(one.due_at, now)),
        ]
        for one in rows
    ]
    return [tag("h2", title), _table(OF_WAITS, made, "rows waits")]


def _table(columns: Sequence[str], rows: Sequence[Sequence[Cell]], kind: str) -> Markup:
    heads = [tag("th", name, scope="col", role="columnheader") for name in columns]
    head = tag("thead", tag("tr", *heads, role="row"), role="rowgroup")
    body = tag("tbody", *(_row(columns, cells) for cells in rows), role="rowgroup")
    return tag("table", head, body, role="table", class_=kind)


def _row(columns: Sequence[str], cells: Sequence[Cell]) -> Markup:
    made = [
        tag(
            "td",
            tag("div", cell.shown, title=cell.whole or None),
            role="cell",
            data_name=name,
            data_none=cell.shown == "-",
        )
        for name, cell in zip(columns, cells, strict=True)
    ]
    return tag("tr", *made, role="row")


def _head(one: Summary, *, several: bool) -> list[Cell]:
    """What is the same in both tables; the workspace only where there are `several`."""
    where = _small(one.workspace) if several else None
    means, detail = "" if one.reason is Reason.ANSWERED else meaning(one), one.detail
    if one.ignore_gate and one.state is State.STARTED:
        means = "; ".join(filter(None, (means, "the gate was ignored")))
    told = tag("span", " · " if means else "", said(detail), class_="quiet") if detail else None
    return [
        Cell(badge(one.state, in_doubt=one.in_doubt), one.stands),
        Cell(tag("a", said(one.key.run), href=to_one(one.key)), one.key.run),
        Cell(said(one.key.route), one.key.route),
        Cell([said(one.experiment), where], f"{one.experiment} in {one.workspace}"),
        Cell([means, told] if means or told else "-", ": ".join(filter(None, (means, detail)))),
    ]


def _pipeline_run(one: Summary) -> Cell:
    """What was started, and how that ended once it is known."""
    if not one.pipeline_run:
        return Cell("-")
    ended = ": ".join(filter(None, (one.ended, one.ended_detail)))
    shown = link(one.url, f"#{one.pipeline_run}")
    return Cell([shown, _small(one.ended)] if one.ended else shown, ended)


def _several(seen: Seen) -> bool:
    return len({one.workspace for one in seen.among}) > 1


def _next(one: Summary, now: datetime) -> Child:
    """When it is taken up again."""
    return "in its turn" if one.is_in_line else _due(one.due_at, now)


def _due(at: datetime, now: datetime) -> Child:
    return ago(at, now) if at > now else ["due ", ago(at, now)]


def _small(told: str) -> Markup:
    return tag("span", " · ", said(told), class_="quiet")
