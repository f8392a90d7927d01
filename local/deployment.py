"""Run Relay deployed in a local Azure: every service, a real MLflow server, the Functions host.

The host and MLflow are processes of their own, everything else lives in this one.
"""

from __future__ import annotations

import secrets
import socket
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from local.children import Child
from local.cloud import WORKSPACE, Cloud, of_the_app
from local.eventgrid.envelopes import CLOUD
from local.eventgrid.subscriptions import HandshakeError
from local.eventgrid.topic import Topic
from local.real.mlflow import SWITCHES, MLflow
from local.serving.names import LOOPBACK
from local.trainings import COMPLETED, STATUS_CHANGED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local.children import Children
    from local.screen import Screen

ROOT = Path(__file__).resolve().parent.parent
ENDS = ["Completed", "Failed", "Canceled", "NotResponding"]
HOST_PATIENCE = 60.0
FUNCTION_KEY = "LOCAL_FUNCTION_KEY"  # what the host asks for before HTTP functions
_LISTENS = "Host listening on "
_DIRECT = dict.fromkeys(("NO_PROXY", "no_proxy"), f"{LOOPBACK},localhost")


class Broken(Exception):
    """Something did not start; the message is for whoever typed the command."""


@dataclass(frozen=True)
class Ports:
    """The ports of everything; 0 takes a free one."""

    host: int = 0
    devops: int = 0
    topic: int = 0
    mlflow: int = 0
    identity: int = 0
    vault: int = 0
    arm: int = 0
    github: int = 0

    @classmethod
    def from_base(cls, base: int) -> Self:
        """Consecutive ports, the host's first. Raises Broken if one of them is taken."""
        ports = cls(*range(base, base + len(cls.__dataclass_fields__)))
        for name, port in asdict(ports).items():
            if _taken(port):
                why = f"port {port} (for {name}) is taken"
                raise Broken(f"{why}: end what listens there, or: make up PORT_BASE=N")
        return ports


class Deployment:
    """All of it, running while entered. `directory` gets the ledger, the logs and the keys.

    `environment` is what the host's process gets besides the settings that lead it here; `mlflow`
    is a server that runs already, else one is started. Raises Broken or RuntimeError with the end
    of the log of whatever did not start.
    """

    def __init__(
        self,
        directory: Path,
        children: Children,
        screen: Screen,
        environment: Mapping[str, str],
        ports: Ports = Ports(),
        mlflow: MLflow | None = None,
    ) -> None:
        self.directory, self._children, self._screen = directory, children, screen
        self._environment, self._ports = dict(environment) | _DIRECT, ports
        directory.mkdir(parents=True, exist_ok=True)
        self.ledger = directory / "ledger.db"
        self.key = secrets.token_urlsafe(24)
        self.function_key = self._environment.get(FUNCTION_KEY) or secrets.token_urlsafe(24)
        self._starts_mlflow = mlflow is None
        self.mlflow = mlflow or MLflow(directory, ports.mlflow)
        self.cloud = Cloud(directory, secrets.token_hex(26), self.mlflow.url, _known(ports))
        self.cloud.github  # noqa: B018 - which is made when it is asked for: its address is a setting
        self.topic = Topic(
            ports.topic,
            key=self.key,
            resource=WORKSPACE,
            dead_letters=directory / "dead-letters",
            time_scale=0.05,
            response_limit=30,
        )
        self.host = self._child("host", "-m", "local.host", "--port", str(ports.host))
        self.host_url, self._running = "", ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._running.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def settings(self) -> dict[str, str]:
        """The app's settings: those that lead it here, and what it was given beside them."""
        given = {"ROUTES_FILE": str(ROOT / "routes.yaml"), **of_the_app(self._environment)}
        return {**given, **self.cloud.settings(), "LEDGER_URL": f"sqlite:///{self.ledger}"}

    def training(self, name: str, *options: str) -> Child:
        """The example training as a process, started; its stdout is the file NAME.run."""
        return self.program(name, str(ROOT / "examples" / "training" / "train.py"), *options)

    def program(self, name: str, *command: str) -> Child:
        """A Python program as a process, started; its stdout is the file NAME.run."""
        output = self.directory / f"{name}.run"
        return self._children.start(self._child(name, *command, output=output))

    def step(self, name: str, command: str, folder: Path, variables: Mapping[str, str]) -> Child:
        """A job's command as a node runs it, started: in its folder, with variables of its own."""
        environment = {**self._environment, **self.cloud.settings(), **variables}
        log = self.directory / f"{name}.log"
        shell = ["/bin/bash", "-c", command]
        return self._children.start(Child(shell, log, directory=folder, environment=environment))

    def webhook(self, function: str) -> str:
        """Where the host takes deliveries for a function."""
        return f"{self.host_url}/runtime/webhooks/EventGrid?functionName={function}"

    def _child(self, name: str, *command: str, output: Path | None = None) -> Child:
        own = {
            "MLFLOW_TRACKING_URI": self.mlflow.url,
            "PYTHONUNBUFFERED": "1",
            FUNCTION_KEY: self.function_key,
        }
        return Child(
            [sys.executable, *command],
            self.directory / f"{name}.log",
            directory=ROOT,
            environment={**self._environment, **SWITCHES, **own, **self.settings()},
            output=output,
        )

    def _start(self) -> None:
        if self._starts_mlflow:
            self._children.start(self.mlflow.process)
        self._children.start(self.host)
        services = "identity, Key Vault, Resource Manager, Azure DevOps, GitHub, Event Grid"
        self._screen.say(f"Starting a local Azure: {services}")
        self._running.enter_context(self.cloud)
        self._running.enter_context(self.topic)
        with self._screen.step("Starting the Functions host with the app") as results:
            self.host_url = self._await_host()
            self._subscribe()
            results.append(self.host_url)
        starting = "Starting a real MLflow server, about 5 s"
        what = starting if self._starts_mlflow else "Looking for the MLflow server that runs"
        with self._screen.step(what) as results:
            self.mlflow.await_health()
            results.append(self.mlflow.url)

    def _await_host(self) -> str:
        end = time.monotonic() + HOST_PATIENCE
        while time.monotonic() < end:
            for line in self.host.tail(1000):
                if line.startswith(_LISTENS):
                    return line.removeprefix(_LISTENS).strip()
            if (code := self.host.ended(0.05)) is not None:
                raise Broken(_with_log(f"the Functions host exited with {code}", self.host))
        raise Broken(_with_log("the Functions host does not listen", self.host))

    def _subscribe(self) -> None:
        """Two subscriptions, as deployed: a filter on the status drops events that have none."""
        subscribe, ends = self.topic.subscribe, {"key": "data.runStatus", "values": ENDS}
        completed: dict[str, Any] = {"event_types": [COMPLETED]}
        changed: dict[str, Any] = {
            "event_types": [STATUS_CHANGED],
            "filters": [{"operatorType": "StringIn", **ends}],
            "schema": CLOUD,
        }
        try:
            subscribe("run-completed", self.webhook("on_run_completed"), **completed)
            subscribe("run-status-changed", self.webhook("on_run_status_changed"), **changed)
        except HandshakeError as error:
            raise Broken(_with_log(f"no subscription: {error}", self.host)) from None


def _known(ports: Ports) -> dict[str, int]:
    """The ports of those services that make up the cloud."""
    return {name: getattr(ports, name) for name in ("identity", "vault", "arm", "devops", "github")}


def _with_log(what: str, child: Child) -> str:
    return "\n".join([f"{what}; the end of {child.log}:", *_indented(child.tail())])


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False
