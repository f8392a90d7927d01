"""What to do about each way in which Azure DevOps says no: the first cause of each, in one table.

https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate
https://learn.microsoft.com/azure/devops/integrate/get-started/authentication/authentication-guidance
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.adapters.devops.origin import asks_to_sign_in
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from functions.adapters.http.transport import Answer

SIGN_IN = 401  # however it is said: 401, a redirect to the sign-in page, or that page with 203
_LATER = "try again later; if it lasts, see that no proxy answers in the place of Azure DevOps"
_BY_TOKEN = {
    SIGN_IN: (
        "the token has expired or was revoked, most likely: make a new one and store it as a new "
        "version of the secret {secret}"
    ),
    403: (
        "give the token what the answer names, its scope Build (Read & execute) first, and its "
        "owner the right to queue builds in {organization}"
    ),
    404: "see that the routes and DEVOPS_URL name the organization {organization} as it is",
    400: "see that the server speaks the REST version that DEVOPS_API_VERSION names",
    429: "it asks to slow down: try again later",
}
_BY_IDENTITY = {
    **_BY_TOKEN,
    SIGN_IN: "run az login, and see that you are a user of {organization}",
    403: "ask for the right that the answer names, in {organization}",
}
_STATUS = {Reason.CREDENTIAL_REFUSED: SIGN_IN, Reason.THROTTLED: 429, Reason.REFUSED: 403}


def advice(answer: Answer, organization: str, secret: str) -> str:
    """What to do first about such an answer; `secret` is "" where an identity asked.

    A success is one for nobody: the credential was passed over.
    """
    nobody = asks_to_sign_in(answer) or answer.status == 200  # noqa: PLR2004
    return _advice(SIGN_IN if nobody else answer.status, organization, secret)


def advice_for(reason: Reason, organization: str, secret: str) -> str:
    """The same for a refusal of which the reason is known."""
    return _advice(_STATUS.get(reason, 0), organization, secret)


def _advice(status: int, organization: str, secret: str) -> str:
    table = _BY_TOKEN if secret else _BY_IDENTITY
    return table.get(status, _LATER).format(organization=organization, secret=secret)
