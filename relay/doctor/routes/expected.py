"""What routes expect: by when a run is awaited, what time passed without, who is held too long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.rounds.expecting import held, row
from functions.core.texts.phrases import counted, lasting
from relay.doctor.findings import ok, warning
from relay.printing import at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.ports.ledger import Shared
    from functions.core.routes.expectation import Expectation
    from relay.doctor.case import Case
    from relay.doctor.findings import Finding

LOOK = "does the training run at all? bin/relay coverage tells of each run"
DECIDE = "bin/relay list --state held, then decide"


def awaited(case: Case) -> Iterator[Finding]:
    """What the last round noted of each route; a request for each. Raises LedgerUnavailable."""
    for route in case.routes.routes:
        if what := route.expectation:
            known = case.ports.ledger.shared(row.name_of(route.name))
            yield from _of_route(route.name, what, known)


def _of_route(route: str, what: Expectation, known: Shared) -> Iterator[Finding]:
    if what.awaits_runs:
        yield _awaited(route, what, known)
    if what.held:
        late = [one for one in held.known(known.value) if one.told]
        longer = f"for longer than {lasting(what.held)}"
        some = f"{route}: {counted(len(late), 'continuation')} held {longer}"
        yield warning(some, DECIDE) if late else ok(f"{route}: none is held {longer}")


def _awaited(route: str, what: Expectation, known: Shared) -> Finding:
    one = row.known(known.value)
    if one is None or one.says != what.digest:
        return ok(f"{route}: the next round notes by when a run is awaited")
    next_one = f"a run is awaited by {at(one.due)}"
    if one.missed:
        return warning(f"{route}: none had ended by {at(one.missed)}; {next_one}", LOOK)
    return ok(f"{route}: {next_one}")
