"""How the vault says no.

https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
"""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

Answer = Response | tuple[Response, int]


def error(status: int, code: str, message: str, **more: Any) -> tuple[Response, int]:
    """A refusal in the form that all have."""
    return jsonify({"error": {"code": code, "message": message, **more}}), status


def not_found(name: str) -> Answer:
    """There is no such secret, or no such version of it."""
    message = (
        f"A secret with (name/id) {name} was not found in this key vault. If you recently "
        "deleted this secret you may be able to recover it using the correct recovery command. "
        "For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182"
    )
    return error(404, "SecretNotFound", message)


def hidden() -> Answer:
    """Whoever asks may see that it is there, and not its value."""
    message = "Caller is not authorized to perform action on resource."
    return error(403, "Forbidden", message, innererror={"code": "ForbiddenByRbac"})


def disabled() -> Answer:
    """The refusal as in https://github.com/Azure/azure-sdk-for-java/issues/17991."""
    message = "Operation get is not allowed on a disabled secret."
    return error(403, "Forbidden", message, innererror={"code": "SecretDisabled"})
