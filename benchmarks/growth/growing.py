"""What a ledger is asked all the time, as often in a small one as in a large one, turn by turn."""

from __future__ import annotations

import os
import random
import statistics
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

from benchmarks.growth import ledgers
from functions import bootstrap, connections
from functions.configuration import settings as known_settings
from functions.core.memory import known_since
from functions.core.ports import shared
from functions.core.rounds import expiry
from functions.core.starts import steps
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Ended, Run
from functions.core.terms.words import Outcome, State

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from functions.core.ports.services import Runs
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.runs import Key, Workspace

    Acts = Generator[Callable[[], object], None, None]

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
LISTED, RECENT = 1000, 100  # what the operations page asks for, and who looks for a lost answer
WAIT, LEAVE, SWEPT = 20, 8, 20
WARM = 5
OTHERS = 10_000  # numbers of open ones that nobody else has


class Grown:
    """The app over a ledger in which so many have ended."""

    def __init__(self, settings: Mapping[str, str], count: int) -> None:
        given = {"SWEEP_WORKSPACES": ledgers.WORKSPACE.id, **settings}
        known = known_settings.read({**os.environ, **given})
        runs = cast("Runs", Known())
        ports = connections.connect(known)._replace(runs=runs)
        self.ledger = ports.ledger
        self.app = bootstrap.App(known, ports)
        self.count = count
        self._remember()

    def end(self, key: Key) -> None:
        """Let it end, and leave the schedule."""
        if entry := self.ledger.read(key):
            now = datetime.now(UTC)
            self.ledger.write(entry, steps.ended(entry.continuation, now, State.HELD, Reason.GATE))
            self.ledger.retire(key)

    def _remember(self) -> None:
        """It has known its route for ever, and told today how long its secrets are valid."""
        born = LONG_AGO.isoformat()
        known = {"born": born, "routes": {"register-model": born, "report-failure": born}}
        shared.change(self.ledger, known_since.ROUTES, lambda _: known)
        today = {"day": datetime.now(UTC).date().isoformat(), "ends": {}}
        shared.change(self.ledger, expiry.HORIZON, lambda _: today)


class Known:
    """AML, of which only the sweep asks: the runs that ended last are all in the ledger."""

    def ended(
        self, workspace: Workspace, since: datetime, deadline: Deadline, **where: object
    ) -> Ended:
        """The last runs."""
        del workspace, since, deadline, where
        now = datetime.now(UTC)
        return Ended(
            runs=tuple(
                Run(
                    id=f"run-{n:06d}",
                    name=f"training {n}",
                    experiment_id="0001",
                    status="FINISHED",
                    outcome=Outcome.COMPLETED,
                    end_time=now,
                )
                for n in range(SWEPT)
            ),
            experiments={"0001": "defect-detection"},
        )


def claims(grown: Grown) -> Acts:
    """A claim of a run that was never heard of."""
    while True:
        new = ledgers.claimed(f"new-{uuid.uuid4()}", datetime.now(UTC))
        try:
            yield lambda: grown.ledger.claim(new)  # noqa: B023 - called before it goes on
        finally:
            grown.end(new.key)


def duplicates(grown: Grown) -> Acts:
    """A claim of a run that has ended, any of them."""
    while True:
        name = f"run-{random.randrange(grown.count):06d}"  # noqa: S311
        again = ledgers.claimed(name, datetime.now(UTC))
        yield lambda: grown.ledger.claim(again)  # noqa: B023


def looks(grown: Grown) -> Acts:
    """One query that finds nothing: a look into the inbox."""
    while True:
        yield lambda: grown.ledger.letters(LISTED)


def lists(grown: Grown) -> Acts:
    """What the page and `relay list` ask for."""
    while True:
        yield lambda: grown.ledger.listed(LONG_AGO, LISTED)


def recents(grown: Grown) -> Acts:
    """What is asked for to find whose a pipeline run is."""
    while True:
        day_ago = datetime.now(UTC) - timedelta(days=1)
        yield lambda: grown.ledger.recent(day_ago, RECENT)  # noqa: B023


def rounds(grown: Grown) -> Acts:
    """A round of the reconciler with nothing open."""
    while True:
        yield grown.app.reconciler.reconcile


def busy_rounds(grown: Grown) -> Acts:
    """A round while some wait and others, which have ended, leave the schedule."""
    now = datetime.now(UTC)
    ended = [ledgers.ended(n, now - timedelta(days=1)) for n in range(WAIT)]
    leave = [c for c in ended if c.state is State.STARTED][:LEAVE]
    wait = [ledgers.parked(OTHERS + n, now) for n in range(1, WAIT + 1)]
    for c in wait:
        grown.ledger.claim(c)
    try:
        while True:
            for c in leave:
                grown.ledger.schedule(c)
            yield grown.app.reconciler.reconcile
    finally:
        for c in wait:
            grown.end(c.key)


def sweeps(grown: Grown) -> Acts:
    """A sweep that finds nothing missing."""
    while True:
        yield grown.app.sweep.sweep


ACTS = {
    "claim": claims,
    "duplicate": duplicates,
    "look": looks,
    "list": lists,
    "recent": recents,
    "round": rounds,
    "busy_round": busy_rounds,
    "sweep": sweeps,
}


def growth(
    sizes: dict[str, dict[str, str]], repeats: int, seconds: float
) -> dict[str, dict[str, float]]:
    """Median milliseconds of each act, by the number of continuations.

    `sizes` are the ledgers' settings by that number. Claims and duplicates are timed `repeats`
    times, the others as often but no longer than so many seconds.
    """
    grown = [Grown(settings, int(count)) for count, settings in sizes.items()]
    found = {}
    for name, acts in ACTS.items():
        patience = float("inf") if name in {"claim", "duplicate"} else seconds
        took = _side_by_side([acts(one) for one in grown], repeats, patience)
        found[name] = dict(zip(sizes, map(statistics.median, took), strict=True))
    return found


def _side_by_side(all_acts: list[Acts], repeats: int, seconds: float) -> list[list[float]]:
    """Milliseconds of each, turn by turn, so that what disturbs disturbs all of them."""
    took: list[list[float]] = [[] for _ in all_acts]
    turn, ends = list(zip(all_acts, took, strict=True)), time.monotonic() + seconds
    for n in range(WARM + repeats):
        for acts, times in turn[:: 1 if n % 2 else -1]:
            act = next(acts)
            begun = time.perf_counter()
            act()
            times.append((time.perf_counter() - begun) * 1000)
        if n > 2 * WARM and time.monotonic() > ends:
            break
    for acts in all_acts:
        acts.close()
    return [times[WARM:] for times in took]
