"""What Azure Machine Learning has: workspaces, runs, jobs, models, and the news of them."""

from __future__ import annotations

import hashlib
from datetime import datetime  # noqa: TC003 - msgspec reads it to decode
from typing import Any, NamedTuple

from msgspec import Struct, field

from functions.core.terms.words import Outcome  # noqa: TC001 - msgspec reads it to decode
from functions.core.texts import bounds

SWEPT = "sweep"  # what stands where an event's type would, where the sweep found the run


class Workspace(Struct, frozen=True):
    """An AML workspace by the parts of its resource id, spelled as they came."""

    subscription: str
    resource_group: str
    name: str

    @property
    def id(self) -> str:
        """The resource id."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.name}"
        )

    @property
    def key(self) -> str:
        """What it is known by: its id in lower case, however that was spelled."""
        return self.id.lower()


class RunEvent(Struct, frozen=True, kw_only=True):
    """The news that a run ended, or that something else happened to a model or its data.

    `tags` is None where the event did not say. `given` are the facts of news that is about no
    run; its identity then stands in the place of the run's id.
    `trace` is the W3C traceparent of whoever sent it, where it came with one.
    """

    id: str
    type: str
    subject: str
    time: datetime | None
    workspace: Workspace
    run: str
    outcome: Outcome
    experiment: str = ""
    experiment_id: str = ""
    run_type: str = ""
    tags: dict[str, str] | None = None
    properties: dict[str, str] = field(default_factory=dict)
    trace: str = ""
    given: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def was_sent(self) -> bool:
        """Whether it came from Event Grid, and was not made of what the run itself says."""
        return self.type.lower().startswith("microsoft.")

    def key(self, route: str) -> Key:
        """Its continuation on that route."""
        return Key(self.workspace.key, self.run, self.outcome, route)


class Run(Struct, frozen=True, kw_only=True):
    """A run as MLflow shows it. `status` is MLflow's word, `outcome` what it means if it ended.

    `unread`: the facts that were left out, and why. One that was `deleted` shows all that it was.
    """

    id: str
    name: str
    experiment_id: str
    status: str
    outcome: Outcome | None
    start_time: datetime | None = None
    end_time: datetime | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    deleted: bool = False

    @property
    def known_to_last_until(self) -> datetime | None:
        """Its end, or where it has none its start, which is no later."""
        return self.end_time or self.start_time


class Job(Struct, frozen=True, kw_only=True):
    """What Resource Manager says of a job. `kind` is its word (Sweep, AutoML, Pipeline, Command).

    `best_child` is the id of the run that it calls its best; both are "" where it does not say.
    `properties` are the run's own.
    """

    kind: str = ""
    best_child: str = ""
    properties: dict[str, str] = field(default_factory=dict)

    @property
    def has_trials(self) -> bool:
        """Whether its children are tries, of which one is its result."""
        return self.kind.lower() in {"sweep", "automl"}


class Reach(NamedTuple):
    """How far the sweep has come in a workspace with more runs than one sweep reads.

    All that ended from `down` to `top` was looked at, and all that began since `start`; None: the
    next sweep begins anew.
    """

    top: datetime | None = None
    down: datetime | None = None
    start: datetime | None = None


class Ended(Struct, frozen=True, kw_only=True):
    """Runs that have an outcome and an end or at least a start, and experiments' names by id.

    `lacking`: why these are not all there are, in words. `untimed`: ids of runs that say neither
    when they ended nor when they began. `next`: the experiment to go on with, where time did not
    suffice for all; `failed`: one before that, or before the last, was not read to the end.
    `down`: what ended before was not read, as there was more than is read in one sweep; `start`:
    nor, of what says no end, what began before.
    """

    runs: tuple[Run, ...]
    experiments: dict[str, str]
    lacking: tuple[str, ...] = ()
    untimed: tuple[str, ...] = ()
    next: str = ""
    failed: bool = False
    down: datetime | None = None
    start: datetime | None = None

    @property
    def whole(self) -> bool:
        """Whether these are all there are."""
        return not self.lacking

    def experiment(self, run: Run) -> str:
        """The name of the run's experiment, "" where it is not known."""
        return self.experiments.get(run.experiment_id, "")


class Model(Struct, frozen=True, kw_only=True):
    """What is known of the model a run logged; the fields not yet known are None.

    `several`: the names of registered models of which nothing tells which is meant. `unread`: why a
    place that may tell more could not be read.
    """

    name: str | None = None
    version: str | None = None
    run_id: str | None = None
    path: str | None = None
    flavors: tuple[str, ...] | None = None
    uri: str | None = None
    several: tuple[str, ...] = ()
    unread: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether any place told of it."""
        told = (self.name, self.version, self.run_id, self.path, self.flavors, self.uri)
        return any((*told, self.several))


class ModelSought(Struct, frozen=True):
    """The fields of a model that are needed at least, and the registered name if it is given."""

    fields: frozenset[str]
    name: str = ""


class Ahead(Struct, frozen=True, kw_only=True):
    """What of a run is begun to be read before it is asked for.

    `siblings`: the id of the experiment in which its children are looked for, "" for none.
    """

    itself: bool = False
    siblings: str = ""
    model: ModelSought | None = None
    job: bool = False


class Key(Struct, frozen=True, order=True):
    """What a continuation is: one outcome of one run on one route. Never an event's id."""

    workspace: str
    run: str
    outcome: Outcome
    route: str

    @property
    def text(self) -> str:
        """As people name it: ROUTE/RUN_ID/OUTCOME, so that it is meant also once it is visible."""
        return bounds.exact(f"{self.route}/{self.run}/{self.outcome}")

    @property
    def run_hash(self) -> str:
        """64 hex digits that stand for workspace and run, safe in any store's keys."""
        return hashlib.sha256(f"{self.workspace}|{self.run}".encode()).hexdigest()

    @property
    def hash(self) -> str:
        """12 hex digits that stand for the whole key: the value of `start.correlation`."""
        whole = f"{self.workspace}|{self.run}|{self.outcome}|{self.route}"
        return hashlib.sha256(whole.encode()).hexdigest()[:12]
