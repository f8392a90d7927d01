"""The function app with a fuse: it dies or freezes at one named point of the path, once.

`FUSE_POINT` names the point, `FUSE_SIGNAL` what the process sends itself there, and `FUSE_FILE`
the file that says that it happened.
"""

import os

import azure.functions as func

from functions import eventgrid, timers
from functions.configuration.declared import EVERY_HOUR, EVERY_MINUTE
from tests.crash.fuse import fused

app = func.FunctionApp()
app.register_functions(eventgrid.blueprint(lambda: fused(os.environ)))
app.register_functions(timers.blueprint(lambda: fused(os.environ), EVERY_MINUTE, EVERY_HOUR))
