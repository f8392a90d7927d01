"""Agentless jobs: `pool: server` with one InvokeRESTAPI@1 or AzureFunction@1 that waits.

The task calls an endpoint and then waits until somebody posts TaskCompleted for it.
https://learn.microsoft.com/azure/devops/pipelines/process/phases#server-jobs
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from local.devops.errors import Refusal
from local.devops.jobs.call import Answer, TaskCall
from local.devops.jobs.plan import TaskPlan
from local.devops.jobs.timelines import Timeline

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Completion = Literal["succeeded", "failed"]
Result = Literal["succeeded", "failed", "canceled"]
LOOK = 0.05  # seconds between two looks at a clock that a test may move


@dataclass(frozen=True)
class Event:
    """An event that somebody posted to a plan, and the HTTP status it was answered with."""

    name: str
    result: str | None
    status: int


@dataclass(eq=False)
class ServerJob(TaskPlan):
    """One job that waits for TaskCompleted, and what came for it.

    `timeout` counts in seconds by the service's clock from the start. `answer` is what the
    endpoint answered. `requests` are all requests on the plan: method, path below the plan,
    status. `events` are those that came with the job's own token and could be read.
    """

    timeout: float = 3600.0
    answer: Answer | None = None
    finished: datetime | None = None
    requests: list[tuple[str, str, int]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    timeline: Timeline = field(default_factory=Timeline, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.lock = threading.Condition()
        self._result: Result | None = None
        self._reason = ""
        self._timed_out = False
        for identifier, kind in ((self.job_id, "Job"), (self.task_id, "Task")):
            record = {"id": identifier, "type": kind, "name": kind, "state": "inProgress"}
            self.timeline.records[identifier] = record
        self.timeline.records[self.task_id]["parentId"] = self.job_id

    @property
    def result(self) -> Result | None:
        """How the job ended; None while it waits."""
        self._watch_the_clock()
        return self._result

    @property
    def reason(self) -> str:
        """Why the job ended without TaskCompleted; empty if it did not."""
        self._watch_the_clock()
        return self._reason

    @property
    def timed_out(self) -> bool:
        """Whether it ended because nobody completed its task in time; its result is "canceled"."""
        self._watch_the_clock()
        return self._timed_out

    @property
    def lines(self) -> list[str]:
        """The live lines, in the order they came."""
        with self.lock:
            return [line for _, line in self.timeline.feed]

    @property
    def log(self) -> str:
        """The text of the log file that the task's record names; empty if it names none."""
        with self.lock:
            return self.timeline.text_of(self.task_id)

    @property
    def logs(self) -> dict[int, str]:
        """The text of every log file by its id."""
        with self.lock:
            return {number: log.text for number, log in self.timeline.logs.items()}

    @property
    def records(self) -> list[dict[str, Any]]:
        """The timeline's records as the service tells them: the job's, the task's, and others."""
        with self.lock:
            self._watch_the_clock()
            return [dict(record) for record in self.timeline.records.values()]

    @property
    def variables(self) -> dict[str, str]:
        """The output variables that were set."""
        with self.lock:
            return self.timeline.variables()

    def wait(self, seconds: float) -> Result | None:
        """The job's result as soon as there is one, or None after this many real seconds."""
        until = time.monotonic() + seconds
        with self.lock:
            while self.result is None and time.monotonic() < until:
                self.lock.wait(LOOK)
            return self.result

    def call(
        self,
        url: str,
        body: object = "",
        headers: Mapping[str, str | None] | None = None,
        method: str = "POST",
        seconds: float = 20.0,
    ) -> Answer | None:
        """Make the task's call, as TaskCall says; without a 2xx in time the job has failed.

        A TaskCompleted that comes during the call counts if the answer is 2xx. Whether the
        service takes one so early is not documented.
        """
        sent = {**self.headers, **(headers or {})}
        told = TaskCall(url, sent, body, method, seconds).make()
        with self.lock:
            if isinstance(told, str):
                self._end("failed", told)
                return None
            self.answer = told
            if not told.good:
                self._end("failed", f"The endpoint answered {told.status}.")
        return told

    def complete(self, job_id: str, task_id: str, result: Completion) -> None:
        """End the task. A 404 Refusal if it is not this job's or is over.

        The service refuses wrong ids with these words
        (https://github.com/microsoft/azure-pipelines-tasks/issues/7446). That it refuses a task
        that is over in the same way, and both with 404, is not documented.
        """
        with self.lock:
            if (job_id, task_id) != (self.job_id, self.task_id) or self.result is not None:
                raise self.no_session(job_id, task_id)
            self._end(result)

    def cancel(self) -> None:
        """Somebody cancels the pipeline run; a job that is over stays as it is."""
        with self.lock:
            if self.result is None:
                self._end("canceled", "The pipeline run was canceled.")

    def evaluate_again(self) -> None:
        """A check is evaluated once more: its task, by the same ids, waits again."""
        with self.lock:
            self._result, self._reason, self.finished = None, "", None
            for identifier in (self.job_id, self.task_id):
                self.timeline.records[identifier] |= {"state": "inProgress", "result": None}

    def no_session(self, job_id: str, task_id: str) -> Refusal:
        """404: nothing runs, or runs any more, that this event is for."""
        session = "_".join(i.replace("-", "") for i in (self.plan_id, job_id, task_id))
        hub = self.hub.capitalize()
        message = f"The orchestration session {session} not found for hub {hub}."
        return Refusal(404, "OrchestrationSessionNotFoundException", message)

    def _watch_the_clock(self) -> None:
        with self.lock:
            if self._result is None and self.age >= self.timeout:
                minutes = self.timeout / 60
                self._timed_out = True
                reason = f"The job ran longer than the maximum time of {minutes:g} minutes."
                self._end("canceled", reason)

    def _end(self, result: Result, reason: str = "") -> None:
        self._result, self._reason, self.finished = result, reason, self.clock()
        for identifier in (self.job_id, self.task_id):
            self.timeline.records[identifier] |= {"state": "completed", "result": result}
        self.lock.notify_all()
