"""What the Functions host indexes: declarations only. The app is built on the first event."""

import os

import azure.functions as func

from functions import bootstrap, eventgrid, operations, settings, timers, waits

app = func.FunctionApp()
app.register_functions(eventgrid.blueprint(bootstrap.app))
app.register_functions(
    timers.blueprint(
        bootstrap.app,
        settings.reconcile_schedule(os.environ),
        settings.sweep_schedule(os.environ),
    )
)
if settings.waits_on(os.environ):
    app.register_functions(waits.blueprint(bootstrap.app))
app.register_functions(
    operations.blueprint(bootstrap.app, entra=settings.operations_entra(os.environ))
)
