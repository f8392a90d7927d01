"""Every fact that gates and parameters may name: its kind, where it comes from, when it is absent.

One table. A new fact is one line here and one value in `functions.core.facts.building` (or in
`functions.core.events.model_events`); what `check` accepts, what gates are compiled against, what
the placeholders know and docs/facts.md follow from it.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Final, NamedTuple

from functions.core.events.model_events import LONGEST_FACT
from functions.core.terms.words import ENDS, Ending


class Kind(StrEnum):
    """What a fact is, in the words of docs/facts.md."""

    TEXT = "text"
    NUMBER = "number"
    COUNT = "whole number"
    TIME = "time, as text"
    NAME = "one of names"
    TEXTS = "list of texts"
    TRUTH = "true or false"


class Fact(NamedTuple):
    """One fact, or with `.*` at its name's end a family whose names the run chose.

    `source` and `absent` are told to people. `names` are all values that one of names can have;
    `cut_at` is how many characters of a text MLflow keeps, without a word, and `kept_at` how many
    are kept of an event's, the last one a `…` where there were more; 0: it is not cut.
    """

    name: str
    kind: Kind
    source: str
    absent: str
    names: tuple[str, ...] = ()
    cut_at: int = 0
    kept_at: int = 0

    @property
    def is_family(self) -> bool:
        """Whether it stands for facts whose last name the run chose."""
        return self.name.endswith(".*")

    @property
    def path(self) -> tuple[str, ...]:
        """`run.metrics.*` and `run.name` as ("run", "metrics") and ("run", "name")."""
        return _path(self.name)


@cache
def _path(name: str) -> tuple[str, ...]:
    return tuple(name.removesuffix(".*").split("."))


MOST_CHILDREN: Final = 1000
"""No more of one run's children are read: of so many, or more, there is no count."""
_RUN = "the run, read back from MLflow"
_EVENT = "the event"
_MODEL = "the model's sources: MLflow's tag, the registry, the job's outputs"
_RESOURCE = "the id of the event's workspace"
_NEVER = "never"
_UNTOLD = "where the event does not say"
_HOLDER = "the run, else the child `step` names, the best child it names, or the only one with it"
_CHILDREN = "the runs right below, as MLflow finds them in the run's experiment"
_GO_ON = f"while one of them has not ended, and where there are {MOST_CHILDREN} or more"
_TAGS = "the run, and what only the event says unless it looks like a time"
_PROPERTIES = "the event; what looks like a time: the run's job"
_IN_UTC = "the event DatasetDriftDetected, told in UTC"
_OTHER = "the run behind the champion's version, that run alone"
_NO_CHAMPION = "where there is no champion, and while nobody can tell"
_UNLOGGED = "where that run did not log it, was deleted, or is not named by the version"
_NO_END = "everywhere but in `then`"
_AFTER = "the end by which `then` goes on"
_JOIN = "the runs that `join` waited for"
_NO_JOIN = "everywhere but on a route with `join`"
_TEXT, _TIME = Kind.TEXT, Kind.TIME

