"""Which continuations of a route are held, in the row of what is known of the route. Pure."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotations
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from functions.core.kept.history import stands_since
from functions.core.ledger import decoding
from functions.core.terms.runs import Key  # noqa: TC001 - msgspec reads it to decode
from functions.core.terms.words import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.kept.continuation import Continuation

HELD = "held"  # the key in the row
MOST = 100  # of a route: so many keys fit into the row


class Held(Struct, frozen=True, omit_defaults=True):
    """One that has been held since then; `told`: people know that it is so for too long."""

    key: Key
    at: datetime
    told: bool = False

    def still(self, c: Continuation | None) -> bool:
        """Whether that is so: one that was replayed and is held anew is another."""
        return c is not None and c.state is State.HELD and stands_since(c) == self.at


class _Row(Struct, frozen=True):
    held: list[Held] = []


decoding.describe(_Row)


def known(value: Mapping[str, Any]) -> list[Held]:
    """Those of the row; what another version wrote otherwise is as if there were none."""
    try:
        return decoding.decoded({HELD: value.get(HELD, [])}, _Row).held
    except msgspec.ValidationError:
        return []


def noted(value: Mapping[str, Any], c: Continuation) -> dict[str, Any]:
    """The row with this one, if there is room; the first that people know of makes room."""
    those = known(value)
    at = stands_since(c)
    if any(one.key == c.key and one.at == at for one in those):
        return dict(value)
    others = [one for one in those if one.key != c.key]
    if len(others) >= MOST and (old := next((one for one in others if one.told), None)):
        others.remove(old)
    return written(value, [*others, Held(c.key, at)][:MOST])


def written(value: Mapping[str, Any], those: list[Held]) -> dict[str, Any]:
    """The row with these; an empty list is left out."""
    rest = {name: told for name, told in value.items() if name != HELD}
    return {**rest, **({HELD: msgspec.to_builtins(those)} if those else {})}
