"""Looks at runs of GitHub Actions: for the one of a lost answer, and for how they ended.

https://docs.github.com/rest/actions/workflow-runs
"""

from __future__ import annotations

import re
from datetime import timedelta
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
CLOCKS_DIFFER = timedelta(hours=1)  # by at most so much: the hash alone tells whose a run is
_ANY_MARK = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{12}(?![0-9A-Za-z])")  # as `Key.hash` has it
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
        """The ids of those whose name shows the mark; raises Retryable where it was not all.

        One that was dispatched in that time and whose name shows no start's hash may be the one:
        its workflow has no such `run-name`, or the name was cut. It is no proof that none is there.
        """
        if not mark:
            raise incomplete("the request has nothing that a run's name would show")
        word = re.compile(rf"(?<![0-9A-Za-z]){re.escape(mark)}(?![0-9A-Za-z])")
        seen: set[int] = set()
        found, nameless = False, 0
        for run, made in self._since(queued[0] - CLOCKS_DIFFER):
            number, title = run["id"], str(run.get("display_title", ""))
            if run.get("event") != "workflow_dispatch" or number in seen:
                continue
            seen.add(number)
            if word.search(title):
                found = True
                yield number
            elif queued[0] <= made <= queued[1] and not _ANY_MARK.search(title):
                nameless = number
        if nameless and not found:
            raise incomplete(f"run {nameless} may be the one: its name shows no start's hash")

    def _since(self, since: datetime) -> Iterator[tuple[dict[str, Any], datetime]]:
        """Those that were made since then, and when.

        What is made meanwhile moves others to the next page, where they are seen twice. What is
        deleted meanwhile moves them to the page before, so that fewer of them are no whole look,
        and no more are those that show fewer than they count.
        """
        count = there = 0
        seen: set[int] = set()
        for page in range(1, MOST_PAGES + 1):
            listed, total = _listed(self._page(page))
            if total < count:
                raise incomplete("runs were deleted during the look")
            count, there = total, there if seen else total
            made = [(run, _made(run)) for run in listed]
            yield from (one for one in made if one[1] >= since)
            if any(at < since for _, at in made):
                return
            seen.update(run["id"] for run in listed)
            if len(listed) < PAGE and len(seen) >= there:
                return
            if not listed:
                raise incomplete(f"the list shows {len(seen)} of {there} runs")
        raise incomplete(f"more than {MOST_PAGES} pages of runs")

    def _page(self, page: int) -> Answer | None:
        params = {"per_page": f"{PAGE}", "page": f"{page}"}
        try:
            return self._calls.read(self._url, self._credential, self._deadline, params)
        except Retryable as error:
            if error.reason is not Reason.REFUSED:
                raise
            why = f"the look for a lost answer's run was refused: {error.detail}"
            raise Retryable(Reason.LOOK_FAILED, why, error.retry_after) from None


def _made(run: dict[str, Any]) -> datetime:
    made = parse_time(run.get("created_at"))
    if made is None or not _has_id(run):
        raise incomplete("a run in the list has no id, or no time")
    return made


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
    """The run of an answer, if that is about the one that was asked for.

    Raises Retryable (refused) else, so that who is meant is parted from the others.
    """
    run = answer.json
    if not _has_id(run) or run["id"] != number:
        raise Retryable(Reason.REFUSED, f"what was answered for run {number} is not about it")
    path = str(run.get("path", "")).partition("@")[0]
    if path and path.rpartition("/")[2] != workflow:
        why = f"run {number} is one of {bounded(path, 100)}, not of {workflow}"
        raise Retryable(Reason.REFUSED, why)
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
