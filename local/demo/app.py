"""The app as its operator sees it: its routes, and what its ledger says of a run.

For the demo only: no local service may know anything of the app that it is to keep honest.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.adapters.routefile import RouteFile
from functions.adapters.sqlite import SqliteLedger
from functions.core.starts import log_lines
from functions.core.terms.errors import RelayError

if TYPE_CHECKING:
    from pathlib import Path

    from functions.core.kept.continuation import Continuation

__all__ = ["App", "Page", "RelayError", "RouteSeen", "Step"]


@dataclass(frozen=True)
class RouteSeen:
    """A route: its gate (empty if it has none) and the pipeline that it starts."""

    name: str
    when: str
    pipeline: int | str


@dataclass(frozen=True)
class Step:
    """One line of a continuation's history; `at` in epoch seconds."""

    at: float
    what: str
    detail: str


@dataclass(frozen=True)
class Page:
    """What the ledger says of one continuation.

    `state` reads "held (gate)", `became` adds the detail; `settled` means that no more will come
    of it without a person. `ended`: how its pipeline run ended, "" before that.
    """

    state: str
    became: str
    settled: bool
    pipeline_run: int | None
    steps: tuple[Step, ...]
    ended: str = ""

    @property
    def saw(self) -> str:
        """The facts that the gate last looked at; empty if there was no gate."""
        told = (s.detail for s in reversed(self.steps) if " = " in s.detail)
        return next(told, "").removeprefix("gate ")


class App:
    """A route file and a sqlite ledger. Raises RelayError where either cannot be read."""

    def __init__(self, routes: Path, ledger: Path) -> None:
        self._ledger = SqliteLedger(ledger)
        self._routes = RouteFile(routes).routes()

    def route(self, name: str) -> RouteSeen:
        """The route of that name. Raises KeyError if there is none that starts a pipeline."""
        found = self._routes.named(name)
        if found is None or found.start is None:
            raise KeyError(name)
        return RouteSeen(name, found.when or "", found.start.pipeline)

    def page(self, workspace: str, run: str, route: str) -> Page | None:
        """What the ledger says of a run on a route; None if nothing."""
        of_run = self._ledger.of_run(workspace.lower(), run)
        found = next((c for c in of_run if c.key.route == route), None)
        return None if found is None else _page(found)


def _page(c: Continuation) -> Page:
    state = f"{c.state} ({c.reason})"
    return Page(
        state=state,
        became=", ".join(filter(None, [state, c.detail])),
        settled=not c.is_open or log_lines.level(c) >= logging.ERROR,
        pipeline_run=c.pipeline_run,
        steps=tuple(Step(s.at.timestamp(), s.what, s.detail) for s in c.history),
        ended=": ".join(filter(None, (c.ended.how, c.ended.detail))) if c.ended else "",
    )
