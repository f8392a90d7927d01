"""The Event Grid extension's endpoint: handshakes, and one invocation per event of a delivery.

Answers as the host's extension does; the Python worker's bindings have no schema of their own, so
both handshakes are taken for every function.
https://github.com/Azure/azure-sdk-for-net/tree/main/sdk/eventgrid/Microsoft.Azure.WebJobs.Extensions.EventGrid
"""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any

from flask import Request, Response, jsonify

from local.host.indexing import EVENT_GRID, IndexedFunction, json_datum
from local.host.triggers.rewriting import rewritten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.host.invocations import Started, Worker

PATH = "runtime/webhooks/eventgrid"
PUBLIC_ORIGIN = "eventgrid.azure.net"
ORIGINS = frozenset({PUBLIC_ORIGIN, "eventgrid.azure.us", "eventgrid.azure.cn"})
REASON = "EventGrid trigger fired"


def answer(
    request: Request,
    functions: Mapping[str, IndexedFunction],
    worker: Worker,
    key: str | None = None,
) -> Response:
    """What Event Grid gets for this request; a delivery is answered when all its events ended.

    With a `key`, the system key of the extension, a header or the query must hold it.
    https://github.com/Azure/azure-functions-host/blob/dev/src/WebJobs.Script.WebHost/Security/Authentication/Keys/AuthenticationLevelHandler.cs
    """
    given = request.headers.get("x-functions-key") or request.args.get("code", "")
    if key and not hmac.compare_digest(given.encode(), key.encode()):
        return Response(status=401)
    name = request.args.get("functionName", "")
    function = functions.get(name)
    if function is None or function.kind != EVENT_GRID:
        return Response(f"cannot find function: '{name}'", 404)
    if request.method == "OPTIONS":
        return _allowed(request)
    kind = request.headers.get("aeg-event-type", "").lower()
    if kind == "subscriptionvalidation":
        return _validated(request)
    if kind == "notification":
        return _delivered(request, function, worker)
    return Response(status={"subscriptiondeletion": 200, "unsubscribe": 202}.get(kind, 400))


def _allowed(request: Request) -> Response:
    """The CloudEvents handshake; the host lets in Event Grid alone, whoever asks."""
    asked = request.headers.get("WebHook-Request-Origin", "")
    origin = asked if asked in ORIGINS else PUBLIC_ORIGIN
    return Response(headers={"Webhook-Allowed-Origin": origin})


def _validated(request: Request) -> Response:
    body = request.get_json(force=True, silent=True)
    event = body[0] if isinstance(body, list) and body else body
    data = event.get("data") if isinstance(event, dict) else None
    # In the CloudEvents form of the validation event the data is JSON in a string.
    data = json.loads(data) if isinstance(data, str) else data
    if not isinstance(data, dict) or "validationCode" not in data:
        return Response("no validationCode in the event", 500)
    return jsonify(validationResponse=data["validationCode"])


def _delivered(request: Request, function: IndexedFunction, worker: Worker) -> Response:
    body: Any = request.get_json(force=True, silent=True)
    if not isinstance(body, list | dict):
        return Response("the request content must be a JSON object or array", 500)
    events = body if isinstance(body, list) else [body]
    given = [json_datum(rewritten(event)) for event in events]
    return _settled([worker.invoke(function, datum, REASON) for datum in given])


def _settled(started: list[Started]) -> Response:
    ended = [invocation.result() for invocation in started]
    failed = next((i for i in ended if not i.ok), None)
    if failed is None:
        return Response(status=202)
    what = f"Exception while executing function: Functions.{failed.function}"
    return Response(f"{what}: {failed.error}", 500, content_type="text/plain")
