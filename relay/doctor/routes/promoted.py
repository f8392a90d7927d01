"""Promotions, which nothing but the sweep finds: that it is on, and where it has looked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from functions.core.memory.remembered import named
from functions.core.rounds.promoting import remembered
from functions.core.terms.policy import SweepMode
from functions.core.texts.phrases import counted
from relay.doctor.findings import ok, warning
from relay.printing import at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.routes.definition import Route
    from functions.core.terms.runs import Workspace
    from relay.doctor.case import Case
    from relay.doctor.findings import Finding

UNFOUND = "nothing finds promotions while SWEEP=off"
EVER = datetime.min.replace(tzinfo=UTC)


def found(case: Case) -> Iterator[Finding]:
    """What the last sweep remembers for each route and workspace. Raises LedgerUnavailable."""
    about = [route for route in case.routes.routes if route.promoted]
    if not about:
        yield ok("no route is about promotions")
        return
    names = ", ".join(route.name for route in about)
    if case.settings.sweep.mode is SweepMode.OFF:
        yield warning(f"{names}: {UNFOUND}", "set SWEEP=start")
        return
    if case.settings.sweep.mode is SweepMode.REPORT:
        yield warning(f"{names}: the log tells of promotions, and nothing starts", "SWEEP=start")
    if not case.workspaces:
        yield warning(f"{names}: no workspace is known to look into", "name it: SWEEP_WORKSPACES")
    for route in about:
        yield from (_seen(case, route, workspace) for workspace in case.workspaces)


def _seen(case: Case, route: Route, workspace: Workspace) -> Finding:
    row = case.ports.ledger.shared(f"promotions/{named(workspace.key)}/{route.name}")
    last = remembered.known(row.value, EVER)
    if last is None:
        first = "a first look is still to come, and starts nothing"
        return ok(f"{route.name}: {workspace.name}: {first}")
    there = counted(remembered.count(last.has), "promoted version")
    return ok(f"{route.name}: {workspace.name}: {there} known, since {at(last.since)}")
