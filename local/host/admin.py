"""The host's own endpoints: functions by hand under `/admin`, and what has run so far.

https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from azure.functions.meta import Datum
from flask import Request, Response, jsonify

from local.host.indexing import HTTP, QUEUE, TIMER, IndexedFunction, json_datum
from local.host.triggers.http import posted
from local.host.triggers.timers import timer_datum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.host.invocations import Worker
    from local.host.triggers.timers import Timers

REASON = "This function was programmatically called via the host APIs."


def answer(request: Request, functions: Mapping[str, IndexedFunction], worker: Worker) -> Response:
    """Run a function in the background (202), or list the functions, or say that all is well."""
    path, _, name = request.path.rstrip("/").rpartition("/")
    if request.path.lower() == "/admin/host/status":
        return jsonify(state="Running")
    if request.path.lower().rstrip("/") == "/admin/functions":
        return jsonify([{"name": f.name, "trigger": f.kind} for f in functions.values()])
    if path.lower() != "/admin/functions" or name not in functions:
        return Response(status=404)
    return _run_in_background(request, functions[name], worker)


def _run_in_background(request: Request, function: IndexedFunction, worker: Worker) -> Response:
    body = request.get_json(force=True, silent=True)
    if request.method != "POST" or not isinstance(body, dict):
        return Response("POST a JSON object with an input", 400)
    try:
        datum = by_hand(function, str(body.get("input") or ""))
    except ValueError:
        return Response("the input must be an event as JSON", 400)
    started = worker.invoke(function, datum, REASON)
    return Response(status=202, headers={"Local-Invocation-Id": started.id})


def by_hand(function: IndexedFunction, text: str) -> Datum:
    """The trigger's value for an input given by hand. Raises ValueError where it must be JSON."""
    if function.kind == TIMER:
        return timer_datum(function)
    if function.kind == QUEUE:
        return Datum(text, "string")
    return posted(text) if function.kind == HTTP else json_datum(json.loads(text))


def halt(request: Request, timers: Timers) -> Response:
    """Whether the timers are halted, and which there are; POST `{"stopped": true}` halts them."""
    if request.method == "POST":
        body = request.get_json(force=True, silent=True)
        stopped = (
            body.get("stopped") if isinstance(body, dict) and body.keys() == {"stopped"} else 0
        )
        if not isinstance(stopped, bool):
            error = jsonify(error='POST {"stopped": true}, or false')
            error.status_code = 400
            return error
        timers.halted = stopped
    return jsonify(stopped=timers.halted, timers=timers.names)


def finished(request: Request, worker: Worker) -> Response:
    """The finished invocations, once there are `count` of `function` (a name or an id).

    408 after `timeout` seconds.
    """
    asked = request.args
    try:
        found = worker.wait(
            asked.get("function"), int(asked.get("count", 0)), float(asked.get("timeout", 30))
        )
    except TimeoutError as error:
        return Response(str(error), 408)
    return jsonify([{k: v for k, v in asdict(i).items() if k != "value"} for i in found])
