"""How runs of GitHub Actions ended, each asked for by its id.

https://docs.github.com/rest/actions/workflow-runs#get-a-workflow-run
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.adapters.github.answers import has_id, pause
from functions.core.terms.errors import Retryable
from functions.core.terms.pipelines import PipelineEnd, RunsSeen
from functions.core.terms.reasons import Reason
from functions.core.terms.words import Ending
from functions.core.texts.bounds import bounded
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.adapters.github.calls import Calls
    from functions.adapters.http.transport import Answer
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.pipelines import Credential, Project

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
MOST_UNREAD = 3  # runs that cannot be read, of those that are asked for together
_SAID_ALREADY = frozenset({"success", "failure", "cancelled"})


def ends(
    calls: Calls,
    where: Project,
    runs: Mapping[int, int | str],
    credential: Credential,
    deadline: Deadline,
) -> RunsSeen:
    """How these runs ended, one request for each; raises Retryable where not all could be seen.

    404 is also said of a repository that may not be seen any more: no run of it was deleted then.
    One that cannot be read hides no other; after some of these the rest is not asked for.
    """
    there, unread, unasked = _read(calls, where, runs, credential, deadline)
    answers = [answer for answer, _ in there.values()]
    if len(there) + len(unread) + len(unasked) < len(runs):
        answer = calls.read(calls.repository(where), credential, deadline)
        if answer is None:
            raise Retryable(Reason.REFUSED, "GitHub answered 404: no such repository may be seen")
        answers.append(answer)
    told = {number: run for number, (_, run) in there.items()}
    waits = [seconds for one in answers if (seconds := pause(one))]
    return RunsSeen(
        runs={number: _end(run) for number, run in told.items()},
        untold=unread,
        unasked=unasked,
        names={number: str(run.get("display_title", "")) for number, run in told.items()},
        retry_after=max(waits, default=None),
        scarce=any(one.is_scarce for one in answers),
    )


def _read(
    calls: Calls,
    where: Project,
    runs: Mapping[int, int | str],
    credential: Credential,
    deadline: Deadline,
) -> tuple[dict[int, tuple[Answer, dict[str, Any]]], frozenset[int], frozenset[int]]:
    """The answers about those that are there, each with its run; which could not be read.

    And which were not asked for. Raises Retryable where all were, and none could be read.
    """
    there: dict[int, tuple[Answer, dict[str, Any]]] = {}
    unread, unasked = set[int](), set[int]()
    for number, workflow in runs.items():
        if len(unread) >= MOST_UNREAD:
            unasked.add(number)
            continue
        try:
            url = f"{calls.repository(where)}/actions/runs/{number}"
            answer = calls.read(url, credential, deadline)
        except Retryable as error:
            unread.add(number)
            if error.reason is not Reason.LOOK_FAILED or len(unread) == len(runs):
                raise
            continue
        if answer:
            there[number] = answer, _about(answer, number, workflow)
    return there, frozenset(unread), frozenset(unasked)


def _about(answer: Answer, number: int, workflow: int | str) -> dict[str, Any]:
    """The run of an answer, if that is about the one that was asked for.

    Raises Retryable (refused) else, so that who is meant is parted from the others.
    """
    run = answer.json
    if not has_id(run) or run["id"] != number:
        raise Retryable(Reason.REFUSED, f"what was answered for run {number} is not about it")
    path = str(run.get("path", "")).partition("@")[0]
    if path and path.rpartition("/")[2] != workflow:
        why = f"run {number} is one of {bounded(path, 100)}, not of {workflow}"
        raise Retryable(Reason.REFUSED, why)
    return dict(run)


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
