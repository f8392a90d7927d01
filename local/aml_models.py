"""The registered models of a workspace, as AML's MLflow tells of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.aml_dialect import model_version_filter
from local.aml_filter import RefusedError
from local.aml_search import page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Found = dict[str, Any]


class Registry:
    """Versions of models in memory, the newest first."""

    def __init__(self) -> None:
        self._versions: list[Found] = []

    @property
    def calls(self) -> Mapping[str, Callable[[Found], Found]]:
        """What it answers."""
        return {
            "model-versions/get": self._get,
            "model-versions/search": self._search,
            "registered-models/search": self._models,
        }

    def add(self, name: str, version: int | str, run_id: str | None, source: str, at: int) -> None:
        """Have a version, made by a run or by none; `at` in epoch milliseconds."""
        made = {
            "name": name,
            "version": str(version),
            "creation_timestamp": at,
            "last_updated_timestamp": at,
            "current_stage": "None",
            "description": "",
            "source": source or (f"runs:/{run_id}/model" if run_id else ""),
            "run_id": run_id or "",
            "status": "READY",
            "run_link": "",
        }
        self._versions.insert(0, made)

    def _get(self, arguments: Found) -> Found:
        name, version = arguments.get("name"), str(arguments.get("version"))
        for found in self._versions:
            if (found["name"], found["version"]) == (name, version):
                return {"model_version": found}
        raise missing(f"Model Version (name={name}, version={version}) not found")

    def _search(self, arguments: Found) -> Found:
        clauses = model_version_filter(arguments.get("filter") or "", by_run=True)
        sought = [v for v in self._versions if all(v[c.key] == c.values[0] for c in clauses)]
        return page("model_versions", sought, arguments, 10_000)

    def _models(self, arguments: Found) -> Found:
        """Every registered model with its latest version."""
        latest: dict[str, Found] = {}
        for version in self._versions:
            latest.setdefault(version["name"], version)
        models = [{"name": name, "latest_versions": [v]} for name, v in latest.items()]
        return page("registered_models", models, arguments, 1000)


def missing(message: str) -> RefusedError:
    """What is not there, as MLflow says it."""
    return RefusedError(message, "RESOURCE_DOES_NOT_EXIST", 404)
