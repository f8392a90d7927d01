"""Azure Machine Learning's MLflow with runs kept in memory: no MLflow server needed."""

from __future__ import annotations

import time
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

from local.aml.dialect import experiment_filter, mlflow_status, run_filter
from local.aml.filter import RefusedError
from local.aml.front import AML, Answer
from local.aml.models import Registry, missing
from local.aml.run import Run
from local.aml.search import Viewed, fits, ordered, page

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from local.identity import Accepts
    from local.serving.listener import Listener

ENDED = ("FINISHED", "FAILED", "KILLED")
VIEWS = {"ACTIVE_ONLY": ["active"], "DELETED_ONLY": ["deleted"], "ALL": ["active", "deleted"]}
Found = dict[str, Any]


class MemoryAML(AML):
    """AML's front over runs and models that are defined in process."""

    def __init__(
        self,
        workspace_id: str,
        accepts: Accepts,
        tls: ssl.SSLContext | None = None,
        port: int | Listener = 0,
        *,
        by_run: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(workspace_id, self, accepts, tls, port, by_run=by_run)
        self._clock = clock
        self._experiments: dict[str, Found] = {}
        self._runs: dict[str, Run] = {}
        self.models = Registry()
        self._calls: dict[str, Callable[[Found], Found]] = {
            "runs/delete": partial(self._stand, stage="deleted"),
            "runs/get": self._get_run,
            "runs/restore": partial(self._stand, stage="active"),
            "runs/search": self._search_runs,
            "runs/set-tag": self._set_tag,
            "experiments/get": self._get_experiment,
            "experiments/get-by-name": self._get_experiment_by_name,
            "experiments/search": self._search_experiments,
            "artifacts/list": self._list_artifacts,
            **self.models.calls,
        }

    def add_experiment(self, name: str, experiment_id: str | None = None) -> str:
        """Have an experiment and return its id, a GUID made from the name unless given."""
        made = experiment_id or str(uuid.uuid5(uuid.NAMESPACE_URL, f"experiment/{name}"))
        now = int(self._clock() * 1000)
        self._experiments.setdefault(
            made,
            {
                "experiment_id": made,
                "name": name,
                "artifact_location": "",
                "lifecycle_stage": "active",
                "creation_time": now,
                "last_update_time": now,
            },
        )
        return made

    def archive(self, name: str, at: float | None = None) -> None:
        """Archive an experiment at this time in seconds, by default now: MLflow says deleted."""
        found = next(e for e in self._experiments.values() if e["name"] == name)
        when = int((self._clock() if at is None else at) * 1000)
        found |= {"lifecycle_stage": "deleted", "last_update_time": when}

    def add_run(  # noqa: PLR0913 - a run has this many facts
        self,
        run_id: str,
        *,
        status: str = "Completed",
        metrics: Mapping[str, float] | None = None,
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        parent: str | None = None,
        experiment: str = "Default",
        experiment_id: str | None = None,
        start_time: int | None = None,
        end_time: int | None = None,
        name: str | None = None,
        artifacts: tuple[str, ...] = (),
    ) -> None:
        """Have a run, or replace it; `status` in AML's words or MLflow's.

        Times are epoch milliseconds: started a minute ago and, if the status says so, ended
        now. `artifacts` are paths of files.
        """
        now, said = int(self._clock() * 1000), mlflow_status(status)
        self._runs[run_id] = Run(
            run_id,
            name or run_id,
            said,
            self.add_experiment(experiment, experiment_id),
            now - 60_000 if start_time is None else start_time,
            now if end_time is None and said in ENDED else end_time,
            dict(metrics or {}),
            dict(params or {}),
            dict(tags or {}) | ({"mlflow.parentRunId": parent} if parent else {}),
            artifacts,
        )

    def delete_run(self, run_id: str) -> None:
        """Delete a run, as `runs/delete` does."""
        self._stand({"run_id": run_id}, "deleted")

    def restore_run(self, run_id: str) -> None:
        """Restore a run, as `runs/restore` does."""
        self._stand({"run_id": run_id}, "active")

    def add_model_version(
        self,
        name: str,
        version: int | str,
        run_id: str | None = None,
        source: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Have a registered model's version, made by a run or by none."""
        self.models.add(name, version, run_id, source, int(self._clock() * 1000), tags or {})

    def set_alias(self, name: str, alias: str, version: int | str) -> None:
        """Have an alias of a registered model name this version."""
        self.models.set_alias(name, alias, version)

    def answer(self, method: str, call: str, arguments: Found) -> Answer:
        """The call's answer; 501 for one that is known to AML but not kept here."""
        answered = self._calls.get(call)
        if answered is None:
            message = f"{method} {call} is not kept in memory; forward to an MLflow server."
            raise RefusedError(message, "NOT_IMPLEMENTED", 501)
        return 200, answered(arguments)

    def _run(self, arguments: Found) -> Run:
        run_id = arguments.get("run_id") or arguments.get("run_uuid")
        if not run_id:
            raise RefusedError("Missing value for required parameter 'run_id'.")
        if run_id not in self._runs:
            raise missing(f"Run with id={run_id} not found")
        return self._runs[run_id]

    def _get_run(self, arguments: Found) -> Found:
        return {"run": self._run(arguments).wire()}

    def _search_runs(self, arguments: Found) -> Found:
        asked = set(arguments.get("experiment_ids") or ())
        clauses = run_filter(arguments.get("filter") or "")
        shown = _shown(arguments, "run_view_type")
        every = [r for r in self._runs.values() if r.experiment_id in asked]
        among = [r for r in every if r.lifecycle_stage in shown]
        kept = [(r, r.viewed()) for r in among]
        sought = [(r, v) for r, v in kept if all(fits(v, c) for c in clauses)]
        in_order = ordered(sought, arguments.get("order_by") or ())
        return page("runs", [r.wire() for r, _ in in_order], arguments, 1000)

    def _set_tag(self, arguments: Found) -> Found:
        run = self._run(arguments)
        if run.lifecycle_stage != "active":
            at = f"Current state is {run.lifecycle_stage}."
            raise RefusedError(f"The run {run.run_id} must be in the 'active' state. {at}")
        run.tags[arguments["key"]] = arguments["value"]
        return {}

    def _stand(self, arguments: Found, stage: str) -> Found:
        """A deleted one is read as before, and says that it was deleted. Twice is once."""
        self._run(arguments).lifecycle_stage = stage
        return {}

    def _get_experiment(self, arguments: Found) -> Found:
        experiment_id = arguments.get("experiment_id")
        if experiment_id not in self._experiments:
            raise missing(f"No Experiment with id={experiment_id} exists")
        return {"experiment": self._experiments[experiment_id]}

    def _get_experiment_by_name(self, arguments: Found) -> Found:
        name = arguments.get("experiment_name")
        for experiment in self._experiments.values():
            if experiment["name"] == name:
                return {"experiment": experiment}
        raise missing(f"Could not find experiment with name '{name}'")

    def _search_experiments(self, arguments: Found) -> Found:
        clauses = experiment_filter(arguments.get("filter") or "")
        shown = _shown(arguments, "view_type")
        among = [e for e in self._experiments.values() if e["lifecycle_stage"] in shown]
        views = [(e, Viewed(e, {}, {}, {})) for e in among]
        sought = [e for e, v in views if all(fits(v, c) for c in clauses)]
        newest = sorted(sought, key=lambda e: -e["creation_time"])
        return page("experiments", newest, arguments, None)

    def _list_artifacts(self, arguments: Found) -> Found:
        run, below = self._run(arguments), arguments.get("path") or ""
        prefix = f"{below}/" if below else ""
        inside = [p.removeprefix(prefix) for p in run.artifacts if p.startswith(prefix)]
        names = {p.partition("/")[0]: "/" in p for p in inside}
        files = [{"path": prefix + n, "is_dir": folder} for n, folder in sorted(names.items())]
        return {"root_uri": run.artifact_uri} | ({"files": files} if files else {})


def _shown(arguments: Found, name: str) -> list[str]:
    """The lifecycle stages that a search shows."""
    view = arguments.get(name) or "ACTIVE_ONLY"
    if view not in VIEWS:
        raise RefusedError(f"Invalid value {view} for parameter '{name}' supplied.")
    return VIEWS[view]
