"""What tags and properties tell of the run that a run is a part of. Keys come in any case."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from functions.core.values import Run

_PARENT, _ROOT = "mlflow.parentrunid", "mlflow.rootrunid"
_NAMES = ("azureml.pipelinerunid", "azureml.rootpipelinerunid", _PARENT, _ROOT)


def has_parent(run: str, marks: Mapping[str, str]) -> bool:
    """Whether tags or properties name another run as this run's parent or root."""
    named = lower(marks)
    return any(named.get(name) not in {None, "", run} for name in _NAMES)


def children(run: str, found: Iterable[Run]) -> list[Run]:
    """Those that each name that run as the parent, and were not deleted."""
    return [one for one in found if lower(one.tags).get(_PARENT) == run and not one.deleted]


def is_below(run: str, tags: Mapping[str, str]) -> bool:
    """Whether tags name that run as the parent or the root."""
    return run in {lower(tags).get(_PARENT), lower(tags).get(_ROOT)}


def lower(marks: Mapping[str, str]) -> dict[str, str]:
    """The marks with their keys in lower case."""
    return {key.lower(): value for key, value in marks.items()}
