"""The whole local Azure in one process: identity, Key Vault, ARM, AML and Azure DevOps.

`python -m local.cloud` keeps it running and prints the settings that point the function app at it.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from local.aml_memory import MemoryAML
from local.arm import ARM
from local.certificates import Authority
from local.devops import DevOps, Parameter
from local.identity import Identity
from local.names import ORGANIZATION, PROJECT, SECRET, SUBSCRIPTION, WORKSPACE
from local.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["ORGANIZATION", "PROJECT", "SECRET", "SUBSCRIPTION", "WORKSPACE", "Cloud"]

DEVOPS_RESOURCE = "499b84ac-1321-427f-aa17-267ca6975798"
TEXT = Parameter(default="")


class Cloud:
    """Every service that Run Relay calls, set up as a team would have it.

    `tracking_uri` is a plain MLflow server's address; without it AML's own MLflow is served from
    memory. `pat` is the personal access token that lies in the vault and that Azure DevOps takes.
    `ports` gives fixed ports to `identity`, `vault`, `arm`, `aml` and `devops`; others are free
    ones.
    """

    def __init__(
        self,
        directory: Path,
        pat: str,
        tracking_uri: str | None = None,
        ports: Mapping[str, int] | None = None,
    ) -> None:
        at = {**dict.fromkeys(("identity", "vault", "arm", "aml", "devops"), 0), **(ports or {})}
        authority = Authority(directory)
        self.tls = tls = authority.server_context()
        self.bundle = str(authority.bundle)
        self.pat = pat
        self.identity = Identity(port=at["identity"])
        self.vault = Vault(self.identity.accepts, tls, at["vault"])
        self.arm = ARM(self.identity.accepts, at["arm"])
        self.aml = MemoryAML(WORKSPACE, self.identity.accepts, tls, at["aml"])
        self.devops = DevOps(
            at["devops"],
            pats=[pat],
            tokens=lambda token: self.identity.accepts(token, DEVOPS_RESOURCE),
        )
        self.arm.add_workspace(WORKSPACE, tracking_uri or self.aml.tracking_uri)
        self.vault.put(SECRET, pat)
        self._add_pipelines()
        self._running = ExitStack()

    def settings(self) -> Mapping[str, str]:
        """The environment of a function app that lives in this cloud, but for its ledger."""
        return {
            **self.identity.environment(),
            "KEY_VAULT_URL": self.vault.url,
            "RESOURCE_MANAGER_URL": self.arm.url,
            "DEVOPS_URL": self.devops.url,
            "REQUESTS_CA_BUNDLE": self.bundle,
        }

    def __enter__(self) -> Self:
        for service in (self.identity, self.vault, self.arm, self.aml, self.devops):
            self._running.enter_context(service)
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def _add_pipelines(self) -> None:
        """Pipelines 42 and 43 with the parameters that the example routes give them."""
        names = (
            "run_id",
            "status",
            "experiment",
            "model_name",
            "model_version",
            "accuracy",
            "relay_id",
        )
        for number, name in ((42, "register-model"), (43, "report-failure")):
            self.devops.add_pipeline(
                ORGANIZATION, PROJECT, number, name, parameters=dict.fromkeys(names, TEXT)
            )