TABLE: Final = (
    Fact("event.id", _TEXT, _EVENT, _NEVER),
    Fact("event.type", _TEXT, _EVENT, "never; `sweep` where no event came"),
    Fact("event.time", _TIME, _EVENT, _UNTOLD),
    Fact("event.subject", _TEXT, _EVENT, _UNTOLD),
    Fact("workspace.name", _TEXT, _RESOURCE, _NEVER),
    Fact("workspace.resource_group", _TEXT, _RESOURCE, _NEVER),
    Fact("workspace.subscription", _TEXT, _RESOURCE, _NEVER),
    Fact("workspace.id", _TEXT, _RESOURCE, _NEVER),
    Fact("run.id", _TEXT, _RUN, _NEVER),
    Fact("run.name", _TEXT, _RUN, "where it has none"),
    Fact("run.status", Kind.NAME, "the outcome that is followed", _NEVER, tuple(map(str, ENDS))),
    Fact("run.experiment", _TEXT, "the event, or MLflow where the sweep found it", _UNTOLD),
    Fact("run.type", _TEXT, _EVENT, "where the event does not say, and where no event came"),
    Fact("run.root_id", _TEXT, "the run's tags, else its own id", _NEVER),
    Fact("run.parent_id", _TEXT, "the run's tags", "where it has no parent"),
    Fact("run.start_time", _TIME, _RUN, "where it has none"),
    Fact("run.end_time", _TIME, _RUN, "where it has none"),
    Fact(
        *("run.best_child_id", _TEXT, "a sweep's or AutoML's event, tags or job"),
        "where no run is named, or one that cannot be it",
    ),
    Fact("run.children.total", Kind.COUNT, _CHILDREN, f"where there are {MOST_CHILDREN} or more"),
    Fact("run.children.failed", Kind.COUNT, _CHILDREN, _GO_ON),
    Fact("run.children.canceled", Kind.COUNT, _CHILDREN, _GO_ON),
    Fact("run.url", _TEXT, "made of workspace and id: the page in AML Studio", _NEVER),
    Fact("run.metrics.*", Kind.NUMBER, _HOLDER, "where it was not logged, or is not visible yet"),
    # https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/utils/validation.py
    Fact("run.params.*", _TEXT, _HOLDER, "where it was not logged", cut_at=6_000),
    Fact("run.tags.*", _TEXT, _TAGS, "where it was not set", cut_at=8_000),
    Fact("run.properties.*", _TEXT, _PROPERTIES, "where it was not set, and where no event came"),
    Fact("model.name", _TEXT, _MODEL, "where no model was logged, or none was registered"),
    Fact("model.version", _TEXT, _MODEL, "where no model was logged, or none was registered"),
    Fact("model.run_id", _TEXT, _MODEL, "where no source tells it"),
    Fact("model.path", _TEXT, _MODEL, "where no source tells it"),
    Fact("model.flavors", Kind.TEXTS, _MODEL, "where no source tells them"),
    Fact("model.uri", _TEXT, _MODEL, "where no source tells it"),
    Fact("champion.exists", Kind.TRUTH, "the registry, as `champion` says", "while it cannot tell"),
    Fact("champion.version", _TEXT, "the registry, as `champion` says", _NO_CHAMPION),
    Fact("champion.metrics.*", Kind.NUMBER, _OTHER, _UNLOGGED),
    Fact("champion.run.id", _TEXT, "the champion's version", "where the version names none"),
    Fact("champion.run.name", _TEXT, _OTHER, "where it has none"),
    Fact("champion.run.params.*", _TEXT, _OTHER, _UNLOGGED, cut_at=6_000),
    Fact(
        *("champion.run.tags.*", _TEXT, _OTHER, "where it was not set; in its own case only"),
        cut_at=8_000,
    ),
    Fact("pipeline.run", Kind.COUNT, f"{_AFTER}: the pipeline run's number", _NO_END),
    Fact("pipeline.end", Kind.NAME, _AFTER, _NO_END, tuple(map(str, Ending))),
    Fact("pipeline.url", _TEXT, f"{_AFTER}: its page", "where the service told none"),
    Fact("pipeline.route", _TEXT, f"{_AFTER}: the route that started it", _NO_END),
    Fact("join.by", _TEXT, "the value that the runs of a `join` share", _NO_JOIN),
    Fact("join.runs", Kind.TEXTS, f"{_JOIN}: the ids of those that ended well", _NO_JOIN),
    Fact("join.failed", Kind.TEXTS, f"{_JOIN}: the ids of those that did not", _NO_JOIN),
    Fact("join.missing", Kind.COUNT, f"{_JOIN}: how many never came", _NO_JOIN),
    Fact("endpoint.name", _TEXT, "the event ModelDeployed", _UNTOLD),
    Fact("endpoint.compute_type", _TEXT, "the event ModelDeployed", _UNTOLD),
    Fact(
        *("endpoint.models", _TEXT, "the event ModelDeployed: ids between commas", _UNTOLD),
        kept_at=LONGEST_FACT,
    ),
    Fact("drift.id", _TEXT, "the event DatasetDriftDetected", _NEVER),
    Fact("drift.name", _TEXT, "the event DatasetDriftDetected", _UNTOLD),
    Fact("drift.run_id", _TEXT, "the event DatasetDriftDetected", _UNTOLD),
    Fact("drift.base_dataset", _TEXT, "the event DatasetDriftDetected", _UNTOLD),
    Fact("drift.target_dataset", _TEXT, "the event DatasetDriftDetected", _UNTOLD),
    Fact("drift.coefficient", Kind.NUMBER, "the event DatasetDriftDetected", _UNTOLD),
    Fact("drift.start_time", _TIME, _IN_UTC, _NEVER),
    Fact("drift.end_time", _TIME, _IN_UTC, _NEVER),
)

BY_PATH: Final = {fact.path: fact for fact in TABLE}
ROOTS: Final = tuple(dict.fromkeys(fact.path[0] for fact in TABLE))
FAMILIES: Final = tuple(fact.path for fact in TABLE if fact.is_family)


def named_below(*above: str) -> tuple[str, ...]:
    """The names of the single facts right below, in the table's order."""
    depth = len(above)
    single = [fact.path for fact in TABLE if not fact.is_family and fact.path[:depth] == above]
    return tuple(dict.fromkeys(path[depth] for path in single if len(path) > depth))


def meant_by(path: tuple[str, ...]) -> Fact | None:
    """The fact that a path names, also where it goes on below it; None where it is no fact's."""
    if path in FAMILIES:
        return None
    for end in range(len(path), 0, -1):
        if path[:end] in BY_PATH:
            return BY_PATH[path[:end]]
    return None


def first_unknown(path: tuple[str, ...]) -> tuple[str, ...] | None:
    """The path as far as its first name that no fact has; None where all of it is known."""
    if meant_by(path):
        return None
    begun = (path[:end] for end in range(1, len(path) + 1))
    return next((cut for cut in begun if not _is_above(cut)), None)


def _is_above(path: tuple[str, ...]) -> bool:
    """Whether facts stand below: a root, a group or a family as a whole."""
    return any(fact.path[: len(path)] == path for fact in TABLE)
