"""One wait from its beginning to its exit code: submit, watch, show, judge, cancel."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from functions import connections
from functions.adapters.aml import Workspaces
from functions.adapters.entra import access_token
from functions.adapters.http.transport import Transport
from functions.configuration.settings import NO_FILE
from functions.core.facts import building
from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason
from functions.core.terms.words import Outcome
from relay import exits
from relay.interrupting import interruptible
from relay.waiting import metrics, required
from relay.waiting.account import Account
from relay.waiting.job import Cancelling, Kind, NoToken, Trouble, Watched
from relay.waiting.polling import Elapsed, Limits, Polling, Tell, TimedOut
from relay.waiting.submitting import Interrupted, Job, NotSubmitted, submitted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.configuration.settings import Settings
    from functions.core.terms.runs import Workspace
    from relay.deployment.signin import SignedIn
    from relay.waiting.polling import End
    from relay.waiting.required import Requirement

OF_OUTCOME = {Outcome.FAILED: exits.FAILED, Outcome.CANCELED: exits.CANCELED}
OF_TROUBLE = {
    Kind.NOT_FOUND: exits.NOT_FOUND,
    Kind.UNREADABLE: exits.UNREADABLE,
    Kind.REFUSED: exits.REFUSED,
}


class Wishes(NamedTuple):
    """What is asked of a wait; times in seconds, `timeout` None: as long as it takes."""

    requirements: Sequence[Requirement]
    timeout: float | None
    facts: float
    patience: float
    every: float
    cancel_on_interrupt: bool
    cancel_on_timeout: bool
    as_json: bool


class Vigil:
    """A wait for one run of a workspace."""

    def __init__(
        self, settings: Settings, identity: SignedIn, workspace: Workspace, wishes: Wishes
    ) -> None:
        none = replace(settings, ledger_url=NO_FILE, no_ledger="")  # none is needed
        self._ports = connections.connect(none, identity=identity)
        self._settings = settings
        self._identity = identity
        self._workspace = workspace
        self._wishes = wishes
        self._elapsed = Elapsed(self._ports.clock, wishes.timeout)
        self._account = Account(self._ports.clock, self._elapsed, as_json=wishes.as_json)
        self._account.told["workspace"] = workspace.id
        self._run = ""

    def keep(self, wanted: Job | str) -> int:
        """Submit the job, if it is one, and wait; what is returned is the exit code."""
        with interruptible():
            try:
                code = self._kept(wanted)
            except KeyboardInterrupt as interruption:
                if isinstance(interruption, Interrupted):
                    self._is_about(interruption.run)
                code = self._interrupted()
        return self._account.conclude(code)

    def _kept(self, wanted: Job | str) -> int:
        try:
            self._is_about(self._submit(wanted) if isinstance(wanted, Job) else wanted)
            end = self._wait(sure=isinstance(wanted, Job))
        except NotSubmitted as error:
            code = exits.TIMED_OUT if self._elapsed.left <= 0 else exits.REFUSED
            return self._account.fail(code, str(error))
        except TimedOut:
            return self._timed_out()
        except Trouble as trouble:
            return self._account.fail(OF_TROUBLE[trouble.kind], trouble.detail)
        code = OF_OUTCOME.get(end.outcome) or self._judged(end.outcome)
        return self._shown(end.outcome) or code

    def _submit(self, job: Job) -> str:
        self._account.say(f"submitting {job.file} to {self._workspace.name}")
        return submitted(job, self._workspace, self._elapsed.left)

    def _is_about(self, run: str) -> None:
        self._run = run
        url = building.studio_url(self._settings.cloud.studio, self._workspace.id, run)
        self._account.told |= {"run": run, "url": url}

    def _wait(self, *, sure: bool) -> End:
        url = self._account.told["url"]
        self._account.say(f"waiting for {self._run} of {self._workspace.name}: {url}")
        workspaces = Workspaces(self._settings.resource_manager_url, self._token, Transport())
        watched = Watched(workspaces, self._workspace, self._run, self._ports.clock)
        limits = Limits(self._wishes.patience, self._wishes.every)
        tell = Tell(self._account.changed, self._account.troubled)
        return Polling(watched, self._elapsed, limits, tell, time.sleep, sure=sure).ended()

    def _judged(self, outcome: Outcome) -> int:
        """0 if all that is required holds of the run."""
        if not self._wishes.requirements:
            return 0
        late = required.Late(self._wishes.facts, self._elapsed, time.sleep)
        of = required.Judgeable(self._workspace, self._run, outcome, self._settings.cloud.studio)
        try:
            judged = required.judged(self._ports, of, self._wishes.requirements, late)
        except Retryable as error:
            why = f"what is required cannot be judged: {error.detail}"
            return self._account.fail(exits.UNREADABLE, why)
        self._account.told["required"] = [one._asdict() for one in judged]
        for one in judged:
            self._account.say(one.said)
        return 0 if all(one.holds for one in judged) else exits.THE_ANSWER_IS_NO

    def _shown(self, outcome: Outcome) -> int:
        """Show the metrics. Not 0 where the run itself was deleted, or tells of another end."""
        try:
            read, found = metrics.metrics(self._ports, self._workspace, self._run)
        except Retryable as error:
            self._account.complain(f"the metrics cannot be read: {error.detail}")
            return 0
        self._account.told["metrics"] = metrics.as_json(found)
        if not self._wishes.as_json:
            metrics.show(found)
        if outcome is not Outcome.COMPLETED:
            return 0
        if read.deleted and not self._wishes.requirements:  # of such a run nothing holds
            why = f"the run {self._run} of {self._workspace.name} was deleted"
            return self._account.fail(exits.NOT_FOUND, why)
        if read.outcome in {None, outcome}:
            return 0
        why = f"the job says {outcome}, but the run says {read.status}"
        return self._account.fail(exits.UNREADABLE, why)

    def _timed_out(self) -> int:
        status = self._account.told["status"] or "not known"
        self._account.fail(
            exits.TIMED_OUT, f"timed out after {self._account.so_long}: the status is {status}"
        )
        if self._wishes.cancel_on_timeout:
            self._cancel()
        return exits.TIMED_OUT

    def _interrupted(self) -> int:
        if not self._run:
            self._account.complain("interrupted while submitting: there may be a job in AML Studio")
        elif self._wishes.cancel_on_interrupt:
            self._cancel()
        else:
            self._account.complain(f"interrupted: {self._run} goes on")
        return exits.INTERRUPTED

    def _cancel(self) -> None:
        cancelling = Cancelling(self._settings.resource_manager_url, self._token, Transport())
        try:
            cancelling.cancel(self._workspace, self._run)
        except Trouble as trouble:
            self._account.complain(f"{self._run} could not be cancelled: {trouble.detail}")
        except KeyboardInterrupt:
            self._account.complain(f"interrupted again: {self._run} may go on")
        else:
            self._account.told["cancel_requested"] = True
            self._account.complain(f"{self._run} is being cancelled")

    def _token(self) -> str:
        scope = f"{self._settings.cloud.resource_manager}/.default"
        try:
            return access_token(self._identity, scope, Reason.RUN_UNREADABLE).token
        except Retryable as error:
            raise NoToken(error.detail) from None
