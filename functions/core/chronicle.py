"""Since when the ledger knows each route, and which workspaces it has heard of.

Two shared rows, which only bound the sweep: where one could not be written, less is swept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core import events, sharing
from functions.core.errors import LedgerUnavailable, Permanent
from functions.core.ports import Level
from functions.core.values import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from functions.core.ledger import Ledger
    from functions.core.ports import Ports
    from functions.core.routes import Routes
    from functions.core.values import Workspace

ROUTES = "chronicle/routes"
WORKSPACES = "chronicle/workspaces"
MOST_WORKSPACES = 200  # those heard of last; more do not fit into a row


class Memory(NamedTuple):
    """When the ledger was born, and when each route's name was first seen; None: never yet."""

    born: datetime | None
    routes: Mapping[str, datetime]

    def knew(self, route: str, at: datetime) -> bool:
        """Whether ledger and route were both known before that moment."""
        since = self.routes.get(route)
        return since is not None and self.born is not None and max(since, self.born) < at


class Chronicle:
    """Reads and writes the two rows; what one process wrote already it does not write again."""

    def __init__(self, ports: Ports) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._registered: frozenset[str] | None = None
        self._met: dict[str, str] = {}
        self._saved: dict[str, str] = {}

    def register(self, routes: Routes) -> Memory:
        """Remember the names of today's routes from now on, and forget those that are gone.

        So a route that was renamed, or taken away and brought back, is a new one. Raises
        LedgerUnavailable, and Permanent for more names than a row can hold.
        """
        names = [route.name for route in routes.routes]
        now = self._clock.now().isoformat()

        def registered(value: Mapping[str, Any]) -> dict[str, Any]:
            seen = value.get("routes", {})
            at = {name: seen.get(name, now) for name in names}
            return {"born": value.get("born", now), "routes": at}

        memory = _memory(sharing.change(self._ledger, ROUTES, registered).value)
        self._registered = frozenset(names)
        return memory

    def recall(self) -> Memory:
        """What is remembered of routes. Raises LedgerUnavailable."""
        return _memory(self._ledger.shared(ROUTES).value)

    def meet(self, workspace: str) -> None:
        """Take note of a workspace's id; `keep` writes it."""
        self._met[workspace.lower()] = workspace

    def keep(self, routes: Routes | None) -> None:
        """Write what is new since this process last did; one that fails is tried again later."""
        try:
            if routes and self._registered != frozenset(r.name for r in routes.routes):
                self.register(routes)
            self._keep_workspaces()
        except (LedgerUnavailable, Permanent) as error:
            self._log.write(Level.ERROR, {"chronicle": "not kept", "detail": error})

    def workspaces(self, since: datetime, also: Iterable[Workspace] = ()) -> list[Workspace]:
        """The workspaces heard of since then, and these: each once, however it is spelled.

        Raises LedgerUnavailable.
        """
        return each_once(heard_of(self._ledger, since), also)

    def _keep_workspaces(self) -> None:
        """Once a day for each, under the spelling that was met last."""
        today = _day(self._clock.now())
        met = {
            name: today for low, name in dict(self._met).items() if self._saved.get(low) != today
        }
        if not met:
            return

        def heard_of(value: Mapping[str, Any]) -> dict[str, Any]:
            lower = {name.lower() for name in met}
            known = {name: day for name, day in value.items() if name.lower() not in lower}
            newest = sorted({**known, **met}.items(), key=lambda pair: pair[1], reverse=True)
            return dict(newest[:MOST_WORKSPACES])

        sharing.change(self._ledger, WORKSPACES, heard_of)
        self._saved |= {name.lower(): today for name in met}


def heard_of(ledger: Ledger, since: datetime) -> Iterable[Workspace]:
    """The workspaces heard of since then, as they were spelled last. Raises LedgerUnavailable."""
    days = ledger.shared(WORKSPACES).value
    return parsed(name for name, day in days.items() if day >= _day(since))


def each_once(*found: Iterable[Workspace]) -> list[Workspace]:
    """All of these, however they are spelled: of two spellings the later one."""
    every = {workspace.key: workspace for some in found for workspace in some}
    return [every[name] for name in sorted(every)]


def parsed(names: Iterable[str]) -> Iterable[Workspace]:
    """The workspaces of these resource ids, as far as they are such."""
    for name in names:
        try:
            yield events.workspace(name)
        except ValueError:  # no id that this version knows
            continue


def _memory(value: Mapping[str, Any]) -> Memory:
    seen = {name: parse_time(at) for name, at in value.get("routes", {}).items()}
    known = {name: at for name, at in seen.items() if at is not None}
    return Memory(parse_time(value.get("born")), known)


def _day(at: datetime) -> str:
    return at.date().isoformat()
