"""A route's `join`: which runs belong together, how many there are, and what if one fails."""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from functions.core.terms.words import JOIN
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from datetime import timedelta

    from functions.core.terms.words import Outcome

LONGEST = 80  # bytes of a value that stands in a key itself
SHOWN, DIGITS = 12, 16  # of any other


class IfOneFails(StrEnum):
    """What becomes of the start, if one of them failed or never came."""

    HOLD = "hold"
    START = "start"
    FAIL = "fail"


class Join(Struct, frozen=True, kw_only=True):
    """Runs whose fact `by` has one value: so many, or one of each of these experiments.

    `well`: the outcomes that count as ended well; every other end is a failed one.
    """

    by: str
    number: int
    experiments: tuple[str, ...] = ()
    within: timedelta
    if_one_fails: IfOneFails = IfOneFails.HOLD
    well: frozenset[Outcome]

    def place(self, experiment: str) -> str:
        """The experiment as the route names it, in any case; "" where it is none of them."""
        meant = experiment.casefold()
        return next((name for name in self.experiments if name.casefold() == meant), "")

    def is_for_others(self, experiment: str) -> str:
        """Why a run of this experiment is none of them; "" where it may be one."""
        named = not self.experiments or self.place(experiment)
        return "" if named else f"{experiment or 'no name'} is not in all_of"


def identity(value: str) -> str:
    """What stands in the place of a run's id: the value, or a part and what stands for all of it.

    No two values share one.
    """
    as_bytes = value.encode("utf-8", "surrogatepass")
    is_plain = value == value.strip() != "" and "~" not in value and bounded(value) == value
    if is_plain and len(as_bytes) <= LONGEST:
        return value
    plain = re.sub(r"[^A-Za-z0-9 ._-]+", "-", value[:SHOWN])
    return f"{plain}~{hashlib.sha256(as_bytes).hexdigest()[:DIGITS]}"


def waits_on(route: str) -> str:
    """What the joint continuations of a route wait on, while they wait for others."""
    return f"{JOIN}{route}"
