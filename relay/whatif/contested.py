"""What might have ended otherwise with another champion than today's, and what would not. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.facts.placeholders import NOT_KNOWN
from functions.core.routes import deciding
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from functions.core.routes.deciding import End, PutOff
    from functions.core.routes.definition import Route


def is_by_champion(found: End | PutOff, route: Route) -> bool:
    """Whether it might not have ended so with another champion; what else stops it is certain."""
    if found.detail.startswith("champion."):
        return True
    if found.reason is Reason.NOT_A_NUMBER and found.detail.startswith("`"):  # worked out
        return "champion." in found.detail.partition("; ")[0]
    if found.reason in {Reason.EXPANDS, Reason.TOO_LARGE}:
        return deciding.ungated(route).needs.champion  # whether it sends what the champion tells
    if found.reason is Reason.FACTS_MISSING:  # of the gate, and not of the start
        return NOT_KNOWN not in found.detail
    if found.reason is Reason.GATE_ERROR:
        return not (route.gate and route.gate.mistakes)
    return found.reason is Reason.GATE
