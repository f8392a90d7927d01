"""Azurite for a test, which is skipped where Azurite is not installed."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from local.real import azurite
from local.real.azurite import ACCOUNT, ACCOUNT_KEY, connection_string

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["ACCOUNT", "ACCOUNT_KEY", "connection_string", "running"]


@contextmanager
def running(directory: Path, *options: str, service: str = "table") -> Iterator[int]:
    """Its port."""
    with ExitStack() as stack:
        try:
            port = stack.enter_context(azurite.running(directory, *options, service=service))
        except azurite.NotInstalledError as absent:
            pytest.skip(str(absent))
        yield port
