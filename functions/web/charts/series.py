"""What the charts draw: how many started, were held or failed in each stretch of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from functions.core.terms.words import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.kept.summary import Summary

LEAST, MOST = 12, 48  # stretches in a chart
PARTS = 4  # of the axis: each begins with a time, and has as many stretches as the others
DRAWN = (State.STARTED, State.HELD, State.FAILED)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SIZES = {
    timedelta(minutes=minutes): name
    for minutes, name in (
        *((5, "5m"), (15, "15m"), (60, "1h"), (180, "3h"), (360, "6h"), (1440, "1d")),
        *((10_080, "1w"), (43_200, "30d"), (525_600, "365d"), (5_256_000, "3650d")),
    )
}


class Stretch(NamedTuple):
    """One stretch of time: how many came to each end in it, and their seconds to the start.

    `size` is its length as a filter has it.
    """

    begins: datetime
    ends: datetime
    size: str
    counts: dict[State, int]
    latencies: list[float]

    @property
    def median(self) -> float:
        """The middle one of the latencies, of which there must be one."""
        return median(self.latencies)

    @property
    def total(self) -> int:
        """How many came to an end in it."""
        return sum(self.counts.values())

    @property
    def during(self) -> str:
        """The stretch as the filter `during` has it."""
        return f"{self.begins:%Y-%m-%dT%H:%M:%SZ}/{self.size}"


def stretches(listed: Sequence[Summary], now: datetime) -> list[Stretch]:
    """The stretches until now, empty ones among them, that hold every end; none without any."""
    drawn = [one for one in listed if one.state in DRAWN]
    if not drawn:
        return []
    first = min(one.at for one in drawn)
    size = next((s for s in _SIZES if (now - first) / s < MOST - PARTS), max(_SIZES))
    last = (now - _EPOCH) // size
    count = last - (first - _EPOCH) // size + 1
    count = min(MOST, max(LEAST, -(-count // PARTS) * PARTS))
    begins = _EPOCH + (last - count + 1) * size
    ends = [begins + i * size for i in range(count + 1)]
    made = [
        Stretch(ends[i], ends[i + 1], _SIZES[size], dict.fromkeys(DRAWN, 0), [])
        for i in range(count)
    ]
    for one in drawn:
        stretch = made[max(0, min((one.at - begins) // size, count - 1))]
        stretch.counts[one.state] += 1
        if one.latency is not None:
            stretch.latencies.append(one.latency)
    return made
