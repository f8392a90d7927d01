"""The row of what is known of a route: `awaited`, what is `telling`, who is `held`, `until`. Pure.

docs/adr/0038-what-should-have-come.md
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from functions.core.ledger import decoding
from functions.core.rounds.expecting import held
from functions.core.rounds.expecting.awaited import Awaited, Happened
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.kept.continuation import Continuation
    from functions.core.rounds.expecting.held import Held

Row = dict[str, Any]

AWAITED, TELLING, UNTIL = "awaited", "telling", "until"  # the keys in it, beside `held`
KEPT_FOR = timedelta(days=60)  # of a route that nobody looks at any more
RENEWED = timedelta(days=30)  # before that is over, where somebody does


class _Telling(Struct, frozen=True):
    telling: list[Happened] = []


decoding.describe(_Telling)


def name_of(route: str) -> str:
    """The shared row of what is known of it."""
    return f"expect/{route}"


def known(value: Mapping[str, Any]) -> Awaited | None:
    """What is awaited by the row; None where it says nothing that this version knows."""
    try:
        return decoding.decoded(value[AWAITED], Awaited)
    except (KeyError, msgspec.ValidationError):
        return None


def telling(value: Mapping[str, Any]) -> list[Happened]:
    """What is to be told by the row; what another version wrote otherwise is not."""
    try:
        return decoding.decoded({TELLING: value.get(TELLING, [])}, _Telling).telling
    except msgspec.ValidationError:
        return []


def written(
    value: Mapping[str, Any], one: Awaited | None, happened: list[Happened], those: list[Held]
) -> Row:
    """The row with this; what is empty is left out."""
    return held.written(_with(_with(value, AWAITED, one), TELLING, happened), those)


def without_telling(value: Mapping[str, Any]) -> Row:
    """The row once that was told."""
    return _with(value, TELLING, [])


def noted(value: Mapping[str, Any], c: Continuation, now: datetime) -> Row:
    """The row with one more that is held."""
    return held.noted(lasting(value, now), c)


def lasting(value: Mapping[str, Any], now: datetime) -> Row:
    """The row, kept from now on."""
    return {**value, UNTIL: (now + KEPT_FOR).isoformat()}


def is_soon_forgotten(value: Mapping[str, Any], now: datetime) -> bool:
    """Whether it is to be kept for longer."""
    until = parse_time(value.get(UNTIL))
    return until is not None and until - now < RENEWED


def _with(value: Mapping[str, Any], name: str, told: object) -> Row:
    rest = {key: kept for key, kept in value.items() if key != name}
    return {**rest, name: msgspec.to_builtins(told)} if told else rest
