"""Runs over MLflow's REST API, the part of it that AML speaks too.

https://mlflow.org/docs/latest/rest-api.html
https://learn.microsoft.com/azure/machine-learning/how-to-track-experiments-mlflow
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

from functions.adapters.aml.models.finding import Models
from functions.adapters.aml.paging import goes_on, listed
from functions.adapters.aml.workspaces import Workspaces, about_or_raise, dicts, found_or_raise
from functions.core.events import parsing
from functions.core.reading.below import MOST_CHILDREN
from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Run
from functions.core.terms.words import Outcome
from functions.core.texts.bounds import bounded, kept
from functions.core.texts.times import from_epoch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from functions.adapters.aml.finished.ended import EndedRuns
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.runs import Ended, Workspace
    from functions.core.terms.standing import Challenger, Choice, Standing

OUTCOMES = {
    "FINISHED": Outcome.COMPLETED,
    "FAILED": Outcome.FAILED,
    "KILLED": Outcome.CANCELED,
}
PAGE = 200
MOST_PAGES = 20  # of children; a page may have fewer than it could


class AmlRuns:
    """The runs of any workspace that the managed identity may read."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces
        models = Models(workspaces)
        self.job, self.model, self.older_models = models.job, models.of_run, models.older
        self._ended: EndedRuns | None = None

    def read(self, workspace: Workspace, run: str, deadline: Deadline) -> Run:
        """The run as it is now; raises Retryable (run_not_found, run_unreadable)."""
        answer = self._workspaces.mlflow(
            workspace, "/api/2.0/mlflow/runs/get", deadline, params={"run_id": run}
        )
        found = parse(found_or_raise(answer, f"run {run}").get("run"))
        about_or_raise(found.id, run, f"run {run}")
        return found

    def children(self, workspace: Workspace, run: Run, deadline: Deadline) -> Sequence[Run]:
        """What a search for the run's children finds: each says whose it is; raises Retryable."""
        if '"' in run.id:
            return []  # no filter can name it, so no run can have it as parent in a search
        search: dict[str, object] = {
            "experiment_ids": [run.experiment_id],
            "filter": f"tags.mlflow.parentRunId = {_quoted(run.id)}",
            "max_results": PAGE,
        }
        found: list[Run] = []
        what = f"children of run {run.id}"
        for _ in range(MOST_PAGES):
            answer = self._workspaces.mlflow(
                workspace, "/api/2.0/mlflow/runs/search", deadline, body=search
            )
            page = found_or_raise(answer, what)
            found += map(parse, listed(page, "runs", what))
            if not goes_on(search, page, what) or len(found) >= MOST_CHILDREN:
                return found
        raise Retryable(Reason.RUN_UNREADABLE, f"{what}: more than {MOST_PAGES} pages")

    def champion(
        self, workspace: Workspace, choice: Choice, challenger: Challenger, deadline: Deadline
    ) -> Standing:
        """The version of the challenger's model that is chosen; raises Retryable."""
        from functions.adapters.aml.models.champions import Champions  # noqa: PLC0415 - few routes ask

        return Champions(self._workspaces).of(workspace, choice, challenger, deadline)

    def ended(
        self,
        workspace: Workspace,
        since: datetime,
        deadline: Deadline,
        *,
        first: str = "",
        children: bool = False,
    ) -> Ended:
        """Runs that ended since then, as far as time and pages allow; raises Retryable."""
        from functions.adapters.aml.finished import ended as sweeping  # noqa: PLC0415 - not before a sweep

        if self._ended is None:
            self._ended = sweeping.EndedRuns(self._workspaces, parse)
        sought = sweeping.Sought(since, children=children)
        return self._ended.read(workspace, sought, deadline, first)

    def experiment(self, workspace: Workspace, run: Run, deadline: Deadline) -> str:
        """The name of the run's experiment; raises Retryable."""
        asked = {"experiment_id": run.experiment_id}
        answer = self._workspaces.mlflow(
            workspace, "/api/2.0/mlflow/experiments/get", deadline, params=asked
        )
        what = f"experiment {run.experiment_id}"
        found = found_or_raise(answer, what).get("experiment")
        named = found if isinstance(found, dict) else {}
        about_or_raise(named.get("experiment_id"), run.experiment_id, what)
        return kept(named.get("name") or "")

    def tag(
        self, workspace: Workspace, run: str, tags: Mapping[str, str], deadline: Deadline
    ) -> None:
        """Add the tags one by one, or replace them; raises Retryable."""
        for key, value in tags.items():
            body = {"run_id": run, "key": key, "value": value}
            answer = self._workspaces.mlflow(
                workspace, "/api/2.0/mlflow/runs/set-tag", deadline, body=body
            )
            found_or_raise(answer, f"tag {key} of run {run}")


