"""How GitHub says no: JSON with a message, where to read on, and the status as text.

https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DOCS = "https://docs.github.com/rest"
LIMITS = f"{DOCS}/using-the-rest-api/rate-limits-for-the-rest-api"


class Refusal(Exception):
    """GitHub refuses a request. Without `documentation` the operation's own page is named."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        documentation: str | None = None,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.documentation = documentation
        self.errors = [dict(error) for error in errors]
        self.headers = dict(headers or {})

    def wire(self, operation: str) -> dict[str, object]:
        """The JSON body; `operation` is the page of what was asked."""
        return {
            "message": self.message,
            **({"errors": self.errors} if self.errors else {}),
            "documentation_url": self.documentation or operation,
            "status": str(self.status),
        }


def not_found() -> Refusal:
    """404, also for what is there and may not be seen."""
    return Refusal(404, "Not Found")


def bad_credentials() -> Refusal:
    """401: a token that is none, has expired or was taken back."""
    return Refusal(401, "Bad credentials", documentation=DOCS)


def malformed(said: str) -> Refusal:
    """422: the body does not have the form that the operation takes."""
    return Refusal(422, f"Invalid request.\n\n{said}")


def unprocessable(message: str) -> Refusal:
    """422: the body has the right form and cannot be done."""
    return Refusal(422, message)


def invalid_argument(resource: str, field: str) -> Refusal:
    """422: an argument of the query has a value that cannot be read.

    The service is known to be milder about some; here each is told.
    """
    errors = [{"resource": resource, "field": field, "code": "invalid"}]
    return Refusal(422, "Validation Failed", errors=errors)
