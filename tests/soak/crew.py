"""Worker processes over one ledger, some of which are killed or frozen, and the events for them."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue
from random import Random
from typing import TYPE_CHECKING

import requests

from tests.stage.hosted import Hosted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tests.soak.team import Delivery

APP = Path(__file__).parent / "app"
SCHEDULES = {"RECONCILE_SCHEDULE": "* * * * * *", "SWEEP_SCHEDULE": "0 0 0 29 2 *"}
LONGEST_FREEZE = 6.0  # seconds: longer than a lease, shorter than an ask's POST may take to leave
DELIVERIES_AT_ONCE = 6
REDELIVERED_AFTER = 0.2
ACCEPTED = 202


class Crew:
    """So many workers, whose timers fire each second; one that was killed is replaced."""

    def __init__(self, environ: Mapping[str, str], size: int) -> None:
        self._environ = {**environ, **SCHEDULES}
        with ThreadPoolExecutor(size) as pool:
            self.workers = list(pool.map(lambda _: self._new(), range(size)))
        self.told: Counter[str] = Counter()
        self._halting = threading.Lock()

    def _new(self) -> Hosted:
        return Hosted(self._environ, APP, timers=True)

    @contextmanager
    def halted(self) -> Iterator[None]:
        """Let all timers stand still meanwhile, also those of workers that come."""
        self._halt("1")
        try:
            yield
        finally:
            self._halt("")

    def _halt(self, stopped: str) -> None:
        with self._halting:
            self._environ["LOCAL_TIMERS_STOPPED"] = stopped
            for worker in self.workers:
                with suppress(requests.RequestException):  # killed, and replaced by one that knows
                    worker.halt(stopped=bool(stopped))

    def kill(self, place: int) -> None:
        """End one on the spot, whatever it does, and start another in its place."""
        with self._halting:
            self.workers[place].process.kill()
            self.workers[place].ended()
            self.workers[place] = self._new()
        self.told["killed"] += 1

    def freeze(self, place: int, seconds: float) -> None:
        """Stop one where it is, and let it go on so many seconds later."""
        process = self.workers[place].process.pid
        os.kill(process, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(process, signal.SIGCONT)
        self.told["frozen"] += 1

    def stop(self) -> None:
        """End all."""
        for worker in self.workers:
            worker.stop()

    def deliver_all(self, deliveries: Iterable[Delivery], random: Random) -> None:
        """Deliver, in this order, until each was accepted: Event Grid tries for a day."""
        waiting: Queue[Delivery] = Queue()
        for delivery in deliveries:
            waiting.put(delivery)
        with ThreadPoolExecutor(DELIVERIES_AT_ONCE) as pool:
            drawn = [seeded(random.getrandbits(64)) for _ in range(DELIVERIES_AT_ONCE)]
            list(pool.map(lambda own: self._post(waiting, own), drawn))

    def _post(self, waiting: Queue[Delivery], random: Random) -> None:
        while True:
            try:
                delivery = waiting.get_nowait()
            except Empty:
                return
            status = 0
            with suppress(requests.RequestException):
                status = random.choice(self.workers).deliver(*delivery).status_code
            self.told[f"deliveries answered {status or 'by nobody'}"] += 1
            if status != ACCEPTED:
                time.sleep(REDELIVERED_AFTER)
                waiting.put(delivery)

    def sweep(self) -> None:
        """Let the first worker's other timer fire; it may be killed meanwhile."""
        with suppress(requests.RequestException, KeyError):
            self.workers[0].fire("sweep")
            self.told["sweeps"] += 1

    @contextmanager
    def struck(self, every: tuple[float, float], random: Random) -> Iterator[None]:
        """Kill and freeze workers at random, so many seconds apart; at least one of each."""

        def strike(_: int, ended: threading.Event) -> None:
            while not (ended.is_set() and self.told["killed"] and self.told["frozen"]):
                ended.wait(random.uniform(*every))
                place = random.randrange(len(self.workers))
                if random.random() < 0.5:
                    self.kill(place)
                else:
                    self.freeze(place, random.uniform(0.5, LONGEST_FREEZE))

        with ended_with(strike, [0]):
            yield


@contextmanager
def ended_with(
    work: Callable[[int, threading.Event], None], places: Iterable[int]
) -> Iterator[None]:
    """Have threads work beside the block, until it ends; what they raise is raised."""
    ended = threading.Event()
    with ThreadPoolExecutor() as pool:
        working = [pool.submit(work, place, ended) for place in places]
        try:
            yield
        finally:
            ended.set()
        for done in working:
            done.result()


def seeded(seed: int) -> Random:
    """Chance that can be repeated."""
    return Random(seed)  # noqa: S311 - nothing secret
