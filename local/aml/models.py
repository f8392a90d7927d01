"""The registered models of a workspace, as AML's MLflow tells of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.aml.dialect import model_version_filter
from local.aml.filter import RefusedError
from local.aml.search import page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Found = dict[str, Any]


class Registry:
    """Versions of models in memory, the newest first."""

    def __init__(self) -> None:
        self._versions: list[Found] = []
        self._aliases: dict[tuple[str, str], str] = {}

    @property
    def calls(self) -> Mapping[str, Callable[[Found], Found]]:
        """What it answers."""
        return {
            "model-versions/get": self._get,
            "model-versions/search": self._search,
            "registered-models/alias": self._by_alias,
            "registered-models/search": self._models,
        }

    def add(
        self,
        name: str,
        version: int | str,
        run_id: str | None,
        source: str,
        at: int,
        tags: Mapping[str, str],
    ) -> None:
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
        if tags:  # which MLflow leaves out where there are none
            made["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
        self._versions.insert(0, made)

    def set_alias(self, name: str, alias: str, version: int | str) -> None:
        """Have an alias name this version, and no other one any more."""
        self._aliases[name, alias] = str(version)

    def drop_alias(self, name: str, alias: str) -> None:
        """Have no version named so any more."""
        self._aliases.pop((name, alias), None)

    def change(self, name: str, version: int | str, **facts: object) -> None:
        """Have a version say this instead: its `tags`, its `current_stage`."""
        found = self._get({"name": name, "version": version})["model_version"]
        tags = facts.get("tags")
        if isinstance(tags, dict):
            facts["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
        found.update(facts)

    def delete(self, name: str, version: int | str) -> None:
        """Have a version no more, nor the aliases that name it."""
        self._versions = [
            one for one in self._versions if (one["name"], one["version"]) != (name, str(version))
        ]
        gone = [key for key, at in self._aliases.items() if (key[0], at) == (name, str(version))]
        for key in gone:
            del self._aliases[key]

    def _by_alias(self, arguments: Found) -> Found:
        """As MLflow answers it: the aliases of a version stand in this answer, in no search's.

        https://mlflow.org/docs/latest/api_reference/rest-api.html#get-model-version-by-alias
        """
        name, alias = arguments.get("name") or "", arguments.get("alias") or ""
        if not name or not alias:
            raise RefusedError(
                f"Missing value for required parameter '{'alias' if name else 'name'}'."
            )
        if not any(version["name"] == name for version in self._versions):
            raise missing(f"Registered Model with name={name} not found")
        if (version := self._aliases.get((name, alias))) is None:
            raise RefusedError(f"Registered model alias {alias} not found.")
        aliases = [a for (n, a), v in self._aliases.items() if (n, v) == (name, version)]
        found = self._get({"name": name, "version": version})["model_version"]
        return {"model_version": found | {"aliases": aliases}}

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
        """Every registered model with the latest version of each stage, and its aliases if any."""
        latest: dict[str, dict[str, Found]] = {}
        for version in self._versions:
            of_model = latest.setdefault(version["name"], {})
            of_model.setdefault(version["current_stage"], version)
        models = [
            {"name": name, "latest_versions": list(each.values()), **self._aliases_of(name)}
            for name, each in latest.items()
        ]
        return page("registered_models", models, arguments, 1000)

    def _aliases_of(self, name: str) -> Found:
        own = [
            {"alias": alias, "version": version}
            for (model, alias), version in self._aliases.items()
            if model == name
        ]
        return {"aliases": own} if own else {}


def missing(message: str) -> RefusedError:
    """What is not there, as MLflow says it."""
    return RefusedError(message, "RESOURCE_DOES_NOT_EXIST", 404)
