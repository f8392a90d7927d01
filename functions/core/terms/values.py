"""The values that travel between the floors, in the terms of the trade."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, Self

from msgspec import Struct, field

from functions.core.texts import bounds
from functions.core.texts.bounds import bounded as bounded  # noqa: PLC0414 - as it was always imported


class Word(StrEnum):
    """A word of the ledger: one that is known, or one of that form that another version may know.

    What this version does not know has no name, and is in none of its lists.
    """

    _form: ClassVar[re.Pattern[str]]

    def __init_subclass__(cls, *, form: str) -> None:
        super().__init_subclass__()
        cls._form = re.compile(form)

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str) or not cls._form.fullmatch(value):
            return None
        made = str.__new__(cls, value)
        made._name_, made._value_ = "", value
        return made

    @property
    def is_known(self) -> bool:
        """Whether this version knows what it means."""
        return self.name in type(self).__members__


class Outcome(Word, form=r"[A-Z][A-Za-z0-9]{0,60}"):
    """How a run ended (one that is still going has none), or what else the news is about.

    Another version of the app may know more of them, as of states: what is about one is shown, and
    left to who knows it.
    """

    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"
    NOT_RESPONDING = "NotResponding"
    MODEL_REGISTERED = "ModelRegistered"
    MODEL_DEPLOYED = "ModelDeployed"
    DRIFT_DETECTED = "DatasetDriftDetected"

    @property
    def ends_run(self) -> bool:
        """Whether it is about a run's end."""
        return self in ENDS


ENDS = (Outcome.COMPLETED, Outcome.FAILED, Outcome.CANCELED, Outcome.NOT_RESPONDING)


class State(Word, form=r"[a-z][a-z0-9_ -]{0,30}"):
    """Where a continuation stands; all but `open` are ends, and `started` is never overwritten.

    Another version of the app may know more of them. A word that can be one is a state like these,
    which none of the lists of states has: it is shown, and left to who knows it.
    """

    OPEN = "open"
    STARTED = "started"
    HELD = "held"
    SKIPPED = "skipped"
    FAILED = "failed"

    @property
    def may_be_open(self) -> bool:
        """Whether work may be left to do: in what is not known somebody else may see some."""
        return self is State.OPEN or not self.is_known


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
    """

    kind: str = ""
    best_child: str = ""

    @property
    def has_trials(self) -> bool:
        """Whether its children are tries, of which one is its result."""
        return self.kind.lower() in {"sweep", "automl"}


class Ended(Struct, frozen=True, kw_only=True):
    """Runs that have an outcome and an end or at least a start, and experiments' names by id.

    `lacking`: why these are not all there are, in words. `untimed`: ids of runs that say neither
    when they ended nor when they began. `next`: the experiment to go on with, where time did not
    suffice for all; `failed`: one before that, or before the last, was not read to the end.
    """

    runs: tuple[Run, ...]
    experiments: dict[str, str]
    lacking: tuple[str, ...] = ()
    untimed: tuple[str, ...] = ()
    next: str = ""
    failed: bool = False

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


class Credential(Struct, frozen=True, kw_only=True):
    """What authorizes a call to Azure DevOps: a header's value that is never printed.

    `renews`: it is replaced in time without anybody's doing.
    """

    authorization: str
    version: str
    expires_at: datetime | None = None
    renews: bool = False

    def __repr__(self) -> str:
        return f"Credential(version={self.version!r})"


class PipelineRequest(Struct, frozen=True, kw_only=True):
    """One exact request to run a pipeline. `body` is the JSON text that is sent, byte for byte.

    `distinct` tells whether a build that matches can only be this request's; it was worked out
    from the routes of the day, so that later routes do not change what is adopted.
    """

    organization: str
    project: str
    pipeline: int
    secret: str
    body: str
    pipeline_version: int | None = None
    distinct: bool = False

    @property
    def where(self) -> str:
        """Its pipeline, as people see it."""
        return f"{self.organization}/{self.project}/{self.pipeline}"


class PipelineRun(Struct, frozen=True, kw_only=True):
    """A pipeline run that exists at Azure DevOps.

    `retry_after`: the service asked to slow down; `note`: what is not as it was asked for.
    """

    id: int
    url: str = ""
    retry_after: float | None = None
    note: str = ""


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


class Step(Struct, frozen=True, array_like=True):
    """One line of a continuation's history."""

    at: datetime
    what: str
    detail: str = ""


class Shared(Struct, frozen=True):
    """A small row that all processes share; `version` is None while it does not exist."""

    name: str
    value: dict[str, Any]
    version: str | None


class Letter(Struct, frozen=True):
    """An event in the inbox: the routes could not be read, or a dead letter is replayed."""

    id: str
    event: RunEvent
    received_at: datetime

    @classmethod
    def of(cls, event: RunEvent, received_at: datetime) -> Letter:
        """A letter whose id is the same for all events that bring the same news."""
        return cls(event.key("").hash, event, received_at)


def from_epoch(seconds: float) -> datetime | None:
    """Seconds since 1970 as UTC; None for what is beyond the years that there are."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def parse_time(text: object) -> datetime | None:
    """ISO 8601 with any number of fractional digits as UTC; None for what is no time.

    Letters may be small, and a leap second is the second before it: Python knows none.
    """
    if not isinstance(text, str | datetime):
        return None
    try:
        parsed = datetime.fromisoformat(str(text).strip().upper().replace(":59:60", ":59:59"))
        return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
    except (OverflowError, ValueError):
        return None
