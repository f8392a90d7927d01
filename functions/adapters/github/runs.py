"""Looks at runs of GitHub Actions: for the one of a lost answer, and for how they ended.

https://docs.github.com/rest/actions/workflow-runs
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from functions.adapters.github.answers import is_scarce, pause
from functions.adapters.github.calls import incomplete
from functions.core.terms.errors import Retryable
from functions.core.terms.pipelines import PipelineEnd, RunsSeen
from functions.core.terms.reasons import Reason
from functions.core.terms.words import Ending
from functions.core.texts.bounds import bounded
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from functions.adapters.github.calls import Calls
    from functions.adapters.http.transport import Answer
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.pipelines import Credential, Project

PAGE = 100
MOST_PAGES = 50
# https://docs.github.com/rest/checks/runs: what a run's conclusion can be. One that waits for a
# person (`action_required`) goes on, and one that did nothing has not succeeded.
CONCLUSIONS = {
    "success": Ending.SUCCEEDED,
    "failure": Ending.FAILED,
    "timed_out": Ending.FAILED,
    "startup_failure": Ending.FAILED,
    "stale": Ending.FAILED,
    "cancelled": Ending.CANCELED,
    "neutral": Ending.PARTIALLY_SUCCEEDED,
    "skipped": Ending.PARTIALLY_SUCCEEDED,
}
_SAID_ALREADY = frozenset({"success", "failure", "cancelled"})


class LookUp:
    """Looks through the runs of one workflow, the newest first.

    Without GitHub's filters: with any it shows a thousand at most, and by an index that is behind.
    """

    def __init__(
        self, calls: Calls, workflow: str, credential: Credential, deadline: Deadline
    ) -> None:
        self._calls, self._url = calls, f"{workflow}/runs"
        self._credential, self._deadline = credential, deadline

    def marked(self, mark: str, queued: tuple[datetime, datetime]) -> Iterator[int]:
        """The ids of those whose name shows the mark; raises Retryable where it was not all."""
        if not mark:
            raise incomplete("the request has nothing that a run's name would show")
        word = re.compile(rf"(?<![0-9A-Za-z]){re.escape(mark)}(?![0-9A-Za-z])")
        seen: set[int] = set()
        for run in self._since(queued[0]):
            number = run["id"]
            is_ours = run.get("event") == "workflow_dispatch" and number not in seen
            if is_ours and word.search(str(run.get("display_title", ""))):
                yield number
            seen.add(number)

    def _since(self, since: datetime) -> Iterator[dict[str, Any]]:
        """Those that were made since then.

        What is made meanwhile moves others to the next page, where they are seen twice. What is
        deleted meanwhile moves them to the page before, so that fewer of them are no whole look.
        """
        count = 0
        for page in range(1, MOST_PAGES + 1):
            params = {"per_page": f"{PAGE}", "page": f"{page}"}
            answer = self._calls.read(self._url, self._credential, self._deadline, params)
            listed, total = _listed(answer)
            if total < count:
                raise incomplete("runs were deleted during the look")
            count = total
            for run in listed:
                made = parse_time(run.get("created_at"))
                if made is None or not _has_id(run):
                    raise incomplete("a run in the list has no id, or no time")
                if made < since:
                    return
                yield run
            if len(listed) < PAGE:
                return
        raise incomplete(f"more than {MOST_PAGES} pages of runs")


def _listed(answer: Answer | None) -> tuple[list[dict[str, Any]], int]:
    if answer is None:
        raise incomplete("GitHub answered 404: no such workflow, or it may not be seen")
    found = answer.json
    listed = found.get("workflow_runs") if isinstance(found, dict) else None
    total = found.get("total_count") if isinstance(found, dict) else None
    if not isinstance(listed, list) or type(total) is not int:
        raise incomplete("the list of runs is no list")
    if not all(isinstance(run, dict) for run in listed):
        raise incomplete("the list of runs holds something else")
    return listed, total


def ends(
    calls: Calls,
    where: Project,
    runs: Mapping[int, int | str],
    credential: Credential,
    deadline: Deadline,
) -> RunsSeen:
    """How these runs ended, one request for each; raises Retryable where not all could be seen.

    404 is also said of a repository that may not be seen any more: no run of it was deleted then.
    """
    found: dict[int, PipelineEnd | None] = {}
    answers: list[Answer] = []
    for number, workflow in runs.items():
        url = f"{calls.repository(where)}/actions/runs/{number}"
        if answer := calls.read(url, credential, deadline):
            answers.append(answer)
            found[number] = _end(_about(answer, number, workflow))
    if len(found) < len(runs):
        answer = calls.read(calls.repository(where), credential, deadline)
        if answer is None:
            raise Retryable(Reason.REFUSED, "GitHub answered 404: no such repository may be seen")
        answers.append(answer)
    waits = [seconds for one in answers if (seconds := pause(one))]
    scarce = any(map(is_scarce, answers))
    return RunsSeen(runs=found, retry_after=max(waits, default=None), scarce=scarce)


def _about(answer: Answer, number: int, workflow: int | str) -> dict[str, Any]:
    """The run of an answer, if that is about the one that was asked for."""
    run = answer.json
    if not _has_id(run) or run["id"] != number:
        raise incomplete(f"what was answered for run {number} is not about it")
    path = str(run.get("path", "")).partition("@")[0]
    if path and path.rpartition("/")[2] != workflow:
        raise incomplete(f"run {number} is one of {bounded(path, 100)}, not of {workflow}")
    return dict(run)


def _has_id(run: object) -> bool:
    return isinstance(run, dict) and type(run.get("id")) is int and 0 < run["id"] < 2**63


def _end(run: dict[str, Any]) -> PipelineEnd | None:
    """How a run ended, and None as long as it does not say so in words that are known.

    The time is that of its last change: GitHub tells no other.
    """
    conclusion, at = run.get("conclusion"), parse_time(run.get("updated_at"))
    if run.get("status") != "completed" or at is None:
        return None
    if not isinstance(conclusion, str) or conclusion not in CONCLUSIONS:
        return None
    detail = "" if conclusion in _SAID_ALREADY else f"GitHub calls it {conclusion}"
    return PipelineEnd(how=CONCLUSIONS[conclusion], at=at, detail=detail)
