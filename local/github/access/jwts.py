"""The JSON Web Token by which a GitHub App says who it is, and how GitHub refuses one.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.github.errors import DOCS, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.github.access.apps import App

LONGEST = 600  # seconds from now to `exp`
DRIFT = 60  # seconds by which a clock may be ahead of this one

_EXPIRY = (
    "'Expiration time' claim ('exp') must be a numeric value representing the future time at "
    "which the assertion expires"
)
_TOO_FAR = "'Expiration time' claim ('exp') is too far in the future"
_ISSUED = (
    "'Issued at' claim ('iat') must be an Integer representing the time that the assertion "
    "was issued"
)


def is_one(token: str) -> bool:
    """Whether a token has the form of a JWT."""
    return token.count(".") == 2  # noqa: PLR2004 - a JWT's dots


def app_of(token: str, find: Callable[[str], App | None], now: float) -> App:
    """The app that signed this, found by `iss`: its id or its client id. Raises a 401 Refusal."""
    import jwt  # noqa: PLC0415 - an app signs in where a test says so, and in few

    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        app = find(str(claims.get("iss", "")))
        if app is None:
            raise Refusal(404, "Integration not found", documentation=DOCS)
        # what `exp` and `iat` say is judged below, by this service's clock
        jwt.decode(
            token,
            app.public_key,
            algorithms=["RS256"],
            options={"verify_exp": False, "verify_iat": False, "verify_iss": False},
        )
    except jwt.PyJWTError as error:
        raise _refused("A JSON web token could not be decoded") from error
    _judge(claims, now)
    return app


def _judge(claims: dict[str, Any], now: float) -> None:
    expiry, issued = _time(claims.get("exp")), _time(claims.get("iat"))
    if expiry is None or expiry <= now:
        raise _refused(_EXPIRY)
    if expiry > now + LONGEST:
        raise _refused(_TOO_FAR)
    if issued is None or issued > now + DRIFT:
        raise _refused(_ISSUED)


def _time(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _refused(message: str) -> Refusal:
    return Refusal(401, message, documentation=DOCS)
