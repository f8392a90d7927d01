"""A storage queue over its REST interface, as far as a Functions host uses it.

https://learn.microsoft.com/rest/api/storageservices/queue-service-rest-api
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import re
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import requests

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = "2021-12-02"
PATIENCE = 30.0
NOT_THERE, THERE_ALREADY = 404, 409


class Message(NamedTuple):
    """A message that was taken, so many `times` by now; `receipt` is for whoever took it last."""

    id: str
    receipt: str
    times: int
    text: str


class StorageQueue:
    """The queue that a binding names, in the storage account of a connection string.

    Its methods raise LookupError where the setting that the binding names has no such account, and
    requests' errors.
    """

    def __init__(self, binding: Mapping[str, Any], settings: Mapping[str, str]) -> None:
        self.name = str(binding["queueName"])
        self._setting = str(binding["connection"])
        self._account = _pairs(settings.get(self._setting, ""))

    def put(self, text: str) -> None:
        """Add a message."""
        self._put(self.name, text)

    def take(self, seconds: float) -> Message | None:
        """One that nobody else sees for so long; None: there is none."""
        where = f"{self.name}/messages"
        found = self._ask("GET", where, numofmessages="1", visibilitytimeout=f"{seconds:.0f}")
        if found.status_code == NOT_THERE:
            self._make(self.name)
            return None
        parts = {name: html.unescape(text) for name, text in _PART.findall(found.text)}
        if "MessageId" not in parts:
            return None
        text = base64.b64decode(parts["MessageText"]).decode()
        return Message(parts["MessageId"], parts["PopReceipt"], int(parts["DequeueCount"]), text)

    def drop(self, message: Message) -> None:
        """It is done."""
        where = f"{self.name}/messages/{message.id}"
        self._ask("DELETE", where, popreceipt=message.receipt)

    def release(self, message: Message, seconds: float) -> None:
        """Let others see it, in so many seconds."""
        where = f"{self.name}/messages/{message.id}"
        how = {"popreceipt": message.receipt, "visibilitytimeout": f"{seconds:.0f}"}
        self._ask("PUT", where, _written(message.text), **how)

    def poison(self, message: Message) -> None:
        """It is put aside for good."""
        self._put(f"{self.name}-poison", message.text)
        self.drop(message)

    def count(self, suffix: str = "") -> int:
        """About how many there are, in a queue of this name and suffix; 0 where there is none."""
        found = self._ask("GET", f"{self.name}{suffix}", comp="metadata")
        return int(found.headers.get("x-ms-approximate-messages-count", 0))

    def _put(self, queue: str, text: str) -> None:
        if self._ask("POST", f"{queue}/messages", _written(text)).status_code == NOT_THERE:
            self._make(queue)
            self._ask("POST", f"{queue}/messages", _written(text)).raise_for_status()

    def _make(self, queue: str) -> None:
        self._ask("PUT", queue)

    def _ask(self, method: str, path: str, body: str = "", **query: str) -> requests.Response:
        """With the account's key.

        https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
        """
        if "QueueEndpoint" not in self._account:
            raise LookupError(f"{self._setting} is no connection string with a QueueEndpoint")
        url = f"{self._account['QueueEndpoint'].rstrip('/')}/{path}"
        stamps = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": VERSION}
        length, kind = str(len(body)) if body else "", "application/xml" if body else ""
        lines = [method, "", "", length, "", kind, "", "", "", "", "", ""]
        lines += [f"{name}:{value}" for name, value in sorted(stamps.items())]
        lines += [f"/{self._account['AccountName']}{urlsplit(url).path}"]
        lines += [f"{name}:{value}" for name, value in sorted(query.items())]
        key = base64.b64decode(self._account["AccountKey"])
        signed = hmac.digest(key, "\n".join(lines).encode(), hashlib.sha256)
        told = f"SharedKey {self._account['AccountName']}:{base64.b64encode(signed).decode()}"
        headers = {**stamps, "Authorization": told, **({"Content-Type": kind} if kind else {})}
        found = requests.request(
            method, url, params=query, data=body, headers=headers, timeout=PATIENCE
        )
        if found.status_code not in {NOT_THERE, THERE_ALREADY}:
            found.raise_for_status()
        return found


_PART = re.compile(r"<(MessageId|PopReceipt|DequeueCount|MessageText)>([^<]*)</")


def _written(text: str) -> str:
    told = base64.b64encode(text.encode()).decode()
    return f"<QueueMessage><MessageText>{told}</MessageText></QueueMessage>"


def _pairs(connection_string: str) -> dict[str, str]:
    parts = (part.partition("=") for part in connection_string.split(";") if part)
    return {name: value for name, _, value in parts}


def span(text: str) -> float:
    """The seconds of an `HH:MM:SS`."""
    hours, minutes, seconds = text.split(":")
    return (int(hours) * 60 + int(minutes)) * 60 + float(seconds)
