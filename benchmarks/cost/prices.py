"""What things cost, from prices.toml."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.toml import decode

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = Path(__file__).resolve().with_name("prices.toml")


class Price(Struct, frozen=True, forbid_unknown_fields=True):
    """`usd` dollars for `per` units, of which `free` a month cost nothing.

    `mark` is its letter in docs/deploy.md.
    """

    usd: float
    unit: str
    per: float = 1.0
    free: float = 0.0
    mark: str = ""


class Flex(Struct, frozen=True, forbid_unknown_fields=True):
    """How Flex Consumption counts.

    https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#billing
    """

    least_seconds: float
    step_seconds: float
    memory_mb: tuple[int, ...]

    def billed(self, seconds: float) -> float:
        """The seconds of one execution that are paid for."""
        steps = math.ceil(round(seconds / self.step_seconds, 6))
        return max(self.least_seconds, steps * self.step_seconds)


class Prices(Struct, frozen=True, forbid_unknown_fields=True):
    """All of them, as of one date and in one region."""

    date: str
    region: str
    flex: Flex
    prices: dict[str, Price]

    def usd(self, amounts: Mapping[str, float], *, free: bool = False) -> float:
        """What these amounts cost; `free` takes off what is free in a subscription of its own.

        Raises KeyError for what has no price.
        """
        return sum(self._usd(self.prices[name], n, free=free) for name, n in amounts.items())

    @staticmethod
    def _usd(price: Price, amount: float, *, free: bool) -> float:
        return max(0.0, amount - (price.free if free else 0.0)) / price.per * price.usd


def read(path: Path = PATH) -> Prices:
    """The prices in a file; raises msgspec.ValidationError for one that is not of this form."""
    return decode(path.read_bytes(), type=Prices)
