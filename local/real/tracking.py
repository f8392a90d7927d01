"""What `mlflow server` does, in one process: its stores first, then its app under uvicorn.

    python -m local.real.tracking --port 5000 --directory DIR [--schema FILE]

`mlflow server` imports MLflow to make the stores, and starts a second process that imports it all
again. The tables of a new store come from 60 migrations; with `--schema` they are kept in that
file and copied from there the next time, if it is of the MLflow that is installed. Everything is
served to this machine only.

https://mlflow.org/docs/latest/self-hosting/architecture/tracking-server/
"""

from __future__ import annotations

import argparse
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import uvicorn  # before MLflow, which looks for it to know that it serves
from mlflow import server
from mlflow.server import constants, handlers
from mlflow.version import VERSION

from local.serving.names import LOOPBACK

APP = "mlflow.server.fastapi_app:app"
LOGGING = Path(server.__file__).with_name("uvicorn_log_config.yaml")
ARTIFACTS = "mlflow-artifacts:/"


def main() -> None:
    """Serve until a signal comes; ends with a traceback if the store cannot be used."""
    options = _options().parse_args()
    store = options.directory / "ml.db"
    schema = options.schema
    _make(store, schema and schema.with_name(f"{schema.name}-{VERSION}.db"))
    destination = str(options.directory / "art")
    os.environ |= {
        constants.BACKEND_STORE_URI_ENV_VAR: _uri(store),
        constants.REGISTRY_STORE_URI_ENV_VAR: _uri(store),
        constants.ARTIFACT_ROOT_ENV_VAR: ARTIFACTS,
        constants.ARTIFACTS_DESTINATION_ENV_VAR: destination,
        constants.SERVE_ARTIFACTS_ENV_VAR: "true",
    }
    uvicorn.run(APP, host=LOOPBACK, port=options.port, log_config=str(LOGGING))


def _make(store: Path, schema: Path | None) -> None:
    """Let the store have its tables; MLflow itself makes and judges them."""
    new = not store.exists()
    if schema and new and schema.exists():
        _copy(schema, store)
    handlers.initialize_backend_stores(_uri(store), _uri(store), ARTIFACTS)
    if schema and new and not schema.exists():
        with suppress(OSError, sqlite3.Error):  # the next one makes its own then
            _keep(store, schema)


def _keep(store: Path, schema: Path) -> None:
    schema.parent.mkdir(parents=True, exist_ok=True)
    mine = schema.with_name(f"{schema.name}.{os.getpid()}")
    _copy(store, mine)
    mine.replace(schema)


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def _uri(store: Path) -> str:
    return f"sqlite:///{store}"


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.real.tracking")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--directory", type=Path, required=True, help="for store and artifacts")
    parser.add_argument("--schema", type=Path, help="where empty tables are kept")
    return parser


if __name__ == "__main__":
    main()