def parse(found: object) -> Run:
    """A run from MLflow's JSON: metrics, params and tags are lists of key and value.

    An odd one of these is left out, which costs the others nothing.
    Raises Retryable (run_unreadable) for anything that is no run.
    """
    try:
        info, data = found["info"], found.get("data") or {}  # type: ignore[index, attr-defined]
        status = str(info["status"])
        tags = _pairs(data.get("tags"))
        metrics, unread = _metrics(data.get("metrics"))
        return Run(
            id=_id(info.get("run_id") or info["run_uuid"]),
            name=kept(info.get("run_name") or tags.get("mlflow.runName") or ""),
            experiment_id=str(info.get("experiment_id", "")),
            status=kept(status, 50),
            outcome=OUTCOMES.get(status),
            start_time=_time(info.get("start_time")),
            end_time=_time(info.get("end_time")),
            metrics=metrics,
            params=_pairs(data.get("params")),
            tags=tags,
            unread=unread,
            deleted=str(info.get("lifecycle_stage", "")).lower() == "deleted",
        )
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        detail = f"AML sent something that is no run: {type(error).__name__}"
        raise Retryable(Reason.RUN_UNREADABLE, detail) from None


def _pairs(found: object) -> dict[str, str]:
    """Texts by key; one that is odd, or has no value but null, is left out."""
    return {
        str(pair["key"]): str(pair.get("value", ""))
        for pair in _listed(found)
        if "key" in pair and pair.get("value", "") is not None
    }


def _id(found: object) -> str:
    text = str(found)
    if not parsing.is_run_id(text):
        raise ValueError("it has no usable id")
    return text


def _metrics(found: object) -> tuple[dict[str, float], dict[str, str]]:
    """All of them by name, and what is to be said of those that are no numbers at all.

    NaN and infinite ones are there, so that none is taken from another run in their place.
    """
    given = {str(m["key"]): m.get("value") for m in _listed(found) if "key" in m}
    numbers = {name: _number(value) for name, value in given.items()}
    odd = [name for name, number in numbers.items() if number is None]
    unread = {f"run.metrics.{n}": f"is no number: {bounded(given[n], 40)}" for n in odd}
    return {n: math.nan if number is None else number for n, number in numbers.items()}, unread


def _listed(found: object) -> list[dict[str, Any]]:
    """The objects of a list, which may not be there; raises TypeError for what is no list."""
    if found is not None and not isinstance(found, list):
        raise TypeError
    return dicts(found)


def _number(value: object) -> float | None:
    """A number, and None for what is none; what is too large for a float is infinite.

    MLflow sends NaN, which a training logs that diverged, as text and an infinite metric as the
    largest number. https://protobuf.dev/programming-guides/json/
    https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/store/tracking/sqlalchemy_store.py
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except OverflowError:
        return math.inf if int(value) > 0 else -math.inf
    except ValueError:
        return None
    return math.copysign(math.inf, number) if abs(number) >= sys.float_info.max else number


def _time(milliseconds: object) -> datetime | None:
    try:
        return from_epoch(int(str(milliseconds)) / 1000) if milliseconds else None
    except (OverflowError, ValueError):
        return None


def _quoted(text: str) -> str:
    return f'"{text}"' if "'" in text else f"'{text}'"
