"""The workers of a whole run begin each with files of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.running import compiling

if TYPE_CHECKING:
    import pytest


def test_every_file_is_begun_with_by_one_worker() -> None:
    names = [f"tests.test_{number}" for number in range(10)]
    shares = [compiling.share(names, f"gw{worker}", 3) for worker in range(3)]
    assert sorted(name for share in shares for name in share) == names
    assert {len(share) for share in shares} == {3, 4}


def test_this_run_goes_by_it(request: pytest.FixtureRequest) -> None:
    found = request.config.pluginmanager.hook.pytest_sessionstart.get_hookimpls()
    assert compiling.pytest_sessionstart in [hook.function for hook in found]
