"""`join`: which runs belong together, and what contradicts itself in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.facts import placeholders
from functions.core.routes.file.shapes import MOST_JOINED
from functions.core.routes.joins.join import IfOneFails, Join
from functions.core.terms.words import Outcome
from functions.core.texts.times import parse_span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.routes.file.document import At

    Entry = dict[str, Any]
    Said = Iterator[tuple[At, str]]

ENDS = frozenset({Outcome.COMPLETED, Outcome.FAILED, Outcome.CANCELED})
ALONE = ("event", "complete", "model", "champion")  # what a route that joins runs cannot say


def made(entry: Entry) -> Join:
    """What an entry joins, which is as it should be."""
    said, named = entry["join"], entry.get("outcome", ["Completed"])
    those = said["all_of"]
    experiments = () if isinstance(those, int) else tuple(those)
    within = parse_span(said["within"])
    assert within is not None  # noqa: S101 - it has the form of one
    return Join(
        by=said["by"].strip(),
        number=those if isinstance(those, int) else len(those),
        experiments=experiments,
        within=within,
        if_one_fails=IfOneFails(said.get("if_one_fails", IfOneFails.HOLD)),
        well=frozenset(map(Outcome, [named] if isinstance(named, str) else named)),
    )


def contradictions(entry: Entry, whole: Entry) -> Said:
    """What is wrong with what one route joins."""
    told = entry["join"]
    if "start" not in whole:
        yield ("join",), "joins runs for a start, and the route has none"
    for key in ALONE:
        if key in whole:
            yield (key,), "is about one run, and `join` is about several"
    by = told.get("by", "").strip()
    if by and (why := placeholders.unknown(by)):
        yield ("join", "by"), why
    elif by and not by.startswith("run."):
        yield ("join", "by"), "is no fact of a run: run.tags.NAME, for example"
    those = told.get("all_of")
    names = [str(name).casefold() for name in those] if isinstance(those, list) else []
    if len(names) == 1 or len(names) > MOST_JOINED:
        yield ("join", "all_of"), f"names {len(names)} of the 2 to {MOST_JOINED} that a join has"
    elif len(names) != len({*names}):
        yield ("join", "all_of"), "names an experiment twice"
