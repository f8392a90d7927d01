"""What an answer to a message means. Pure; of a body only words that are known are told.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
https://learn.microsoft.com/azure/logic-apps/logic-apps-http-endpoint
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.terms.errors import Permanent, Retryable
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from functions.adapters.http.transport import Answer

OK, TOO_LARGE, SLOW, SERVER, REDIRECTS = 200, 413, {408, 425, 429}, 500, 300
_THIS_MESSAGE = frozenset(
    {
        *("invalid_payload", "no_text", "invalid_blocks", "invalid_blocks_format"),
        *("missing_text_or_fallback_or_attachments", "too_many_attachments", "msg_too_long"),
        *("TriggerInputSchemaMismatch", "InvalidRequestContent"),
    }
)
_THE_CHANNEL = frozenset(
    {
        *("action_prohibited", "channel_is_archived", "channel_not_found", "invalid_token"),
        *(
            "no_active_hooks",
            "no_service",
            "no_service_id",
            "no_team",
            "posting_to_general_channel_denied",
        ),
        *("rollup_error", "team_disabled", "user_not_found", "rate_limited"),
        *("WorkflowNotFound", "WorkflowTriggerIsNotEnabled", "DirectApiAuthorizationRequired"),
        *("DirectApiInvalidAuthorizationScheme", "TriggerDisabled", "WorkflowSuspended"),
    }
)
_REFUSALS = {400, 422}


def judge(kind: str, answer: Answer) -> None:
    """Raise what the answer means, if it is not that the message was taken.

    Retryable: it was not, and may be later, also once somebody has mended the channel. Permanent:
    this message never will be.
    """
    word = _word(answer)
    told = f"{kind} answered {answer.status}{word and ': '}{word}"
    if answer.status == TOO_LARGE or word in _THIS_MESSAGE:
        raise Permanent(Reason.REJECTED, told)
    if kind == "webhook" and answer.status in _REFUSALS:
        raise Permanent(Reason.REJECTED, told)
    if answer.status in SLOW:
        raise Retryable(Reason.THROTTLED, told, answer.retry_after)
    if answer.status >= SERVER:
        raise Retryable(Reason.UNAVAILABLE, told, answer.retry_after)
    if not OK <= answer.status < REDIRECTS:
        raise Retryable(Reason.REFUSED, told)
    if strange := _strange(kind, answer):
        raise Retryable(Reason.REFUSED, f"{told}, {strange}")


def _strange(kind: str, answer: Answer) -> str:
    """Why a success is none: a page that somebody put in its place."""
    if kind == "slack":
        return "" if answer.status == OK and answer.body.strip() == b"ok" else 'and not "ok"'
    is_page = answer.body and "html" in answer.headers.get("Content-Type", "").lower()
    return "with a page" if kind == "teams" and is_page else ""


def _word(answer: Answer) -> str:
    """The word by which Slack, or the code by which a workflow, says what is wrong."""
    found = answer.json
    error = found.get("error") if isinstance(found, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    word = code if isinstance(code, str) else answer.body[:100].decode("ascii", "replace").strip()
    return word if word in _THIS_MESSAGE | _THE_CHANNEL else ""
