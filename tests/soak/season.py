"""Chapters of a team's life over a crew of processes: in each something else is wrong for a while.

Meanwhile people delete runs and builds, and a second workspace joins, of which older runs are
nobody's business.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

from functions.core.limits.admission import Admission
from functions.core.rounds import noted, watch
from functions.core.terms.policy import POST_TAKES
from functions.core.terms.reasons import Reason
from local.cloud import WORKSPACE
from tests.soak.crew import seeded
from tests.soak.team import LATER, OTHER_SECRET, Delivery, Lived, Team
from tests.soak.weather import Losses, passing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from random import Random

    from functions.core.kept.continuation import Continuation
    from local.devops.pipelines.runs import QueuedRun
    from tests.soak.crew import Crew
    from tests.soak.weather import Trouble
    from tests.stage.azure import Stage

MOST_TIMES_TOLD = 4
LATE, UNTOLD, GONE, ELSEWHERE = 0.3, 0.05, 0.05, 0.2  # shares
OLD, PARKED, MOST_SOUGHT = 5, 3, 40  # runs
A_CYCLE = 1000  # so many runs, and each kind comes once more
PATIENCE = 90  # seconds until what is wrong was met, at most
REFUSED, JOINED = "secret refused", "runs older than their workspace"
HALTED = "timers stopped"
MOST_ROUNDS, AT_ONCE = 3, 5  # beside deliveries, and of those again while nobody else comes
GONE_BEFORE, GONE_PARKED = "runs deleted before their event", "runs deleted while parked"
BUILDS_GONE, SOUGHT_GONE = "builds deleted", "builds deleted while they were looked for"
UNTOLD_RUNS = "runs that nobody told of"
PEOPLE = (JOINED, GONE_BEFORE, GONE_PARKED, BUILDS_GONE, SOUGHT_GONE, UNTOLD_RUNS)

Becomes = Literal["started", "deleted", "nothing"]


class Promise(NamedTuple):
    """What is to become of a run."""

    one: Lived
    becomes: Becomes


class Season:
    """So many runs, in chapters; `met` tells how often each kind of trouble was met."""

    def __init__(self, stage: Stage, crew: Crew, losses: Losses, random: Random, size: int) -> None:
        self.stage, self._crew, self._losses = stage, crew, losses
        self._random, self._size = random, size
        self._of_others = seeded(random.getrandbits(64))  # for what depends on the processes
        self.team = Team(stage, random)
        self.promised: dict[str, Promise] = {}
        self.met: Counter[str] = Counter()
        self.untold: list[Lived] = []
        self._later_news: list[Delivery] = []
        self._outlasted = False

    def live(self, tell: Callable[[str], None]) -> None:
        """Chapter by chapter, each kind of trouble at least once, in an order that is drawn.

        `tell` hears of each chapter as it begins: a large season takes half an hour.
        """
        kinds = [*passing(seeded(0), self._losses, 0), REFUSED, HALTED]
        chapters = [*kinds] * max(1, self._size // A_CYCLE)
        self._random.shuffle(chapters)
        self.met |= dict.fromkeys([*kinds, *PEOPLE], 0)
        for number, kind in enumerate(chapters):
            if number == len(chapters) // 4:
                self._grow_old()
            if number == len(chapters) // 2:
                self.team.join()
            joined = number - len(chapters) // 2
            left = self._size - len(self.promised) + self.met[JOINED]
            size = left // (len(chapters) - number)
            tell(f"chapter {number + 1} of {len(chapters)}, {size} runs: {kind}")
            told = self._train(size, kind, joined)
            self._chapter(kind, size, told)
            if joined == 0:
                self._crew.sweep()
            if number + 1 < len(chapters):
                self._delete_builds(self._there(), 1 + size // 20, BUILDS_GONE)

    def seek(self) -> bool:
        """Sweep, unless all that nobody told of was found; whether it was."""
        lost = [one for one in self.untold if not self.of(one)]
        if lost:
            self._crew.sweep()
        self.met[UNTOLD_RUNS] = len(self.untold) - len(lost)
        return not lost

    def of(self, one: Lived) -> Sequence[Continuation]:
        """What the ledger has of a run."""
        return self.stage.ledger.of_run(one.workspace.lower(), one.run)

    def _grow_old(self) -> None:
        """Runs end in a workspace that nobody has heard of yet."""
        for number in range(OLD):
            self._ended(Lived(f"old-{number}", LATER, "defect-x", wanted=False), "nothing")
        self.met[JOINED] = OLD

    def _train(self, size: int, kind: str, joined: int) -> list[Delivery]:
        """Runs end, and the news of them: some now and some in the next chapter."""
        told = self._later_news
        self._later_news = []
        for number in range(size):
            one = self._one(
                kind, later=joined >= 0 and (number == 0 or self._random.random() < 0.2)
            )
            # of a workspace that has just joined an event must tell, or nobody sweeps it
            untold = number == 0 if joined == 1 else self._random.random() < UNTOLD
            if untold and not (joined == 0 and one.workspace == LATER):
                self._ended(one, "started")
                self.untold.append(one)
                continue
            self._ended(one, "started")
            if self._random.random() < GONE:
                self._delete(one, GONE_BEFORE)
            told.append(self.team.told(one, self._random))
            for _ in range(self._random.randrange(MOST_TIMES_TOLD)):
                soon = self._random.random() >= LATE
                (told if soon else self._later_news).append(self.team.told(one, self._random))
        return told

    def _one(self, kind: str, *, later: bool) -> Lived:
        experiment = "news-x" if kind == REFUSED else self._random.choice(["defect-x", "news-x"])
        return Lived(f"run-{len(self.promised)}", LATER if later else WORKSPACE, experiment)

    def _delete(self, one: Lived, when: str) -> None:
        self.team.delete(one.run)
        self.promised[one.run] = Promise(one, "deleted")
        self.met[when] += 1

    def _chapter(self, kind: str, size: int, told: list[Delivery]) -> None:
        self._random.shuffle(told)
        if kind == REFUSED:
            return self._without_secret(told)
        if kind == HALTED:
            return self._without_timers(told)
        troubles = passing(self._random, self._losses, size)[kind]
        path = troubles[0].path
        server = self.stage.aml.server if "/runs/get" in path else self.stage.devops.server
        for trouble in troubles:
            server.faults.add(trouble)
        self._crew.deliver_all(told, self._random)
        until(lambda: all(trouble.met for trouble in troubles))
        if kind.startswith("look-ups"):  # which nobody comes through with before it ends
            until(lambda: bool(self._sought()))
            self._outlast_grace(troubles[0])
            self._delete_builds(self._sought(), 2, SOUGHT_GONE)
        for trouble in troubles:
            trouble.ends()
        self.met[kind] += troubles[0].met
        return None

    def _outlast_grace(self, trouble: Trouble) -> None:
        """It lasts until a look failed after which a request would be repeated.

        So does one kind in a small season, and each in a large one.
        """
        if self._outlasted and self._size < A_CYCLE:
            return
        self._outlasted = True
        sure = POST_TAKES + 2 * self.stage.read.policy.grace
        ends = time.monotonic() + sure.total_seconds()
        until(lambda: time.monotonic() > ends)
        met = trouble.met
        until(lambda: trouble.met > met)

    def _without_secret(self, told: list[Delivery]) -> None:
        """One of two credentials is refused; what waits for it goes on, but what was deleted."""
        self.team.revoke_secret()
        self._crew.deliver_all(told, self._random)
        until(lambda: len(self._parked()) >= PARKED)
        parked = self._parked()
        self.met[REFUSED] += len(parked)
        for one in parked[:PARKED]:
            self._delete(one, GONE_PARKED)
        self.team.renew_secret()

    def _without_timers(self, told: list[Delivery]) -> None:
        """All timers stand still: what is parked goes on beside what comes, and nothing else does.

        What came already comes again, as Event Grid may have it.
        """
        rounds: set[datetime] = set()

        def often_enough() -> bool:
            again = self._of_others.sample(told, min(AT_ONCE, len(told)))
            self._crew.deliver_all(again, self._of_others)
            last = noted.recall(self.stage.ledger)
            if last.by == watch.By.DELIVERY and last.ended:
                rounds.add(last.ended)
            return len(rounds) >= MOST_ROUNDS

        with self._crew.halted():
            self._crew.deliver_all(told, self._random)
            until(often_enough)
        self.met[HALTED] += len(rounds)

    def _parked(self) -> list[Lived]:
        """The runs that wait for the secret, and for which nothing was asked."""
        keys = self.stage.ledger.waiting_on(Admission.account("contoso", OTHER_SECRET), 100)
        rows = [entry.continuation for key in keys if (entry := self.stage.ledger.read(key))]
        refused = [c for c in rows if c.is_open and c.reason is Reason.CREDENTIAL_REFUSED]
        runs = sorted(c.key.run for c in refused if not c.is_asked)
        return [self.team.lived[run] for run in runs if run not in self.team.deleted]

    def _sought(self) -> list[QueuedRun]:
        """The builds that look-ups are to find: the answer was lost."""
        builds = self._there()[-MOST_SOUGHT:]
        return [b for b in builds if any(c.is_doubtful for c in self.of(self._whose(b)))]

    def _there(self) -> list[QueuedRun]:
        return [build for build in self.stage.devops.runs if not build.deleted]

    def _whose(self, build: QueuedRun) -> Lived:
        return self.team.lived[build.template_parameters["run_id"]]

    def _delete_builds(self, builds: list[QueuedRun], most: int, how: str) -> None:
        """Somebody deletes builds; their runs are told of once more."""
        for build in self._of_others.sample(builds, min(most, len(builds))):
            self.stage.devops.delete(build.id)
            self._later_news.append(self.team.told(self._whose(build), self._of_others))
            self.met[how] += 1

    def _ended(self, one: Lived, becomes: Becomes) -> None:
        self.team.end(one)
        self.promised[one.run] = Promise(one, becomes)


def until(holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait for it, but not for ever: what never came is told at the end."""
    ends = time.monotonic() + seconds
    while not holds() and time.monotonic() < ends:
        time.sleep(0.2)
