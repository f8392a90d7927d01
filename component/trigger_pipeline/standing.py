"""What stands in this step for AML and for the route file: the mounted model, and one route."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from functions.adapters.aml.models.described import mlmodel
from functions.core.routes import needs
from functions.core.routes.definition import Match, Route, Routes, Start
from functions.core.terms.deadline import Deadline, each
from functions.core.terms.runs import Ended, Run
from functions.core.terms.standing import Shown, Standing
from functions.core.terms.words import Outcome
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from functions.core.ports.services import Pipelines
    from functions.core.terms.deadline import Clock
    from functions.core.terms.pipelines import Credential, PipelineRequest, PipelineRun
    from functions.core.terms.runs import Ahead, Job, Model, ModelSought, Reach, Workspace
    from functions.core.terms.standing import Challenger, Choice, Promotion

    from .arguments import Wanted

LONGEST_RUN_ID = 256
LOOKING_SECONDS = 300.0  # through the builds of a week


class NoModelError(Exception):
    """The mounted folder holds no model that names its run; the message says what is missing."""


def mounted(folder: Path, name: str, run: str | None = None) -> Model:
    """The model in a folder as its `MLmodel` file describes it; raises NoModelError.

    One that was saved and not logged names no run: then `run` made it. One that names another run
    than that is not believed.
    https://mlflow.org/docs/latest/ml/model/#mlmodel-file
    """
    file = folder / "MLmodel"
    try:
        found = mlmodel(file.read_bytes())
    except OSError as error:
        raise NoModelError(f"{file} cannot be read: {error.strerror or error}") from None
    if found.unread:
        why = found.unread.removeprefix("the file MLmodel ")
        raise NoModelError(f"{file} is no MLmodel file: it {why}")
    made_by = _maker(file, found, run)
    uri = found.uri or (f"runs:/{made_by}/{found.path}" if found.path else None)
    return msgspec.structs.replace(found, name=name, run_id=made_by, uri=uri)


def _maker(file: Path, found: Model, run: str | None) -> str:
    """The run that made the model; raises NoModelError."""
    told = found.run_id or ""
    if told and run and told != run:
        raise NoModelError(f"{file} names run {bounded(told, 80)}, and the input run_id {run}")
    made_by = told or run or ""
    if not made_by or made_by != bounded(made_by, LONGEST_RUN_ID) or " " in made_by:
        raise NoModelError(
            f"{file} has no run_id: a model that was saved and not logged names none; "
            "give the step the input run_id"
        )
    return made_by


class ModelRuns:
    """The run that made the model, as far as the model tells: it ended, or there were no model."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def begin(self, workspace: Workspace, run: str, ahead: Ahead, deadline: Deadline) -> None:
        """All of it is here."""

    def drop(self, deadline: Deadline) -> None:
        """Nothing was begun."""

    def read(self, workspace: Workspace, run: str, deadline: Deadline) -> Run:
        """The run, completed."""
        del workspace, deadline
        ended = Outcome.COMPLETED
        return Run(id=run, name=run, experiment_id="", status="FINISHED", outcome=ended)

    def children(self, workspace: Workspace, run: Run, deadline: Deadline) -> Sequence[Run]:
        """None are looked for."""
        del workspace, run, deadline
        return ()

    def job(self, workspace: Workspace, run: str, deadline: Deadline) -> Job | None:
        """None is looked for."""
        del workspace, run, deadline
        return None

    def model(
        self, workspace: Workspace, run: Run, sought: ModelSought, deadline: Deadline
    ) -> Model | None:
        """The mounted model."""
        del workspace, run, sought, deadline
        return self._model

    def older_models(
        self, workspace: Workspace, runs: Sequence[Run], deadline: Deadline
    ) -> Mapping[str, Model]:
        """None are looked for."""
        del workspace, runs, deadline
        return {}

    def champion(
        self, workspace: Workspace, choice: Choice, challenger: Challenger, deadline: Deadline
    ) -> Standing:
        """None is looked for: the step's only route compares with none."""
        del workspace, choice, challenger, deadline
        return Standing(why="a step compares with no champion")

    def promoted(self, workspace: Workspace, promotion: Promotion, deadline: Deadline) -> Shown:
        """None are looked for."""
        del workspace, promotion, deadline
        return Shown({})

    def ended(
        self,
        workspace: Workspace,
        since: datetime,
        deadline: Deadline,
        *,
        first: str = "",
        children: bool = False,
        reach: Reach | None = None,
    ) -> Ended:
        """Nothing is swept here."""
        del workspace, since, deadline, first, children, reach
        return Ended(runs=(), experiments={})

    def experiment(self, workspace: Workspace, run: Run, deadline: Deadline) -> str:
        """Not known from the model; AML tells the step its own."""
        del workspace, run, deadline
        return ""

    def tag(
        self, workspace: Workspace, run: str, tags: Mapping[str, str], deadline: Deadline
    ) -> None:
        """The training's run is left alone; the step's own gets the link."""


class OneRoute(NamedTuple):
    """The step as a route file with one route."""

    route: Route

    def routes(self) -> Routes:
        """The one."""
        return Routes((self.route,))


def route_of(wanted: Wanted, own_run: str) -> Route:
    """The route that starts what is wanted; `own_run` tells this step from every other."""
    parameters = {"run_id": "{{ run.id }}", "model_name": "{{ model.name }}", **wanted.parameters}
    start = Start(
        organization=wanted.organization,
        project=wanted.project,
        pipeline=wanted.pipeline_id,
        pipeline_version=wanted.pipeline_version,
        secret=wanted.secret_name,
        branch=wanted.branch,
        parameters=parameters,
        correlation=wanted.correlation_parameter,
    )
    name = f"trigger_pipeline-{own_run}"
    return Route(name=name, start=start, needs=needs.of(Match(), None, start), distinct=True)


class StartedBefore:
    """Pipelines that are looked for before each start.

    A step whose node is taken away is run again from its beginning, under the same id: what it
    started then carries the same correlation.
    https://hi-ml.readthedocs.io/en/latest/lowpriority.html
    """

    def __init__(
        self, pipelines: Pipelines, queued: tuple[datetime, datetime], clock: Clock
    ) -> None:
        self._pipelines, self._clock = pipelines, clock
        self._queued = queued
        self.find, self.tag, self.ends = pipelines.find, pipelines.tag, pipelines.ends

    def start(
        self, request: PipelineRequest, credential: Credential, deadline: Deadline
    ) -> PipelineRun:
        """The run that is there already, or a new one; raises as Pipelines.start does.

        However long the look took: the POST has its time from then on, since nobody waits for the
        step, and nobody else counts on its mark.
        """
        del deadline
        look = Deadline(self._clock, LOOKING_SECONDS)
        if found := next(self._pipelines.find(request, credential, self._queued, look), None):
            return found
        now = each(self._clock).marked(self._clock.now())
        return self._pipelines.start(request, credential, now)
