"""The settings of a deployed app, read through Azure Resource Manager.

https://learn.microsoft.com/rest/api/appservice/web-apps/list-application-settings
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, NamedTuple
from urllib.parse import urlsplit

import typer
from msgspec.structs import replace

from functions.configuration import settings as known_settings
from functions.configuration.declared import is_reference
from functions.core.terms.errors import ConfigurationError
from functions.core.texts.bounds import bounded
from relay.deployment.refusals import ArmError, Missing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.configuration.settings import Settings
    from relay.deployment.arm import ResourceManager
    from relay.deployment.signin import SignedIn

WEB_VERSION = "2025-03-01"
LIST_SETTINGS = "Microsoft.Web/sites/config/list/action"

ON_SERVER = frozenset({"ROUTES_FILE"})
_BY_HAND = "leave --app out and set the settings in your environment"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

_TABLES = re.compile(
    r"[a-z0-9-]+(\.z[0-9]+)?\.table\."
    r"(core\.windows\.net|core\.chinacloudapi\.cn|core\.usgovcloudapi\.net|storage\.azure\.net)"
)
_DEVOPS = re.compile(r"dev\.azure\.com|[a-z0-9-]+\.visualstudio\.com")
# https://docs.github.com/enterprise-cloud@latest/admin/data-residency
_GITHUB = re.compile(r"api\.github\.com|api\.[a-z0-9-]+\.ghe\.com")
_TOPIC = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+\.eventgrid\.azure\.(net|us|cn)")
_SITE = re.compile(
    r"/subscriptions/[^/?#%\s]+/resourceGroups/[^/?#%\s]+/providers/Microsoft\.Web"
    r"/sites/(?P<name>[A-Za-z0-9-]{1,60})",
    re.IGNORECASE,
)

App = Annotated[
    str | None,
    typer.Option(
        "--app",
        metavar="RESOURCE_ID",
        envvar="RUN_RELAY_APP",
        help="Resource id of a deployed function app: its settings are read through Azure Resource "
        "Manager, and everything is reached as you are signed in to the Azure CLI. Without it the "
        "settings are those of the environment.",
    ),
]
RoutesFile = Annotated[
    str | None,
    typer.Option(
        "--routes",
        metavar="FILE",
        help="The route file on this machine, also with --app, whose own is not read; else that "
        "of ROUTES_FILE, or routes.yaml of this checkout.",
    ),
]


def checked(app: str) -> str:
    """The resource id of a function app without a slash at its end; raises typer.BadParameter."""
    text = app.strip().rstrip("/")
    if not _SITE.fullmatch(text):
        form = "/subscriptions/…/resourceGroups/…/providers/Microsoft.Web/sites/NAME"
        raise typer.BadParameter(f"--app {app[:200]!r} is no resource id of the form {form}")
    return text


class Deployed(NamedTuple):
    """A deployed app: its settings as an operator may use them, and the way to what is around."""

    id: str
    settings: Settings
    arm: ResourceManager


def read(app: str, environ: Mapping[str, str], identity: SignedIn) -> Deployed:
    """The app of that resource id; AZURE_CLOUD or RESOURCE_MANAGER_URL here say where ARM is.

    Raises ArmError, ConfigurationError, typer.BadParameter.
    """
    from relay.deployment.arm import ResourceManager  # noqa: PLC0415 - only this needs the network

    here, site = known_settings.read(environ), checked(app)
    url = here.resource_manager_url
    arm = ResourceManager(url, here.cloud.resource_manager, identity)
    settings = known_settings.read(_Given(_settings(arm, site)))
    _insist_on_azure(settings)
    return Deployed(site, replace(settings, resource_manager_url=url), arm)


def _settings(arm: ResourceManager, app: str) -> dict[str, str]:
    """The app's settings, but those that make sense on its server only."""
    try:
        answer = arm.post(f"{app}/config/appsettings/list", WEB_VERSION, LIST_SETTINGS)
    except Missing as missing:
        raise Missing(f"there is no function app {app}: {missing}") from None
    found = answer.get("properties")
    if not isinstance(found, dict):
        raise ArmError(f"{app}: the answer holds no settings")
    return {n: str(v) for n, v in found.items() if v is not None and n not in ON_SERVER}


def _insist_on_azure(settings: Settings) -> None:
    """Whoever may write an app's settings must not get an operator's tokens by them."""
    _insist(
        "no token is sent to {host}",
        AzureWebJobsStorage__tableServiceUri=(settings.storage.table_url, _TABLES),
        DEVOPS_URL=(settings.devops_url if settings.devops_entra else "", _DEVOPS),
    )


def insist_for_effects(settings: Settings) -> None:
    """The same for what acts as the operator: its secrets and news go to the services' own hosts.

    Raises ConfigurationError.
    """
    _insist(
        f"nothing is sent to {{host}} in your name; {_BY_HAND}",
        DEVOPS_URL=(settings.devops_url, _DEVOPS),
        GITHUB_URL=(settings.github_url, _GITHUB),
        OUTCOME_TOPIC_ENDPOINT=(settings.outcome_topic, _TOPIC),
    )


def _insist(why: str, **named: tuple[str, re.Pattern[str]]) -> None:
    """Raises ConfigurationError for a setting whose address is on no host that is trusted."""
    for name, (url, trusted) in named.items():
        host = (urlsplit(url).hostname or "").lower()
        if url and host not in LOOPBACK and not trusted.fullmatch(host):
            told = why.format(host=bounded(host, 100))
            raise ConfigurationError(f"{name} of the app: {told}")


class _Given(dict[str, str]):
    """Settings; one that is a reference, which only the platform resolves, cannot be read.

    https://learn.microsoft.com/azure/app-service/app-service-key-vault-references
    """

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        """The value; raises ConfigurationError for a reference, naming the setting only."""
        value = super().get(name, default)
        if is_reference(value.strip()):
            why = "is a reference that only the app itself can resolve"
            raise ConfigurationError(f"{name} of the app {why}: {_BY_HAND}")
        return value
