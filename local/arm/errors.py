"""How the local Resource Manager says no.

https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
"""

from __future__ import annotations

from flask import Response, jsonify

from local.identity import TENANT

Answer = Response | tuple[Response, int]


def error(status: int, code: str, message: str) -> tuple[Response, int]:
    """A refusal with its code."""
    return jsonify({"error": {"code": code, "message": message}}), status


def unauthorized(code: str, message: str) -> Answer:
    """401 with the challenge that says who issues tokens."""
    answer, status = error(401, code, message)
    answer.headers["WWW-Authenticate"] = (
        f'Bearer authorization_uri="https://login.windows.net/{TENANT}", '
        f'error="invalid_token", error_description="{message}"'
    )
    return answer, status


def not_found(kind: str, name: str, group: str) -> Answer:
    """404 for a resource."""
    return error(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found. For more "
        "details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def wrong_version(asked: str | None, known: tuple[str, ...]) -> Answer | None:
    """400 if the request names no api-version, or none that the provider has; else None."""
    if not asked:
        return error(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if asked not in known:
        message = f"The api-version '{asked}' is invalid. The supported versions are"
        return error(400, "InvalidApiVersionParameter", f"{message} '{','.join(known)}'.")
    return None
