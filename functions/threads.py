"""Threads: several continuations at once, and work of which nobody waits for the end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from functions.core.ports.services import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from functions.core.ports.services import Journal
    from functions.core.terms.runs import Key

RESUMED_AT_ONCE = 8


def for_each(journal: Journal, work: Callable[[Key], None], keys: Iterable[Key]) -> None:
    """Work on every key, a few at once; one that fails unforeseen must not stop the others."""

    def guarded(key: Key) -> None:
        try:
            work(key)
        except Exception as error:  # noqa: BLE001 - the outermost edge of one continuation
            line = {"continuation": "crashed", "run": key.run, "route": key.route}
            journal.write(Level.ERROR, {**line, "detail": f"{type(error).__name__}: {error}"})

    with ThreadPoolExecutor(RESUMED_AT_ONCE, "reconcile") as pool:
        list(pool.map(guarded, keys))


def within(seconds: float, work: Callable[[], None]) -> None:
    """Have it done, and wait so many seconds at most: what hangs then goes on by itself.

    Raises what it raises within that time.
    """
    pool = ThreadPoolExecutor(1, "beside")
    try:
        doing = pool.submit(work)
        wait([doing], seconds)
        if doing.done():
            doing.result()
    finally:
        pool.shutdown(wait=False)
