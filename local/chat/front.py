"""One service in the place of three: `/teams/…`, `/services/…` (Slack) and `/hook/…`.

What was taken is in `cards`, `messages` and `events`. An address is a secret: its path says who
may post, as theirs do.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from typing import TYPE_CHECKING, Any

from flask import Response, jsonify, request

from local.chat import strict
from local.serving.running import Running

if TYPE_CHECKING:
    from local.serving.listener import Listener


class Chat(Running):
    """People's channels. `archived`: Slack's channel takes nothing any more."""

    def __init__(self, port: int | Listener = 0) -> None:
        super().__init__(port)
        self.token = secrets.token_urlsafe(24)
        self.key = secrets.token_bytes(32)
        self.cards: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.forged: list[str] = []
        self.archived = False
        rule = self.app.add_url_rule
        rule("/teams/<path:token>", "teams", self._teams, methods=["POST"])
        rule("/services/<path:token>", "slack", self._slack, methods=["POST"])
        rule("/hook/<path:token>", "hook", self._hook, methods=["POST"])

    @property
    def teams(self) -> str:
        """The address of a workflow, "When a Teams webhook request is received"."""
        path = "triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0"
        return f"{self.url}/teams/{path}&sig={self.token}"

    @property
    def slack(self) -> str:
        """The address of an incoming webhook of Slack."""
        return f"{self.url}/services/T0/B0/{self.token}"

    @property
    def hook(self) -> str:
        """The address of a webhook of one's own."""
        return f"{self.url}/hook/{self.token}"

    @property
    def signing(self) -> str:
        """The key of its signatures, as Standard Webhooks write it down."""
        return f"whsec_{base64.b64encode(self.key).decode()}"

    def _teams(self, token: str) -> Response | tuple[Any, int]:
        if request.args.get("sig") != self.token:
            code = "DirectApiAuthorizationRequired"
            return jsonify({"error": {"code": code, "message": f"no signature: {token}"}}), 401
        body = request.get_data()
        if len(body) > strict.LARGEST_CARD:
            return jsonify({"error": {"code": "RequestEntityTooLarge"}}), 413
        card = strict.card(body)
        if card is None:
            return jsonify({"error": {"code": "TriggerInputSchemaMismatch"}}), 400
        self.cards.append(card)
        return Response(status=202, content_type="text/plain")

    def _slack(self, token: str) -> tuple[str, int]:
        if not token.endswith(self.token):
            return "no_service", 404
        if self.archived:
            return "channel_is_archived", 410
        body = request.get_data()
        if refused := strict.slack(body):
            return refused, 400
        self.messages.append(json.loads(body))
        return "ok", 200

    def _hook(self, token: str) -> tuple[str, int]:
        """Takes what is signed, the same id once: what comes again is taken and left."""
        if token != self.token:
            return "", 404
        if not self._is_signed():
            self.forged.append(request.headers.get("webhook-id", ""))
            return "", 401
        event = json.loads(request.get_data())
        if event["id"] not in {known["id"] for known in self.events}:
            self.events.append(event)
        return "", 204

    def _is_signed(self) -> bool:
        """https://www.standardwebhooks.com: `v1,` and HMAC-SHA256 of id, time and body."""
        named = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
        signed = ".".join(named).encode() + b"." + request.get_data()
        mine = base64.b64encode(hmac.new(self.key, signed, hashlib.sha256).digest()).decode()
        given = request.headers.get("webhook-signature", "").split()
        return any(hmac.compare_digest(one, f"v1,{mine}") for one in given)
