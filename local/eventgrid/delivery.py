"""Deliveries under way: when each event is tried again, held back, or given up.

The rules are in `local/eventgrid/retries.py`; this is the clock, the queue and the record.
"""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from local.eventgrid.dead_letters import DeadLetters, Letter
from local.eventgrid.retries import (
    DEAD_LETTER_DELAY,
    Answer,
    Pace,
    dead_letter_reason,
    is_final,
    probation,
    wait_after,
)
from local.eventgrid.subscriptions import Messenger, Subscription

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.eventgrid.envelopes import Event

AT_ONCE = 16


@dataclass(frozen=True)
class Attempt:
    """One delivery as Event Grid saw it; `number` counts from 1, `at` is in epoch seconds."""

    subscription: str
    event_id: str
    number: int
    outcome: str
    status: int | None
    at: float


@dataclass(frozen=True)
class Disorder:
    """What at-least-once and no-order look like: a share of doubles, a spread of delays.

    `duplicates` is the probability that an event is delivered once more; `shuffle` is the
    number of seconds over which first deliveries are spread.
    """

    duplicates: float = 0.0
    shuffle: float = 0.0


@dataclass(frozen=True)
class _Parcel:
    """One event on its way to one subscription."""

    to: Subscription
    event: Event
    published: float = field(default_factory=time.time)
    attempts: int = 0
    last: Answer | None = None
    last_at: float | None = None

    def letter(self, reason: str) -> Letter:
        """The parcel as a dead letter."""
        tried = (self.attempts, self.last or Answer("Probation"), self.last_at)
        return Letter(self.to.name, self.to.schema, self.event, reason, self.published, *tried)


class Deliveries:
    """Delivers in parallel, in threads of its own, until stopped."""

    def __init__(
        self, pace: Pace, disorder: Disorder, dead_letters: DeadLetters, seed: int | None
    ) -> None:
        self._pace, self._disorder, self._dead = pace, disorder, dead_letters
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.messenger = Messenger(pace.patience)
        self._changed = threading.Condition()
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._under_way = 0
        self._attempts: list[Attempt] = []
        self._failures: dict[str, int] = {}
        self._held_until: dict[str, float] = {}
        self._stopped = False
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="delivery")
        self._clock = threading.Thread(target=self._run, name="event-grid", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._clock.start()

    def stop(self) -> None:
        """Deliver no more; what is under way is forgotten."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._clock.join()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def send(self, to: Subscription, event: Event) -> None:
        """Deliver the event, at least once."""
        with self._changed:
            copies = 1 + (self._random.random() < self._disorder.duplicates)
            self._under_way += copies
            for _ in range(copies):
                delay = self._random.uniform(0, self._disorder.shuffle)
                self._later(delay, self._handler(_Parcel(to, event)))

    def attempts(self) -> list[Attempt]:
        """Every delivery so far, oldest first."""
        with self._changed:
            return list(self._attempts)

    def wait_for(self, reached: Callable[[list[Attempt]], bool], timeout: float) -> None:
        """Wait until the record of attempts looks so. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: reached(list(self._attempts)), timeout):
                raise TimeoutError(f"deliveries so far: {self._attempts[-5:]}")

    def idle(self, timeout: float) -> None:
        """Wait until every event was delivered or given up. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._under_way == 0, timeout):
                raise TimeoutError(f"{self._under_way} deliveries still under way")

    def _handler(self, parcel: _Parcel) -> Callable[[], None]:
        return lambda: self._handle(parcel)

    def _later(self, delay: float, action: Callable[[], None]) -> None:
        with self._changed:
            heapq.heappush(self._queue, (time.monotonic() + delay, next(self._order), action))
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._stopped:
                    return
                due = self._queue[0][0] - time.monotonic() if self._queue else None
                if due is None or due > 0:
                    self._changed.wait(due)
                    continue
                action = heapq.heappop(self._queue)[2]
            self._pool.submit(action)

    def _handle(self, parcel: _Parcel) -> None:
        """The parcel is due: expired, held back with its endpoint, or tried."""
        ttl = parcel.to.ttl_minutes * 60 * self._pace.time_scale
        lives = parcel.published + ttl - time.time()
        held = self._held_until.get(parcel.to.endpoint, 0.0) - time.monotonic()
        if lives < 0:
            self._give_up(parcel, "TimeToLiveExceeded")
        elif held > 0:
            self._later(min(held, lives), self._handler(parcel))
        else:
            self._try(parcel)

    def _try(self, parcel: _Parcel) -> None:
        began = time.time()
        answer = self.messenger.deliver(parcel.to, parcel.event, parcel.attempts)
        tried = replace(parcel, attempts=parcel.attempts + 1, last=answer, last_at=began)
        self._note(tried, answer, began)
        if answer.delivered:
            self._end()
        elif is_final(answer, azure_function=parcel.to.azure_function):
            self._give_up(tried, dead_letter_reason(answer))
        elif tried.attempts >= parcel.to.max_attempts:
            self._give_up(tried, "MaxDeliveryAttemptsExceeded")
        else:
            wait = wait_after(tried.attempts, answer, azure_function=parcel.to.azure_function)
            jitter = self._random.uniform(1.0, 1.1)
            self._later(wait * jitter * self._pace.time_scale, self._handler(tried))

    def _note(self, parcel: _Parcel, answer: Answer, began: float) -> None:
        """Record the attempt, and what it says about the endpoint."""
        to, event_id = parcel.to, str(parcel.event["id"])
        with self._changed:
            failures = 0 if answer.delivered else self._failures.get(to.endpoint, 0) + 1
            self._failures[to.endpoint] = failures
            hold = probation(failures, answer.outcome) * self._pace.time_scale
            self._held_until[to.endpoint] = time.monotonic() + hold
            made = Attempt(to.name, event_id, parcel.attempts, *_told(answer), began)
            self._attempts.append(made)
            self._changed.notify_all()

    def _give_up(self, parcel: _Parcel, reason: str) -> None:
        def bury() -> None:
            self._dead.write(parcel.letter(reason))
            self._end()

        self._later(DEAD_LETTER_DELAY * self._pace.time_scale, bury)

    def _end(self) -> None:
        with self._changed:
            self._under_way -= 1
            self._changed.notify_all()


def _told(answer: Answer) -> tuple[str, int | None]:
    return answer.outcome, answer.status
