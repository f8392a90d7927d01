"""The workers of a test run compile its files once, among themselves.

Each collects all tests, so in a fresh clone each would compile all that they import, at the same
time as the others: two thirds of what collecting costs.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence


def pytest_sessionstart(session: pytest.Session) -> None:
    """Import this worker's share before all others, which are compiled by then."""
    config = session.config
    worker: dict[str, Any] = getattr(config, "workerinput", {})
    whole = [str(config.rootpath / path) for path in config.getini("testpaths")]
    if worker and [str(config.invocation_params.dir / path) for path in config.args] == whole:
        files = sorted(config.rootpath.glob("tests/**/test_*.py"))
        names = [".".join(f.relative_to(config.rootpath).with_suffix("").parts) for f in files]
        for name in share(names, worker["workerid"], worker["workercount"]):
            with suppress(Exception, pytest.skip.Exception):  # it is told where it is collected
                import_module(name)


def share(names: Sequence[str], worker: str, of: int) -> Sequence[str]:
    """What one of so many workers (`gw0` and up) begins with."""
    return names[int(worker.removeprefix("gw")) :: of]
