"""The services that everything here is measured against: the local Azure in a process of its own.

    python -m benchmarks.cloud DIRECTORY

It answers one line of JSON for each line that it is sent: `settings`, `counts` (requests so far,
by service), `arrivals` (when the request to start a pipeline arrived, by run), `lag NAME` and
`forget`. It ends with its input.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import traceback
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import requests

from benchmarks.names import HERE, PAT, ROOT
from benchmarks.trained import Trained
from local.aml.front import AML
from local.arm.front import ARM
from local.cloud import TEXT
from local.devops import DevOps
from local.identity import Identity
from local.real import azurite
from local.serving.certificates import Authority
from local.serving.names import ORGANIZATION, PROJECT, SECRET, WORKSPACE
from local.vault.front import Vault

if TYPE_CHECKING:
    from local.serving.running import Running
    from local.serving.web import Server

LAGS: dict[str, dict[str, int]] = {  # milliseconds that an answer takes on top of its work
    "none": {},
    "cloud": {"vault": 15, "arm": 60, "aml": 40, "table": 5, "devops": 150},
}
GREETING = {"none": 0, "cloud": 20}  # and the first one on a connection besides: TCP and TLS


class Benched:
    """Identity, Key Vault, ARM, AML, Azure DevOps and Azurite's `table`, all on loopback."""

    def __init__(self, directory: Path, table: int) -> None:
        authority = Authority(directory)
        tls = authority.server_context()
        self.identity = Identity()
        self.vault = Vault(self.identity.accepts, tls)
        self.arm = ARM(self.identity.accepts)
        self.aml = AML(WORKSPACE, Trained(), self.identity.accepts, tls, by_run=True)
        self.devops = DevOps(pats=[PAT])
        self.vault.put(SECRET, PAT)
        self.arm.add_workspace(WORKSPACE, self.aml.tracking_uri)
        names = ("run_id", "model_name", "model_version", "accuracy")
        self.devops.add_pipeline(
            ORGANIZATION, PROJECT, 42, "register-model", parameters=dict.fromkeys(names, TEXT)
        )
        self._bundle = str(authority.bundle)
        self._table = table
        self._running = ExitStack()

    def __enter__(self) -> Self:
        for service in self._services().values():
            self._running.enter_context(service)
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def settings(self) -> dict[str, str]:
        """What points the app, or anything else, at these services."""
        return {
            **self.identity.environment(),
            "KEY_VAULT_URL": self.vault.url,
            "RESOURCE_MANAGER_URL": self.arm.url,
            "DEVOPS_URL": self.devops.url,
            "REQUESTS_CA_BUNDLE": self._bundle,
            "AzureWebJobsStorage": azurite.connection_string(self._table),
            "MLFLOW_URL": self.aml.url,
        }

    def counts(self) -> dict[str, int]:
        """How many requests each service has had."""
        counts = {name: len(server.requests) for name, server in self._servers().items()}
        return counts | {"table": sum(self._lagged().values())}

    def arrivals(self) -> dict[str, list[float]]:
        """When each request to start a pipeline arrived, in epoch seconds, by the run it names."""
        found: dict[str, list[float]] = {}
        for asked in self.devops.server.received("POST", "/runs"):
            run = json.loads(asked.body)["templateParameters"]["run_id"]
            found.setdefault(run, []).append(asked.at)
        return found

    def lag(self, name: str) -> dict[str, int]:
        """Take as long as the services of that name do."""
        lags = LAGS[name]
        for service, server in self._servers().items():
            server.lag, server.greeting = lags.get(service, 0) / 1000, GREETING[name] / 1000
        self._lagged(ms=str(lags.get("table", 0)), greeting=str(GREETING[name]))
        return lags

    def forget(self) -> dict[str, int]:
        """Count from zero again, as far as it is counted here."""
        for server in self._servers().values():
            server.requests.clear()
        return self.counts()

    def _lagged(self, **params: str) -> dict[str, int]:
        found = requests.get(f"http://127.0.0.1:{self._table}/_lag", params, timeout=30)
        counts: dict[str, int] = found.json()
        return counts

    def _services(self) -> dict[str, Running | DevOps]:
        return {
            "identity": self.identity,
            "vault": self.vault,
            "arm": self.arm,
            "aml": self.aml,
            "devops": self.devops,
        }

    def _servers(self) -> dict[str, Server]:
        return {name: service.server for name, service in self._services().items()}


class Services:
    """The services in their process, running while entered. Raises NotInstalledError."""

    def __init__(self) -> None:
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with self._running:
            folder = self._running.enter_context(tempfile.TemporaryDirectory())
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.cloud", folder],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
            )
            self._running.callback(self._process.communicate)  # its input ends, and so does it
            self.settings: dict[str, str] = self.ask("settings")
            self._running = self._running.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def ask(self, *words: str) -> Any:  # noqa: ANN401 - JSON is anything
        """What the process answers to the words."""
        assert self._process.stdin  # noqa: S101 - pipes, as asked for above
        assert self._process.stdout  # noqa: S101
        self._process.stdin.write(" ".join(words) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the services ended by themselves: what they said is above")
        found = json.loads(line)
        if "missing" in found:
            raise azurite.NotInstalledError(found["missing"])
        return found


def main() -> int:
    """Serve until the input ends."""
    try:
        directory, before = Path(sys.argv[1]), ("--require", str(HERE / "lag.js"))
        with (
            azurite.running(directory, before=before) as table,
            Benched(directory, table) as cloud,
        ):
            for line in sys.stdin:
                name, *words = line.split()
                found = getattr(cloud, name)(*words)
                sys.stdout.write(json.dumps(found) + "\n")
                sys.stdout.flush()
    except azurite.NotInstalledError as absent:
        sys.stdout.write(json.dumps({"missing": str(absent)}) + "\n")
    except Exception:  # noqa: BLE001 - a server that was made and not started would keep it alive
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
