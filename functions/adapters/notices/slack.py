"""A message as an incoming webhook of Slack takes it: blocks, and a text for notifications.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
https://docs.slack.dev/reference/block-kit/blocks/section-block
https://docs.slack.dev/messaging/formatting-message-text#escaping
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functions.adapters.notices.wording import Item, Words

QUOTE = "\u2019"  # instead of a backtick, which would end the code
LONGEST_HEADER, LONGEST_SECTION = 150, 3000  # characters

Json = dict[str, Any]


def body(words: Words) -> str:
    """The request's body."""
    title = {"type": "plain_text", "text": words.title[:LONGEST_HEADER], "emoji": False}
    lines = [words.means, f"To do: {words.do}" if words.do else ""]
    said = "\n".join(escaped(line) for line in lines if line)
    blocks = [
        {"type": "header", "text": title},
        *([_section(said)] if said else []),
        *(_section(_item(item)) for item in words.items),
        *([_section(escaped(words.rest))] if words.rest else []),
    ]
    return json.dumps({"text": escaped(words.title), "blocks": blocks}, ensure_ascii=False)


def escaped(text: str) -> str:
    """The text, in which nothing names a person, a channel or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _quoted(text: str) -> str:
    """The same as code, in which no sign is emphasis: its own backticks become others."""
    return f"`{escaped(text.replace('`', QUOTE))}`"


def _section(text: str) -> Json:
    told = {"type": "mrkdwn", "text": text[:LONGEST_SECTION], "verbatim": True}
    return {"type": "section", "text": told}


def _item(item: Item) -> str:
    """Its name, what is known of it, and where to look, as far as a section has room."""
    facts = ", ".join(f"{what} {_quoted(value)}" for what, value in item.facts)
    links = " · ".join(f"<{_address(url)}|{name}>" for name, url in item.links)
    whole = "\n".join(filter(None, (_quoted(item.name), facts, links)))
    if len(whole) <= LONGEST_SECTION:
        return whole
    return "\n".join(filter(None, (_quoted(item.name), links)))[:LONGEST_SECTION]


def _address(url: str) -> str:
    """As a link has it: `|` and `>` would end it."""
    return escaped(url.replace("|", "%7C").replace("<", "%3C").replace(">", "%3E"))
