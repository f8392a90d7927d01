"""What it means that no answer came: whether the request can have left. Pure functions."""

from __future__ import annotations

import ssl

import requests
from urllib3.exceptions import ClosedPoolError, ConnectTimeoutError, NewConnectionError, SSLError

_NEVER_MADE = (
    requests.ConnectTimeout,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
)
_NO_CONNECTION = (NewConnectionError, ConnectTimeoutError, ClosedPoolError)
_HANDSHAKE_ONLY = frozenset(
    {
        "CERTIFICATE_VERIFY_FAILED",
        "WRONG_VERSION_NUMBER",
        "UNSUPPORTED_PROTOCOL",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "TLSV1_UNRECOGNIZED_NAME",
    }
)


class NotSentError(Exception):
    """No connection could be made: the request did not leave."""


class NoAnswerError(Exception):
    """The request left and no whole answer came back."""


def translated(error: requests.RequestException) -> NotSentError | NoAnswerError:
    """Whether bytes can have left: only a connection that was never made says no for certain.

    Behind a proxy every loss is a ProxyError, an answer that never came too: what it wraps counts.
    """
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", None) or cause
    reason = getattr(reason, "original_error", reason)
    name = type(reason if isinstance(reason, Exception) else error).__name__
    never_made = isinstance(error, _NEVER_MADE) or isinstance(reason, _NO_CONNECTION)
    if never_made or _in_handshake(reason) or _without_tunnel(reason):
        return NotSentError(name)
    return NoAnswerError(name)


def _in_handshake(reason: object) -> bool:
    """Whether TLS failed before any request could be sent; what is unclear counts as sent."""
    cause = reason.args[0] if isinstance(reason, SSLError) and reason.args else None
    return isinstance(cause, ssl.SSLError) and cause.reason in _HANDSHAKE_ONLY


def _without_tunnel(reason: object) -> bool:
    """Whether the proxy opened no tunnel, so that nothing could go through it.

    https://github.com/python/cpython/blob/v3.11.7/Lib/http/client.py#L957
    """
    return type(reason) is OSError and str(reason).startswith("Tunnel connection failed")
