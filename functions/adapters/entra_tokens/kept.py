"""A credential that keeps its tokens, for the SDK's clients and for ours.

azure-identity asks the endpoint for each call in the second half of a token's life, in the call,
and while the endpoint hangs each call takes the time-out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from azure.core.credentials import AccessToken

from functions.adapters.entra_tokens.answers import Heard, checked, reason
from functions.adapters.entra_tokens.held import Held, beside

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import AccessTokenInfo, TokenCredential, TokenRequestOptions

    from functions.adapters.entra_tokens.held import Found, Run, Tell
    from functions.core.terms.deadline import Clock

    Ask = Callable[[Heard, tuple[str, ...], TokenRequestOptions], AccessTokenInfo]
    """Asks the identity endpoint, each time; raises anything."""


class _Meant(NamedTuple):
    """What a token is for."""

    scopes: tuple[str, ...]
    tenant: str
    is_evaluated: bool  # continuously (CAE)

    def options(self, claims: str) -> TokenRequestOptions:
        options: TokenRequestOptions = {"enable_cae": self.is_evaluated}
        if self.tenant:
            options["tenant_id"] = self.tenant
        if claims:
            options["claims"] = claims
        return options


class KeptTokens:
    """A TokenCredential over `ask`. Every method that gives a token raises IdentityUnavailable.

    `tell` hears why a token could not be renewed while it is still good; `run` does what it is
    given beside the caller.
    https://learn.microsoft.com/python/api/azure-core/azure.core.credentials.supportstokeninfo
    """

    def __init__(self, ask: Ask, clock: Clock, tell: Tell, run: Run = beside) -> None:
        self._ask, self._clock, self._tell, self._run = ask, clock, tell, run
        self._held: dict[_Meant, Held] = {}

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **_: Any,  # noqa: ANN401 - the SDK's
    ) -> AccessToken:
        """A good token, as clients ask that know no other way."""
        found = self._for(_Meant(scopes, tenant_id or "", enable_cae)).get(claims or "")
        return AccessToken(found.token, found.expires_on)

    def get_token_info(
        self, *scopes: str, options: TokenRequestOptions | None = None
    ) -> AccessTokenInfo:
        """A good token; with claims among the options a new one, which takes its place."""
        given = options or {}
        tenant, evaluated = given.get("tenant_id") or "", given.get("enable_cae", False)
        return self._for(_Meant(scopes, tenant, evaluated)).get(given.get("claims") or "")

    def refused(self, token: str) -> None:
        """A service answered 401 to this token: it is renewed beside the calls."""
        for held in [*self._held.values()]:
            held.refused(token)

    def renew(self, scope: str) -> None:
        """Wait for a newer token, unless the held one is new; whether it came is not told."""
        self._for(_Meant((scope,), "", is_evaluated=False)).renew()

    def _for(self, meant: _Meant) -> Held:
        known = self._held.get(meant)
        return known or self._held.setdefault(meant, self._new(meant))

    def _new(self, meant: _Meant) -> Held:
        def fetch(claims: str) -> Found:
            heard = Heard()
            try:
                found = self._ask(heard, meant.scopes, meant.options(claims))
                return checked(found, self._clock.now().timestamp())
            except Exception as error:  # noqa: BLE001 - whatever it is, who waits must hear of it
                return reason(meant.scopes, heard, error)

        return Held(fetch, self._clock, self._tell, self._run)


def refused(credential: TokenCredential, token: str) -> None:
    """Tell a credential that keeps tokens that a service answered 401 to this one."""
    if isinstance(credential, KeptTokens):
        credential.refused(token)


def renew(credential: TokenCredential, scope: str) -> None:
    """Let a credential that keeps tokens ask for a newer one, if it has none that is new."""
    if isinstance(credential, KeptTokens):
        credential.renew(scope)


def refusals(credential: TokenCredential) -> Callable[[Any], None]:
    """A hook for an SDK's client, which sees every answer: tells of each token that was refused."""

    def look(response: Any) -> None:  # noqa: ANN401 - the SDK's PipelineResponse
        if response.http_response.status_code == 401:
            sent = response.http_request.headers.get("Authorization") or ""
            refused(credential, sent.partition(" ")[2])

    return look
