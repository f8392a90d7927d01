"""Whether App Service says who opens the operations page, where the page believes what it says.

https://learn.microsoft.com/rest/api/appservice/web-apps/get-auth-settings-v2-without-secrets
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relay.deployment.arm import members
from relay.deployment.deployed import WEB_VERSION
from relay.doctor.findings import failure, ok

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relay.doctor.case import Case
    from relay.doctor.findings import Finding

READ = "Microsoft.Web/sites/config/read"
DEPLOY = "deploy the resources again with the sign-in's client id, or set OPERATIONS_AUTH=key"


def believed(case: Case) -> Iterator[Finding]:
    """Whether anybody could write the header by which the page knows who came.

    Who did not sign in may pass for all that: Event Grid cannot, and the page itself turns away
    whoever has no name.
    """
    if not case.settings.operations_entra:
        yield ok("the page asks for a function key: OPERATIONS_AUTH=key")
        return
    path = f"{case.app.id}/config/authsettingsV2"
    found = members(case.app.arm.get(path, WEB_VERSION, READ).get("properties"))
    providers = members(found.get("identityProviders"))
    entra = members(providers.get("azureActiveDirectory"))
    if not members(found.get("platform")).get("enabled"):
        said = "App Service authentication is off: anybody may say to the page who they are"
        yield failure(said, DEPLOY)
    elif not entra.get("enabled") or not members(entra.get("registration")).get("clientId"):
        yield failure("no Entra application signs people in: the page lets nobody see it", DEPLOY)
    else:
        yield ok("App Service authentication tells the page who came")
