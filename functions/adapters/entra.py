"""Microsoft Entra: the managed identity's tokens, for AML and, on request, for Azure DevOps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError

from functions.adapters.entra_tokens import IdentityUnavailable, renew, waiting
from functions.core.terms.errors import Retryable
from functions.core.terms.pipelines import Credential
from functions.core.terms.reasons import Reason
from functions.core.texts.bounds import bounded
from functions.core.texts.times import from_epoch

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, TokenCredential

    from functions.core.terms.deadline import Deadline

# https://learn.microsoft.com/azure/devops/integrate/get-started/authentication/service-principal-managed-identity
# an endpoint that answers with something else makes the SDK's parser fail in its own ways
_FAILURES = (
    AzureError,
    ArithmeticError,
    AttributeError,
    KeyError,
    RecursionError,
    TypeError,
    ValueError,
)
DEVOPS_SCOPE = "499b84ac-1321-427f-aa17-267ca6975798/.default"


class EntraCredentials:
    """Tokens for Azure DevOps instead of PATs. They are renewed by themselves, so no version."""

    def __init__(self, credential: TokenCredential) -> None:
        self._credential = credential

    def begin(self, name: str, deadline: Deadline) -> None:
        """Nothing: the token is kept, and renewed beside the calls."""

    def read(self, name: str, deadline: Deadline, *, fresh: bool = False) -> Credential:
        """A good token; `fresh` waits for a newer one, and takes what is there without.

        Raises Retryable (secret_unreadable).
        """
        del name
        with waiting(deadline.left):
            if fresh:
                renew(self._credential, DEVOPS_SCOPE)
            token = access_token(self._credential, DEVOPS_SCOPE, Reason.SECRET_UNREADABLE)
        expires = from_epoch(token.expires_on)
        bearer = f"Bearer {token.token}"
        return Credential(authorization=bearer, version="entra", expires_at=expires, renews=True)


def access_token(credential: TokenCredential, scope: str, reason: Reason) -> AccessToken:
    """A token for the scope; raises Retryable with the reason."""
    try:
        return credential.get_token(scope)
    except IdentityUnavailable as error:
        raise Retryable(reason, error.message) from None
    except _FAILURES as error:
        raise Retryable(reason, bounded(f"no token for {scope}: {error}")) from None
