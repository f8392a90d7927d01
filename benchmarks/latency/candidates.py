"""Who is measured: the app, the calls that nobody can avoid, and what people write otherwise.

Their methods do for a run what is not measured, and give what is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import requests

from benchmarks.growth import ledgers
from benchmarks.growth.stores import Sqlite, Store, Tables, pooled
from benchmarks.latency.relay import Act, Candidate, Relay
from benchmarks.names import JOB, PAT, RESOURCE, ROOT
from functions.adapters.http.authorizing import basic
from functions.adapters.http.session import SteadySession
from functions.core.ledger import places, records
from local.serving.names import ORGANIZATION, PROJECT, SECRET, WORKSPACE

if TYPE_CHECKING:
    from collections.abc import Callable

START = f"/{ORGANIZATION}/{PROJECT}/_apis/pipelines/42/runs?api-version=7.1"
JSON = {"Content-Type": "application/json"}


class Floor:
    """Claim, open row, two reads, ask, POST, settle: nothing but the calls, over kept connections.

    What is written and the tokens are ready before; what comes back is not looked at.
    """

    def __init__(self, session: Callable[[], requests.Session] = pooled) -> None:
        self._store: Store = Sqlite() if os.environ.get("LEDGER_URL") else Tables(session())
        self._mlflow, self._devops = session(), session()
        self._mlflow.headers["Authorization"] = f"Bearer {_identity_token(RESOURCE)}"
        self._devops.headers["Authorization"] = basic(PAT)

    def prepared(self, run: str) -> Act:
        """The calls."""
        claimed, asked, started = ledgers.stages(run, datetime.now(UTC))
        place, open_place = places.continuation(claimed.key), places.scheduled(claimed.key)
        rows = [records.continuation_row(c) for c in (claimed, asked, started)]
        scheduled = records.schedule_row(claimed)
        body = asked.request.body if asked.request else ""

        def calls() -> None:
            version = self._store.insert(place, rows[0])
            self._store.put(open_place, scheduled)
            _read(self._mlflow, "runs/get", run_id=run)
            search = f"run_id='{run}'"
            _read(self._mlflow, "model-versions/search", filter=search, max_results="200")
            version = self._store.replace(place, rows[1], version)
            _post(self._devops, body)
            self._store.replace(place, rows[2], version)

        return calls

    def duplicate(self, run: str) -> Act:
        """The calls that a known event cannot do without: a refused insert and a read."""
        claimed = ledgers.claimed(run, datetime.now(UTC))
        place, row = places.continuation(claimed.key), records.continuation_row(claimed)

        def calls() -> None:
            self._store.insert(place, row)
            self._store.get(place)

        return calls


class Chain(Floor):
    """The longest chain of calls of which each needs the one before: nobody can start sooner.

    Claim, read, ask, POST, settle. Of a plain run one read suffices, since no other needs what it
    tells; of a pipeline job it is its children and then the model of one.
    """

    def prepared(self, run: str) -> Act:
        """The calls."""
        claimed, asked, started = ledgers.stages(run, datetime.now(UTC))
        place = places.continuation(claimed.key)
        rows = [records.continuation_row(c) for c in (claimed, asked, started)]
        body = asked.request.body if asked.request else ""

        def calls() -> None:
            version = self._store.insert(place, rows[0])
            if run.startswith(JOB):
                _search(self._mlflow, f"tags.mlflow.parentRunId = '{run}'")
                search = f"run_id='step-of-{run}'"
                _read(self._mlflow, "model-versions/search", filter=search, max_results="200")
            else:
                _read(self._mlflow, "runs/get", run_id=run)
            version = self._store.replace(place, rows[1], version)
            _post(self._devops, body)
            self._store.replace(place, rows[2], version)

        return calls


class Handler:
    """The usual sample: a new credential, client and connection for each event, and no ledger.

    It asks Resource Manager where the workspace's MLflow is, as the page of Azure Machine Learning
    shows it, unless it is `told`.
    https://learn.microsoft.com/azure/machine-learning/how-to-use-mlflow-configure-tracking
    """

    def __init__(self, told: str = "") -> None:
        self._told = told

    def prepared(self, run: str) -> Act:
        """The handler's body."""
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - not for the others
        from azure.keyvault.secrets import SecretClient  # noqa: PLC0415

        def handle() -> None:
            credential = DefaultAzureCredential()
            with requests.Session() as session:
                token = credential.get_token(f"{RESOURCE}/.default").token
                session.headers["Authorization"] = f"Bearer {token}"
                uri = self._told or _tracking_uri(session)
                found = _read(session, "runs/get", uri, run_id=run)
                search = f"run_id='{run}'"
                versions = _read(session, "model-versions/search", uri, filter=search)
            vault = SecretClient(os.environ["KEY_VAULT_URL"], credential)
            pat = vault.get_secret(SECRET).value or ""
            version = versions["model_versions"][0]
            metrics = {m["key"]: m["value"] for m in found["run"]["data"]["metrics"]}
            parameters = {
                "run_id": run,
                "model_name": version["name"],
                "model_version": version["version"],
                "accuracy": str(metrics["accuracy"]),
            }
            with requests.Session() as session:
                session.headers["Authorization"] = basic(pat)
                _post(session, json.dumps({"templateParameters": parameters}))

        return handle


class Script:
    """A Python process for each run."""

    def prepared(self, run: str) -> Act:
        """The process, from its start to its end."""
        command = [sys.executable, "-m", "benchmarks.cold.script", "--run", run]
        return lambda: subprocess.run(command, cwd=ROOT, check=True)


CANDIDATES: dict[str, Callable[[], Candidate]] = {
    "relay": Relay,
    "floor": Floor,
    "steady": lambda: Floor(SteadySession),
    "chain": lambda: Chain(SteadySession),
    "handler": Handler,
    "told": lambda: Handler(os.environ["MLFLOW_URL"]),
    "script": Script,
}


def _tracking_uri(session: requests.Session) -> str:
    where = os.environ["RESOURCE_MANAGER_URL"] + WORKSPACE
    answer = session.get(where, params={"api-version": "2024-10-01"}, timeout=30)
    return str(answer.json()["properties"]["mlFlowTrackingUri"])


def _read(session: requests.Session, call: str, base: str = "", **params: str) -> Any:  # noqa: ANN401 - JSON
    url = (base or os.environ["MLFLOW_URL"]).replace("azureml://", "https://")
    answer = session.get(f"{url}/api/2.0/mlflow/{call}", params=params, timeout=30)
    answer.raise_for_status()
    return answer.json() if base else {}


def _search(session: requests.Session, what: str) -> None:
    url = os.environ["MLFLOW_URL"] + "/api/2.0/mlflow/runs/search"
    body = {"experiment_ids": ["0001"], "filter": what, "max_results": 200}
    session.post(url, json=body, timeout=30).raise_for_status()


def _post(session: requests.Session, body: str) -> None:
    url = os.environ["DEVOPS_URL"] + START
    session.post(url, body, headers=JSON, timeout=30).raise_for_status()


def _identity_token(resource: str) -> str:
    headers = {"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"]}
    params = {"api-version": "2019-08-01", "resource": resource}
    where = os.environ["IDENTITY_ENDPOINT"]
    return str(requests.get(where, params, headers=headers, timeout=30).json()["access_token"])
