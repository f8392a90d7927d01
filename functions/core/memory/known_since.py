"""Since when the ledger knows each route and each workspace, and which workspaces it has heard of.

Shared rows, which only bound the sweep: where one could not be written, less is swept. What follows
from them for a run is judged in `knowledge`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from functions.core.memory import file_order, first_seen, visits, workspaces
from functions.core.memory.first_seen import ROUTES
from functions.core.memory.knowledge import Memory
from functions.core.memory.remembered import Heard
from functions.core.memory.workspaces import WORKSPACES
from functions.core.ports.services import Level
from functions.core.terms.errors import LedgerUnavailable, Permanent
from functions.core.terms.policy import CLOCKS_DIFFER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from functions.core.memory.first_seen import FirstSeen
    from functions.core.memory.remembered import Remembered
    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Routes
    from functions.core.terms.runs import Workspace

__all__ = ["ROUTES", "WORKSPACES", "KnownSince"]

WRONG = "a time that is still to come was remembered: what ended before now may be forgotten"


class KnownSince:
    """Reads and writes the rows; what one process wrote already it does not write again.

    `named`: the workspaces of the settings, which are known from the first time on that a process
    keeps them.
    """

    def __init__(self, ports: Ports, named: Sequence[Workspace] = ()) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._named = named
        self._registered: Routes | None = None
        self._heard: dict[str, datetime] = {}  # since when, as the row has it
        self._met: dict[str, tuple[str, Heard]] = {}
        self._saved: dict[str, str] = {}
        self._tried: dict[str, tuple[str, datetime]] = {}
        self._noted = ""

    def register(self, routes: Routes, swept: Iterable[Workspace] = ()) -> Memory:
        """Remember today's routes and these workspaces from now on, and forget routes gone by.

        Raises LedgerUnavailable, and Permanent for more than the rows can hold.
        """
        seen, now = self._register(routes), self._clock.now()
        row = self._hear({w.key: Heard(now) for w in (*self._named, *swept)})
        return Memory(seen, row)

    def recall(self) -> Memory:
        """What is remembered. Raises LedgerUnavailable."""
        seen, row = first_seen.recall(self._ledger), visits.recall(self._ledger)
        before = {} if row.written else self._known_before(seen.born)
        return Memory(seen, row, before)

    def meet(
        self, workspace: str, claimed: datetime | None = None, sent: datetime | None = None
    ) -> None:
        """Take note of a workspace's id, heard of by what was claimed then; `keep` writes it.

        Not before it was `sent`: a clock that is behind tells what is too early.
        """
        self._meet(workspace, self._told(claimed, sent))

    def keep_in_time(
        self, workspace: str, claimed: datetime | None = None, sent: datetime | None = None
    ) -> None:
        """Write a workspace's id, before what was claimed then, as in `meet`, leaves the schedule.

        Once a day, and where it was heard of before what is known; whoever dies at it finds it
        there again, and `keep` tries what failed. It is met anew: a round has several threads, and
        what one of them wrote just now may have been without this one.
        """
        low, today = workspace.lower(), workspaces.day(self._clock.now())
        at = self._told(claimed, sent)
        is_owed = self._saved.get(low) != today or self._is_earlier(low, at)
        day, first = self._tried.get(low, ("", at))
        if is_owed and (day != today or at < first):
            self._tried[low] = (today, at)
            self._meet(workspace, at)
            self.keep(None)

    def keep(self, routes: Routes | None) -> None:
        """Write what is new since this process last did; one that fails is tried again later."""
        try:
            if routes and not self._is_registered(routes):
                self._register(routes)
            self._keep_workspaces()
            self._keep_file(routes)
        except (LedgerUnavailable, Permanent) as error:
            self._log.write(Level.ERROR, {"chronicle": "not kept", "detail": error})

    def workspaces(self, since: datetime, also: Iterable[Workspace] = ()) -> list[Workspace]:
        """The workspaces heard of since then, and these: each once, however it is spelled.

        Raises LedgerUnavailable.
        """
        return workspaces.each_once(workspaces.heard_of(self._ledger, since), also)

    def _told(self, claimed: datetime | None, sent: datetime | None) -> datetime:
        at = min(claimed or self._clock.now(), self._clock.now())
        return max(at, min(sent or at, at + CLOCKS_DIFFER))

    def _meet(self, workspace: str, at: datetime) -> None:
        _, known = self._met.get(workspace.lower(), ("", Heard(at, at)))
        heard = Heard(min(at, known.first), max(at, known.last or at))
        self._met[workspace.lower()] = (workspace, heard)

    def _is_registered(self, routes: Routes) -> bool:
        known = self._registered
        return known is routes or (known is not None and _digests(known) == _digests(routes))

    def _register(self, routes: Routes) -> FirstSeen:
        """While a newer file is rolled out the older one changes nothing of what that is owed."""
        now = self._clock.now()
        seen = first_seen.register(self._ledger, routes, now, lambda: self._gives_way(routes, now))
        if seen is None:
            return first_seen.recall(self._ledger, routes)
        self._registered = routes
        if seen.new or seen.gone:
            line = {"chronicle": "routes", "new": seen.new, "gone": seen.gone}
            self._log.write(Level.INFO, line)
        return seen

    def _gives_way(self, routes: Routes, now: datetime) -> bool:
        self._noted = routes.file
        return file_order.gives_way(self._ledger, routes, now)

    def _hear(self, heard: Mapping[str, Heard]) -> Remembered:
        now = self._clock.now()
        row = visits.hear(self._ledger, heard, self._known_before, now)
        self._heard |= {key: visit.since for key in heard if (visit := row.of(key))}
        if row.wrong_until == now:
            line = {"chronicle": "wrong clock", "until": now, "detail": WRONG}
            self._log.write(Level.ERROR, line)
        return row

    def _known_before(self, born: datetime | None = None) -> dict[str, datetime]:
        """What earlier versions knew: since the ledger's birth, as far as can be told."""
        born = born or first_seen.recall(self._ledger).born or self._clock.now()
        ever = datetime.min.replace(tzinfo=UTC)
        return {workspace.key: born for workspace in workspaces.heard_of(self._ledger, ever)}

    def _keep_file(self, routes: Routes | None) -> None:
        """Once for each process, so that the ledger knows which file came after which."""
        if routes and routes.file and routes.file != self._noted:
            file_order.note(self._ledger, routes.file, self._clock.now())
            self._noted = routes.file

    def _keep_workspaces(self) -> None:
        """Once a day for each, under the spelling that was met last; since when it is known first.

        What was claimed on an earlier day does not stand for what is of today: a workspace that
        was gone is there again since then. But it may say that the workspace was heard of before
        what another process wrote first. The days first: who stands only among the visits is
        forgotten by a sweep. But not before the visits are there: it would be one that earlier
        versions knew.
        """
        now, today = self._clock.now(), workspaces.day(self._clock.now())
        every = dict(self._met)
        days = {low: workspaces.day(heard.last or heard.first) for low, (_, heard) in every.items()}
        saved = {low: self._saved.get(low, "") for low in every}
        met = {
            low: (name, heard)
            for low, (name, heard) in every.items()
            if saved[low] < days[low] or self._is_earlier(low, heard.first)
        }
        named = {w.key: Heard(now) for w in self._named if w.key not in self._heard}
        if named or (met and not self._heard):
            self._hear(named)
        if met:
            workspaces.keep(self._ledger, [name for name, _ in met.values()], today)
            self._hear({low: heard for low, (_, heard) in met.items()})
        self._saved |= {low: max(days[low], saved[low]) for low in met}
        for low in met:
            self._met.pop(low, None)

    def _is_earlier(self, workspace: str, first: datetime) -> bool:
        known = self._heard.get(workspace)
        return known is not None and first < known


def _digests(routes: Routes) -> frozenset[str]:
    each = routes.routes
    return frozenset(f"{r.name} {first_seen.digest(r)} {r.children}" for r in each)
