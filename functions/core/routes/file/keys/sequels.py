"""`then`: what goes on by the end of a pipeline run, as routes of their own, and what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.routes.file.contradictions import AFTER
from functions.core.routes.file.contradictions import contradictions as of_route
from functions.core.terms.words import Ending

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.routes.file.document import At

    Entry = dict[str, Any]
    Said = Iterator[tuple[At, str]]

INHERITED = (
    *("outcome", "event", "children", "step", "model", "champion", "wait_for_facts"),
    *("mode", "notify", "join"),
)
OF_START = ("when", "limit", "then")


def name(route: str, end: Ending | str) -> str:
    """What the ledger calls what goes on by such an end."""
    return f"{route}.{end}"


def ends(entry: Entry) -> dict[Ending, str]:
    """The names of what goes on, by the ends that a route or a sequel names."""
    given = entry.get("then")
    told = given if isinstance(given, dict) else {}
    return {Ending(end): name(entry["name"], end) for end in told}


def below(entry: Entry, at: At = ()) -> Iterator[tuple[At, Entry]]:
    """The entry of each sequel, as if it were a route, and where it stands in the route's entry.

    What has the wrong kind is passed over.
    """
    given, own = entry.get("then"), entry.get("name")
    if not isinstance(given, dict) or not isinstance(own, str):
        return
    shared = {key: entry[key] for key in INHERITED if key in entry}
    for end, step in given.items():
        if isinstance(step, dict):
            whole = {**shared, **step, "name": name(own, end), AFTER: own}
            yield (*at, "then", end), whole
            yield from below(whole, (*at, "then", end))


def contradictions(entry: Entry, whole: Entry, defaults: object) -> Said:
    """What is wrong with all that goes on behind a route; `entry` is what has the right shape."""
    yield from _of_before(entry, whole, defaults)
    written = dict(below(whole))
    for at, own in below(entry):
        own_whole = written[at]
        said = (*_of_before(own, own_whole, defaults), *of_route(own, own_whole, defaults))
        yield from (((*at, *below_it), what) for below_it, what in said)
        if "start" not in own_whole:
            for key in (key for key in OF_START if key in own_whole):
                yield (*at, key), "is about a start, and here is none"


def _of_before(entry: Entry, whole: Entry, defaults: object) -> Said:
    """What is wrong with a route, or a sequel, as what something goes on after."""
    if "then" not in entry:
        return
    given = defaults if isinstance(defaults, dict) else {}
    if "start" not in whole and AFTER not in whole:
        yield ("then",), "goes on by the end of a pipeline run, and the route starts none"
    if entry.get("follow", given.get("follow", True)) is False:
        what = "needs to see the pipeline run end, and `follow: false` does not look"
        yield ("then",), f"{what}: say `follow: true` beside it"
