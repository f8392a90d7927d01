"""Who made an answer: Azure DevOps itself, or somebody on the way to it. Pure functions.

A gateway or a proxy may let a request through and put a page of its own in the place of the
answer: a scan that goes on, an error, a portal to sign in to the network. Such a page proves
nothing about the request, so that only forms which Azure DevOps is known to use are taken for its
word:

* an error is a JSON object with a `message`, or comes with its own headers (X-TFS-…, X-VSS-…);
* who is not signed in gets 401 with a challenge, a redirect to a sign-in page, or that page itself
  with 203 (or 200, where something followed the redirect).

https://learn.microsoft.com/azure/devops/integrate/get-started/authentication/authentication-guidance
https://github.com/microsoft/azure-devops-auth-samples/issues/52
https://github.com/MicrosoftDocs/vsts-rest-api-specs/issues/574
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from functions.core.values import bounded

if TYPE_CHECKING:
    from functions.adapters.transport import Answer

LONGEST_PAGE = 65_536  # bytes of a page that are looked at
LONGEST_TEXT = 4_000
_OWN_HEADERS = ("x-tfs-", "x-vss-")
_CHALLENGE = re.compile(r"\b(basic|bearer|negotiate|ntlm|tfs-federated)\b", re.IGNORECASE)
# https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
_SIGN_IN_HOSTS = (
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.live.com",
    "vssps.visualstudio.com",
    "vssps.dev.azure.com",
)
_SIGN_IN_MARKS = (*_SIGN_IN_HOSTS, "/_signin", "azure devops services | sign in")


def is_own(answer: Answer) -> bool:
    """Whether an error has a form that Azure DevOps gives its errors."""
    found = answer.json
    if isinstance(found, dict) and isinstance(found.get("message"), str):
        return True
    return any(name.lower().startswith(_OWN_HEADERS) for name in answer.headers)


def is_page(answer: Answer) -> bool:
    """Whether it is made for people to look at."""
    return "html" in answer.headers.get("Content-Type", "").lower()


def asks_to_sign_in(answer: Answer) -> bool:
    """Whether Azure DevOps says that it does not accept the credential, in any of its forms."""
    if answer.status == 401:
        challenge = answer.headers.get("WWW-Authenticate", "")
        return is_own(answer) or bool(_CHALLENGE.search(challenge))
    if 300 <= answer.status < 400:
        return _leads_to_sign_in(answer.headers.get("Location", ""))
    return 200 <= answer.status < 300 and _is_sign_in(answer)


def words(answer: Answer) -> str:
    """The service's own words, in one bounded line: an error's, a header's, or a page's text."""
    found = answer.json
    said = _said(found) if isinstance(found, dict) else []
    header = unquote(answer.headers.get("X-TFS-ServiceError", ""))
    text = "; ".join(said) or header or ("" if said or found is not None else _text(answer))
    return bounded(text) or "no message"


def _said(found: dict[str, object]) -> list[str]:
    """The message, and what else was found wrong with what was asked.

    https://learn.microsoft.com/rest/api/azure/devops/build/builds/queue?view=azure-devops-rest-7.1
    """
    more = found.get("customProperties")
    results = more.get("ValidationResults") if isinstance(more, dict) else None
    listed = results if isinstance(results, list) else []
    every = [found.get("message"), *(r.get("message") for r in listed if isinstance(r, dict))]
    return list(dict.fromkeys(text for text in every if isinstance(text, str) and text))


def _leads_to_sign_in(location: str) -> bool:
    try:
        parts = urlsplit(location)
        host = (parts.hostname or "").lower()
    except ValueError:
        return False
    known = any(host == name or host.endswith(f".{name}") for name in _SIGN_IN_HOSTS)
    return known or "/_signin" in parts.path.lower()


def _is_sign_in(answer: Answer) -> bool:
    page = answer.body[:LONGEST_PAGE].decode(errors="replace").lower()
    return is_page(answer) and any(mark in page for mark in _SIGN_IN_MARKS)


def _text(answer: Answer) -> str:
    """What a page says, without its marks."""
    page = answer.body[:LONGEST_TEXT].decode(errors="replace")
    return " ".join(re.sub(r"<[^<>]*>", " ", page).split())
