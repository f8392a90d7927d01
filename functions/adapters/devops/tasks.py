"""Agentless tasks: prove that a token is its plan's, show lines, end the task.

https://learn.microsoft.com/azure/devops/pipelines/process/invoke-checks
https://learn.microsoft.com/azure/devops/pipelines/tasks/reference/invoke-rest-api-v1
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

from functions.adapters.devops.answers import told, unanswered
from functions.adapters.devops.origin import asks_to_sign_in, is_own, is_page, words
from functions.adapters.http.losses import NoAnswerError, NotSentError
from functions.adapters.http.transport import READ_SECONDS, Answer, Transport
from functions.core.terms.errors import InDoubt, Permanent, Retryable
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from functions.core.kept.task_answer import TaskAnswer
    from functions.core.kept.tasks import Task
    from functions.core.terms.deadline import Deadline

EVENTS = "2.0-preview.1"
RECORDS = "4.1"
LONGEST_LINE = 500
LINE_SECONDS = 3.0
# Nothing waits for the event, or not any more; seen with 500 and with 404
# https://github.com/microsoft/azure-pipelines-tasks/issues/7446
_NO_SESSION = re.compile(
    r"orchestration (session|plan)\b.{0,200}\bnot (be )?found|no orchestration session",
    re.IGNORECASE,
)


class DevOpsTasks:
    """The tasks of collections on hosts that a token may be sent to."""

    def __init__(self, devops_url: str, transport: Transport) -> None:
        self._own = devops_url
        self._transport = transport

    def prove(self, task: Task, token: str, deadline: Deadline) -> None:
        """One GET on the plan, which its own token alone may read.

        Raises Permanent, with nothing sent, for an address that is not allowed; and where the
        answer is anything but that plan. Raises Retryable where there is none.
        """
        if not self._may_be_asked(task):
            raise Permanent(Reason.REFUSED, "the plan's address is not allowed")
        url = f"{_plan(task)}?api-version={EVENTS}"
        answer = self._read(url, token, deadline)
        found = answer.json if answer.status == 200 else None
        if not isinstance(found, dict) or str(found.get("planId", "")).lower() != task.plan:
            raise Permanent(Reason.REFUSED, f"the token is not the plan's: {answer.status}")

    def complete(self, task: Task, token: str, answer: TaskAnswer) -> None:
        """Lines first, as well as they can be shown, then the event that ends the task."""
        lines = [f"Run Relay: {line[:LONGEST_LINE]}" for line in answer.lines]
        with suppress(InDoubt, Permanent, Retryable):  # the answer matters more than its words
            self._show(task, token, lines)
        ids = {"taskId": task.id, "jobId": task.job}
        event = {"name": "TaskCompleted", **ids, "result": answer.result}
        taken = self._send(f"{_plan(task)}/events?api-version={EVENTS}", token, event)
        if taken.body.strip():  # there is nothing to say: somebody else may have said it
            raise InDoubt(Reason.IN_DOUBT, told(taken), taken.retry_after)

    def result(self, task: Task, token: str, deadline: Deadline) -> str:
        """The result in the task's own record, if that says that it is completed; else "".

        "" too where it cannot be read with the task's token; raises Retryable.
        """
        url = f"{_plan(task)}/timelines/{task.timeline}/records?api-version={RECORDS}"
        answer = self._read(url, token, deadline)
        found = answer.json.get("value") if isinstance(answer.json, dict) else None
        records = [r for r in found if isinstance(r, dict)] if isinstance(found, list) else []
        own = [r for r in records if str(r.get("id", "")).lower() == task.id]
        over = (str(r.get("result")) for r in own if r.get("state") == "completed")
        return next(over, "")

    def _show(self, task: Task, token: str, lines: list[str]) -> None:
        """In the live view, and as the task's log."""
        records = f"{_plan(task)}/timelines/{task.timeline}/records"
        feed = f"{records}/{task.job}/feed?api-version={RECORDS}"
        self._send(feed, token, {"value": lines, "count": len(lines)}, LINE_SECONDS)
        path, logs = {"path": f"logs\\{task.id}"}, f"{_plan(task)}/logs"
        log = self._send(f"{logs}?api-version={RECORDS}", token, path, LINE_SECONDS).json
        number = log.get("id") if isinstance(log, dict) else None
        if not isinstance(number, int):
            return
        text = "".join(f"{line}\r\n" for line in lines)
        url = f"{logs}/{number}?api-version={RECORDS}"
        self._send(url, token, text, LINE_SECONDS)
        changed = {"value": [{"id": task.id, "log": {"id": number}}], "count": 1}
        at = f"{records}?api-version={RECORDS}"
        self._send(at, token, changed, LINE_SECONDS, method="PATCH")

    def _read(self, url: str, token: str, deadline: Deadline) -> Answer:
        """Raises Retryable where there is no answer just now."""
        try:
            answer = self._transport.read(url, f"Bearer {token}", deadline, headers=_JSON)
        except (NotSentError, NoAnswerError) as error:
            raise Retryable(Reason.NOT_SENT, f"no answer from Azure DevOps: {error}") from None
        if _passes(answer):
            raise Retryable(Reason.THROTTLED, told(answer), answer.retry_after)
        return answer

    def _send(
        self,
        url: str,
        token: str,
        body: object,
        seconds: float = READ_SECONDS,
        method: str = "POST",
    ) -> Answer:
        raw = isinstance(body, str)
        try:
            answer = self._transport.effect(
                url,
                f"Bearer {token}",
                within=seconds,
                headers=_BYTES if raw else _JSON,
                body=str(body) if raw else json.dumps(body),
                method=method,
            )
        except (NotSentError, NoAnswerError) as error:
            raise unanswered(error) from None
        if answer.status in {200, 201, 204} and not (answer.body and is_page(answer)):
            return answer
        raise _refusal(answer)

    def _may_be_asked(self, task: Task) -> bool:
        """Whether the token may go there: to an organization of ours, or of Microsoft's."""
        from functions.core.kept.organizations import is_known  # noqa: PLC0415 - few apps have waits

        return is_known(task.organization, self._own)


_HEADERS = {"Accept": "application/json", "X-TFS-FedAuthRedirect": "Suppress"}
_JSON = {**_HEADERS, "Content-Type": "application/json; charset=utf-8"}
_BYTES = {**_HEADERS, "Content-Type": "application/octet-stream"}


def _plan(task: Task) -> str:
    parts = (task.project, "_apis/distributedtask/hubs", task.hub, "plans", task.plan)
    return "/".join((task.url, *(quote(part) for part in parts)))


def _passes(answer: Answer) -> bool:
    return answer.status in {408, 429} or answer.status >= 500


def _refusal(answer: Answer) -> InDoubt | Permanent | Retryable:
    """What it means that a task's effect was not taken.

    Only what Azure DevOps itself says is final: a page in the place of its answer proves nothing.
    """
    said = told(answer)
    if is_own(answer) and _NO_SESSION.search(words(answer)):
        return Permanent(Reason.REFUSED, said)
    if _passes(answer):
        return Retryable(Reason.THROTTLED, said, answer.retry_after)
    if asks_to_sign_in(answer) or (is_own(answer) and answer.status >= 300):
        return Permanent(Reason.REFUSED, said)
    return InDoubt(Reason.IN_DOUBT, said, answer.retry_after)
