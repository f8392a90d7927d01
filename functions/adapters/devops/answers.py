"""What Azure DevOps' answers mean, and what it means that none came. Pure functions.

https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.adapters.devops.origin import asks_to_sign_in, is_own, is_page, may_be_own, words
from functions.adapters.http.losses import NoAnswerError, NotSentError
from functions.core.terms.errors import InDoubt, RelayError, Retryable
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from functions.adapters.http.transport import Answer


def verdict(answer: Answer, *, needs_id: bool = True) -> RelayError | None:
    """What an answer means; None is success: 200 with a JSON object that has an integer id.

    Only what Azure DevOps itself is known to say proves that nothing was done: what somebody else
    put in its place, whatever its status, leaves it in doubt. So does a limit of a gateway, which
    may have let the request through and counted it only then, or tried twice.
    """
    status = answer.status
    if status == 200 and not is_page(answer) and (not needs_id or has_id(answer.json)):
        return None
    wait, said = answer.retry_after, told(answer)
    if asks_to_sign_in(answer):
        return Retryable(Reason.CREDENTIAL_REFUSED, _refusal(answer), wait)
    if status == 429 and is_own(answer):  # it was not let through
        return Retryable(Reason.THROTTLED, said, wait)
    refuses = 400 <= status < 500 and status != 408  # which is told by who waited, and gave up
    in_own_words = status == 400 and may_be_own(answer) and _is_final(answer)
    if not refuses or not (is_own(answer) or in_own_words):
        refused = status in {400, 403, 404} and may_be_own(answer)
        return InDoubt(Reason.REFUSED if refused else Reason.IN_DOUBT, said, wait)
    if status == 400:
        from functions.adapters.devops.bad_requests import rejection  # noqa: PLC0415 - as for final

        return rejection(answer, said)
    return Retryable(Reason.REFUSED, said, wait or None)  # "at once" would be tried each minute


def _is_final(answer: Answer) -> bool:
    from functions.adapters.devops.bad_requests import is_final  # noqa: PLC0415 - most are right

    return is_final(answer)


def unanswered(error: NotSentError | NoAnswerError) -> Retryable | InDoubt:
    """What it means for an effect that no answer came."""
    if isinstance(error, NotSentError):
        return Retryable(Reason.NOT_SENT, f"no connection to Azure DevOps: {error}")
    return InDoubt(Reason.IN_DOUBT, f"no answer from Azure DevOps: {error}")


def told(answer: Answer) -> str:
    """The status and the words of an answer, as a detail."""
    strange = not is_own(answer) and answer.status < 500
    whose = "in a form that is not Azure DevOps', somebody" if strange else "Azure DevOps"
    return f"{whose} answered {answer.status}: {words(answer)}"


def has_id(found: object) -> bool:
    """Whether it is a JSON object with an integer id that a ledger can keep: a boolean is none."""
    return isinstance(found, dict) and type(found.get("id")) is int and 0 < found["id"] < 2**63


def _refusal(answer: Answer) -> str:
    """What the credential was refused with: a page is named, an error speaks for itself."""
    if 300 <= answer.status < 400:
        what = "a redirect to the sign-in page"
    elif answer.status == 401:
        said = words(answer)
        what = "a refusal" if said == "no message" else said
    else:
        what = "a sign-in page"
    return f"Azure DevOps answered {answer.status}, {what}: the credential is not accepted"
