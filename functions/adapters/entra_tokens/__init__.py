"""The tokens of an identity, kept where they are used, so that one that is good is used at once."""

from functions.adapters.entra_tokens.answers import Heard, IdentityUnavailable, asking
from functions.adapters.entra_tokens.held import waiting
from functions.adapters.entra_tokens.kept import KeptTokens, refusals, refused, renew

__all__ = [
    "Heard",
    "IdentityUnavailable",
    "KeptTokens",
    "asking",
    "refusals",
    "refused",
    "renew",
    "waiting",
]
