"""What an identity endpoint answered: a token that can be used, or why there is none.

https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from azure.core.credentials import AccessTokenInfo
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from functions.adapters.http.session import sdk_transport
from functions.core.texts.bounds import HIDDEN, bounded

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import TokenRequestOptions

    Ask = Callable[["Heard", tuple[str, ...], TokenRequestOptions], AccessTokenInfo]

LONGEST_LIFE = 24 * 3600  # seconds, the platform's; no token is believed to last longer
LONGEST_WORDS = 200
_KNOWN_BY = ("X-IDENTITY-HEADER", "Secret")  # the headers by which the platform knows its app
_SENDABLE = re.compile(r"[\x21-\x7e]+")
_SDK_WORDS = re.compile(r".*?Token request error: (\(\w*\) )?", re.DOTALL)


class IdentityUnavailable(ServiceRequestError):
    """There is no token. The message names the identity, is bounded and holds no secret.

    To the SDK's clients it is a request that was not sent, not an answer of their service: some
    look into an answer that a ClientAuthenticationError does not have, and the exporter of
    telemetry keeps for later what was not sent.
    """


class Heard:
    """What came back while a token was fetched: a hook for the SDK's credential."""

    def __init__(self) -> None:
        self.status: int | None = None
        self._secrets: list[str] = []

    def __call__(self, response: Any) -> None:  # noqa: ANN401 - the SDK's PipelineResponse
        """Note the status, and by what the app was known."""
        self.status = response.http_response.status_code
        sent = response.http_request.headers
        self._secrets += [sent[name] for name in _KNOWN_BY if sent.get(name)]

    def without_secrets(self, text: str) -> str:
        """The text, should the endpoint have echoed what it was sent."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return bounded(text, LONGEST_WORDS)


def checked(found: AccessTokenInfo, now: float) -> AccessTokenInfo:
    """The token if it can be sent and has not ended, to be renewed at half its life.

    Raises ValueError.
    """
    if not isinstance(found.token, str) or not _SENDABLE.fullmatch(found.token):
        raise ValueError("no token that a header can hold")
    began = int(now)
    ends = min(int(found.expires_on), began + LONGEST_LIFE)
    if ends <= began:
        raise ValueError("a token that has ended")
    return AccessTokenInfo(
        found.token, ends, token_type=found.token_type, refresh_on=(began + ends) // 2
    )


def reason(scopes: tuple[str, ...], heard: Heard, error: Exception) -> str:
    """Why there is no token for the scopes, in words about the identity."""
    return f"no token for {bounded(' '.join(scopes), 100)}: {_why(heard, error)}"


def _why(heard: Heard, error: Exception) -> str:
    if heard.status == 200:
        return "the identity endpoint answered 200 with nothing that is a good token"
    told = error.message if isinstance(error, ClientAuthenticationError) else ""
    words = heard.without_secrets(_SDK_WORDS.sub("", str(told)))
    if heard.status is not None:
        return f"the identity endpoint answered {heard.status}" + (f": {words}" if words else "")
    return f"the identity endpoint gave no answer: {words or type(error).__name__}"


def asking(client_id: str | None) -> Ask:
    """How the endpoint of a managed identity is asked, in the time that a delivery has.

    The SDK's credential keeps tokens and refusals too, by rules of its own: a new one has none.
    """
    from azure.identity import ManagedIdentityCredential  # noqa: PLC0415 - once an event is there

    def ask(heard: Heard, scopes: tuple[str, ...], options: TokenRequestOptions) -> AccessTokenInfo:
        with ManagedIdentityCredential(
            client_id=client_id,
            connection_timeout=3,
            read_timeout=5,
            retry_total=0,
            transport=sdk_transport(),
            raw_response_hook=heard,
        ) as credential:
            found: AccessTokenInfo = credential.get_token_info(*scopes, options=options)
            return found

    return ask
