"""Interruption: Ctrl-C, and the signal by which an agent of Azure Pipelines ends a script."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGINT and SIGTERM raise KeyboardInterrupt, also where a shell had SIGINT ignored.

    A Bash task hands the cancellation of its job on as SIGTERM.
    https://learn.microsoft.com/azure/devops/pipelines/process/phases#timeouts
    """
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(one, _interrupt) for one in signals]
    try:
        yield
    finally:
        for one, handler in zip(signals, before, strict=True):
            signal.signal(one, handler)


def _interrupt(number: int, frame: object) -> NoReturn:
    del number, frame
    raise KeyboardInterrupt
