"""A storm over the local Azure: a share of all calls fails, each in a way that may be retried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

    from local.cloud import Cloud

ENDLESS = 10**9

# What a request can be lost by: nothing was done, and nobody can tell.
LOST: tuple[dict[str, Any], ...] = ({"status": 500}, {"drop": "before"})
OTHERS: tuple[dict[str, Any], ...] = (
    {"status": 500, "after": True},
    {"status": 503, "after": True},
    {"drop": "after"},
    {"status": 429, "headers": {"Retry-After": "0"}},
    {"status": 429, "headers": {"Retry-After": "1"}},
    {"delay": 0.3},
)


class Storm:
    """Faults of every service that fail `share` of its calls.

    A POST to Azure DevOps is lost at most twice: the third loss of the same request would, as
    promised, be held for a person.
    """

    def __init__(self, cloud: Cloud, share: float, random: Random) -> None:
        self._services = (cloud.identity, cloud.vault, cloud.arm, cloud.aml, cloud.devops)
        self._of_each = 1 - (1 - share) ** (1 / len(LOST + OTHERS))
        self._faults: list[Fault] = []
        for service in self._services:
            for fault in self._made(random):
                service.server.faults.add(fault)

    def clear(self) -> None:
        """Let the sun shine."""
        for service in self._services:
            service.server.faults.clear()

    @property
    def calls(self) -> int:
        """How many calls there were; services do not see those that fail before their work."""
        seen = sum(len(service.server.requests) for service in self._services)
        return seen + sum(_hits(f) for f in self._faults if not _reaches(f))

    @property
    def failed(self) -> int:
        """How many calls were hit."""
        return sum(map(_hits, self._faults))

    def _made(self, random: Random) -> Iterable[Fault]:
        kinds = [{"method": "GET", **kind} for kind in LOST + OTHERS]
        kinds += [{"method": "POST", "per_request": 1, **kind} for kind in LOST]
        kinds += [{"method": "POST", **kind} for kind in OTHERS]
        random.shuffle(kinds)
        drawn: dict[str, Any] = {"times": ENDLESS, "probability": self._of_each}
        made = [Fault(**drawn, seed=random.getrandbits(32), **kind) for kind in kinds]
        self._faults += made
        return made


def _hits(fault: Fault) -> int:
    return ENDLESS - fault.times


def _reaches(fault: Fault) -> bool:
    return fault.after or fault.drop == "after" or not (fault.status or fault.drop)
