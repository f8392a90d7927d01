"""Running functions: sync ones in a thread pool, async ones on one event loop, as the worker does.

Each invocation leaves a record, so that what runs in the background can be awaited.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from local.host.given import Context, Job, Out
from local.host.indexing import OUTPUT, converter_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azure.functions.meta import Datum

    from local.host.indexing import IndexedFunction

log = logging.getLogger("host")


@dataclass(frozen=True)
class Invocation:
    """One finished invocation; `error` is `Type: message` if it failed, `value` what it gave."""

    id: str
    function: str
    reason: str
    ok: bool
    error: str
    milliseconds: int
    value: Datum | None = None


class Started(NamedTuple):
    """An invocation under way."""

    id: str
    future: Future[Invocation]

    def result(self, timeout: float | None = None) -> Invocation:
        """Wait for its end. Raises TimeoutError after `timeout` seconds."""
        return self.future.result(timeout)


class Worker:
    """Runs functions with at most `threads` sync ones at a time (None: as the worker decides).

    `put` takes what a function gives to an output binding, once it has ended well.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.put: Callable[[Mapping[str, Any], Datum], None] = lambda *_: None
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="function")
        self._loop = asyncio.new_event_loop()
        self._storage = threading.local()
        self._changed = threading.Condition()
        self._running = 0
        self._finished: list[Invocation] = []

    def start(self) -> None:
        """Begin to run async functions."""
        threading.Thread(target=self._loop.run_forever, name="event-loop", daemon=True).start()

    def stop(self) -> None:
        """Take no more; what runs still runs on, what waits is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._loop.call_soon_threadsafe(self._loop.stop)

    def invoke(self, function: IndexedFunction, datum: Datum, reason: str) -> Started:
        """Run it with this trigger value; what it raises is in the Invocation it ends as."""
        job = Job(function, datum, reason, str(uuid.uuid4()), time.monotonic())
        with self._changed:
            self._running += 1
        log.info("Executing 'Functions.%s' (Reason='%s', Id=%s)", function.name, reason, job.id)
        future: Future[Invocation]
        if function.is_async:
            future = asyncio.run_coroutine_threadsafe(self._await(job), self._loop)
        else:
            future = self._pool.submit(self._call, job)
        return Started(job.id, future)

    def finished(self, function: str | None = None) -> list[Invocation]:
        """What has finished so far, of one function or of all, oldest first."""
        with self._changed:
            return [i for i in self._finished if function in {None, i.function, i.id}]

    def wait(
        self, function: str | None = None, count: int = 1, timeout: float = 30
    ) -> list[Invocation]:
        """Wait until so many invocations of a function (or with that id) have finished.

        Raises TimeoutError after `timeout` seconds.
        """
        self._until(lambda: len(self.finished(function)) >= count, timeout)
        return self.finished(function)

    def idle(self, timeout: float = 30) -> None:
        """Wait until nothing runs. Raises TimeoutError after `timeout` seconds."""
        self._until(lambda: self._running == 0, timeout)

    def _until(self, reached: Callable[[], bool], timeout: float) -> None:
        with self._changed:
            if not self._changed.wait_for(reached, timeout):
                raise TimeoutError(f"{self._running} invocations still running")

    def _call(self, job: Job) -> Invocation:
        self._storage.invocation_id = job.id
        try:
            given = self._arguments(job)
            return self._done(job, given, job.function.call(**given))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a raised error is its answer
            return self._failed(job, error)

    async def _await(self, job: Job) -> Invocation:
        try:
            given = self._arguments(job)
            return self._done(job, given, await job.function.call(**given))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a raised error is its answer
            return self._failed(job, error)

    def _arguments(self, job: Job) -> dict[str, Any]:
        arguments = {job.function.parameter: job.function.decode(job.datum)}
        arguments |= {name: Out() for name in job.function.outputs}
        if job.function.wants_context:
            arguments["context"] = Context(job, self._storage)
        return arguments

    def _done(self, job: Job, given: Mapping[str, Any], result: object) -> Invocation:
        for name, binding in job.function.outputs.items():
            if (value := given[name].get()) is not None:
                self.put(binding, converter_for(OUTPUT).encode(value, expected_type=None))
        return self._record(job, "", _encoded(job.function, result))

    def _failed(self, job: Job, error: BaseException) -> Invocation:
        log.error("Function '%s' raised", job.function.name, exc_info=error)
        return self._record(job, f"{type(error).__name__}: {error}", None)

    def _record(self, job: Job, error: str, value: Datum | None) -> Invocation:
        took = round((time.monotonic() - job.began) * 1000)
        word = "Failed" if error else "Succeeded"
        log.info(
            "Executed 'Functions.%s' (%s, Id=%s, Duration=%dms)",
            job.function.name,
            word,
            job.id,
            took,
        )
        done = Invocation(job.id, job.function.name, job.reason, not error, error, took, value)
        with self._changed:
            self._finished.append(done)
            self._running -= 1
            self._changed.notify_all()
        return done


def _encoded(function: IndexedFunction, result: object) -> Datum | None:
    """The return value as the converter for HTTP encodes it.

    Raises RuntimeError for a value that no binding takes, TypeError for one of the wrong type.
    """
    if not function.returns:
        if result is not None:
            raise RuntimeError(
                f"function {function.name!r} without a $return binding returned a non-None value"
            )
        return None
    converter = converter_for("http")
    try:
        return cast("Datum", converter.encode(result, expected_type=None))
    except NotImplementedError:
        raise TypeError(
            f'unable to encode outgoing TypedData: unsupported type "http" for Python type '
            f'"{type(result).__name__}"'
        ) from None
