"""`facts` prints docs/facts.md: every fact, what it is, where it comes from, when it is absent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from functions.core.events.model_events import BY_OUTCOME
from functions.core.facts import vocabulary
from functions.core.kept.after import AFTER_END
from functions.core.routes.joins.members import FACTS as JOIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.facts.vocabulary import Fact

_HEAD = """\
# Facts

What `when` may ask about and `{{ … }}` may name, printed by `bin/relay facts` from the table
that gates are checked against. `NAME` is a name that the run chose; one with other signs than
letters, digits and `_` is written `run.tags["mlflow.user"]` in `when`, and
`{{ run.tags.mlflow.user }}` in a parameter, a variable or the group of `concurrency`. What a gate
may say of them: [gates.md](gates.md).

A fact that is absent is waited for (`wait_for_facts`), unless the gate asks `has(…)`. Where nobody
can tell whether it is there, such a gate waits as well: while a sweep's job does not name its best
child, children go on, `step` names no child, or only the event tells a tag that looks like a time,
or that it left out, as it does with texts of more than 4,096 characters.

| fact | is | comes from | is absent |
|---|---|---|---|"""
_TAIL = """
* A **number** is a floating-point number, also where it was logged as a whole one. A metric that is
  NaN or infinite is there and may not be used: whoever reads it is held with `not_a_number`.
* A **text** may hold a number, and is text all the same: `double(run.params.lr) < 0.1`. One as long
  as those that MLflow cuts may not be used: whoever reads it is held with `cut`.
* A **time** is text such as `2026-11-29T12:53:00Z`: `timestamp(run.end_time)` is one to count with.
* A tag or a property that looks like a time is **told anew** by the Functions host: an event's
  `…T20:41:00+02:00` reaches the app as `…T18:41:00+00:00`. Filters, gates and parameters go by the
  text that the run, or its job, itself has. News about no run has nobody else to ask: filters on
  its tags and properties compare such times in UTC.
* `step` names the child of which metrics, parameters and the model are taken where **the run itself
  has none** of what is sought: what the run has goes before it. Below the child it is looked for as
  well. All other facts of a run are its own, with or without `step`.
* Names of tags and properties are found in any case, all others in the case they have.
* In `then` the run is read anew once the pipeline run has ended: its facts are those of that
  moment. `event.*` is of the event with which it began, but for `event.time`, when that end was.
"""


def add_to(app: typer.Typer) -> None:
    """Put the command beside the others."""
    app.command()(facts)


def facts() -> None:
    """Print every fact that routes may name, as docs/facts.md has them."""
    typer.echo(page(), nl=False)


def page() -> str:
    """The whole page, from the table of facts."""
    rows = [_row(fact) for fact in vocabulary.TABLE]
    news = "\n".join(["", "## By event", "", *_by_event(), ""])
    return "\n".join([_HEAD, *rows, _TAIL]) + news


def _row(fact: Fact) -> str:
    is_cut = f"; MLflow cuts it to {fact.cut_at:,} characters" if fact.cut_at else ""
    is_cut += f"; held as `cut` where it has over {fact.kept_at:,} characters" * bool(fact.kept_at)
    names = f": {', '.join(fact.names)}" if fact.names else ""
    kind = f"{fact.kind}{names}{is_cut}"
    return f"| `{fact.name.replace('*', 'NAME')}` | {kind} | {fact.source} | {fact.absent} |"


def _by_event() -> Iterator[str]:
    runs = [fact.path[0] for fact in vocabulary.TABLE]
    other = {AFTER_END, JOIN, *(kind.root for kind in BY_OUTCOME.values())} - {"model"}
    yield from ("| a route on | knows |", "|---|---|")
    known = (f"`{root}.*`" for root in dict.fromkeys(runs) if root not in other)
    yield f"| runs (`outcome`) | {', '.join(known)} |"
    for kind in BY_OUTCOME.values():
        told = (f"`{kind.root}.{name}`" for name in kind.facts)
        yield f"| `event: {kind.outcome}` | `event.*`, `workspace.*`, {', '.join(told)} |"
    yield f"| runs, with `join` | `event.*`, `workspace.*`, `{JOIN}.*` |"
    yield f"| what goes on by an end (`then`) | what its route knows, and `{AFTER_END}.*` |"
