"""What the core needs of the outside. Each port has one adapter per service and one fake."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.kept.task_answer import TaskAnswer
    from functions.core.kept.tasks import Task
    from functions.core.ports.ledger import Ledger
    from functions.core.ports.notices import Messenger
    from functions.core.routes.definition import Routes
    from functions.core.terms.deadline import Clock, Deadline
    from functions.core.terms.pipelines import (
        Credential,
        PipelineRequest,
        PipelineRun,
        Project,
        RunsSeen,
        Sender,
    )
    from functions.core.terms.runs import (
        Ahead,
        Ended,
        Job,
        Model,
        ModelSought,
        Reach,
        Run,
        Workspace,
    )
    from functions.core.terms.standing import Challenger, Choice, Promotion, Shown, Standing


class Tasks(Protocol):
    """Agentless tasks of Azure Pipelines."""

    def prove(self, task: Task, token: str, deadline: Deadline) -> None:
        """Ask for the task's own plan. Raises Permanent if that is refused, and Retryable."""

    def complete(self, task: Task, token: str, answer: TaskAnswer) -> None:
        """Show the answer's lines and end the task. Raises Permanent, Retryable and InDoubt."""

    def result(self, task: Task, token: str, deadline: Deadline) -> str:
        """The result in its own record, if that says that it is completed; raises Retryable."""


class Seal(Protocol):
    """Keeps secrets that must lie in the ledger. Raises Retryable (secret_unreadable)."""

    def sealed(self, text: str, deadline: Deadline) -> str:
        """The text so that only `opened` can read it."""

    def opened(self, text: str, deadline: Deadline) -> str:
        """The text; raises Permanent if it was sealed with another key."""


class Runs(Protocol):
    """AML. Raises Retryable (run_unreadable, run_not_found), NoWorkspace, and nothing else."""

    def begin(self, workspace: Workspace, run: str, ahead: Ahead, deadline: Deadline) -> None:
        """Begin reads beside the caller: who asks for them with this deadline gets their answers.

        Each is handed out once. Raises nothing; what fails is raised where it is asked for.
        """

    def drop(self, deadline: Deadline) -> None:
        """Hand out nothing of what was begun with this deadline: all is read anew."""

    def read(self, workspace: Workspace, run: str, deadline: Deadline) -> Run:
        """The run as it is now."""

    def children(self, workspace: Workspace, run: Run, deadline: Deadline) -> Sequence[Run]:
        """The runs whose parent this run is."""

    def job(self, workspace: Workspace, run: str, deadline: Deadline) -> Job | None:
        """What Resource Manager says of the job that the run is; None where it knows none."""

    def model(
        self, workspace: Workspace, run: Run, sought: ModelSought, deadline: Deadline
    ) -> Model | None:
        """The model the run logged, at least the fields that are sought if they can be found."""

    def older_models(
        self, workspace: Workspace, runs: Sequence[Run], deadline: Deadline
    ) -> Mapping[str, Model]:
        """The models of which these runs made a version that is not the newest, by run.

        One that is not known but by `unread` says why these may not be all.
        """

    def champion(
        self, workspace: Workspace, choice: Choice, challenger: Challenger, deadline: Deadline
    ) -> Standing:
        """The version of the challenger's model that is chosen, or that there is none."""

    def promoted(self, workspace: Workspace, promotion: Promotion, deadline: Deadline) -> Shown:
        """The promoted versions, by the name of every model, also of those that have none."""

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
        """The workspace's root runs that ended since then, with `children` the others too.

        `first`: the id of the experiment to begin with. `reach`: what need not be read again.
        """

    def experiment(self, workspace: Workspace, run: Run, deadline: Deadline) -> str:
        """The name of the run's experiment."""

    def tag(
        self, workspace: Workspace, run: str, tags: Mapping[str, str], deadline: Deadline
    ) -> None:
        """Add the tags to the run."""


class Credentials(Protocol):
    """What authorizes calls to Azure DevOps or GitHub. Raises Retryable (secret_unreadable)."""

    def begin(self, sender: Sender, deadline: Deadline) -> None:
        """Begin to read what is asked for later with this deadline, unless it is cached."""

    def read(self, sender: Sender, deadline: Deadline, *, fresh: bool = False) -> Credential:
        """The credential, which fits the sender's service; `fresh` goes past the cache."""


class Pipelines(Protocol):
    """Azure DevOps, and GitHub Actions: each request goes to the one that it names."""

    def start(
        self, request: PipelineRequest, credential: Credential, deadline: Deadline
    ) -> PipelineRun:
        """Send the request once. Raises Retryable, Permanent or InDoubt as the answer means."""

    def find(
        self,
        request: PipelineRequest,
        credential: Credential,
        queued: tuple[datetime, datetime],
        deadline: Deadline,
    ) -> Iterator[PipelineRun]:
        """Runs `queued` between these times that match; then Retryable, if those are not all."""

    def ends(
        self,
        where: Project,
        runs: Mapping[int, int | str],
        credential: Credential,
        deadline: Deadline,
    ) -> RunsSeen:
        """What became of these runs, by id, each with its pipeline. Raises Retryable.

        With the reason `refused` the service said no, perhaps because of one of them.
        """

    def tag(self, request: PipelineRequest, run: int, tag: str, credential: Credential) -> None:
        """Add a tag to the pipeline run, where it can have any; raises as `start` does."""


class RouteSource(Protocol):
    """The route file."""

    def routes(self) -> Routes:
        """The routes as deployed; raises RoutesUnreadable."""


class Level(IntEnum):
    """How much a line of the log matters; the numbers are those of Python's `logging`."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40


class Journal(Protocol):
    """The log: one line per call, from named fields."""

    def write(self, level: Level, fields: Mapping[str, object]) -> None:
        """Write one line."""


class Outcomes(Protocol):
    """Whoever wants to hear what becomes of continuations. Raises nothing."""

    def note(self, c: Continuation) -> None:
        """Remember what became of it."""

    def send(self) -> None:
        """Tell what was noted, in bounded time; called when the work is done."""


class Ports(NamedTuple):
    """The outside, whole."""

    ledger: Ledger
    runs: Runs
    credentials: Credentials
    pipelines: Pipelines
    routes: RouteSource
    journal: Journal
    clock: Clock
    outcomes: Outcomes
    tasks: Tasks
    seal: Seal
    messenger: Messenger
