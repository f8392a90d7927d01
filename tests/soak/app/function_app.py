"""The function app, in a hurry: its deliveries wait three seconds for a round, not ten minutes."""

import functools
import os
from datetime import timedelta

import azure.functions as func

from functions import bootstrap, eventgrid, timers
from functions.bootstrap import App
from functions.configuration.declared import Environment
from functions.core.rounds.watch import Patience

SECOND = timedelta(seconds=1)
given = Environment(os.environ)


@functools.cache
def hurried() -> App:
    """The app of this process."""
    whole = bootstrap.app()
    whole.watch.patience = Patience(3 * SECOND, looks_every=SECOND, goes_on_after=SECOND)
    return whole


app = func.FunctionApp()
app.register_functions(eventgrid.blueprint(hurried))
app.register_functions(
    timers.blueprint(hurried, given.reconcile_schedule(), given.sweep_schedule())
)
