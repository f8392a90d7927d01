"""What the settings say of what may stop: what is odd, and when a timer must have stopped."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from functions.configuration import occurrences
from functions.core.operators.stops.looking import Stops
from functions.core.operators.stops.stop import Known

if TYPE_CHECKING:
    from functions.configuration.settings import Settings
    from functions.core.ports.services import Ports

SWEEPS = 2  # that are missed before anybody is told: one may be under way


def known(settings: Settings) -> Known:
    """The same as the core asks for it."""
    reconcile, sweep = settings.schedules["reconcile"], settings.schedules["sweep"]
    return Known(
        settings.policy,
        settings.complaints,
        partial(occurrences.missed, reconcile),
        partial(occurrences.missed, sweep, times=SWEEPS),
        deployed=not settings.ledger_url,  # a ledger in a file is on somebody's own machine
    )


def stops(settings: Settings, ports: Ports, *, own: bool = False) -> Stops:
    """What looks for all that stops; `own`: the route file of this process is one of the app's."""
    return Stops(ports.ledger, ports.clock, known(settings), ports.routes if own else None)
