"""Who made an answer: Azure DevOps itself, or somebody on the way to it. Pure functions.

A gateway or a proxy may let a request through and put a page of its own in the place of the
answer: a scan that goes on, an error, a portal to sign in to the network. Such a page proves
nothing about the request, so that only forms which Azure DevOps is known to use are taken for its
word:

* an error is a JSON object with a `message` and its type, or comes with the header that only errors
  have: gateways have a `message`, too, and what they answer may have kept the headers of the answer
  that it hides (X-TFS-…, X-VSS-…), which so prove nothing alone;
* who is not signed in gets 401 with a challenge, a redirect to its sign-in page, or that page
  itself with 203 (or 200, where something followed the redirect). Gateways ask to sign in at
  Microsoft's common hosts, too, so that these alone are nobody's sign, unless they lead back.

https://learn.microsoft.com/azure/devops/integrate/get-started/authentication/authentication-guidance
https://github.com/microsoft/azure-devops-auth-samples/issues/52
https://github.com/MicrosoftDocs/vsts-rest-api-specs/issues/574
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from functions.adapters.http.transport import Answer

LONGEST_PAGE = 65_536  # bytes of a page that are looked at
LONGEST_TEXT = 4_000
_OWN_HEADERS = ("x-tfs-", "x-vss-")
_ERROR_HEADER = "X-TFS-ServiceError"  # which comes with an error only
_CHALLENGE = re.compile(r"\b(basic|bearer|negotiate|ntlm|tfs-federated)\b", re.IGNORECASE)
_TYPES = ("typeKey", "typeName")
_ERROR_KEYS = frozenset(
    {"$id", "innerException", "message", *_TYPES, "errorCode", "eventId", "customProperties"}
)
_OWN_HOSTS = ("vssps.visualstudio.com", "vssps.dev.azure.com")
# https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
_COMMON_HOSTS = (
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.live.com",
)
_OWN_MARKS = (*_OWN_HOSTS, "/_signin", "azure devops services | sign in")


def is_own(answer: Answer) -> bool:
    """Whether an error has a form that Azure DevOps gives its errors."""
    if _ERROR_HEADER in answer.headers:
        return True
    found = answer.json
    if is_page(answer) or not isinstance(found, dict):
        return False
    if any(isinstance(found.get(name), str) for name in _TYPES):
        return isinstance(found.get("message"), str)
    return _has_own_headers(answer) and _early(found) != ""


def may_be_own(answer: Answer) -> bool:
    """Whether an error could be Azure DevOps', though nothing shows that it is."""
    found = answer.json
    is_error = isinstance(found, dict) and isinstance(found.get("message"), str)
    return is_error and not is_page(answer) and found.keys() <= _ERROR_KEYS


def is_page(answer: Answer) -> bool:
    """Whether it is made for people to look at."""
    return "html" in answer.headers.get("Content-Type", "").lower()


def asks_to_sign_in(answer: Answer) -> bool:
    """Whether Azure DevOps says that it does not accept the credential, in any of its forms."""
    if answer.status == 401:
        challenge = answer.headers.get("WWW-Authenticate", "")
        return is_own(answer) or bool(_CHALLENGE.search(challenge))
    if 300 <= answer.status < 400:
        return _leads_to_sign_in(answer)
    return 200 <= answer.status < 300 and _is_sign_in(answer)


def words(answer: Answer) -> str:
    """The service's own words, in one bounded line: an error's, a header's, or a page's text."""
    found = answer.json
    said = _said(found) if isinstance(found, dict) else []
    header = unquote(answer.headers.get(_ERROR_HEADER, ""))
    text = "; ".join(said) or header or ("" if said or found is not None else _text(answer))
    return bounded(text) or "no message"


def _said(found: dict[str, object]) -> list[str]:
    """The message, and what else was found wrong with what was asked.

    What fails before the service itself is reached is told in a form of its own.
    https://learn.microsoft.com/rest/api/azure/devops/build/builds/queue?view=azure-devops-rest-7.1
    """
    more = found.get("customProperties")
    results = more.get("ValidationResults") if isinstance(more, dict) else None
    listed = results if isinstance(results, list) else []
    every = [found.get("message"), *(r.get("message") for r in listed if isinstance(r, dict))]
    texts = [text for text in every if isinstance(text, str)]
    return list(dict.fromkeys(filter(None, [*texts, _early(found)])))


def _early(found: dict[str, object]) -> str:
    """The message of what failed before the service itself was reached, "" in any other form."""
    value = found.get("value")
    told = value.get("Message") if isinstance(value, dict) and "count" in found else None
    return told if isinstance(told, str) else ""


def _has_own_headers(answer: Answer) -> bool:
    return any(name.lower().startswith(_OWN_HEADERS) for name in answer.headers)


def _leads_to_sign_in(answer: Answer) -> bool:
    location = answer.headers.get("Location", "")
    try:
        parts = urlsplit(location)
        host = (parts.hostname or "").lower()
    except ValueError:
        return False
    if _is_among(host, _OWN_HOSTS) or "/_signin" in parts.path.lower():
        return True
    back = unquote(parts.query).lower()  # where one comes back to, once signed in
    return _is_among(host, _COMMON_HOSTS) and any(name in back for name in _OWN_HOSTS)


def _is_among(host: str, names: tuple[str, ...]) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in names)


def _is_sign_in(answer: Answer) -> bool:
    page = answer.body[:LONGEST_PAGE].decode(errors="replace").lower()
    return is_page(answer) and any(mark in page for mark in _OWN_MARKS)


def _text(answer: Answer) -> str:
    """What a page says, without its marks."""
    page = answer.body[:LONGEST_TEXT].decode(errors="replace")
    return " ".join(re.sub(r"<[^<>]*>", " ", page).split())
