"""What the doctor looks at: the settings, and what is around the app, read once each."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from functions import connections
from functions.adapters.clock import SystemClock
from functions.adapters.routefile import RouteFile
from functions.adapters.vault import open_vault
from functions.core.operators import typed_keys
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import ConfigurationError, LedgerUnavailable
from relay.deployment import opening
from relay.deployment.deployed import WEB_VERSION
from relay.deployment.refusals import ArmError, NeedsApp
from relay.doctor.azure import topics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azure.keyvault.secrets import SecretClient

    from functions.configuration.settings import Settings
    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Routes
    from functions.core.terms.runs import Workspace
    from relay.deployment.deployed import Deployed
    from relay.deployment.signin import SignedIn
    from relay.doctor.azure.topics import Topic

CALL_SECONDS = 20.0
PATIENCE = 30.0  # seconds until the ledger shows a probe
PROFILES = {"https://dev.azure.com": "https://app.vssps.visualstudio.com"}


class Case:
    """One examination; `workspaces` are those to look at beside those known.

    `profiles` maps an Azure DevOps to where it knows users beyond one organization.
    """

    def __init__(
        self,
        settings: Settings,
        identity: SignedIn,
        deployed: Deployed | None = None,
        workspaces: Sequence[Workspace] = (),
    ) -> None:
        self.settings = settings
        self.identity = identity
        self.clock = SystemClock()
        self.profiles = PROFILES
        self.patience = PATIENCE
        self._deployed = deployed
        self._workspaces = workspaces

    @cached_property
    def ports(self) -> Ports:
        """The outside as the operator reaches it; raises ConfigurationError."""
        if missing := opening.missing_file(self.settings):
            raise ConfigurationError(missing)
        return connections.connect(self.settings, self.clock, self.identity)

    @cached_property
    def vault(self) -> SecretClient:
        """The vault that the settings name, which must name one."""
        return open_vault(self.settings.key_vault_url, self.identity)

    @cached_property
    def routes(self) -> Routes:
        """The routes of this machine's route file; raises RoutesUnreadable."""
        return RouteFile(self.settings.routes_file).routes()

    @property
    def id(self) -> str | None:
        """The resource id of the deployed app, if one was named."""
        return self._deployed.id if self._deployed else None

    @property
    def app(self) -> Deployed:
        """The deployed app; raises NeedsApp."""
        if self._deployed is None:
            raise NeedsApp
        return self._deployed

    @cached_property
    def site(self) -> dict[str, Any]:
        """The app as Resource Manager shows it; raises NeedsApp, ArmError."""
        return self.app.arm.get(self.app.id, WEB_VERSION, "Microsoft.Web/sites/read")

    @cached_property
    def workspaces(self) -> list[Workspace]:
        """Those named, those of the settings, and those that sent events if the ledger can tell."""
        sweep = self.settings.sweep
        since = self.clock.now() - sweep.kept_for
        named = (*sweep.workspaces, *self._workspaces)
        try:
            return typed_keys.workspaces(self.ports.ledger, since, named)
        except (ConfigurationError, LedgerUnavailable):  # of which another check tells
            return list({workspace.key: workspace for workspace in named}.values())

    @cached_property
    def topics(self) -> list[Topic]:
        """Those of workspaces, in the subscriptions of the app and of the known workspaces.

        Raises NeedsApp, ArmError.
        """
        subscriptions = {self.app.id.split("/")[2].lower()}
        subscriptions |= {workspace.subscription.lower() for workspace in self.workspaces}
        return list(topics.read(self.app.arm, sorted(subscriptions)))

    @property
    def heard_of(self) -> list[Workspace]:
        """The workspaces, and those whose events lead to the app if that can be seen."""
        found = {workspace.key: workspace for workspace in self.workspaces}
        with suppress(NeedsApp, ArmError):
            leading = [t.workspace for t in self.topics if t.leads_to(self.app.id)]
            found = {workspace.key: workspace for workspace in leading} | found
        return list(found.values())

    def deadline(self, seconds: float = CALL_SECONDS) -> Deadline:
        """Time for one call."""
        return Deadline(self.clock, seconds)
