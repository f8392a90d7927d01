"""What tags and properties tell of the run that a run is a part of. Keys come in any case."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from functions.core.terms.runs import Run

_PARENT, _ROOT = "mlflow.parentrunid", "mlflow.rootrunid"
_BEST_CHILD = ("best_child_run_id", "automl_best_child_run_id")
_ROOTS = (_ROOT, "azureml.rootpipelinerunid")
_NAMES = ("azureml.pipelinerunid", _PARENT, *_ROOTS)


def has_parent(run: str, marks: Mapping[str, str]) -> bool:
    """Whether tags or properties name another run as this run's parent or root."""
    return names_other(run, lower(marks))


def names_other(run: str, marks: Mapping[str, str]) -> bool:
    """The same of marks whose keys are in lower case."""
    told = {marks[name].casefold() for name in _NAMES if name in marks}
    return not told <= {"", run.casefold()}


def children(run: str, found: Iterable[Run]) -> list[Run]:
    """Those that each name that run as the parent, and were not deleted."""
    return [one for one in found if lower(one.tags).get(_PARENT) == run and not one.deleted]


def is_below(run: str, tags: Mapping[str, str]) -> bool:
    """Whether tags name that run as the parent or the root."""
    return run in {lower(tags).get(_PARENT), lower(tags).get(_ROOT)}


def is_of(runs: Collection[str], tags: Mapping[str, str]) -> bool:
    """Whether tags name one of these runs as the parent or the root, in any of the ways."""
    named = lower(tags)
    return any(named.get(name) in runs for name in _NAMES)


def parent(tags: Mapping[str, str]) -> str:
    """The run that tags name as the parent, "" where they name none."""
    return lower(tags).get(_PARENT, "")


def root(tags: Mapping[str, str]) -> str:
    """The run that tags name as the root, "" where they name none."""
    return _first(tags, _ROOTS)


def best_child(marks: Mapping[str, str]) -> str:
    """The run that tags or properties call the best child, "" where they name none.

    A sweep writes it among its properties, AutoML among its tags.
    https://learn.microsoft.com/azure/machine-learning/how-to-train-keras
    https://learn.microsoft.com/azure/machine-learning/how-to-auto-train-image-models
    """
    return _first(marks, _BEST_CHILD)


def _first(marks: Mapping[str, str], names: Iterable[str]) -> str:
    named = lower(marks)
    return next((named[name] for name in names if named.get(name)), "")


def lower(marks: Mapping[str, str]) -> dict[str, str]:
    """The marks with their keys in lower case."""
    return {key.lower(): value for key, value in marks.items()}
