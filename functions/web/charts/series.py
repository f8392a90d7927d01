"""What the charts draw: how many started, were held or failed in each stretch of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from functions.core.terms.words import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.kept.summary import Summary

MOST = 48  # stretches in a chart
DRAWN = (State.STARTED, State.HELD, State.FAILED)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SIZES = [timedelta(minutes=m) for m in (5, 15, 60, 180, 360, 1440, 10_080, 43_200, 525_600)]


class Stretch(NamedTuple):
    """One stretch of time: how many came to each end in it, and their seconds to the start."""

    begins: datetime
    counts: dict[State, int]
    latencies: list[float]

    @property
    def median(self) -> float:
        """The middle one of the latencies, of which there must be one."""
        return median(self.latencies)


def stretches(listed: Sequence[Summary], now: datetime) -> tuple[timedelta, list[Stretch]]:
    """How long a stretch is, and the stretches from the first end to now, empty ones among them."""
    drawn = [one for one in listed if one.state in DRAWN]
    first = min((one.at for one in drawn), default=now)
    size = next((s for s in _SIZES if (now - first) / s < MOST - 1), _SIZES[-1])
    begins = _EPOCH + (first - _EPOCH) // size * size
    count = min(MOST * 100, max(0, (now - begins) // size) + 1) if drawn else 0
    made = [Stretch(begins + i * size, dict.fromkeys(DRAWN, 0), []) for i in range(count)]
    for one in drawn:
        stretch = made[min((one.at - begins) // size, count - 1)]
        stretch.counts[one.state] += 1
        if one.latency is not None:
            stretch.latencies.append(one.latency)
    return size, made
