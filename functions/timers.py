"""The timers: what is open is driven to an end, and what no event told of is looked for.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.bootstrap import App


def blueprint(
    app: Callable[[], App], reconcile_schedule: str, sweep_schedule: str
) -> func.Blueprint:
    """The functions that the clock calls, on NCRONTAB schedules."""
    triggers = func.Blueprint()

    @triggers.timer_trigger(arg_name="timer", schedule=reconcile_schedule)
    def reconcile(timer: func.TimerRequest) -> None:
        """Resume parked, abandoned and asked continuations."""
        del timer
        app().reconciler.reconcile()

    @triggers.timer_trigger(arg_name="timer", schedule=sweep_schedule)
    def sweep(timer: func.TimerRequest) -> None:
        """Take up runs whose event was lost, and forget what ended long ago."""
        del timer
        app().sweep.sweep()

    return triggers
