"""Processes of an app that take starts off the schedule, as rounds do or in parts."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from benchmarks.subject import ready
from functions import bootstrap, connections
from functions.configuration import settings as known_settings
from functions.core.rounds.parts.message import Asked, written
from functions.core.terms.errors import LedgerUnavailable
from functions.core.terms.part import Part, parts

if TYPE_CHECKING:
    from functions.core.ports.ledger import Ledger
    from functions.core.rounds.reconciler import Reconciler
    from functions.core.terms.runs import Key

EVERY = 60.0  # seconds between two looks


class Late:
    """The ledger, which notes by how many seconds a continuation leaves the schedule too late."""

    def __init__(self, real: Ledger, began: float, rate: float) -> None:
        self._real, self._began, self._rate = real, began, rate
        self.most, self.count = 0.0, 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def retire(self, key: Key, known: str = "") -> None:
        """The n-th was due n times the pause between two after the beginning."""
        self._real.retire(key, known)
        due = self._began + int(key.run.rpartition("-")[2]) / self._rate if self._rate else 0.0
        self.most = max(self.most, time.time() - due) if due else 0.0
        self.count += 1


def carry(
    of: int, share: tuple[int, int], began: float = 0.0, rate: float = 0.0, looks: int = 0
) -> dict[str, float]:
    """Take off what is due: at once, or what becomes due so many a second, in so many looks.

    With one part by rounds of the timer, else each process its own of the parts.
    """
    known = known_settings.read(os.environ)
    ports = connections.connect(known)
    ledger = Late(ports.ledger, began, rate)
    reconciler = bootstrap.App(known, ports._replace(ledger=ledger)).reconciler  # type: ignore[arg-type]
    mine = parts(of)[share[0] :: share[1]]
    ports.ledger.due(datetime.now(UTC) - timedelta(days=999), 1)  # its connection stands
    ready()
    cpu, since = time.process_time(), time.monotonic()
    for look in range(looks or 1):
        time.sleep(max(0.0, began + look * EVERY - time.time()) if looks else 0.0)
        _take_off(reconciler, ports.ledger, mine, of, whole=not looks)
    spent = {"seconds": time.monotonic() - since, "cpu": time.process_time() - cpu}
    return spent | {"late": ledger.most, "count": float(ledger.count)}


def _take_off(
    reconciler: Reconciler, ledger: Ledger, mine: list[Part], of: int, *, whole: bool
) -> None:
    """One look's work; the whole: until nothing of it is due any more."""
    if of == 1:
        return reconciler.reconcile()
    for part in mine:
        now = datetime.now(UTC)
        reconciler.parts.work(written(Asked(part, now)))
        while whole and _has_more(ledger, now, part):
            reconciler.parts.work(written(Asked(part, datetime.now(UTC))))
    return None


def _has_more(ledger: Ledger, now: datetime, part: Part) -> bool:
    """Whether something is left of it; a table that is too busy to say so is asked once more."""
    try:
        return bool(ledger.due(now, 1, part))
    except LedgerUnavailable:
        return True
