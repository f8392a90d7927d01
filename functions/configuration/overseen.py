"""What the settings say of what may stop, for the operations page and whoever else looks for it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from functions.configuration import occurrences
from functions.core.operators.stops.looking import Stops
from functions.core.operators.stops.stop import Known

if TYPE_CHECKING:
    from functions.configuration.settings import Settings
    from functions.core.operators.overview import Begin, Overview
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


def overview(settings: Settings, ports: Ports, begin: Begin) -> Overview:
    """What the operations page of these settings' app shows."""
    from functions.core.operators.overview import Overview  # noqa: PLC0415 - for people, not for rounds

    policy, app = settings.policy, settings.app
    return Overview(ports, policy, stops(settings, ports, own=True), app, begin)
