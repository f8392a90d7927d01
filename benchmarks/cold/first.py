"""A fresh process: what it takes until its first event has started a pipeline.

    python -m benchmarks.cold.first relay|floor|IMPORT

Prints JSON: milliseconds, modules and megabytes. With a module's name it only imports that.
"""

from __future__ import annotations

import json
import sys
import time

BEGAN = time.perf_counter()


def relay() -> None:
    """The app, as the worker indexes it and then calls it."""
    from benchmarks.latency.relay import Relay  # noqa: PLC0415 - it imports what is measured

    Relay().prepared(f"first-{BEGAN}")()


def floor() -> None:
    """The SDKs that it cannot do without, imported, and the calls of a first event made once."""
    import os  # noqa: PLC0415
    import uuid  # noqa: PLC0415

    import azure.functions  # noqa: F401, PLC0415 - the worker has it in any case
    import requests  # noqa: PLC0415
    from azure.data.tables import TableClient, UpdateMode  # noqa: PLC0415
    from azure.identity import ManagedIdentityCredential  # noqa: PLC0415
    from azure.keyvault.secrets import SecretClient  # noqa: PLC0415

    run, row = f"first-{BEGAN}", {"PartitionKey": "p", "RowKey": uuid.uuid4().hex, "v": "v" * 2000}
    credential, devops = ManagedIdentityCredential(), os.environ["DEVOPS_URL"]
    where = {name: os.environ[name] for name in ("AzureWebJobsStorage", "LEDGER_TABLE")}
    table = TableClient.from_connection_string(*where.values(), retry_total=0)
    table.create_entity(row)
    table.upsert_entity({**row, "PartitionKey": "open"}, mode=UpdateMode.REPLACE)
    with requests.Session() as session:
        token = credential.get_token("https://management.azure.com/.default").token
        session.headers["Authorization"] = f"Bearer {token}"
        workspace = os.environ["RESOURCE_MANAGER_URL"] + os.environ["WORKSPACE"]
        session.get(workspace, params={"api-version": "2024-10-01"}, timeout=30).raise_for_status()
        mlflow = os.environ["MLFLOW_URL"] + "/api/2.0/mlflow"
        session.get(f"{mlflow}/runs/get", params={"run_id": run}, timeout=30).raise_for_status()
        search = {"filter": f"run_id='{run}'"}
        session.get(f"{mlflow}/model-versions/search", params=search, timeout=30).raise_for_status()
    pat = SecretClient(os.environ["KEY_VAULT_URL"], credential).get_secret("azure-devops-pat").value
    table.update_entity(row, mode=UpdateMode.REPLACE)
    url = f"{devops}/contoso/mlops/_apis/pipelines/42/runs?api-version=7.1"
    body = {"templateParameters": {"run_id": run}}
    requests.post(url, json=body, auth=("", str(pat)), timeout=30).raise_for_status()
    table.update_entity(row, mode=UpdateMode.REPLACE)


def main() -> None:
    """Do it, and tell."""
    what = sys.argv[1]
    if what in {"relay", "floor"}:
        globals()[what]()
    else:
        __import__(what)
    took, modules = time.perf_counter() - BEGAN, len(sys.modules)
    from benchmarks.memory import resident  # noqa: PLC0415 - not to be counted

    found = {"ms": took * 1000, "modules": modules, "mb": resident()}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
