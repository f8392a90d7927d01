"""What Teams and Slack take, and in which words they refuse the rest.

https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import json
from typing import Any

LARGEST_CARD = 28 * 1024  # bytes
CARD = "application/vnd.microsoft.card.adaptive"
MOST_BLOCKS, LONGEST_HEADER, LONGEST_SECTION, LONGEST_TEXT = 50, 150, 3000, 40_000


def card(body: bytes) -> dict[str, Any] | None:
    """The one card of a message to a workflow; None where it is no message."""
    told = _json(body)
    attached = told.get("attachments") if isinstance(told, dict) else None
    if not isinstance(attached, list) or len(attached) != 1 or told.get("type") != "message":
        return None
    found = attached[0]
    if not isinstance(found, dict) or found.get("contentType") != CARD:
        return None
    content = found.get("content")
    return content if isinstance(content, dict) else None


def slack(body: bytes) -> str:
    """Why Slack does not take it; empty if it does."""
    told = _json(body)
    if not isinstance(told, dict):
        return "invalid_payload"
    if not isinstance(text := told.get("text", ""), str) or len(text) > LONGEST_TEXT:
        return "invalid_payload"
    blocks = told.get("blocks", [])
    if not text and not blocks:
        return "no_text"
    if not isinstance(blocks, list) or len(blocks) > MOST_BLOCKS or not all(map(_fits, blocks)):
        return "invalid_blocks"
    return ""


def _fits(block: Any) -> bool:
    """A header or a section with its text within bounds, in which no sign calls anybody."""
    text = block.get("text") if isinstance(block, dict) else None
    if not isinstance(text, dict) or not isinstance(said := text.get("text"), str) or not said:
        return False
    if block.get("type") == "header":
        return text.get("type") == "plain_text" and len(said) <= LONGEST_HEADER
    section = block.get("type") == "section" and text.get("type") in {"mrkdwn", "plain_text"}
    return section and len(said) <= LONGEST_SECTION


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
