"""What the Functions host indexes: declarations only. The app is built on the first event."""

import os

import azure.functions as func

from functions import bootstrap, eventgrid, operations, timers
from functions.configuration.declared import Environment

given = Environment(os.environ)
app = func.FunctionApp()
app.register_functions(eventgrid.blueprint(bootstrap.app))
app.register_functions(
    timers.blueprint(bootstrap.app, given.reconcile_schedule(), given.sweep_schedule())
)
if given.reconcile_parts() > 1:
    app.register_functions(timers.parts(bootstrap.app, given))
if given.waits_on():
    from functions import registrations

    app.register_functions(registrations.blueprint(bootstrap.app))
app.register_functions(operations.blueprint(bootstrap.app, entra=given.operations_entra()))
