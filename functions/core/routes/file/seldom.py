"""What knows of keys that many files do not name: each is loaded when a file names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


def champions() -> ModuleType:
    """What knows of `champion`."""
    from functions.core.routes.file.keys import champions as found  # noqa: PLC0415 - as said

    return found


def channels() -> ModuleType:
    """What knows of `notify` and `tell`."""
    from functions.core.routes.file.keys import channels as found  # noqa: PLC0415 - as said

    return found


def concurrencies() -> ModuleType:
    """What knows of `concurrency`."""
    from functions.core.routes.file.keys import concurrencies as found  # noqa: PLC0415 - as said

    return found


def expectations() -> ModuleType:
    """What knows of `expect`."""
    from functions.core.routes.file.keys import expectations as found  # noqa: PLC0415 - as said

    return found


def joins() -> ModuleType:
    """What knows of `join`."""
    from functions.core.routes.file.keys import joins as found  # noqa: PLC0415 - as said

    return found


def promotions() -> ModuleType:
    """What knows of `promoted`."""
    from functions.core.routes.file.keys import promotions as found  # noqa: PLC0415 - as said

    return found


def sequels() -> ModuleType:
    """What knows of `then`."""
    from functions.core.routes.file.keys import sequels as found  # noqa: PLC0415 - as said

    return found


def workflows() -> ModuleType:
    """What knows of starts at GitHub."""
    from functions.core.routes.file.keys import workflows as found  # noqa: PLC0415 - as said

    return found
