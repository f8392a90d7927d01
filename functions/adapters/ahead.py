"""Calls that are begun before they are asked for, in a few threads beside the event's own.

Only reads are begun so: whoever has no use for one any more neither waits for it nor has anything
written by it. The app logs nothing here. A line of a library is known as the invocation's by the
context, which goes along, to the worker of Python 3.13 and newer; to an older one by the thread.
https://github.com/Azure/azure-functions-python-worker/issues/1745
"""

from __future__ import annotations

import threading
from contextvars import copy_context
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from functions.core.terms.deadline import Deadline

    Call = Callable[[], Any]
    Begin = Callable[[Call], Call]

MOST = 32  # threads of a process
IDLE_SECONDS = 10.0  # after which a thread ends

T = TypeVar("T")


def _when_asked(call: Call) -> Call:
    return call


class Beside:
    """The threads: none before the first call, and none that keeps a process from ending.

    Where all are busy, or none can be made, a call is done by whoever asks for it: then all goes
    one after the other, and nobody waits for a thread that waits for another.
    """

    def __init__(self, most: int = MOST, idle_seconds: float = IDLE_SECONDS) -> None:
        self._most, self._idle_seconds = most, idle_seconds
        self._queue: SimpleQueue[_Begun[Any]] = SimpleQueue()
        self._idle: SimpleQueue[None] = SimpleQueue()  # an entry for each that nobody counts on
        self._lock = threading.Lock()
        self._threads = 0

    def begin(self, call: Callable[[], T]) -> Callable[[], T]:
        """Begin it; what comes back waits for its end, and gives or raises what it did."""
        begun = _Begun(call)
        begun.has_thread = self._is_idle() or self._grow()
        self._queue.put(begun)
        return begun.result

    def _is_idle(self) -> bool:
        """Whether a thread is idle, which is counted on from now on."""
        try:
            self._idle.get_nowait()
        except Empty:
            return False
        return True

    def _grow(self) -> bool:
        """Whether there is one more thread."""
        with self._lock:
            if self._threads >= self._most:
                return False
            self._threads += 1
        try:
            threading.Thread(target=self._work, name="ahead", daemon=True).start()
        except RuntimeError:  # no thread can be made
            self._end()
            return False
        return True

    def _work(self) -> None:
        while (begun := self._next()) is not None:
            begun.do()
            was_counted_on = begun.has_thread
            del begun  # while it waits for the next, nothing of this one is kept
            if was_counted_on:
                self._idle.put(None)
        self._end()

    def _next(self) -> _Begun[Any] | None:
        while True:
            try:
                return self._queue.get(timeout=self._idle_seconds)
            except Empty:
                if self._threads and self._is_idle():
                    return None  # nobody has counted on this thread meanwhile

    def _end(self) -> None:
        with self._lock:
            self._threads -= 1


class _Begun(Generic[T]):
    """A call that is done once, by a thread of those or by who asks for it first.

    `has_thread`: one is counted on for it, and free again after it; others are done as one may.
    """

    has_thread = False

    def __init__(self, call: Callable[[], T]) -> None:
        self._call, self._context = call, copy_context()
        self._taken, self._going_on = threading.Lock(), threading.Lock()
        self._going_on.acquire()
        self._error: BaseException | None = None

    def do(self) -> None:
        """Do it, unless somebody does."""
        if not self._taken.acquire(blocking=False):
            return
        try:
            self._found = self._context.run(self._call)
            del self._call, self._context
        except BaseException as error:  # noqa: BLE001 - it is raised where it is asked for
            self._error = error
        finally:
            self._going_on.release()

    def result(self) -> T:
        """What it gave, once; raises what it raised."""
        self.do()
        with self._going_on:
            pass  # it is over
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return self._found


class Ahead:
    """The calls of one service that are begun, each kept with the time that it is for.

    Each is handed out once: who asks again is to have a newer answer. Without `begin` each call is
    made where it is asked for.
    """

    def __init__(self, begin: Begin = _when_asked) -> None:
        self._begin = begin

    def begin(self, deadline: Deadline, asked: Hashable, call: Call) -> None:
        """Begin the call, unless it was."""
        if (self, asked) not in deadline.begun:
            deadline.begun[self, asked] = self._begin(call)

    def result(self, deadline: Deadline, asked: Hashable, call: Call) -> Any:  # noqa: ANN401 - its
        """What the call gives: the one that was begun, else one that is made now."""
        return (self.take(deadline, asked) or call)()

    def take(self, deadline: Deadline, asked: Hashable) -> Call | None:
        """What waits for the call that was begun; None where none was, or was handed out."""
        return deadline.begun.pop((self, asked), None)

    def drop(self, deadline: Deadline) -> None:
        """Hand out nothing that was begun so far."""
        for known in [known for known in deadline.begun if known[0] is self]:
            del deadline.begun[known]
