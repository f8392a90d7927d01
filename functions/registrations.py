"""Where agentless tasks register: `POST /api/waits`, with a function key.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import azure.functions as func

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.bootstrap import App

LONGEST_BODY = 16_384


def blueprint(app: Callable[[], App]) -> func.Blueprint:
    """The function that a task calls; `app` is asked for when one does."""
    triggers = func.Blueprint()

    @triggers.route(route="waits", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
    def waits(req: func.HttpRequest) -> func.HttpResponse:
        """Let a task wait for runs."""
        from functions.headers import ALWAYS  # noqa: PLC0415 - not before a task calls

        status, why = _registered(app, req)
        body = json.dumps({"error": why}) if why else ""
        kind = "application/json"
        return func.HttpResponse(body, status_code=status, mimetype=kind, headers=ALWAYS)

    return triggers


def _registered(app: Callable[[], App], req: func.HttpRequest) -> tuple[int, str]:
    """Status and why it is refused; of what its own Azure DevOps says of it, only the log tells."""
    from functions.core.events.registration import registration  # noqa: PLC0415 - the same
    from functions.core.texts.bounds import bounded  # noqa: PLC0415 - not before a task calls
    from functions.core.waits.admitting import Refused  # noqa: PLC0415 - the same

    told = app().waits
    headers = {name.lower(): value for name, value in req.headers.items()}
    try:
        told.register(registration(headers, _body(req)))
    except ValueError as error:
        told.refused(str(error))
        return 400, bounded(error)
    except Refused as refused:
        told.refused(str(refused))
        return refused.status, str(refused) if refused.told else "refused"
    return 202, ""


def _body(req: func.HttpRequest) -> object:
    """The JSON of the body; raises ValueError if there is none, or too much of it."""
    from functions.core.texts import jsontext  # noqa: PLC0415 - not before a task calls

    raw = req.get_body()
    if len(raw) > LONGEST_BODY:
        raise ValueError(f"the body has more than {LONGEST_BODY} bytes")
    return jsontext.read(raw)
