"""A message as any webhook gets it: a CloudEvent, with the headers of Standard Webhooks.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from functions.adapters.notices.wording import MOST_NAMED
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from datetime import datetime

    from functions.adapters.notices.wording import Item, Words
    from functions.core.kept.notice import Message, Notice

TYPE = "RunRelay.Notice"
CONTENT = "application/cloudevents+json; charset=UTF-8"
PREFIX = "whsec_"
LONGEST = 500  # characters of an id
SHORTEST_KEY, LONGEST_KEY = 24, 64  # bytes


def body(message: Message, words: Words, source: str) -> str:
    """The event; `docs/notice-event.schema.json` says what is in it."""
    first = message.notices[0] if message.notices else None
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": message.id,
        "source": source,
        "type": f"{TYPE}.{message.about or 'test'}",
        "time": message.at.isoformat(),
        "datacontenttype": "application/json",
    }
    if first:
        event["subject"] = first.route or first.secret
    named = zip(message.notices[:MOST_NAMED], words.items, strict=True)
    event["data"] = {
        "about": str(message.about or "test"),
        "title": words.title,
        "means": words.means,
        "do": words.do,
        "route": (first and first.route) or None,
        "reason": (first and first.reason) or None,
        "count": len(message.notices),
        "notices": [_notice(one, item) for one, item in named],
    }
    return json.dumps(event, ensure_ascii=False)


def _notice(one: Notice, item: Item) -> dict[str, Any]:
    links = dict(item.links)
    return {
        "at": one.at.isoformat(),
        "continuation": bounded(one.key.text, LONGEST) if one.key else None,
        "run": bounded(one.key.run, LONGEST) if one.key else None,
        "outcome": str(one.key.outcome) if one.key else None,
        "workspace": one.workspace or None,
        "experiment": one.experiment or None,
        "saw": one.saw or None,
        "pipeline_run": one.pipeline_run,
        "ended": one.ended or None,
        "secret": one.secret or None,
        "ends": one.ends.isoformat() if one.ends else None,
        "run_url": links.get("run"),
        "pipeline_run_url": links.get("pipeline run"),
    }


def headers(message: Message, body: str, key: bytes | None, now: datetime) -> dict[str, str]:
    """The headers; with a key they are signed together with the body."""
    at = str(int(now.timestamp()))
    own = {"Content-Type": CONTENT, "webhook-id": message.id, "webhook-timestamp": at}
    if key is None:
        return own
    signed = hmac.new(key, f"{message.id}.{at}.{body}".encode(), hashlib.sha256).digest()
    return {**own, "webhook-signature": f"v1,{base64.b64encode(signed).decode()}"}


def key_of(text: str) -> bytes | None:
    """The key that a secret holds as `whsec_` and 24 to 64 bytes in base64; None if it is none."""
    try:
        found = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    fits = text.startswith(PREFIX) and SHORTEST_KEY <= len(found) <= LONGEST_KEY
    return found if fits else None
