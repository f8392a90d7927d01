"""A line now and then that tells that something goes on."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from functions.core.texts.phrases import counted, lasting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SAID_EVERY = 2.0  # seconds


@contextmanager
def ticking(count: Callable[[], int], every: float = SAID_EVERY) -> Iterator[None]:
    """Say on the error output, so many seconds apart, how long it has lasted and what was told."""
    ended, began = threading.Event(), time.monotonic()

    def tick() -> None:
        while not ended.wait(every):
            told = f"{lasting(time.monotonic() - began)}, {counted(count(), 'line')} so far"
            typer.echo(told, err=True)

    thread = threading.Thread(target=tick, name="ticking", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
