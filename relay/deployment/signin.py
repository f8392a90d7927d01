"""Who acts when a command calls Azure: whoever is signed in on this machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

CLI_SECONDS = 60  # the Azure CLI starts slowly
RENEWED_BEFORE = 300  # seconds before a token ends


class SignedIn:
    """Whoever is signed in here: environment, managed identity, Azure CLI, in the SDK's order.

    With `only_cli` nobody but who is signed in to the Azure CLI.
    https://learn.microsoft.com/azure/developer/python/sdk/authentication/credential-chains
    """

    def __init__(self, *, only_cli: bool = False) -> None:
        self._only_cli = only_cli
        self._credential: Any = None
        self._tokens: dict[tuple[object, ...], AccessToken] = {}

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **options: Any,  # noqa: ANN401 - the SDK's
    ) -> AccessToken:
        """A token as the SDK gives it; raises its ClientAuthenticationError.

        It is kept until shortly before its end, since the Azure CLI is a process for each.
        """
        asked = (scopes, claims, tenant_id)
        known = self._tokens.get(asked)
        if known is None or known.expires_on - time.time() < RENEWED_BEFORE:
            known = self._made().get_token(
                *scopes, claims=claims, tenant_id=tenant_id, enable_cae=enable_cae, **options
            )
            self._tokens[asked] = known
        return known

    def _made(self) -> Any:  # noqa: ANN401 - one of the SDK's
        if self._credential is None:
            import azure.identity as sdk  # noqa: PLC0415 - most commands need none

            if self._only_cli:
                self._credential = sdk.AzureCliCredential(process_timeout=CLI_SECONDS)
            else:
                self._credential = sdk.DefaultAzureCredential()
        return self._credential
