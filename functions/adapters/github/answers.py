"""What GitHub's answers mean, and what it means that none came. Pure functions.

https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api
https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from functions.adapters.http.losses import NoAnswerError, NotSentError
from functions.core.terms.errors import InDoubt, Permanent, Retryable
from functions.core.terms.reasons import Reason
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from functions.adapters.http.transport import Answer

Refusal = InDoubt | Permanent | Retryable
PAUSE = 60.0  # seconds, where a limit is told without a time: "wait for at least one minute"
DETAILS = "return_run_details"
ID = "X-GitHub-Request-Id"  # which only an answer has that GitHub gave, whatever became of it
MOVED = frozenset({301, 302, 307, 308})
_TAKEN = frozenset({200, 201, 202, 204})
# What is wrong with a request whatever is around it.
# https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#onworkflow_dispatchinputs
_FINAL = re.compile(
    r"unexpected inputs|required input|no ref found|does not have .{0,20}workflow_dispatch"
    r"|not in the list of allowed values|is not a (valid|number)|invalid value for input"
    r"|too many inputs|no more than \d+ properties"
    r"|inputs are too large|problems parsing json",
    re.IGNORECASE,
)
# What passes without a new request: somebody enables the workflow again.
_PASSING = re.compile(r"disabled workflow|workflow is disabled|timed? ?out|temporar", re.IGNORECASE)
_LIMITED = re.compile(r"rate limit|abuse detection", re.IGNORECASE)


def verdict(answer: Answer) -> Refusal | None:
    """What the answer to a dispatch means; None is success: 200 with the id of a run.

    Only GitHub's own words prove that nothing was done, as with Azure DevOps: what a gateway puts
    in their place leaves it in doubt. 204, or 200 without an id, says that it was taken, and not
    which run it became.
    """
    status, wait = answer.status, pause(answer)
    if status == 200 and run_id(answer) and is_own(answer):
        return None
    if status in _TAKEN and is_own(answer):
        return InDoubt(Reason.ANSWERED, "GitHub took the request, and names no run", wait)
    refuses = 400 <= status < 500 and status != 408  # which is told by who waited, and gave up
    if is_own(answer) and (refuses or status in MOVED):
        return _refusal(answer, told(answer), wait)
    refused = refuses and status != 429 and may_be_own(answer)  # who counts has nothing against it
    return InDoubt(Reason.REFUSED if refused else Reason.IN_DOUBT, told(answer), wait)


def _refusal(answer: Answer, said: str, wait: float | None) -> Refusal:
    """What it means that GitHub says no: nothing was done."""
    status = answer.status
    if status == 401:
        return Retryable(Reason.CREDENTIAL_REFUSED, f"{said}: the credential is not accepted", wait)
    if status == 429 or (status == 403 and is_limited(answer)):
        return Retryable(Reason.THROTTLED, said, wait or PAUSE)
    if status in MOVED:
        said = f"{said}: the repository was renamed or moved; name it as it is called now"
    if status in {400, 422}:
        return _rejection(answer, said)
    return Retryable(Reason.REFUSED, said, wait or None)


def _rejection(answer: Answer, said: str) -> Refusal:
    text = words(answer)
    if DETAILS in text:  # a server that is too old to know it
        return Retryable(Reason.UNAVAILABLE, said, 0)
    if _FINAL.search(text):  # first: a branch, an input or its value may be called `timeout`
        return Permanent(Reason.REJECTED, said)
    if _PASSING.search(text):
        return Retryable(Reason.UNAVAILABLE, said, pause(answer) or None)
    return Retryable(Reason.REFUSED, said, pause(answer) or None)


def unanswered(error: NotSentError | NoAnswerError) -> Retryable | InDoubt:
    """What it means for an effect that no answer came."""
    if isinstance(error, NotSentError):
        return Retryable(Reason.NOT_SENT, f"no connection to GitHub: {error}")
    return InDoubt(Reason.IN_DOUBT, f"no answer from GitHub: {error}")


def run_id(answer: Answer) -> int:
    """The id of the run that a dispatch became; 0: the answer tells none that a ledger can keep."""
    found = answer.json
    number = found.get("workflow_run_id") if isinstance(found, dict) else None
    return number if type(number) is int and 0 < number < 2**63 else 0


def has_id(run: object) -> bool:
    """Whether it is a JSON object with an integer id that a ledger can keep."""
    return isinstance(run, dict) and type(run.get("id")) is int and 0 < run["id"] < 2**63


def names(answer: Answer, run: str) -> bool:
    """Whether the address of the run that it tells, if it tells any, is this one's."""
    found = answer.json
    url = found.get("run_url") if isinstance(found, dict) else None
    return url is None or (isinstance(url, str) and url.casefold().endswith(run.casefold()))


def is_own(answer: Answer) -> bool:
    """Whether it is GitHub's: each has its request's id, and each error says where to read on.

    The id alone proves nothing of an error: a gateway may keep the headers of the answer that it
    hides. https://docs.github.com/rest/using-the-rest-api/getting-started-with-the-rest-api
    """
    if ID not in answer.headers:
        return False
    if answer.status == 204:  # which has no content, whatever its headers say
        return True
    if answer.status < 300:
        return not is_page(answer)
    return may_be_own(answer) and isinstance(answer.json.get("documentation_url"), str)


def may_be_own(answer: Answer) -> bool:
    """Whether an error could be GitHub's, though nothing shows that it is."""
    found = answer.json
    return not is_page(answer) and isinstance(found, dict) and isinstance(found.get("message"), str)


def is_page(answer: Answer) -> bool:
    """Whether it is made for people to look at."""
    return "html" in answer.headers.get("Content-Type", "").lower()


def is_limited(answer: Answer) -> bool:
    """Whether a refusal is one of a limit: the primary, which tells what is left, or another."""
    used_up = answer.headers.get("X-RateLimit-Remaining", "").strip() == "0"
    return used_up or "Retry-After" in answer.headers or bool(_LIMITED.search(words(answer)))


def pause(answer: Answer) -> float | None:
    """Seconds to wait as GitHub asks; None: it asks for none.

    The primary limit tells when it begins anew, in seconds since 1970, by GitHub's own clock.
    """
    if answer.retry_after is not None:
        return answer.retry_after
    if answer.headers.get("X-RateLimit-Remaining", "").strip() != "0":
        return None
    reset = answer.headers.get("X-RateLimit-Reset", "").strip()
    if not reset.isdecimal():
        return None
    try:
        there = answer.headers.get("Date")
        now = parsedate_to_datetime(there).timestamp() if there else time.time()
    except (TypeError, ValueError, OverflowError):
        return None
    return max(0.0, float(reset[:12]) - now)


def told(answer: Answer) -> str:
    """The status and the words of an answer, as a detail."""
    strange = not is_own(answer) and answer.status < 500
    whose = "in a form that is not GitHub's, somebody" if strange else "GitHub"
    return f"{whose} answered {answer.status}: {words(answer)}"


def words(answer: Answer) -> str:
    """GitHub's own words, in one bounded line: the message, and what else was found wrong."""
    found = answer.json
    if not isinstance(found, dict):
        return "no message"
    errors = found.get("errors")
    listed = errors if isinstance(errors, list) else [errors]
    more = [one.get("message") if isinstance(one, dict) else one for one in listed]
    texts = [text for text in (found.get("message"), *more) if isinstance(text, str) and text]
    return bounded("; ".join(dict.fromkeys(texts))) or "no message"
