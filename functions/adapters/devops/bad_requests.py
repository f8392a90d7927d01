"""What a 400 means: that the request is wrong, or that something around it is, just now. Pure.

Azure DevOps answers 400 for a parameter that the pipeline does not have, and as well while GitHub,
on which the pipeline's YAML lies, limits the rate of requests: the first never passes, the second
by itself within minutes. What is not known to be final is tried again, for a bounded time and with
an alert.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from functions.adapters.devops.origin import words
from functions.core.terms.errors import Permanent, Retryable
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from functions.adapters.http.transport import Answer

OUT_OF_RANGE = "VssVersionOutOfRangeException"
UNDER_PREVIEW = "VssInvalidPreviewVersionException"
# The service's types for arguments that it cannot take, whatever is around them.
_FINAL_TYPES = frozenset(
    {
        "ArgumentException",
        "ArgumentNullException",
        "ArgumentOutOfRangeException",
        UNDER_PREVIEW,
        "VssPropertyValidationException",
        "VssRequestContentTypeNotSupportedException",
        "VssVersionNotSpecifiedException",
    }
)
# https://learn.microsoft.com/azure/devops/pipelines/process/runtime-parameters
# https://learn.microsoft.com/azure/devops/pipelines/security/inputs
_FINAL = re.compile(
    r"unexpected parameter|parameter must be provided|is not a valid (boolean|number|string|object)"
    r"|not a permitted value|not an allowed value|can't set the following variables"
    r"|\bstages? to skip\b",
    re.IGNORECASE,
)
# What is around a request: where the pipeline's source lies, and whether the pipeline takes any.
# https://learn.microsoft.com/azure/devops/pipelines/repos/github
_PASSING = re.compile(
    r"latest source version|rate limit|reported the error|service connection|service endpoint"
    r"|could not (be )?(found|find|access|connect|retrieve|load)|timed? ?out|temporar"
    r"|(pipeline|definition|queue).{0,200}(disabled|paused)|(disabled|paused).{0,200}(pipeline|definition)",
    re.IGNORECASE,
)
# Names and values of one's own among the service's words: a parameter may be called `timeout`.
_OWN = re.compile(
    r"parameter value '.*' is not a|variables \([^)]*\)|(?<!\w)'.*?'(?!\w)", re.IGNORECASE
)
_VERSION = re.compile(r"latest REST API version this server supports is ([0-9]{1,2}\.[0-9])\b")


def rejection(answer: Answer, said: str) -> Permanent | Retryable:
    """What a 400 of Azure DevOps means; `said` is the detail."""
    kind, service_says = type_of(answer), words(answer)
    after = answer.retry_after or None  # "at once" is what it costs a request each minute
    if _PASSING.search(_OWN.sub(" ", service_says)) or kind == OUT_OF_RANGE:
        return Retryable(Reason.UNAVAILABLE, said, after)
    if kind in _FINAL_TYPES or is_final(answer):
        return Permanent(Reason.REJECTED, said)
    return Retryable(Reason.REFUSED, said, after)


def is_final(answer: Answer) -> bool:
    """Whether the words are those of Azure DevOps for a request that is wrong itself."""
    return _FINAL.search(words(answer)) is not None


def type_of(answer: Answer) -> str:
    """The type that Azure DevOps gives its error, "" where there is none."""
    found = answer.json
    kind = found.get("typeKey") if isinstance(found, dict) else ""
    return kind if isinstance(kind, str) else ""


def other_version(answer: Answer, asked: str) -> str | None:
    """The REST version to ask for instead of this one, which is what it did not take.

    A server that is a few years old has running pipelines as a preview, and wants that to be said.
    """
    if answer.status == 400 and type_of(answer) == UNDER_PREVIEW and "-" not in asked:
        return f"{asked}-preview"
    newest = newest_version(answer)
    return None if newest == asked.partition("-")[0] else newest


def newest_version(answer: Answer) -> str | None:
    """The REST version to ask for instead, where a server does not know the one that was asked.

    https://learn.microsoft.com/azure/devops/integrate/concepts/rest-api-versioning
    """
    if answer.status != 400 or type_of(answer) != OUT_OF_RANGE:
        return None
    return version_in(words(answer))


def version_in(said: str) -> str | None:
    """The newest REST version that a server says it knows, where it says so."""
    found = _VERSION.search(said)
    return found[1] if found else None
