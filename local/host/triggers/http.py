"""HTTP triggers: routes, keys, and the request and response as azure.functions carries them.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azure.functions.meta import Datum
from flask import Request, Response

from local.host.indexing import HTTP, IndexedFunction, IndexingError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.host.invocations import Worker

REASON = "This function was called over HTTP."
METHODS = ("GET", "POST", "DELETE", "HEAD", "PATCH", "PUT", "OPTIONS")
_CONSTRAINTS = {
    "": r"[^/]+",
    "alpha": r"[A-Za-z]+",
    "int": r"-?\d+",
    "guid": r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
}
_PLACE = re.compile(r"/?\{(\*?)(\w+)(?::(\w+))?(\??)\}")


@dataclass(frozen=True)
class Endpoint:
    """Where an HTTP function answers."""

    function: IndexedFunction
    methods: tuple[str, ...]
    route: str
    pattern: re.Pattern[str]
    needs_key: bool

    def lets_in(self, request: Request, key: str | None) -> bool:
        """Whether the request has the key, if the function asks for one and one was set."""
        given = request.headers.get("x-functions-key") or request.args.get("code", "")
        return not (key and self.needs_key) or hmac.compare_digest(given.encode(), key.encode())


def endpoints(functions: Iterable[IndexedFunction], prefix: str) -> list[Endpoint]:
    """The endpoints of those functions that have an HTTP trigger."""
    return [_endpoint(f, prefix) for f in functions if f.kind == HTTP]


def _endpoint(function: IndexedFunction, prefix: str) -> Endpoint:
    binding = function.binding
    methods = tuple(_word(m).upper() for m in binding.get("methods") or METHODS)
    route = "/".join(part for part in (prefix, str(binding["route"]).strip("/")) if part)
    needs_key = _word(binding.get("authLevel")).lower() != "anonymous"
    return Endpoint(function, methods, route, _pattern(function.name, route), needs_key)


def _word(value: Any) -> str:
    return str(getattr(value, "value", value))


def _pattern(name: str, route: str) -> re.Pattern[str]:
    """The route template as an expression; templates are matched in any case."""
    text, end = "", 0
    for place in _PLACE.finditer(route):
        text += re.escape(route[end : place.start()]) + _group(name, place)
        end = place.end()
    return re.compile(text + re.escape(route[end:]) + "/?", re.IGNORECASE)


def _group(name: str, place: re.Match[str]) -> str:
    everything, parameter, constraint, optional = place.groups()
    if (constraint or "") not in _CONSTRAINTS:
        raise IndexingError(f"{name}: this host does not know the constraint '{constraint}'")
    slash = "/" if place[0].startswith("/") else ""
    inner = ".*" if everything else _CONSTRAINTS[constraint or ""]
    return f"(?:{slash}(?P<{parameter}>{inner}))" + ("?" if optional or everything else "")


def find(
    known: Iterable[Endpoint], method: str, path: str
) -> tuple[Endpoint, dict[str, str]] | None:
    """The endpoint for this method and path, with the route's parameters; the host says 404 else.

    A route without parameters wins over one with.
    """
    fitting = [
        (endpoint, found.groupdict(default=""))
        for endpoint in known
        if method in endpoint.methods and (found := endpoint.pattern.fullmatch(path))
    ]
    return min(fitting, key=lambda pair: len(pair[1]), default=None)


def answer(
    request: Request, known: Iterable[Endpoint], worker: Worker, key: str | None
) -> Response:
    """What the client gets: 404 without a route, 401 without the key, 500 if the function fails."""
    found = find(known, request.method, request.path.lstrip("/"))
    if found is None:
        return Response(status=404)
    endpoint, parameters = found
    if not endpoint.lets_in(request, key):
        return Response(status=401)
    ended = worker.invoke(endpoint.function, request_datum(request, parameters), REASON).result()
    return response(ended.value) if ended.ok else Response(status=500)


def request_datum(request: Request, parameters: dict[str, str]) -> Datum:
    """The request as the worker receives it; the body always comes as bytes.

    What the query gives several times comes with commas between, as the host joins it.
    https://github.com/Azure/azure-functions-host/blob/dev/src/WebJobs.Script.Grpc/MessageExtensions/GrpcMessageConversionExtensions.cs
    """
    return _http(
        request.method,
        request.url,
        {k.lower(): v for k, v in request.headers.items()},
        {name: ",".join(values) for name, values in request.args.lists()},
        parameters,
        request.get_data(),
    )


def posted(text: str) -> Datum:
    """The request that `POST /admin/functions/NAME` with this input stands for."""
    return _http("POST", "http://127.0.0.1/", {}, {}, {}, text.encode())


def _http(
    method: str,
    url: str,
    headers: dict[str, str],
    query: dict[str, str],
    parameters: dict[str, str],
    body: bytes,
) -> Datum:
    value = {
        "method": Datum(method, "string"),
        "url": Datum(url, "string"),
        "headers": _strings(headers),
        "query": _strings(query),
        "params": _strings(parameters),
        "body": Datum(body, "bytes"),
    }
    return Datum(value, "http")


def _strings(values: dict[str, str]) -> dict[str, Datum]:
    return {name: Datum(value, "string") for name, value in values.items()}


def response(value: Datum | None) -> Response:
    """What the client gets for the function's return value; text is a plain 200."""
    if value is None or value.type != "http":
        return Response(value.value if value else "", 200, content_type="text/plain")
    parts = value.value
    answer = Response(parts["body"].value, int(parts["status_code"].value))
    for name, header in parts["headers"].items():
        answer.headers[name] = header.value
    for cookie in parts["cookies"] or ():
        for morsel in cookie.values():
            answer.headers.add("Set-Cookie", morsel.OutputString())
    return answer
