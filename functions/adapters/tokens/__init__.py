"""The tokens of an identity, kept where they are used, so that one that is good is used at once."""

from functions.adapters.tokens.answers import Heard, IdentityUnavailable
from functions.adapters.tokens.held import waiting
from functions.adapters.tokens.kept import KeptTokens, refusals, refused, renew

__all__ = [
    "Heard",
    "IdentityUnavailable",
    "KeptTokens",
    "refusals",
    "refused",
    "renew",
    "waiting",
]
