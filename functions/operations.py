"""The operations page as an HTTP function.

With `entra` App Service signs people in and tells who came; otherwise the host asks for a key, and
the header is not looked at, since then anybody can send it.
https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
https://learn.microsoft.com/azure/azure-functions/function-keys-how-to
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.bootstrap import App

PRINCIPAL = "X-MS-CLIENT-PRINCIPAL-ID"


def blueprint(app: Callable[[], App], *, entra: bool) -> func.Blueprint:
    """The function that a browser asks; `app` and the page are loaded when it does."""
    triggers = func.Blueprint()
    level = func.AuthLevel.ANONYMOUS if entra else func.AuthLevel.FUNCTION

    @triggers.route(route="operations", methods=["GET"], auth_level=level)
    def operations(req: func.HttpRequest) -> func.HttpResponse:
        """What is open and why, and what became of the rest."""
        if entra and not req.headers.get(PRINCIPAL):
            from functions.headers import ALWAYS

            return func.HttpResponse(status_code=401, headers=ALWAYS)
        from functions import web

        found = web.answer(lambda: app().overview, req.params, req.headers.get("Accept") or "")
        return func.HttpResponse(
            found.body,
            status_code=found.status,
            mimetype=found.kind,
            headers={**found.headers, "Content-Type": found.kind},
        )

    return triggers
