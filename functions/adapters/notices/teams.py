"""A message as a workflow in Teams takes it: an Adaptive Card in the envelope of a webhook.

All text is in `TextRun`s, which know no Markdown. `{{` would begin a date.
https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
https://github.com/microsoft/AdaptiveCards/blob/main/schemas/1.5.0/adaptive-card.json
https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functions.adapters.notices.wording import Item, Words

LARGEST = 27_000  # bytes; "the message size limit is 28 KB"
CARD = "application/vnd.microsoft.card.adaptive"
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
VERSION = "1.2"  # which knows `TextRun`; Teams knows more
_PARTED = "{\u200b{"

Json = dict[str, Any]


def body(words: Words) -> str:
    """The request's body, of which fewer are named if it would be too large."""
    told = json.dumps(_envelope(_card(words)), ensure_ascii=False)
    while len(told.encode("utf-8", "replace")) > LARGEST and words.items:
        words = words.fewer()
        told = json.dumps(_envelope(_card(words)), ensure_ascii=False)
    return told


def _envelope(card: Json) -> Json:
    attached = {"contentType": CARD, "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attached]}


def _card(words: Words) -> Json:
    title = _block(_run(words.title, size="large", weight="bolder"))
    lines = [words.means, f"To do: {words.do}" if words.do else ""]
    said = [_block(_run(line)) for line in lines if line]
    items = [block for item in words.items for block in _item(item)]
    rest = [_block(_run(words.rest, isSubtle=True))] if words.rest else []
    first = words.items[0].links if len(words.items) == 1 else ()
    actions = [_open(url) | {"title": f"Open the {name}"} for name, url in first]
    return {
        "$schema": SCHEMA,
        "type": "AdaptiveCard",
        "version": VERSION,
        "body": [title, *said, *items, *rest],
        **({"actions": actions} if actions else {}),
    }


def _item(item: Item) -> list[Json]:
    """Its name, which leads to it, and below that what is known of it."""
    led = {"selectAction": _open(item.links[0][1])} if item.links else {}
    name = _block(_run(item.name, weight="bolder", **led), separator=True)
    facts = ", ".join(f"{what}: {value}" for what, value in item.facts)
    return [name, _block(_run(facts, isSubtle=True), spacing="none")] if facts else [name]


def _open(url: str) -> Json:
    return {"type": "Action.OpenUrl", "url": url}


def _block(*runs: Json, **more: object) -> Json:
    return {"type": "RichTextBlock", "inlines": list(runs), **more}


def _run(text: str, **more: object) -> Json:
    return {"type": "TextRun", "text": text.replace("{{", _PARTED), **more}
