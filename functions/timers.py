"""The timers: what is open is driven to an end, and what no event told of is looked for.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer
https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue
"""

from __future__ import annotations

from typing import TYPE_CHECKING, List  # noqa: UP035 - the worker takes no `list` for an output

import azure.functions as func

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.bootstrap import App
    from functions.configuration.declared import Environment

STORAGE = "AzureWebJobsStorage"  # whose settings say where the queue is, and who signs in


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


def parts(app: Callable[[], App], given: Environment) -> func.Blueprint:
    """What hands parts of the schedule on, and what works one off, on as many instances as it has.

    The host reads and writes the messages, and makes the queue: host.json says how many an instance
    takes at once, and so how many instances there are.
    """
    triggers, of, queue = func.Blueprint(), given.reconcile_parts(), given.parts_queue()

    @triggers.timer_trigger(arg_name="timer", schedule=given.reconcile_schedule())
    @triggers.queue_output(arg_name="messages", queue_name=queue, connection=STORAGE)
    def divide(timer: func.TimerRequest, messages: func.Out[List[str]]) -> None:  # noqa: UP006
        """Put a message for each part of the schedule in which something is due."""
        del timer
        messages.set(app().reconciler.parts.messages(of))

    @triggers.queue_trigger(arg_name="message", queue_name=queue, connection=STORAGE)
    def reconcile_part(message: func.QueueMessage) -> None:
        """Resume what is due in one part."""
        app().reconciler.parts.work(message.get_body().decode("utf-8", "replace"))

    return triggers
