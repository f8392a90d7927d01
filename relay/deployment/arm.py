"""Azure Resource Manager, read as whoever is signed in. What it refuses becomes one line.

https://learn.microsoft.com/rest/api/azure/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError

from functions.adapters.clock import SystemClock
from functions.adapters.http.losses import NoAnswerError, NotSentError
from functions.adapters.http.transport import Answer, Transport
from functions.core.terms.deadline import Deadline
from functions.core.texts.bounds import bounded
from relay.deployment.refusals import ArmError, Forbidden, Missing, NotSignedIn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from relay.deployment.signin import SignedIn

CALL_SECONDS = 30.0
MOST_PAGES = 50
RESOURCES_VERSION = "2021-04-01"
LIST_RESOURCES = "Microsoft.Resources/subscriptions/resources/read"


class ResourceManager:
    """Reads resources below one URL, whose tokens are for `audience`."""

    def __init__(self, url: str, audience: str, identity: SignedIn) -> None:
        self._url = url.rstrip("/")
        self._scope = f"{audience}/.default"
        self._identity = identity
        self._transport = Transport()

    def get(self, path: str, version: str, right: str, **query: str) -> dict[str, Any]:
        """GET a resource; `right` is the action that it takes, for the message. Raises ArmError."""
        return self._read(f"{self._url}{path}", {"api-version": version, **query}, right, None)

    def post(self, path: str, version: str, right: str) -> dict[str, Any]:
        """POST what lists secrets: nothing is changed by it. Raises ArmError."""
        return self._read(f"{self._url}{path}", {"api-version": version}, right, {})

    def every(self, path: str, version: str, right: str, **query: str) -> Iterator[dict[str, Any]]:
        """The resources of a list, page by page. Raises ArmError.

        https://learn.microsoft.com/rest/api/azure/#async-operations-throttling-and-paging
        """
        page = self.get(path, version, right, **query)
        for _ in range(MOST_PAGES):
            found = page.get("value")
            yield from (one for one in found if isinstance(one, dict)) if found else ()
            link = page.get("nextLink")
            if not link:
                return
            page = self._read(self._own(link), None, right, None)
        raise ArmError(f"{path}: more than {MOST_PAGES} pages")

    def resources(self, subscription: str, kind: str) -> Iterator[dict[str, Any]]:
        """The resources of a type that the operator may see, as lists have them. Raises ArmError.

        https://learn.microsoft.com/rest/api/resources/resources/list
        """
        mine = {"$filter": f"resourceType eq '{kind}'"}
        path = f"/subscriptions/{subscription}/resources"
        return self.every(path, RESOURCES_VERSION, LIST_RESOURCES, **mine)

    def _own(self, link: object) -> str:
        """The next page's address, which must be where the first was: a token goes there."""
        if urlsplit(str(link))[:2] != urlsplit(self._url)[:2]:
            raise ArmError(f"the next page is not at {self._url}")
        return str(link)

    def _read(
        self, url: str, query: Mapping[str, str] | None, right: str, body: object
    ) -> dict[str, Any]:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        deadline = Deadline(SystemClock(), CALL_SECONDS)
        try:
            answer = self._transport.read(
                url, f"Bearer {self._token()}", deadline, params=query, headers=headers, body=body
            )
        except (NotSentError, NoAnswerError) as error:
            raise ArmError(f"no answer from {self._url}: {error}") from None
        return _found(answer, urlsplit(url).path, right)

    def _token(self) -> str:
        try:
            return self._identity.get_token(self._scope).token
        except (AzureError, ValueError) as error:
            raise NotSignedIn(f"not signed in to Azure: run az login ({_first(error)})") from None


def _found(answer: Answer, path: str, right: str) -> dict[str, Any]:
    found = answer.json
    if answer.status == 200 and isinstance(found, dict):  # noqa: PLR2004
        return found
    said = f"{answer.status} {_reason(found)}".rstrip()
    what = bounded(path)
    if answer.status == 401:  # noqa: PLR2004
        raise NotSignedIn(f"Azure does not accept your sign-in: run az login ({said})")
    if answer.status == 403:  # noqa: PLR2004
        raise Forbidden(f"{what}: you lack the right {right} ({said})")
    if answer.status == 404:  # noqa: PLR2004
        raise Missing(f"there is no {what} ({said})")
    raise ArmError(f"{what}: Azure answered {said}")


def members(found: object) -> dict[str, Any]:
    """An object's members; none where something else was sent."""
    return found if isinstance(found, dict) else {}


def _reason(found: object) -> str:
    """The code of an error, as https://learn.microsoft.com/azure/azure-resource-manager has it."""
    error = found.get("error") if isinstance(found, dict) else None
    return bounded(error.get("code") or "", 100) if isinstance(error, dict) else ""


def _first(error: Exception) -> str:
    """The first line: the SDK's further ones are advice for programmers."""
    return bounded((str(error).splitlines() or [""])[0], 200)
