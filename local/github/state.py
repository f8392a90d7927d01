"""What the local GitHub knows and how it misbehaves: set it up here, assert on it here."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from local.github.access.accounts import Accounts
from local.github.access.limits import Limits
from local.github.actions.dispatching import Details, Dispatch, effective
from local.github.actions.runs import Run, Runs
from local.github.errors import Refusal, not_found, unprocessable
from local.github.repositories import Repositories, Workflow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from local.github.access.callers import Caller
    from local.github.actions.declared import Declared
    from local.github.repositories import Repository, State


@dataclass
class Switches:
    """Ways in which the service may differ; set them at any time.

    `details`: what it knows of `return_run_details`: "told" as github.com, "refused" as a server
    of an older release does (422: not a permitted key), or "ignored" (204 all the same).
    `born_seconds`: a run can be read, by its id or in lists, only so long after its dispatch was
    answered. `hidden_seconds`: lists have it only so long after that. `cancels_slowly`: a run that
    is to be cancelled goes on until it is finished.
    """

    details: Details = "told"
    born_seconds: float = 0.0
    hidden_seconds: float = 0.0
    cancels_slowly: bool = False


class GitHubState(Switches):
    """Repositories, credentials, runs and misbehaviour of one local GitHub."""

    def __init__(
        self, tokens: Iterable[str], clock: Callable[[], datetime], details: Details
    ) -> None:
        super().__init__(details)
        self._details: Details = details
        self.clock = clock
        self.accounts = Accounts(clock)
        self.limits = Limits(lambda: clock().timestamp())
        self.repositories = Repositories(clock)
        self._runs = Runs(clock)
        # The parts' own methods, so that a test reads `github.accept(token)`.
        self.accept, self.refuse = self.accounts.accept, self.accounts.refuse
        self.add_app, self.install = self.accounts.add_app, self.accounts.install
        self.suspend, self.uninstall = self.accounts.suspend, self.accounts.uninstall
        self.seen, self.limit = self.accounts.seen, self.limits.limit
        self.add_repository = self.repositories.add_repository
        self.add_workflow = self.repositories.add_workflow
        self.rename = self.repositories.rename
        self.begin, self.wait, self.finish = self._runs.begin, self._runs.wait, self._runs.finish
        self.delete = self._runs.delete
        for token in tokens:
            self.accept(token)

    @property
    def runs(self) -> list[Run]:
        """Every run, oldest first."""
        return self._runs.all()

    def set_state(self, owner: str, name: str, workflow: str, state: State) -> None:
        """Enable or disable a workflow. KeyError if there is none."""
        where = self.repositories.find(owner, name)
        if where is None:
            raise KeyError(f"{owner}/{name}")
        where.workflow(workflow).state = state

    def reset(self) -> None:
        """Behave well again: switches and limits; what was started stays."""
        for switch in fields(Switches):
            setattr(self, switch.name, switch.default)
        self.details = self._details
        self.limits.clear()

    def listed(self, where: Repository) -> list[Run]:
        """The repository's runs as lists have them now."""
        now = self.clock()
        return [run for run in self.runs if run.repository is where and run.listed_at <= now]

    def run(self, where: Repository, run_id: int) -> Run:
        """The repository's run. Raises the 404 Refusal."""
        found = self._runs.get(run_id)
        if found is None or found.repository is not where or found.seen_at > self.clock():
            raise not_found()
        return found

    def cancel(self, run: Run) -> None:
        """Cancel a run as its API does. Raises the 409 Refusal for one that has ended."""
        if run.status == "completed":
            raise Refusal(409, "Cannot cancel a workflow run that is completed.")
        self._runs.ask_to_cancel(run.id, slowly=self.cancels_slowly)

    def dispatch(self, where: Repository, workflow: Workflow, asked: Dispatch, by: Caller) -> Run:
        """Start a workflow. Raises a Refusal, in the order in which the service looks."""
        if where.archived:
            raise Refusal(403, "Repository was archived so is read-only.")
        if workflow.state != "active":
            raise unprocessable("Cannot trigger a 'workflow_dispatch' on a disabled workflow")
        ref = where.ref(asked.ref)
        if ref is None:
            raise unprocessable(f"No ref found for: {asked.ref}")
        text = workflow.texts.get(ref[0])
        declared = workflow.declared.read(workflow.file, text) if text else None
        if declared is None or declared.inputs is None:
            raise unprocessable("Workflow does not have 'workflow_dispatch' trigger")
        inputs = effective(declared.inputs, asked.inputs, where.environments)
        return self._begun(where, workflow, declared, ref, inputs, by)

    def _begun(
        self,
        where: Repository,
        workflow: Workflow,
        declared: Declared,
        ref: tuple[str, str],
        inputs: dict[str, str],
        by: Caller,
    ) -> Run:
        now, (short, full), sha = self.clock(), ref, where.sha(ref[0])
        seen_at = now + timedelta(seconds=self.born_seconds)
        known = {
            "github.actor": by.login,
            "github.event_name": "workflow_dispatch",
            "github.ref": full,
            "github.ref_name": short,
            "github.repository": where.full_name,
            "github.sha": sha,
            "github.workflow": declared.name,
            **{f"inputs.{name}": value for name, value in inputs.items()},
        }

        def make(run_id: int, number: int) -> Run:
            return Run(
                id=run_id,
                number=number,
                repository=where,
                workflow=workflow,
                title=declared.title({**known, "github.run_number": str(number)}),
                name=declared.name,
                ref=short,
                sha=sha,
                inputs=inputs,
                actor=by.login,
                created_at=seen_at,
                seen_at=seen_at,
                listed_at=seen_at + timedelta(seconds=self.hidden_seconds),
                updated_at=seen_at,
            )

        return self._runs.add(make, workflow)


def now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)
