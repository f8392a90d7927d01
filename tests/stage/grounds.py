"""Every test's cloud is new; the ports that it stands on are those of the test before."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from local.cloud import Cloud, Ground

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Grounds:
    """Lends a ground to one cloud after the other; to a second at the same time another one.

    A ground on which a test stopped a service for good is not lent again.
    """

    def __init__(self, certificates: Path) -> None:
        self._certificates = certificates
        self._free: list[Ground] = []

    @staticmethod
    @cache
    def of(certificates: Path) -> Grounds:
        """Those that all tests with these certificates share, until somebody closes them."""
        return Grounds(certificates)

    @contextmanager
    def cloud(self, pat: str) -> Iterator[Cloud]:
        """A new cloud, running."""
        ground = self._free.pop() if self._free else Ground(self._certificates).__enter__()
        with Cloud(ground, pat) as running:
            yield running
        if ground.stands:
            ground.move_vault()
            self._free.append(ground)
        else:
            ground.__exit__()

    def close(self) -> None:
        """Give all ports back."""
        for ground in self._free:
            ground.__exit__()
