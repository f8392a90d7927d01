"""The whole local Azure in one process: identity, Key Vault, ARM, AML, Azure DevOps and GitHub.

`python -m local.cloud` keeps it running and prints the settings that point the function app at it.
"""

from __future__ import annotations

import re
import secrets
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from local.aml.memory import MemoryAML
from local.arm.front import ARM
from local.devops import DevOps, Parameter
from local.github import GitHub
from local.github.example import add_example
from local.github.state import now
from local.identity import Identity
from local.serving.certificates import Authority
from local.serving.listener import Listener
from local.serving.names import (
    GITHUB_SECRET,
    ORGANIZATION,
    PROJECT,
    SECRET,
    SUBSCRIPTION,
    WORKSPACE,
)
from local.vault.front import Vault

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "GITHUB_SECRET",
    "ORGANIZATION",
    "PROJECT",
    "SECRET",
    "SUBSCRIPTION",
    "WORKSPACE",
    "Cloud",
]

DEVOPS_RESOURCE = "499b84ac-1321-427f-aa17-267ca6975798"
SECURE = ("vault", "aml")
TEXT = Parameter(default="")


def of_the_app(environment: Mapping[str, str]) -> dict[str, str]:
    """Those of the variables that are settings of the app, as README.md lists them."""
    listed = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    names = re.findall(r"^\| `(\w+)` \|", listed, re.MULTILINE)
    return {name: environment[name] for name in names if name in environment}


class Ground:
    """What a cloud stands on, and after it others, one at a time: ports and a certificate.

    `ports` gives fixed ports to `identity`, `vault`, `arm`, `aml`, `devops` and `github`; others
    are free ones. The directory keeps the authority that vouches for them.
    """

    def __init__(self, directory: Path, ports: Mapping[str, int] | None = None) -> None:
        authority, at = Authority(directory), ports or {}
        self.bundle, self.tls = str(authority.bundle), authority.server_context()
        self.listeners = {
            name: Listener(at.get(name, 0), self.tls if name in SECURE else None)
            for name in ("identity", "vault", "arm", "aml", "devops")
        }
        self._github_port = at.get("github", 0)
        self._later: dict[str, Listener] = {}

    def move_vault(self) -> None:
        """Give the vault another port, before the next cloud.

        Its client remembers for the rest of the process how an address once asked for a token.
        https://github.com/Azure/azure-sdk-for-python/blob/main/sdk/keyvault/azure-keyvault-secrets/azure/keyvault/secrets/_shared/http_challenge_cache.py
        """
        self.listeners["vault"].stop()
        self.listeners["vault"] = Listener(tls=self.tls).start()

    def github(self) -> Listener:
        """GitHub's port, which is taken when it is first asked for: few clouds need it."""
        if "github" not in self._later:
            self._later["github"] = Listener(self._github_port).start()
        return self._later["github"]

    @property
    def stands(self) -> bool:
        """Whether every port is still there: a service that is told to stop gives its own back."""
        return not any(listener.ended for listener in self._taken())

    def __enter__(self) -> Self:
        for listener in self.listeners.values():
            listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        for listener in self._taken():
            listener.stop()
        self._later.clear()

    def _taken(self) -> list[Listener]:
        return [*self.listeners.values(), *self._later.values()]


class Cloud:
    """Every service that Run Relay calls, set up as a team would have it.

    `tracking_uri` is a plain MLflow server's address; without it AML's own MLflow is served from
    memory. `pat` is the personal access token that lies in the vault and that Azure DevOps takes.
    `ground` is a directory for the certificates, or a Ground that is lent: it runs already and
    goes on when this cloud has gone. `ports` are those of a Ground of its own.
    """

    def __init__(
        self,
        ground: Path | Ground,
        pat: str,
        tracking_uri: str | None = None,
        ports: Mapping[str, int] | None = None,
    ) -> None:
        on = ground if isinstance(ground, Ground) else Ground(ground, ports)
        self._on, self._own = on, None if on is ground else on
        at = on.listeners
        self.tls, self.bundle, self.pat = on.tls, on.bundle, pat
        self.github_token = f"github_pat_{secrets.token_hex(20)}"
        self.github_clock = now  # by which GitHub goes
        self.identity = Identity(port=at["identity"])
        self.vault = Vault(self.identity.accepts, self.tls, at["vault"])
        self.arm = ARM(self.identity.accepts, at["arm"])
        self.aml = MemoryAML(WORKSPACE, self.identity.accepts, self.tls, at["aml"])
        self.devops = DevOps(
            at["devops"],
            pats=[pat],
            tokens=lambda token: self.identity.accepts(token, DEVOPS_RESOURCE),
        )
        self.arm.add_workspace(WORKSPACE, tracking_uri or self.aml.tracking_uri)
        self.vault.put(SECRET, pat)
        self._add_pipelines()
        self._running = ExitStack()

    @cached_property
    def github(self) -> GitHub:
        """GitHub, which answers from when it is first asked for until this cloud is left.

        It has the repository mlops of contoso, an owner of the organization's name, and takes the
        token `github_token`, which then lies in the vault.
        """
        at, token = self._on.github(), self.github_token
        service = GitHub(at, tokens=[token], clock=lambda: self.github_clock())  # noqa: PLW0108 - it may change
        add_example(service, ORGANIZATION, PROJECT)
        self.vault.put(GITHUB_SECRET, self.github_token)
        return self._running.enter_context(service)

    def settings(self) -> Mapping[str, str]:
        """The environment of a function app that lives in this cloud, but for its ledger."""
        return {
            **self.identity.environment(),
            "KEY_VAULT_URL": self.vault.url,
            "RESOURCE_MANAGER_URL": self.arm.url,
            "DEVOPS_URL": self.devops.url,
            "REQUESTS_CA_BUNDLE": self.bundle,
            **({"GITHUB_URL": self.github.url} if "github" in self.__dict__ else {}),
        }

    def __enter__(self) -> Self:
        if self._own:
            self._running.enter_context(self._own)
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
