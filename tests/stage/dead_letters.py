"""Dead letters as Event Grid leaves them: written by the local topic, and served as blobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from flask import Flask, Response, jsonify, request

from local.cloud import WORKSPACE
from local.eventgrid.topic import Topic
from local.serving.web import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from local.eventgrid.envelopes import Schema

STORAGE = "https://storage.azure.com"
SIGNATURE = "c2lnbmF0dXJlLW9mLWEtU0FT+/="
PER_PAGE = 2

_BOM = b"\xef\xbb\xbf"


def given_up(folder: Path, schema: Schema, *events: Mapping[str, Any]) -> None:
    """Publish events to a subscriber that refuses every one of them."""
    with (
        Server(_refusing()) as subscriber,
        Topic(key="k", resource=WORKSPACE, dead_letters=folder, time_scale=0.0001) as topic,
    ):
        topic.subscribe("relay", f"{subscriber.url}/hook", schema=schema)
        for event in events:
            topic.publish(dict(event))
        topic.idle()


class Blobs(Server):
    """One container, listed a few blobs at a time.

    https://learn.microsoft.com/rest/api/storageservices/list-blobs
    """

    def __init__(self, accepts: Callable[[str, str], bool], blobs: Mapping[str, bytes]) -> None:
        app = Flask("blobs")
        super().__init__(app)
        self._accepts = accepts
        self._blobs = dict(sorted(blobs.items()))
        app.add_url_rule("/letters", "list", self._blob_list)
        app.add_url_rule("/letters/<path:name>", "get", self._blob)
        app.before_request(self._authorized)

    @property
    def container(self) -> str:
        """The container's URL, without authorization."""
        return f"{self.url}/letters"

    def _authorized(self) -> Response | None:
        if request.path.startswith("/_local/"):
            return None
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        signed = request.args.get("sig") == SIGNATURE and not token
        if "x-ms-version" in request.headers and (signed or self._accepts(token, STORAGE)):
            return None
        return Response(status=403, headers={"x-ms-error-code": "AuthorizationFailure"})

    def _blob_list(self) -> Response:
        assert (request.args["restype"], request.args["comp"]) == ("container", "list")
        begin = int(request.args.get("marker", 0))
        names = [*self._blobs][begin : begin + PER_PAGE]
        after = begin + PER_PAGE if begin + PER_PAGE < len(self._blobs) else ""
        listed = "".join(f"<Blob><Name>{escape(name)}</Name></Blob>" for name in names)
        xml = (
            '<?xml version="1.0" encoding="utf-8"?>'
            f'<EnumerationResults ContainerName="letters"><Blobs>{listed}</Blobs>'
            f"<NextMarker>{after}</NextMarker></EnumerationResults>"
        )
        return Response(_BOM + xml.encode(), content_type="application/xml")

    def _blob(self, name: str) -> Response:
        return Response(self._blobs[name], content_type="application/json")


def _refusing() -> Flask:
    """A webhook that agrees to the subscription and refuses what comes."""
    app = Flask("refusing")

    @app.route("/hook", methods=["POST", "OPTIONS"])
    def hook() -> Response:
        if request.method == "OPTIONS":
            return Response(headers={"WebHook-Allowed-Origin": "eventgrid.azure.net"})
        if request.headers["aeg-event-type"] == "SubscriptionValidation":
            return jsonify(validationResponse=request.get_json()[0]["data"]["validationCode"])
        return Response(status=400)

    return app
