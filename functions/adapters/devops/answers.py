"""What Azure DevOps' answers mean, and what it means that none came. Pure functions.

https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.adapters.transport import NoAnswerError, NotSentError
from functions.core.errors import InDoubt, Permanent, RelayError, Retryable
from functions.core.reasons import Reason
from functions.core.values import bounded

if TYPE_CHECKING:
    from functions.adapters.transport import Answer


def verdict(answer: Answer, *, needs_id: bool = True) -> RelayError | None:
    """What an answer means; None is success: 200 with a JSON object that has an integer id.

    A refused PAT comes as 203 with a sign-in page, a redirect to one, 401, or a page with 200. A
    proxy that changes an answer calls it 203 too; one with an id may tell of a run.
    https://www.rfc-editor.org/rfc/rfc9110#name-203-non-authoritative-infor
    """
    status, wait = answer.status, answer.retry_after
    page = "html" in answer.headers.get("Content-Type", "").lower()
    refused = status in {203, 401} or 300 <= status < 400 or (page and 200 <= status < 300)
    if refused and not (status == 203 and has_id(answer.json)):
        return Retryable(Reason.CREDENTIAL_REFUSED, _refusal(answer, page=page), wait)
    said = f"Azure DevOps answered {status}: {message(answer)}"
    if status == 429:
        return Retryable(Reason.THROTTLED, said, wait)
    if status == 400:
        return Permanent(Reason.REJECTED, said)
    if 400 < status < 500 and status != 408:
        return Retryable(Reason.REFUSED, said)
    if status == 200 and (not needs_id or has_id(answer.json)):
        return None
    return InDoubt(Reason.IN_DOUBT, said, wait)


def unanswered(error: NotSentError | NoAnswerError) -> Retryable | InDoubt:
    """What it means for an effect that no answer came."""
    if isinstance(error, NotSentError):
        return Retryable(Reason.NOT_SENT, f"no connection to Azure DevOps: {error}")
    return InDoubt(Reason.IN_DOUBT, f"no answer from Azure DevOps: {error}")


def message(answer: Answer) -> str:
    """The service's own words, bounded."""
    found = answer.json
    text = found.get("message") if isinstance(found, dict) else None
    return bounded(text or answer.headers.get("X-TFS-ServiceError") or "no message")


def has_id(found: object) -> bool:
    """Whether it is a JSON object with an integer id: a boolean is none."""
    return isinstance(found, dict) and type(found.get("id")) is int and found["id"] > 0


def _refusal(answer: Answer, *, page: bool) -> str:
    what = "a sign-in page" if page or answer.status == 203 else "a refusal"
    what = "a redirect to the sign-in page" if 300 <= answer.status < 400 else what
    return f"Azure DevOps answered {answer.status}, {what}: the credential is not accepted"
